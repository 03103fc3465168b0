"""The ledger and several processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from sqlalchemy import delete

from connectors.ledger import Busy, FeedKey, Ledger
from connectors.ledger.database import opened
from connectors.ledger.tables import LOCKS
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL

KEY = FeedKey("sandbox", "larkspur-valley")
OTHER = FeedKey("sandbox", "other")
ROOT = Path(__file__).parents[2]

START = """
import sys, time
from pathlib import Path
import polars as pl
from connectors.ledger import FeedKey, Ledger
place, key = sys.argv[1] if "://" in sys.argv[1] else Path(sys.argv[1]), FeedKey("sandbox", "larkspur-valley")
rows = pl.DataFrame({"sourcedId": ["a", "b"], "#fingerprint": [1, 2], "#school": "s", "#parents": "p", "#label": "l", "#fields": "f"})
"""
HOLD = """
with Ledger(place) as ledger, ledger.hold(key, "first-run"):
    print("ready", flush=True)
    time.sleep(60)
"""
SEND = """
ledger = Ledger(place)
ledger.record(key, "orgs", rows, {}, [], "r1")
ledger.intend(key, "users", rows, "r1")
print("ready", flush=True)
time.sleep(60)
"""
WRITE = """
with Ledger(place) as ledger:
    for number in range(5):
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


def test_a_second_run_is_told_who_holds_the_feed_until_that_one_is_killed(ledger: Ledger, place: Path | str) -> None:
    """The second run names the first, its process and since when; a killed run holds nothing."""
    first = ready(HOLD, str(place))
    refusal, other, holder = taken(ledger, KEY, "second-run"), taken(ledger, OTHER, "other"), ledger.holder(KEY)
    kill(first)
    free_again(ledger)

    words = ("larkspur-valley", "sandbox", "first-run", f"process {first.pid}", "since 20", "run again")
    assert [] == [word for word in words if word not in str(refusal)]
    assert refusal is not None
    assert refusal.holder is not None
    assert ("first-run", first.pid) == (refusal.holder.run, refusal.holder.process)
    assert (holder, None, None) == (refusal.holder, other, taken(ledger, KEY, "third-run"))


def taken(ledger: Ledger, key: FeedKey, run: str) -> Busy | None:
    """Take a feed for a moment, or give the refusal."""
    try:
        with ledger.hold(key, run):
            return None
    except Busy as refusal:
        return refusal


def free_again(ledger: Ledger) -> None:
    """Wait until a server has seen that a process is gone."""
    until = time.monotonic() + 20
    while ledger.holder(KEY) and time.monotonic() < until:
        time.sleep(0.01)


def test_a_run_that_ended_holds_nothing(ledger: Ledger) -> None:
    """A feed is free again after a run, also after one that failed; while one runs, it is known which."""
    with pytest.raises(RuntimeError), ledger.hold(KEY, "failed"):
        raise RuntimeError
    with ledger.hold(KEY, "next"):
        during = ledger.holder(KEY)

    assert during is not None
    assert ("next", os.getpid(), None, None) == (during.run, during.process, ledger.holder(KEY), ledger.holder(OTHER))


def test_one_process_holds_a_feed_once(ledger: Ledger, place: Path | str) -> None:
    """Two runs of one process, as in two threads, exclude each other too."""
    with Ledger(place) as second, ledger.hold(KEY, "first"):
        assert "run first" in str(taken(second, KEY, "second"))


def test_a_holder_that_has_not_said_its_name_yet_is_busy_all_the_same(ledger: Ledger, place: Path | str) -> None:
    """Between taking the lock and writing who took it, a run is busy, and nameless."""
    database = opened(place, make=False)
    with closing(database), ledger.hold(KEY, "first"):
        with database.writing() as connection:
            connection.execute(delete(LOCKS))
        assert "just begun" in str(taken(ledger, KEY, "second"))


def test_files_of_locks_are_private(path: Path) -> None:
    """They are for their owner only, and their names tell no names of feeds."""
    folder = path.parent / "locks"
    with Ledger(path) as ledger, ledger.hold(KEY, "one"):
        files = list(folder.iterdir())

    assert [(0o600, True)] == [(file.stat().st_mode & 0o777, "larkspur" not in file.name) for file in files]
    assert (0o700, 0o700) == (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777)


def test_a_killed_process_leaves_what_it_recorded_and_what_it_intended(place: Path | str) -> None:
    """What was recorded is known, and what was sent and not answered is known as ours."""
    kill(ready(SEND, str(place)))
    with Ledger(place) as ledger:
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


def test_processes_make_and_write_one_ledger_together(place: Path | str) -> None:
    """Several feeds start at once on a new state folder, and each finds all of its records."""
    feeds = [f"feed-{number}" for number in range(3)]
    processes = [started(WRITE, str(place), feed) for feed in feeds]
    codes = [process.wait(60) for process in processes]
    for process in processes:
        kill(process)
    with Ledger(place) as ledger:
        counts = [ledger.known(FeedKey("sandbox", feed))["users"].height for feed in feeds]

    assert ([0] * 3, [10] * 3) == (codes, counts)


def test_two_ledgers_of_one_file_see_each_other(tmp_path: Path) -> None:
    """Two ledgers in one process share the file; closing one does not disturb the other."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as first:
        with Ledger(path) as second:
            second.record(KEY, "users", row("by second"), {}, [], "r1")
        first.record(KEY, "users", row("by first"), {}, [], "r1")
        ids = first.known(KEY)["users"]["sourcedId"].to_list()

    assert ["by first", "by second"] == ids
