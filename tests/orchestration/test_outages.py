"""What goes wrong on a machine: a worker is killed, nights come late, several districts load into one target at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.ledger import Ledger
from tests.orchestration.feeds import Feed
from tests.orchestration.orchestra import ROOT, Orchestra
from tests.orchestration.restart import Restart
from tests.orchestration.schools import SCHOOLS, parameters_of, schools, slowly
from tests.running import roster
from tests.syncing import meeting


def children(process: int) -> list[int]:
    """What a process has started: the flow runs of a worker."""
    lines = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    return [
        int(child) for child, parent in map(str.split, lines.splitlines()) if parent == str(process)
    ]


def test_the_night_after_a_killed_worker_finishes_what_it_began(
    prefect: Orchestra, tmp_path: Path
) -> None:
    """Worker and flow run are killed; the dead run is canceled by hand, and the next night sends nothing twice, and all."""
    with schools(tmp_path, meeting(slowly)) as feed:
        dead = prefect.begin("nightly/nightly", **parameters_of(feed))
        feed.wait_for(100)
        worker = int((prefect.state / "prefect" / "worker.pid").read_text())
        for process in (*children(worker), worker):
            os.kill(process, signal.SIGKILL)
        sent_before = feed.created
        prefect.make("start")
        prefect.ask(
            "POST", f"/flow_runs/{dead}/set_state", {"state": {"type": "CANCELLED"}, "force": True}
        )
        night = prefect.run("nightly/nightly", **parameters_of(feed))
        with Ledger(tmp_path / "state" / "ledger.db") as ledger:
            [last, killed] = ledger.runs()

        ids = {f"s{number:04}" for number in range(SCHOOLS)}
        assert ("Completed", ids, ids) == (night.state, feed.target_holds, feed.ledger_holds)
        assert (100 <= sent_before < SCHOOLS, "", "done") == (True, killed.status, last.status)
        # What was under way when it was killed may be sent once more.
        assert SCHOOLS <= feed.created <= SCHOOLS + 50
        counts = last.counts["orgs"]
        assert SCHOOLS == counts["read"] == counts["unchanged"] + counts["created"]


def test_a_run_outlives_its_worker(prefect: Orchestra, tmp_path: Path) -> None:
    """Only the worker is killed, so nobody reads what the run says: the run loads everything, and says how it ended."""
    with schools(tmp_path, meeting(slowly)) as feed:
        run = prefect.begin("nightly/nightly", **parameters_of(feed))
        feed.wait_for(100)
        os.kill(int((prefect.state / "prefect" / "worker.pid").read_text()), signal.SIGKILL)
        ended = prefect.wait(run)
        prefect.make("start")
        with Ledger(tmp_path / "state" / "ledger.db") as ledger:
            [loaded] = ledger.runs()

        assert ("Completed", "done") == (ended.state, loaded.status), ended.message
        assert SCHOOLS == len(feed.target_holds) == feed.created


def test_stopping_lets_a_load_finish_what_is_under_way(restart: Restart) -> None:
    """What is acknowledged is recorded before the worker ends, and the flow run says that it was stopped."""
    counts = restart.run.counts["orgs"]

    assert (restart.recorded, "failed") == (restart.acknowledged, restart.run.status)
    assert ("Failed", True) == (restart.load.state, 100 <= len(restart.recorded) < SCHOOLS)
    assert SCHOOLS == counts["created"] + counts["waiting"]


def test_late_nights_are_caught_up_once(prefect: Orchestra, feed: Feed) -> None:
    """The worker was away for two nights: the one that begins first loads, the other says that there is nothing left to do."""
    feed.schedule("0 2 * * *")
    prefect.roster("deploy", str(feed.folder), "--state", str(feed.state))
    found = prefect.ask("GET", "/deployments/name/nightly/larkspur")
    now = datetime.now(UTC)
    span = {
        "start_time": (now - timedelta(days=2)).isoformat(),
        "end_time": now.isoformat(),
        "min_runs": 2,
    }
    prefect.ask("POST", f"/deployments/{found['id']}/schedule", span)
    late = {
        "flow_runs": {
            "deployment_id": {"any_": [found["id"]]},
            "expected_start_time": {"before_": now.isoformat()},
        },
        "sort": "EXPECTED_START_TIME_ASC",
    }
    nights = [
        prefect.wait(one["id"]).state for one in prefect.ask("POST", "/flow_runs/filter", late)
    ]
    feed.file.unlink()
    feed.write("other")
    said = prefect.deploy(feed.folder).out

    assert ["Completed", "Superseded"] == sorted(nights)
    assert 1 == len(feed.runs)
    assert "nightly/larkspur: removed" in said


def test_districts_on_several_machines_share_what_a_target_bears(
    prefect: Orchestra, tmp_path: Path
) -> None:
    """Two processes with states of their own, as on two machines: together they never send more than three at once."""
    under_way, most = 0, 0

    def count(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal under_way, most
            writes = (
                scope["type"] == "http" and scope["method"] == "POST" and "/ims/" in scope["path"]
            )
            under_way += writes
            most = max(most, under_way)
            await asyncio.sleep(0.02)
            await app(scope, receive, send)
            under_way -= writes

        return answer

    with schools(tmp_path, count) as feed:
        (tmp_path / "feeds").mkdir()
        for name in ("juniper", "spruce"):
            text = (feed.folder / "feed.toml").read_text().replace('"larkspur"', f'"{name}"')
            text = (
                text.replace('drop = "drop"', f'drop = "{feed.folder / "drop"}"')
                + "concurrency = 3\n"
            )
            (tmp_path / "feeds" / f"{name}.toml").write_text(text)
        prefect.deploy(tmp_path / "feeds")
        west = prefect.begin("nightly/juniper", state=str(tmp_path / "west"))
        feed.wait_for(1)
        east = prefect.perform(
            "nightly",
            district=str(tmp_path / "feeds" / "spruce.toml"),
            state=str(tmp_path / "east"),
        )
        states = [prefect.wait(west).state, east.state]

        assert "Completed" in states
        assert 1 < most <= 3


def dask(*words: str) -> subprocess.Popen[bytes]:
    """Start a part of a Dask cluster on this machine."""
    program, environment = (
        Path(sys.executable).parent / "dask",
        os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return subprocess.Popen([program, *words], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[str]:
    """The address of a Dask cluster of two processes, which stands for one on other machines."""
    file = tmp_path / "scheduler.json"
    at = ["--scheduler-file", str(file), "--host", "127.0.0.1", "--no-dashboard"]
    two = ["--nworkers", "2", "--nthreads", "1", "--local-directory", str(tmp_path)]
    with dask("scheduler", *at, "--port", "0") as scheduler, dask("worker", *at, *two) as workers:
        try:
            while not file.exists() and scheduler.poll() is None:
                time.sleep(0.05)
            yield json.loads(file.read_text())["address"]
        finally:
            workers.terminate()
            workers.wait()
            scheduler.terminate()


def test_batches_are_sent_from_the_processes_of_a_cluster(
    prefect: Orchestra, feed: Feed, cluster: str
) -> None:
    """The feed file names the cluster; the end is the same."""
    settings = f'batch_size = 2\n[run]\nrunner = "dask"\ncluster = "{cluster}"\nprocesses = 2\n'
    feed.file.write_text(feed.file.read_text() + settings)
    run = prefect.run("nightly/nightly", **feed.parameters)
    again = roster("sync", feed.file, "--workers", "1", "--json", state=feed.state)

    assert (
        "Completed",
        {"load users 1/3, part 1", "load users 1/3, part 2"} - set(prefect.tasks(run)),
    ) == (
        run.state,
        set(),
    )
    assert {"ana", "bo", "tia", "mum"} == feed.active("users")
    assert ("unchanged", 0) == (again.json["status"], again.json["requests"])
