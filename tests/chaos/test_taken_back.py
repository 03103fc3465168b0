"""A run is killed after the target has done what it asked, and before it has heard so; the next export takes that back."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from connectors.oneroster.load_state import BatchResult, Sender
from connectors.oneroster.operations import Operation
from connectors.oneroster.sandbox import Sandbox
from flows.result import DONE, HELD, RunResult
from flows.watch import Watch
from tests.chaos.feed import Deadly, Dying, Feed, Killed
from tests.chaos.promises import in_force
from tests.chaos.registrar import Registrar


class Deaf(Watch):
    """Kills a run when a batch of some name has been sent whole."""

    def __init__(self, batch: str) -> None:
        self.batch, self.left = batch, 0

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], *_: object
    ) -> AsyncIterator[Sender]:
        """Let one send who hears nothing of it."""
        async with local as sender:
            yield Unhearing(sender, self.batch)


class Unhearing(Dying):
    """Sends, and ends before the answers of its last batch are written down."""

    def __init__(self, sender: Sender, last: str) -> None:
        self._sender, self._last = sender, last

    async def run(
        self, batch: str, errands: list[Operation], at_once: int, stop: object
    ) -> BatchResult:
        """Run a batch."""
        done = await self._sender.run(batch, errands, at_once, stop)  # type: ignore[arg-type]
        if batch.startswith(self._last):
            raise Killed
        return done


@pytest.mark.parametrize(
    "again",
    [Feed.sync, lambda feed: feed.restore(feed.archive.runs()[0])],
    ids=["export", "restore"],
)
@pytest.mark.parametrize(
    ("event", "batch"),
    [("rename", "load users"), ("lock", "load users"), ("unenroll", "remove enrollments")],
)
def test_what_a_killed_run_did_is_undone_if_the_next_one_says_so(
    event: str, batch: str, again: Callable[[Feed], RunResult], sandbox: Sandbox, tmp_path: Path
) -> None:
    """By the ledger, which heard of nothing, all would be as it was."""
    feed, registrar = Feed(tmp_path, sandbox), Registrar()
    registrar.export(feed.drop, "bulk", "", 0)
    assert DONE == feed.sync().exit_code
    before, rows = _there(sandbox), copy.deepcopy(registrar.rows)
    registrar.happen(event, 0)
    registrar.export(feed.drop, "bulk", "", 0)
    with pytest.raises(Killed):
        feed.sync(watch=Deaf(batch))
    assert before != _there(sandbox)
    registrar.rows = rows
    registrar.export(feed.drop, "bulk", "", 0)

    result = again(feed)

    assert (DONE, before) == (result.exit_code, _there(sandbox))
    assert 0 == feed.sync().requests


def test_who_was_created_unheard_and_is_in_no_export_any_more_is_disabled(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Nobody can sign in for ever because a run was killed."""
    feed, registrar = Feed(tmp_path, sandbox), Registrar()
    registrar.export(feed.drop, "bulk", "", 0)
    feed.sync()
    rows = copy.deepcopy(registrar.rows)
    registrar.happen("arrive", 0)
    registrar.export(feed.drop, "bulk", "", 0)
    with pytest.raises(Killed):
        feed.sync(watch=Deaf("load users"))
    new = in_force(feed)
    registrar.rows = rows
    registrar.export(feed.drop, "bulk", "", 0)

    result = feed.sync()

    assert result.exit_code in (DONE, HELD)
    assert 1 == sum(counts.get("disabled", 0) for counts in result.counts.values())
    assert 1 == len(new - in_force(feed))


def test_a_repair_does_not_finish_what_a_killed_run_began(sandbox: Sandbox, tmp_path: Path) -> None:
    """The next export of changes still removes the enrollment that ended in the killed run's export."""
    feed, registrar = Feed(tmp_path, sandbox), Registrar()
    registrar.export(feed.drop, "bulk", "", 0)
    assert DONE == feed.sync().exit_code
    registrar.happen("unenroll", 0)
    registrar.export(feed.drop, "bulk", "", 0)
    with pytest.raises(Killed):
        feed.sync(watch=Deadly(0))
    assert DONE == feed.repair().exit_code
    registrar.happen("arrive", 0)
    registrar.export(feed.drop, "delta", "", 0)

    assert DONE == feed.sync().exit_code

    enrolled = {one for entity, one in in_force(feed) if entity == "enrollments"}
    assert {row["sourcedId"] for row in registrar.rows["enrollments"]} == enrolled


@pytest.mark.parametrize("repaired", [False, True])
def test_what_is_held_under_an_old_name_is_held_under_the_new_one(
    repaired: bool, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Also if the feed ran under its new name, which did not know its records, and only changes come then."""
    feed, registrar = Feed(tmp_path, sandbox), Registrar()
    registrar.export(feed.drop, "bulk", "", 0)
    feed.sync()
    registrar.happen("close", 0)
    registrar.export(feed.drop, "bulk", "", 0)
    assert HELD == feed.sync().exit_code
    held = feed.waiting()
    feed.rename()
    feed.sync()
    if repaired:
        feed.repair()
    assert 0 == feed.move()
    registrar.happen("rename", 0)
    registrar.export(feed.drop, "delta", "", 0)

    assert HELD == feed.sync().exit_code

    assert held
    assert held == feed.waiting()


def _there(sandbox: Sandbox) -> dict[tuple[str, str], tuple[str, ...]]:
    """What the target says of people and their seats."""
    return {
        (name, one["sourcedId"]): (
            one["status"],
            str(one.get("givenName")),
            str(one.get("enabledUser")).lower(),
        )
        for name in ("users", "enrollments")
        for one in sandbox.store.find(name)
    }
