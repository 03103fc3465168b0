"""`make server` and `make stop`: a Prefect server and a worker on this machine, with the flows
deployed.

All that they keep lies in `prefect/` below the state folder. They listen on loopback alone, ask for
a password, and tell nobody of their use.
"""

from __future__ import annotations

import argparse
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flows.errors import SettingsError
from flows.files import protect_state_folder
from flows.orchestration import access
from flows.orchestration.access import FOLDER, HOST, ROOT, api_of, port_of
from flows.orchestration.daemons import Daemon, DaemonError, stop_children
from flows.reports.screen import print_line

PORT, POOL = 4200, "roster"
PREFECT = str(Path(sys.executable).parent / "prefect")
START_SECONDS, LOOK_SECONDS = 180.0, 0.5
# How many flow runs a worker runs at once: without a limit, sixty nights that are due in the same
# minute begin together, and the server answers none of them in time.
RUNS_PER_CORE = 2  # the start of a run takes 3 seconds of a core, and most of the rest is waiting
WAITING_FORMS = 2  # each flow run whose form nobody has answered yet takes a place
# Prefect's server has 15 connections to its database (on SQLite no setting raises that), and needs
# some itself.
MOST_RUNS = 12
# How Prefect's clients, the worker's among them, outlast a busy server. They always retry 503, with
# which it answers if its database is locked. If all its connections are taken it answers 500, and
# does nothing. Seven retries take about four minutes: each waits twice as long as the one before.
CLIENT_RETRIES = {
    "PREFECT_CLIENT_MAX_RETRIES": "7",
    "PREFECT_CLIENT_RETRY_EXTRA_CODES": "500,504",
}
READY = (
    "Prefect is ready: http://{host}:{port}\n"
    "Its page and its API ask for a password, which is {password}.\n"
    "To load the sample district into the sandbox:\n"
    "  PREFECT_API_URL=http://{host}:{port}/api {said}.venv/bin/prefect deployment run "
    "nightly/nightly --watch\n"
    "To end server and worker: {stop}"
)


@dataclass(frozen=True)
class ServerLocation:
    """Where a server and its worker run."""

    state: Path
    port: int = PORT  # of the server

    @property
    def folder(self) -> Path:
        """The folder of their database, logs and pid files."""
        return self.state / FOLDER

    @property
    def api(self) -> str:
        """The address of the server's API."""
        return api_of(self.port)

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of server, worker and flow runs.

        Values in `given` take precedence over the defaults, but not over what a server of ours
        must have.
        """
        ours = {
            "PREFECT_HOME": str(self.folder),
            "PREFECT_API_URL": self.api,
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "DO_NOT_TRACK": "1",
            "ROSTER_STATE": str(self.state),
        }
        defaults = {
            # A run releases its share of a ceiling even if the server was restarted in between.
            "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": (
                "prefect.server.concurrency.lease_storage.filesystem"
            ),
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "60",
            "PREFECT_WORKER_QUERY_SECONDS": "5",
            **CLIENT_RETRIES,
        }
        return {**defaults, **given, **ours, **access.password_settings(self.state, given)}


def runs_at_once(cores: int | None) -> int:
    """Return how many flow runs a worker on a machine with so many cores runs at once."""
    return min(MOST_RUNS, RUNS_PER_CORE * (cores or 1) + WAITING_FORMS)


def start(
    place: ServerLocation, environment: Mapping[str, str], limit: int | None = None
) -> list[str]:
    """Start server and worker unless they run, deploy the flows, and return when all is ready.

    The worker runs `limit` flow runs at once; None for a limit by the cores of the machine.
    Returns the names of those that ran before. Raises `DaemonError` if one of them cannot start.
    """
    _check_port(place, Daemon("server", place.folder, environment))
    access.make_password(place.state, environment)
    own = place.environment(environment)
    server, worker = (Daemon(name, place.folder, own) for name in ("server", "worker"))
    ran = [one.name for one in (server, worker) if one.runs]
    if "server" not in ran:
        server.start([PREFECT, "server", "start", "--host", HOST, "--port", str(place.port)])
    _wait(lambda: _answers(place), server)
    access.check_password(place.api, place.state, environment)
    if "worker" not in ran:
        worker.start(worker_command(limit or runs_at_once(os.cpu_count())))
    # The worker creates the pool, without which nothing can be deployed.
    _wait(lambda: _has_worker(place, own[access.CLIENT_AUTH]), worker)
    _deploy(own)
    return ran


def worker_command(limit: int) -> list[str]:
    """Return the command that starts a worker."""
    words = ["worker", "start", "--pool", POOL, "--type", "process", "--name", POOL]
    return [PREFECT, *words, "--limit", str(limit)]


def stop(place: ServerLocation, environment: Mapping[str, str]) -> list[str]:
    """Stop worker and server; return the names of those that ran.

    Before that, flow runs finish the requests that are under way, and record their outcomes.
    """
    own = place.environment(environment)
    stop_children(Daemon("worker", place.folder, own))
    return [name for name in ("worker", "server") if Daemon(name, place.folder, own).stop()]


def _check_port(place: ServerLocation, server: Daemon) -> None:
    """Raise `DaemonError` if our server runs on another port, or another program has the port."""
    if server.runs:
        port = port_of(server)
        if port == str(place.port):
            return
        raise DaemonError(
            f"The server of {place.state} runs already, at port {port}. Stop it first (make "
            f"stop), or use that: make server PORT={port}"
        )

    with socket.socket() as probe:
        if probe.connect_ex((HOST, place.port)) == 0:
            raise DaemonError(
                f"Port {place.port} is taken by another program. Choose another: make server "
                f"PORT={place.port + 1}"
            )


def _deploy(environment: Mapping[str, str]) -> None:
    deploy = [PREFECT, "--no-prompt", "deploy", "--all"]
    done = subprocess.run(
        deploy, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise DaemonError(
            f"The flows could not be deployed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
        )


def _wait(ready: Callable[[], bool], daemon: Daemon) -> None:
    until = time.monotonic() + START_SECONDS
    while not ready():
        if not daemon.runs:
            raise DaemonError(f"The {daemon.name} has ended. Its log says why: {daemon.log}")
        if time.monotonic() > until:
            raise DaemonError(
                f"The {daemon.name} was not ready within {START_SECONDS:.0f} seconds. Its "
                f"log: {daemon.log}"
            )
        time.sleep(LOOK_SECONDS)


def _answers(place: ServerLocation) -> bool:
    try:
        return httpx.get(f"{place.api}/health").is_success
    except httpx.HTTPError:
        return False


def _has_worker(place: ServerLocation, password: str) -> bool:
    path = f"{place.api}/work_pools/{POOL}/workers/filter"
    try:
        answer = httpx.post(path, json={}, headers=access.authorization_header(password))
    except httpx.HTTPError:
        return False
    workers: list[dict[str, Any]] = answer.json() if answer.is_success else []
    return any(worker.get("status") == "ONLINE" for worker in workers)


def _ready_text(state: Path, place: ServerLocation) -> str:
    """Return where the server is, how to sign in, and what to do next."""
    where = access.password_location(state, os.environ)
    if where.startswith("$"):
        password, said = f"that of {where}", ""
    else:
        password = f"the line in {where}"
        said = f'{access.CLIENT_AUTH}="$(cat {shlex.quote(where)})" '
    stop = "make stop" if state == Path(".roster") else f"ROSTER_STATE={state} make stop"
    return READY.format(host=HOST, port=place.port, password=password, said=said, stop=stop)


def main() -> int:
    """Start or stop server and worker, and print what to do next."""
    parser = argparse.ArgumentParser(
        prog="python -m flows.orchestration.server", description=__doc__
    )
    parser.add_argument("what", choices=["start", "stop"])
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument(
        "--state", type=Path, default=Path(os.environ.get("ROSTER_STATE") or ".roster")
    )
    parser.add_argument("--limit", type=int, help="how many flow runs the worker runs at once")
    options = parser.parse_args()
    place = ServerLocation(options.state.absolute(), options.port)
    try:
        protect_state_folder(place.state)
        if options.what == "start":
            ran = start(place, os.environ, options.limit)
            if ran:
                print(f"Ran already: {', '.join(ran)}. The flows were deployed again.")
            print(_ready_text(options.state, place))
        else:
            stopped = stop(place, os.environ)
            print(
                f"Ended: {', '.join(stopped)}."
                if stopped
                else f"Neither server nor worker of {place.state} runs."
            )
    except (DaemonError, SettingsError) as error:
        print_line(f"roster: {error}", error=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
