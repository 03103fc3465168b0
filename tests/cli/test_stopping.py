"""A run that is interrupted, once or twice, or whose disk is full: what is acknowledged is recorded, the rest waits."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.types import ASGIApp

from connectors.oneroster.sandbox import Sandbox
from tests.syncing import Create, Feed, meeting

SCHOOLS = 300


@contextmanager
def served(folder: Path, wrap: Callable[[ASGIApp], ASGIApp]) -> Iterator[Feed]:
    """Serve a target for a feed of many schools."""
    with Sandbox(None, wrap=wrap) as sandbox:
        feed = Feed(folder, sandbox)
        feed.configure()
        feed.schools(SCHOOLS)
        yield feed


async def slowly(_: Create) -> bool:
    """Take some time, so that some requests are under way at any moment."""
    await asyncio.sleep(0.03)
    return False


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A target that takes some time to create a record."""
    with served(tmp_path, meeting(slowly)) as feed:
        yield feed


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_finishes_what_is_under_way(feed: Feed, signal_: signal.Signals) -> None:
    """It does not finish its batch; the next run sends what waits, and nothing twice."""
    process = feed.start()
    feed.wait_for(50)
    process.send(signal_)
    done = process.wait()

    counts = done.json["entities"]["orgs"]
    assert (1, "failed", 0) == (done.code, done.json["status"], counts["failed"])
    assert counts["waiting"] > SCHOOLS / 2
    assert SCHOOLS == counts["created"] + counts["waiting"]
    assert (
        "it was stopped, and the requests under way were finished. Run again to go on."
        in " ".join(done.err.split())
    )
    assert "Traceback" not in done.err
    assert counts["created"] == len(feed.target_holds) == len(feed.ledger_holds)

    again = feed.sync()
    assert (0, counts["waiting"]) == (again.code, again.total("created"))
    assert SCHOOLS == feed.created == len(feed.target_holds)


class Silent:
    """A target that does what it is asked and answers nothing until `speak` is called."""

    speaks = False

    async def meet(self, create: Create) -> bool:
        """Take a record, and keep the answer to oneself until the client has gone."""
        if self.speaks:
            return False
        await create.pass_on(_nowhere)
        await create.receive()
        return True


async def _nowhere(message: object) -> None:
    """Lose what the target says."""


def test_a_second_interrupt_ends_a_run_at_once(tmp_path: Path) -> None:
    """Requests that nobody answers are given up; what they made is ours all the same."""
    silent = Silent()
    with served(tmp_path, meeting(silent.meet)) as feed:
        process = feed.start()
        feed.wait_for(10)
        process.send(signal.SIGINT)
        process.wait_for("Stopping")
        still_running = process.runs
        process.send(signal.SIGINT)
        done = process.wait()

        assert (True, 1) == (still_running, done.code)
        assert "roster: Interrupted." in done.err
        assert "Traceback" not in done.err
        assert (10, set()) == (len(feed.target_holds), feed.ledger_holds)
        silent.speaks = True
        again = feed.sync()
        assert (0, SCHOOLS) == (again.code, again.total("created"))


def test_a_full_disk_ends_a_run_in_a_sentence(feed: Feed) -> None:
    """What could not be recorded is not forgotten: it was noted before it was sent, and the next run knows it as ours."""
    feed.configure(batch=50)
    process = feed.start()
    feed.wait_for(60)
    # Its last words to people still fit.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (2000, 2000))
    done = process.wait()

    assert (1, "failed") == (done.code, done.json["status"])
    assert "roster: The ledger" in done.err
    assert "and run again" in done.err
    assert "Traceback" not in done.err
    held = feed.target_holds
    assert len(feed.ledger_holds) == 50
    assert 50 < len(held) <= 100

    again = feed.sync()
    assert (0, SCHOOLS - 50) == (again.code, again.total("created"))
    assert len(feed.target_holds) == len(feed.ledger_holds) == SCHOOLS
    assert SCHOOLS == feed.created - len(held) + 50


def test_a_stop_that_comes_too_late_is_none(feed: Feed) -> None:
    """Whoever has sent everything is done, whatever happens then."""
    feed.schools(1)
    process = feed.start()
    feed.wait_for(1)
    process.send(signal.SIGINT)
    done = process.wait()

    assert (0, 1) == (done.code, done.json["entities"]["orgs"]["created"])
