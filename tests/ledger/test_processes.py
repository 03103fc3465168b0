"""The ledger and several processes, some of which are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import delete

from connectors.ledger import Busy, FeedKey, Ledger
from connectors.ledger.database import open_database
from connectors.ledger.tables import LOCKS
from tests.processes import Process
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL

KEY = FeedKey("sandbox", "larkspur-valley")
OTHER = FeedKey("sandbox", "other")


def hold(place: Path | str) -> None:
    """Hold the feed until somebody kills this process."""
    with Ledger(place) as ledger, ledger.hold(KEY, "first-run"):
        wait_for_the_end()


def send(place: Path | str) -> None:
    """Record what was acknowledged, and note what is to be sent next."""
    ledger = Ledger(place)
    ledger.record(KEY, "orgs", rows("a", "b"), {}, [], "r1")
    ledger.intend(KEY, "users", rows("a", "b"), "r1")
    wait_for_the_end()


def record_after_a_bulk_read(place: Path) -> None:
    """Write with one ledger after another of the same file was read in bulk."""
    first, second = Ledger(place), Ledger(place)
    first.record(KEY, "users", rows("a", "b"), {}, [], "r1")
    second.known(KEY)
    first.record(KEY, "orgs", rows("a", "b"), {}, [], "r1")
    wait_for_the_end()


def write(place: Path | str, feed: str) -> None:
    """Record ten records of a feed, two at a time."""
    with Ledger(place) as ledger:
        for number in range(5):
            ledger.record(
                FeedKey("sandbox", feed), "users", rows(f"a{number}", f"b{number}"), {}, [], "r1"
            )


def wait_for_the_end() -> None:
    """Say that all is done, and wait until somebody kills this process."""
    os.write(1, b"ready\n")
    time.sleep(60)


def ready(folder: Path, call: Callable[[Any], None], place: Path | str) -> Process:
    """Start a process, and wait until it says that it is ready."""
    process = Process(folder, call, place)
    process.wait_for("ready")
    return process


def kill(process: Process) -> None:
    """Kill a process such that it can do nothing about it."""
    process.send(signal.SIGKILL)
    process.wait()


def rows(*ids: str) -> pl.DataFrame:
    """Acknowledged records."""
    return pl.DataFrame({"sourcedId": ids, FINGERPRINT: range(len(ids))}).with_columns(
        pl.lit("").alias(text) for text in (SCHOOL, PARENTS, LABEL, FIELDS)
    )


def test_a_second_run_is_told_who_holds_the_feed_until_that_one_is_killed(
    ledger: Ledger, place: Path | str, tmp_path: Path
) -> None:
    """The second run names the first, its process and since when; a killed run holds nothing."""
    first = ready(tmp_path, hold, place)
    refusal, other, holder = (
        taken(ledger, KEY, "second-run"),
        taken(ledger, OTHER, "other"),
        ledger.holder(KEY),
    )
    kill(first)
    free_again(ledger)

    words = (
        "larkspur-valley",
        "sandbox",
        "first-run",
        f"process {first.pid}",
        "since 20",
        "run again",
    )
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
    assert ("next", os.getpid(), None, None) == (
        during.run,
        during.process,
        ledger.holder(KEY),
        ledger.holder(OTHER),
    )


def test_one_process_holds_a_feed_once(ledger: Ledger, place: Path | str) -> None:
    """Two runs of one process, as in two threads, exclude each other too."""
    with Ledger(place) as second, ledger.hold(KEY, "first"):
        assert "run first" in str(taken(second, KEY, "second"))


def test_a_holder_that_has_not_said_its_name_yet_is_busy_all_the_same(
    ledger: Ledger, place: Path | str
) -> None:
    """Between taking the lock and writing who took it, a run is busy, and nameless."""
    database = open_database(place, make=False)
    with closing(database), ledger.hold(KEY, "first"):
        with database.writing() as connection:
            connection.execute(delete(LOCKS))
        assert "just begun" in str(taken(ledger, KEY, "second"))


def test_files_of_locks_are_private(path: Path) -> None:
    """They are for their owner only, and their names tell no names of feeds."""
    folder = path.parent / "locks"
    with Ledger(path) as ledger, ledger.hold(KEY, "one"):
        files = list(folder.iterdir())

    assert [(0o600, True)] == [
        (file.stat().st_mode & 0o777, "larkspur" not in file.name) for file in files
    ]
    assert (0o700, 0o700) == (folder.stat().st_mode & 0o777, folder.parent.stat().st_mode & 0o777)


def test_a_killed_process_leaves_what_it_recorded_and_what_it_intended(
    place: Path | str, tmp_path: Path
) -> None:
    """What was recorded is known, and what was sent and not answered is known as ours."""
    kill(ready(tmp_path, send, place))
    with Ledger(place) as ledger:
        found = (
            {entity: frame.height for entity, frame in ledger.known(KEY).items()},
            ledger.intended(KEY),
        )

    assert ({"orgs": 2}, {"users": frozenset({"a", "b"})}) == found


def test_reading_in_bulk_loses_nothing_that_is_written_afterwards(tmp_path: Path) -> None:
    """Two SQLites take turns in this process: a commit after a bulk read is seen by others, and outlives a kill.

    With both open at once, the one that read deletes the journal that the other goes on writing to.
    """
    path = tmp_path / "ledger.db"
    process = ready(tmp_path, record_after_a_bulk_read, path)
    with Ledger.reading(path) as ledger:
        while_running = set(ledger.known(KEY))
    kill(process)
    with Ledger.reading(path) as ledger:
        after_kill = set(ledger.known(KEY))

    assert ({"orgs", "users"}, {"orgs", "users"}) == (while_running, after_kill)


def test_processes_make_and_write_one_ledger_together(place: Path | str, tmp_path: Path) -> None:
    """Several feeds start at once on a new state folder, and each finds all of its records."""
    feeds = [f"feed-{number}" for number in range(3)]
    folders = [tmp_path / feed for feed in feeds]
    for folder in folders:
        folder.mkdir()
    processes = [Process(folder, write, place, folder.name) for folder in folders]
    codes = [process.wait().code for process in processes]
    with Ledger(place) as ledger:
        counts = [ledger.known(FeedKey("sandbox", feed))["users"].height for feed in feeds]

    assert ([0] * 3, [10] * 3) == (codes, counts)


def test_two_ledgers_of_one_file_see_each_other(tmp_path: Path) -> None:
    """Two ledgers in one process share the file; closing one does not disturb the other."""
    path = tmp_path / "ledger.db"
    with Ledger(path) as first:
        with Ledger(path) as second:
            second.record(KEY, "users", rows("by second"), {}, [], "r1")
        first.record(KEY, "users", rows("by first"), {}, [], "r1")
        ids = first.known(KEY)["users"]["sourcedId"].to_list()

    assert ["by first", "by second"] == ids
