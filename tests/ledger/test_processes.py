"""The ledger and several processes, some of which are killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from connectors.ledger import Busy, FeedKey, Ledger
from connectors.ledger.lock import held
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL

KEY = FeedKey("sandbox", "larkspur-valley")
OTHER = FeedKey("sandbox", "other")
ROOT = Path(__file__).parents[2]

START = """
import sys, time
from pathlib import Path
import polars as pl
from connectors.ledger import FeedKey, Ledger
from connectors.ledger.lock import held
place, key = Path(sys.argv[1]), FeedKey("sandbox", "larkspur-valley")
rows = pl.DataFrame({"sourcedId": ["a", "b"], "#fingerprint": [1, 2], "#school": "s", "#parents": "p", "#label": "l", "#fields": "f"})
"""
HOLD = "with held(place, key, 'first-run'):\n    print('ready', flush=True)\n    time.sleep(60)\n"
SEND = """
ledger = Ledger(place)
ledger.record(key, "orgs", rows, {}, [], "r1")
ledger.intend(key, "users", rows, "r1")
print("ready", flush=True)
time.sleep(60)
"""
WRITE = """
with Ledger(place) as ledger:
    for number in range(20):
        ledger.record(FeedKey("sandbox", sys.argv[2]), "users", rows.with_columns(sourcedId=pl.col("sourcedId") + str(number)), {}, [], "r1")
"""  # fmt: skip


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process of its own."""
    command = [sys.executable, "-c", START + code, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)


def ready(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a process, and wait until it says that it is ready."""
    process = started(code, *arguments)
    assert process.stdout is not None
    assert "ready\n" == process.stdout.readline()
    return process


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a process such that it can do nothing about it."""
    with process:
        process.send_signal(signal.SIGKILL)


def row(name: str) -> pl.DataFrame:
    """One acknowledged record."""
    return pl.DataFrame({"sourcedId": [name], FINGERPRINT: [1]}).with_columns(pl.lit("").alias(text) for text in (SCHOOL, PARENTS, LABEL, FIELDS))  # fmt: skip


def test_a_second_run_is_told_who_holds_the_feed_until_that_one_is_killed(tmp_path: Path) -> None:
    """The second run names the first, its process and since when; a killed run holds nothing."""
    first = ready(HOLD, str(tmp_path))
    refusal, other = taken(tmp_path, KEY, "second-run"), taken(tmp_path, OTHER, "other-feed")
    kill(first)

    words = ("larkspur-valley", "sandbox", "first-run", f"process {first.pid}", "since 20", "run again")
    assert [] == [word for word in words if word not in str(refusal)]
    assert refusal is not None
    assert refusal.holder is not None
    assert ("first-run", first.pid) == (refusal.holder.run, refusal.holder.process)
    assert (None, None) == (other, taken(tmp_path, KEY, "third-run"))


def taken(folder: Path, key: FeedKey, run: str) -> Busy | None:
    """Take a feed for a moment, or give the refusal."""
    try:
        with held(folder, key, run):
            return None
    except Busy as refusal:
        return refusal


def test_a_run_that_ended_holds_nothing_and_its_file_is_private(tmp_path: Path) -> None:
    """A feed is free again after a run, also after one that failed; the file tells no names of feeds."""
    folder = tmp_path / "state" / "locks"
    with pytest.raises(RuntimeError), held(folder, KEY, "failed"):
        raise RuntimeError
    with held(folder, KEY, "next"):
        files = list(folder.iterdir())

    assert [(0o600, True)] == [(file.stat().st_mode & 0o777, "larkspur" not in file.name) for file in files]
    assert (0o700, 0o700) == (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777)


def test_one_process_holds_a_feed_once(tmp_path: Path) -> None:
    """Two runs of one process, as in two threads, exclude each other too."""
    with held(tmp_path, KEY, "first"):
        assert "run first" in str(taken(tmp_path, KEY, "second"))


def test_a_holder_that_has_not_said_its_name_yet_is_busy_all_the_same(tmp_path: Path) -> None:
    """Between taking the lock and writing who took it, a run is busy, and nameless."""
    with held(tmp_path, KEY, "first"):
        next(tmp_path.iterdir()).write_text("")
        assert "just begun" in str(taken(tmp_path, KEY, "second"))


def test_a_killed_process_leaves_what_it_recorded_and_what_it_intended(tmp_path: Path) -> None:
    """What was recorded is known, and what was sent and not answered is known as ours."""
    path = tmp_path / "ledger.db"
    kill(ready(SEND, str(path)))
    with Ledger(path) as ledger:
        found = ({entity: frame.height for entity, frame in ledger.known(KEY).items()}, ledger.intended(KEY))

    assert ({"orgs": 2}, {"users": frozenset({"a", "b"})}) == found


def test_reading_in_bulk_loses_nothing_that_is_written_afterwards(tmp_path: Path) -> None:
    """Two SQLites take turns in this process: a commit after a bulk read is seen by others, and outlives a kill.

    With both open at once, the one that read deletes the journal that the other goes on writing to.
    """
    path = tmp_path / "ledger.db"
    code = """
first, second = Ledger(place), Ledger(place)
first.record(key, "users", rows, {}, [], "r1")
second.known(key)
first.record(key, "orgs", rows, {}, [], "r1")
print("ready", flush=True)
time.sleep(60)
"""
    process = ready(code, str(path))
    with Ledger.reading(path) as ledger:
        while_running = set(ledger.known(KEY))
    kill(process)
    with Ledger.reading(path) as ledger:
        after_kill = set(ledger.known(KEY))

    assert ({"orgs", "users"}, {"orgs", "users"}) == (while_running, after_kill)


def test_processes_make_and_write_one_ledger_together(tmp_path: Path) -> None:
    """Several feeds start at once on a new state folder, and each finds all of its records."""
    path = tmp_path / "state" / "ledger.db"
    feeds = [f"feed-{number}" for number in range(4)]
    processes = [started(WRITE, str(path), feed) for feed in feeds]
    codes = [process.wait(60) for process in processes]
    for process in processes:
        kill(process)
    with Ledger(path) as ledger:
        counts = [ledger.known(FeedKey("sandbox", feed))["users"].height for feed in feeds]

    assert ([0] * 4, [40] * 4) == (codes, counts)


def test_two_ledgers_of_one_file_see_each_other(tmp_path: Path) -> None:
    """Two ledgers in one process share the file; closing one does not disturb the other."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as first:
        with Ledger(path) as second:
            second.record(KEY, "users", row("by second"), {}, [], "r1")
        first.record(KEY, "users", row("by first"), {}, [], "r1")
        ids = first.known(KEY)["users"]["sourcedId"].to_list()

    assert ["by first", "by second"] == ids
