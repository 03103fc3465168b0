"""`make server` and `make stop`: what they say, what they leave alone, and that what was deployed outlives them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.orchestration.daemons import Daemon
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
    words = [sys.executable, "-m", "flows.orchestration.server", "start", "--port", str(port), "--state", str(state)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stdout)
    return done.stderr


def test_a_port_of_another_program_is_refused(tmp_path: Path, taken: int) -> None:
    """What listens there is not asked, and nothing is started."""
    said = refused(tmp_path, taken)

    assert f"Port {taken} is taken by another program. Choose another: make server PORT={taken + 1}" in said
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


def test_what_server_and_worker_keep_is_for_their_owner_only(prefect: Orchestra) -> None:
    """Parameters and artifacts of runs lie in the database of the server."""
    folder = prefect.state / "prefect"
    open_to_others = [path.name for path in (folder, *folder.iterdir()) if path.stat().st_mode & 0o077]

    assert (folder / "prefect.db").exists()
    assert [] == open_to_others


def test_stopped_and_started_again_all_is_there_still(prefect: Orchestra, restart: Restart) -> None:
    """Also if it is started while it runs, which deploys again."""
    flows = {"nightly", "onboarding", "approval", "restore", "summary"}

    assert "Ended: worker, server.\n" == restart.stopped
    assert restart.nothing_to_stop.startswith("Neither server nor worker of ")
    assert restart.started.startswith(f"Prefect is ready: http://127.0.0.1:{prefect.port}\n")
    assert restart.ran_already.startswith(
        "Ran already: server, worker. The flows were deployed anew.\nPrefect is ready: "
    )
    assert flows <= restart.deployed
