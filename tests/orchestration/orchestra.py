"""A real Prefect server and worker as `make server` starts them, and what tests ask of them over the server's API.

Flows run as deployments in the worker (`run`), or in the process of the tests (`perform`): the server sees no difference,
and a new process takes seconds to import Prefect.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx

from tests.running import Run, roster
from tests.syncing import PATIENCE_SECONDS

ROOT = Path(__file__).parents[2]
PREFECT = str(Path(sys.executable).parent / "prefect")
CREDENTIALS = {"LARKSPUR_ID": "sandbox", "LARKSPUR_SECRET": "sandbox"}
FINAL = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")
LOOK_SECONDS = 0.3


@dataclass(frozen=True)
class FlowRun:
    """A flow run that has come as far as somebody waited for: the name and the type of its state, what that says, and its name."""

    id: str
    state: str
    type: str
    message: str
    name: str


@dataclass(frozen=True)
class Orchestra:
    """Server and worker; `state` is the state folder of flows that are given no other."""

    state: Path
    port: int

    @property
    def api(self) -> str:
        """The address of the server's API."""
        return f"http://127.0.0.1:{self.port}/api"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of whoever speaks with this server, and of the worker."""
        quick = {
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION": "30",
            # What has to wait for its turn asks again soon.
            "PREFECT_SERVER_CONCURRENCY_MAXIMUM_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
            "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "1",
            # A few nights ahead are enough, and no flow has automations.
            "PREFECT_SERVER_SERVICES_SCHEDULER_MAX_RUNS": "3",
            "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
            "PREFECT_HOME": str(self.state / "prefect"),
            "NO_COLOR": "1",
            # Feeds of tests lie in their temporary folders.
            "ROSTER_FEEDS": str(self.state.parents[1]),
        }
        return (
            os.environ
            | CREDENTIALS
            | quick
            | self.signed_in
            | {"PREFECT_API_URL": self.api, "DO_NOT_TRACK": "1"}
        )

    @property
    def password(self) -> str:
        """The password of the server, which is made when it is first started."""
        file = self.state / "prefect" / "password"
        return file.read_text().strip() if file.exists() else ""

    @property
    def signed_in(self) -> dict[str, str]:
        """What Prefect's own commands need to know to be let in."""
        return {"PREFECT_API_AUTH_STRING": self.password} if self.password else {}

    def make(self, what: str) -> str:
        """Start or stop server and worker as `make` does; give what that printed."""
        words = [
            sys.executable,
            "-m",
            "flows.orchestration.server",
            what,
            "--port",
            str(self.port),
            "--state",
            str(self.state),
        ]
        done = subprocess.run(
            words, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of Prefect's."""
        return subprocess.run(
            [PREFECT, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def roster(self, *words: str) -> str:
        """Run a command of this program with this server; give what it printed."""
        command = [sys.executable, "-m", "flows", *words]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @contextmanager
    def within(self, **environment: str) -> Iterator[None]:
        """Let this process use the server, as a new process with this environment would."""
        with (
            patch.dict(os.environ, self.environment | environment),
            _inside().settings_of_environment(),
        ):
            yield

    def deploy(self, folder: Path, *words: str, **environment: str) -> Run:
        """Deploy a folder of feeds by the command line, in this process."""
        with self.within(**environment):
            return roster("deploy", folder, *words, state=folder / "state")

    def perform(self, name: str, **parameters: object) -> FlowRun:
        """Run a flow in this process; give what the server knows of it then."""
        with self.within():
            return self.wait(_inside().performed(name, parameters))

    @contextmanager
    def performing(self, name: str, *each: dict[str, object]) -> Iterator[list[str]]:
        """Run a flow that asks a person in threads of this process, one for each set of parameters.

        Gives the ids of the runs when all wait for their forms, and waits until all have ended.
        """
        tags = [uuid4().hex for _ in each]
        hours = {"hours": PATIENCE_SECONDS / 3600}  # if a test fails, nobody fills in the form
        with (
            self.within(),
            _inside().connections_left_open(),
            ThreadPoolExecutor(len(each)) as threads,
        ):
            ends = [
                threads.submit(
                    copy_context().run, _inside().performed, name, hours | parameters, tag
                )
                for tag, parameters in zip(tags, each, strict=True)
            ]
            yield [self.wait(self._tagged(tag), "PAUSED", *FINAL).id for tag in tags]
            for end in ends:
                end.result()

    def _tagged(self, tag: str) -> str:
        """Give the id of the flow run with a tag."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = self.ask("POST", "/flow_runs/filter", {"flow_runs": {"tags": {"all_": [tag]}}})
            if found:
                return str(found[0]["id"])
            time.sleep(LOOK_SECONDS)
        raise AssertionError(f"No flow run with the tag {tag} began.")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Ask the API, and give what it answers."""
        until = time.monotonic() + PATIENCE_SECONDS
        answer = self._answer(method, path, body)
        # The server's database is a file, for which flows and their events wait in turn.
        while answer.status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            answer = self._answer(method, path, body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def _answer(self, method: str, path: str, body: object = None) -> httpx.Response:
        user, _, password = self.password.partition(":")
        # Reading certificates, which loopback does not need, would take longer than the answer.
        return httpx.request(
            method,
            f"{self.api}{path}",
            json=body,
            auth=(user, password),
            timeout=PATIENCE_SECONDS,
            verify=False,
        )

    def begin(self, deployment: str, **parameters: object) -> str:
        """Start a run of a deployment (`flow/deployment`); give its id."""
        found = self.ask("GET", f"/deployments/name/{deployment}")
        body = {"parameters": parameters, "state": {"type": "SCHEDULED"}}
        return str(self.ask("POST", f"/deployments/{found['id']}/create_flow_run", body)["id"])

    def run(self, deployment: str, **parameters: object) -> FlowRun:
        """Start a run of a deployment, and wait until it has ended."""
        return self.wait(self.begin(deployment, **parameters))

    def wait(self, run: str, *types: str) -> FlowRun:
        """Wait until a flow run is in a state of one of the types, or has ended."""
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            found = self.ask("GET", f"/flow_runs/{run}")
            if found["state_type"] in (types or FINAL):
                return FlowRun(
                    run,
                    found["state_name"],
                    found["state_type"],
                    found["state"]["message"] or "",
                    found["name"],
                )
            time.sleep(LOOK_SECONDS)
        raise AssertionError(
            f"{found['name']} is {found['state_name']} still. {self.log('worker')}"
        )

    def decide(self, run: str, **form: str) -> FlowRun:
        """Fill in the form for which a flow run waits, and wait until it has ended."""
        self.wait(run, "PAUSED")
        assert self.fill_in(run, **form) == "ACCEPT"
        return self.wait(run)

    def fill_in(self, run: str, **form: str) -> str:
        """Fill in the form for which a flow run waits; give what the server says to that."""
        self._wait_for_form(run)
        return str(self.ask("POST", f"/flow_runs/{run}/resume", {"run_input": form})["status"])

    def _wait_for_form(self, run: str) -> None:
        """Wait until a flow run that is paused has its form, which Prefect sends a moment later."""
        keys = self.ask("GET", f"/flow_runs/{run}")["state"]["state_details"]["run_input_keyset"]
        until = time.monotonic() + PATIENCE_SECONDS
        while not self._answer("GET", f"/flow_runs/{run}/input/{keys['schema']}").is_success:
            assert time.monotonic() < until, f"Flow run {run} has no form."
            time.sleep(LOOK_SECONDS)

    def tasks(self, run: FlowRun) -> list[str]:
        """The names of a flow run's tasks, in the order in which they began."""
        wanted = {"flow_runs": {"id": {"any_": [run.id]}}, "sort": "EXPECTED_START_TIME_ASC"}
        return [one["name"] for one in self.ask("POST", "/task_runs/filter", wanted)]

    def artifact(self, run: FlowRun, key: str) -> str:
        """What a flow run shows under a key; blank if it shows nothing there."""
        wanted = {"artifacts": {"key": {"any_": [key]}, "flow_run_id": {"any_": [run.id]}}}
        return "".join(str(one["data"]) for one in self.ask("POST", "/artifacts/filter", wanted))

    def log(self, name: str) -> str:
        """The end of what server or worker has printed."""
        return (self.state / "prefect" / f"{name}.log").read_text()[-3000:]


def _inside() -> ModuleType:
    """Import what imports Prefect: not before it is needed, and only when the environment is the server's."""
    return import_module("tests.orchestration.inside")


@contextmanager
def orchestra(folder: Path) -> Iterator[Orchestra]:
    """Start server and worker, and end them however the tests end."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    started = Orchestra(folder / "state", port)
    try:
        started.make("start")
        yield started
    finally:
        started.make("stop")
