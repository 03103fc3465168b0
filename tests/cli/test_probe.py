"""`roster probe`: only on a staging target; what it found is kept, told, and compared with what the loader assumes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster.probe.records import PREFIX
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from flows.feeds.feed import read_feed
from flows.options import Options
from flows.preflight.probe import is_staging, read_probe
from flows.reports.probe import probe_lines
from flows.target import Target
from tests import processes
from tests.oneroster.odd import Met, Reply, odd
from tests.rosters import district, drop
from tests.running import roster
from tests.syncing import CREDENTIALS, FEED

REMOTE = "https://api.example.edu"


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """Serve a target that takes some time for each request, so that a probe is under way when a signal comes."""

    def over(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            await asyncio.sleep(0.02)
            await app(scope, receive, send)

        return answer

    with Sandbox(None, wrap=over) as one:
        yield one


def feed(folder: Path, url: str, more: str = "") -> Path:
    """Write a feed file."""
    path = folder / "feed.toml"
    path.write_text(FEED.format(url=url, patience=5, batch=1000) + more)
    return path


def test_a_target_that_is_not_for_staging_is_not_probed(tmp_path: Path) -> None:
    """Exit 2, nothing is kept, and the message says how to declare it as staging."""
    run = roster(
        "probe", feed(tmp_path, REMOTE), "--json", state=tmp_path / "state", environment=CREDENTIALS
    )

    assert (2, "failed", False) == (run.code, run.json["status"], (tmp_path / "state").exists())
    assert ("staging = true" in run.err, REMOTE in run.err) == (True, True)


@pytest.mark.parametrize(
    ("url", "more", "target", "expected"),
    [
        (REMOTE, "staging = true\n", None, True),
        (REMOTE, "staging = true\n", REMOTE, True),
        (REMOTE, "staging = true\n", f"{REMOTE}/other", False),
        (REMOTE, "staging = true\n", "env", False),
        (REMOTE, "staging = false\n", None, False),
        (REMOTE, "", "sandbox", True),
        ("http://127.0.0.1:8765", "", None, True),
    ],
)
def test_who_says_that_a_target_is_for_staging(
    tmp_path: Path, url: str, more: str, target: str | None, expected: bool
) -> None:
    """The feed file, of its own target and no other; what stays on this machine needs nobody to say so."""
    environment = CREDENTIALS | {
        "TIMEBACK_API_URL": "https://real.example.edu",
        "TIMEBACK_ACCESS_TOKEN": "token",
    }

    assert expected is is_staging(Options("sync", feed(tmp_path, url, more), target), environment)


def test_staging_is_said_with_true_or_false(tmp_path: Path) -> None:
    """As every such setting; left out, it is false."""
    assert [True, False] == [
        read_feed(feed(tmp_path, REMOTE, more)).target.staging for more in ("staging = true\n", "")
    ]


def test_what_was_found_is_kept_for_its_owner_only(tmp_path: Path, sandbox: Sandbox) -> None:
    """As JSON, in a file of the target, with the day; the same object is printed."""
    run = roster(
        "probe",
        feed(tmp_path, sandbox.url),
        "--json",
        state=tmp_path / "state",
        environment=CREDENTIALS,
    )

    (path,) = (tmp_path / "state" / "probes").iterdir()
    assert (0, json.loads(path.read_text())) == (run.code, run.json)
    assert (0o600, sandbox.url, [], []) == (
        stat.S_IMODE(path.stat().st_mode),
        run.json["target"],
        run.json["left"],
        run.json["problems"],
    )
    assert path.name.startswith("127.0.0.1-")
    assert (
        found := read_probe(tmp_path / "state", Target(sandbox.url, profile=TIMEBACK))
    ) is not None
    assert found.as_json() == run.json


@pytest.mark.parametrize("columns", ["50", "120"])
def test_it_is_told_on_any_terminal(tmp_path: Path, sandbox: Sandbox, columns: str) -> None:
    """The target first, then every question and its answers; nothing is wider than the terminal."""
    environment = CREDENTIALS | {"COLUMNS": columns}

    run = roster(
        "probe", feed(tmp_path, sandbox.url), state=tmp_path / "state", environment=environment
    )

    assert (0, True) == (run.code, run.out.startswith(f"Target: {sandbox.url}, into which"))
    assert int(columns) >= max(map(len, run.out.splitlines()))
    for words in (
        "PUT as active on a deleted id",
        "revived",
        "everywhere",
        "HTTP 409",
        "Nothing differs",
    ):
        assert words in run.out


def test_the_sandbox_of_this_machine_can_be_probed(tmp_path: Path) -> None:
    """A bare folder needs no feed file; the drop is not read."""
    folder = drop(tmp_path / "drop", district())

    run = roster("probe", folder, "--json", state=tmp_path / "state")

    assert (0, "sandbox") == (run.code, run.json["target"])
    assert (tmp_path / "state" / "probes" / "sandbox.json").exists()


def test_what_differs_is_told_with_its_commands(tmp_path: Path) -> None:
    """On a target that deletes for good."""

    def meet(met: Met) -> Reply | None:
        if met.method == "DELETE":
            met.lose()
            return Reply(204)
        return None

    with odd(meet) as sandbox:
        run = roster(
            "probe",
            feed(tmp_path, sandbox.url),
            "--json",
            state=tmp_path / "state",
            environment=CREDENTIALS,
        )
        found = read_probe(tmp_path / "state", Target(sandbox.url, profile=TIMEBACK))

    assert (0, ["delete"]) == (run.code, [one["question"] for one in run.json["problems"]])
    assert found is not None
    assert any(
        line.startswith("DELETE: hard") and "roster restore" in line for line in probe_lines(found)
    )


def test_a_probe_that_breaks_off_keeps_what_is_known(tmp_path: Path) -> None:
    """Exit 1 and the reason; what the probe before found stays."""
    broken = [False]

    with odd(
        lambda met: Reply(401) if broken[0] and met.collection == "classes" else None
    ) as sandbox:
        place, state = feed(tmp_path, sandbox.url), tmp_path / "state"
        first = roster("probe", place, "--json", state=state, environment=CREDENTIALS)
        broken[0] = True
        second = roster("probe", place, "--json", state=state, environment=CREDENTIALS)
        found = read_probe(state, Target(sandbox.url, profile=TIMEBACK))

    assert found is not None
    assert (1, True) == (second.code, "refuses a fresh token" in second.err)
    assert first.json["facts"] == found.as_json()["facts"]
    assert len(first.json["facts"]) > len(second.json["facts"])


def test_what_is_left_is_named_and_taken_away_by_the_next(tmp_path: Path) -> None:
    """Exit 1 until it is gone."""
    stubborn = [True]

    def meet(met: Met) -> Reply | None:
        kept_there = met.method == "DELETE" or met.record.get("status") == "tobedeleted"
        return Reply(422) if stubborn[0] and met.collection == "courses" and kept_there else None

    with odd(meet) as sandbox:
        place, state = feed(tmp_path, sandbox.url), tmp_path / "state"
        first = roster("probe", place, "--json", state=state, environment=CREDENTIALS)
        stubborn[0] = False
        second = roster("probe", place, "--json", state=state, environment=CREDENTIALS)
        left = list(sandbox.store.ids("courses"))

    ((name, sourced_id),) = first.json["left"]
    assert (1, "courses", True) == (first.code, name, sourced_id.startswith(PREFIX))
    assert f"Not deleted, since the target refused to: courses {sourced_id}" in " ".join(
        first.err.split()
    )
    assert (0, [], []) == (second.code, second.json["left"], left)


def test_a_probe_that_is_killed_is_cleaned_up_by_the_next(tmp_path: Path, sandbox: Sandbox) -> None:
    """Its ids stand in the file before it sends anything."""
    place, state = feed(tmp_path, sandbox.url), tmp_path / "state"
    process = started(place, state)
    wait_for(sandbox, "classes")
    process.send(signal.SIGKILL)
    process.wait()
    left = list(sandbox.store.ids("classes"))

    run = roster("probe", place, "--json", state=state, environment=CREDENTIALS)

    assert (1, 0, []) == (len(left), run.code, list(sandbox.store.ids("classes")))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_probe_that_is_stopped_leaves_nothing(
    tmp_path: Path, slow: Sandbox, how: signal.Signals
) -> None:
    """It takes away what it made before it ends."""
    process = started(feed(tmp_path, slow.url), tmp_path / "state")
    wait_for(slow, "classes")
    process.send(how)
    done = process.wait()

    found = read_probe(tmp_path / "state", Target(slow.url, profile=TIMEBACK))
    assert found is not None
    assert (1, (), []) == (
        done.code,
        found.left,
        [*slow.store.ids("orgs"), *slow.store.ids("classes")],
    )
    assert ("Interrupted" in done.err, "Traceback" in done.err) == (True, False)


def started(place: Path, state: Path) -> processes.Process:
    """Probe in a process of its own."""
    return processes.roster(
        place.parent, "probe", place, "--state", state, environment=os.environ | CREDENTIALS
    )


def wait_for(sandbox: Sandbox, collection: str) -> None:
    """Wait until there is a record in a collection."""
    until = time.monotonic() + 60
    while not sandbox.store.count(collection):
        assert time.monotonic() < until, f"nothing came to {collection}"
        time.sleep(0.002)
