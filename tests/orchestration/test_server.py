"""`make server` and `make stop`: what they say, what they leave alone, and that what was deployed outlives them."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import httpx
import pytest

from flows.orchestration import access
from flows.orchestration.daemons import Daemon, DaemonError
from flows.orchestration.server import ServerLocation, runs_at_once, worker_command
from tests.orchestration.orchestra import ROOT, Orchestra
from tests.orchestration.restart import Restart


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield one.getsockname()[1]


def refused(state: Path, port: int) -> str:
    """What `make server` says when it cannot start."""
    words = [
        sys.executable,
        "-m",
        "flows.orchestration.server",
        "start",
        "--port",
        str(port),
        "--state",
        str(state),
    ]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stdout)
    return done.stderr


@pytest.mark.parametrize(("cores", "limit"), [(None, 4), (1, 4), (2, 6), (4, 10), (64, 12)])
def test_a_worker_runs_so_many_at_once(cores: int | None, limit: int) -> None:
    """By the cores, within what Prefect's server bears."""
    assert limit == runs_at_once(cores)
    assert ["--limit", str(limit)] == worker_command(limit)[-2:]


def test_prefect_knows_the_settings_that_make_its_clients_patient(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that it does not know would do nothing. What the environment says takes precedence."""
    given = {"PREFECT_CLIENT_MAX_RETRIES": "2"}
    for patience, retries in (({}, 7), (given, 2)):
        for name, value in ServerLocation(tmp_path).environment(patience).items():
            monkeypatch.setenv(name, value)
        from prefect.settings import Settings  # noqa: PLC0415  (takes seconds)

        client = Settings().client

        assert (retries, {500, 504}) == (client.max_retries, client.retry_extra_codes)


def test_the_worker_was_started_with_a_limit(prefect: Orchestra) -> None:
    """The one that tests use, too."""
    worker = Daemon("worker", prefect.state / "prefect", {})

    assert f"--limit {runs_at_once(os.cpu_count())}" in worker.command


def test_a_port_of_another_program_is_refused(tmp_path: Path, taken: int) -> None:
    """What listens there is not asked, and nothing is started."""
    said = refused(tmp_path, taken)

    assert (
        f"Port {taken} is taken by another program. Choose another: make server PORT={taken + 1}"
        in said
    )
    assert not (tmp_path / "prefect").exists()


def test_nothing_to_stop_is_no_fault(tmp_path: Path) -> None:
    """It is said, and that is all."""
    said = Orchestra(tmp_path, 4200).make("stop")

    assert f"Neither server nor worker of {tmp_path} runs.\n" == said


def test_a_number_that_is_another_programs_by_now_is_left_alone(tmp_path: Path) -> None:
    """Numbers of processes are used again; here it is the number of the tests themselves."""
    (tmp_path / "server.pid").write_text(str(os.getpid()))
    server = Daemon("server", tmp_path, os.environ)

    assert (False, False) == (server.runs, server.stop())
    assert not (tmp_path / "server.pid").exists()


def test_one_server_is_enough_for_a_state_folder(prefect: Orchestra, taken: int) -> None:
    """At another port there would be two for one database."""
    said = refused(prefect.state, taken)

    assert f"runs already, at port {prefect.port}." in said
    assert f"make server PORT={prefect.port}" in said


def test_the_server_asks_for_a_password_that_its_owner_alone_can_read(prefect: Orchestra) -> None:
    """Page and API know nobody without it; it was made by the first start, and stands in no log."""
    file = prefect.state / "prefect" / "password"
    kept = prefect.password
    pages = httpx.get(prefect.api.replace("/api", "/ui-settings")).json()
    codes = [
        httpx.post(f"{prefect.api}/flow_runs/filter", json={}, auth=("admin", word)).status_code
        for word in ("", "admin", kept.removeprefix("admin:"))
    ]

    assert (0o600, True, "BASIC") == (
        stat.S_IMODE(file.stat().st_mode),
        len(kept) > 30,
        pages["auth"],
    )
    assert [401, 401, 200] == codes
    assert [] == [
        log.name
        for log in file.parent.glob("*.log")
        if kept.removeprefix("admin:") in log.read_text()
    ]


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (200, "does not ask for a password. Stop it first (make stop)"),
        (401, "does not take the password of"),
    ],
)
def test_a_server_that_runs_with_no_password_or_another_is_not_used(
    tmp_path: Path, status: int, said: str
) -> None:
    """It may have been started before there was one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing on standard error."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            with pytest.raises(DaemonError) as told:
                access.check_password(f"http://127.0.0.1:{server.server_port}/api", tmp_path, {})
        finally:
            server.shutdown()
            thread.join()

    assert said in str(told.value)


def test_what_server_and_worker_keep_is_for_their_owner_only(prefect: Orchestra) -> None:
    """Parameters and artifacts of runs lie in the database of the server."""
    folder = prefect.state / "prefect"
    open_to_others = [
        path.name for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077
    ]

    assert (folder / "prefect.db").exists()
    assert [] == open_to_others


def test_stopped_and_started_again_all_is_there_still(prefect: Orchestra, restart: Restart) -> None:
    """Also if it is started while it runs, which deploys again."""
    flows = {"nightly", "onboarding", "approval", "restore", "summary"}

    assert "Ended: worker, server.\n" == restart.stopped
    assert restart.nothing_to_stop.startswith("Neither server nor worker of ")
    assert restart.started.startswith(f"Prefect is ready: http://127.0.0.1:{prefect.port}\n")
    assert restart.ran_already.startswith(
        "Ran already: server, worker. The flows were deployed again.\nPrefect is ready: "
    )
    assert flows <= restart.deployed
