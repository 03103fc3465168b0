"""A server that is away for a moment, or for longer: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from threading import Timer
from typing import Any
from unittest.mock import Mock

import polars as pl
import psycopg
import pytest

from connectors.ledger import Busy, FeedKey, Ledger, LedgerError, Plan, Run
from connectors.ledger.postgresql import kind_of
from connectors.ledger.retry import Retries
from connectors.ledger.tables import LedgerNotReady, LedgerUnreachable
from connectors.oneroster.sandbox import Sandbox
from tests.ledger.server import Server
from tests.ledger.test_server import disconnect, rows
from tests.syncing import Feed
from transforms.guard import PLANNED_COLUMNS

KEY = FeedKey("sandbox", "larkspur-valley")
SCHOOLS, BATCH = 25, 10
SECONDS_AWAY = 0.3
LOCKS = "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')"
# A method of the ledger, and which of its calls.
Moment = tuple[str, int]


@pytest.fixture
def feed(
    tmp_path: Path, sandbox: Sandbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Feed]:
    """A feed of some batches, whose ledger is on the server; the server runs again afterwards."""
    monkeypatch.setenv("ROSTER_LEDGER", server.new())
    feed = Feed(tmp_path, sandbox)
    feed.configure(batch=BATCH)
    feed.schools(SCHOOLS)
    yield feed
    if not server.runs:
        server.start()


def at(
    moments: list[Moment], monkeypatch: pytest.MonkeyPatch, event: Callable[[], None]
) -> list[Moment]:
    """Have something happen just before some calls of the ledger; return those that came."""
    calls: dict[str, int] = {}
    came: list[Moment] = []

    def before(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def call(*arguments: Any, **named: Any) -> Any:
            calls[name] = calls.get(name, 0) + 1
            if (name, calls[name]) in moments:
                came.append((name, calls[name]))
                event()
            return method(*arguments, **named)

        return call

    for name in {name for name, _ in moments}:
        monkeypatch.setattr(Ledger, name, before(name, getattr(Ledger, name)))
    return came


def restart(server: Server) -> Callable[[], None]:
    """Stop the server, and start it after a while."""

    def event() -> None:
        server.stop()
        Timer(SECONDS_AWAY, server.start).start()

    return event


def test_nights_go_on_when_the_server_is_restarted_at_any_moment(
    feed: Feed, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While reading, before sending, in the middle and at the end, on the first night and on the next."""
    first = [("begin", 1), ("known", 1), ("intend", 1), ("record", 2), ("finish", 1)]
    with monkeypatch.context() as patch:
        came = at(first, patch, restart(server))
        loaded = feed.sync()
    assert (first, 0, SCHOOLS) == (came, loaded.code, loaded.total("created"))
    assert (SCHOOLS, SCHOOLS) == (feed.created, len(feed.target_holds))

    again = [("known", 1), ("finish", 1)]
    with monkeypatch.context() as patch:
        came = at(again, patch, restart(server))
        night = feed.sync()
    assert (again, 0, "unchanged", 0) == (
        came,
        night.code,
        night.json["status"],
        night.json["requests"],
    )


def test_a_load_ends_when_the_server_stays_away_and_the_next_run_goes_on(
    feed: Feed, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the batch that could not be recorded is sent again, and found to be there."""
    feed.configure(patience=1, batch=BATCH)
    with monkeypatch.context() as patch:
        at([("record", 1)], patch, server.stop)
        ended = feed.sync()
    assert (1, BATCH, "Traceback" in ended.err) == (ended.code, feed.created, False)
    assert [] == [
        words
        for words in ("Connection refused", "for 1 second", "Start the server", "run again")
        if words not in ended.err
    ]

    server.start()
    resumed, after = feed.sync(), feed.sync()
    assert (0, 0, "unchanged") == (resumed.code, after.code, after.json["status"])
    assert (SCHOOLS + BATCH, SCHOOLS) == (feed.created, len(feed.target_holds))


def test_a_lost_lock_is_taken_back_if_nobody_had_it(server: Server) -> None:
    """The run goes on, and others are kept away as before."""
    address = server.new()
    with Ledger(address) as first, Ledger(address) as second:
        with first.hold(KEY, "first"):
            disconnect(address)
            first.record(KEY, "users", rows("u"), {}, [], "first")
            with pytest.raises(Busy, match="run first"), second.hold(KEY, "second"):
                pass
            disconnect(address, LOCKS)
            assert first.is_ours_alone()
            assert "first" == getattr(second.holder(KEY), "run", None)

        assert (["u"], None) == (
            second.known(KEY)["users"]["sourcedId"].to_list(),
            second.holder(KEY),
        )


def test_a_lost_lock_is_not_taken_back_after_another_run(server: Server) -> None:
    """The other run has ended, but what it did is not known here: this run breaks off."""
    address = server.new()
    with Ledger(address) as first, Ledger(address) as second, first.hold(KEY, "first"):
        disconnect(address, LOCKS)
        with second.hold(KEY, "second"):
            pass
        assert not first.is_ours_alone()
        with pytest.raises(LedgerError, match="another run at work on the feed since"):
            first.record(KEY, "users", rows("u"), {}, [], "first")


def test_several_feeds_are_held_by_one_connection(server: Server) -> None:
    """As when a person is forgotten in every feed of many; nothing of the server's cleanup waits."""
    address, keys = server.new(), [FeedKey("sandbox", f"f{number}") for number in range(30)]
    with Ledger(address) as ledger, ExitStack() as held:
        for key in keys:
            held.enter_context(ledger.hold(key, "forget"))
        with psycopg.connect(address) as connection:
            query = "SELECT count(*), count(backend_xid), count(backend_xmin) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            found = connection.execute(query).fetchone()
        with Ledger(address) as other:
            busy = [key for key in keys if other.holder(key)]

    assert ((2, 0, 0), keys) == (found, busy)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (psycopg.OperationalError("connection failed: Connection refused"), LedgerUnreachable),
        (psycopg.OperationalError("FATAL:  the database system is starting up"), LedgerNotReady),
        (psycopg.OperationalError("FATAL:  sorry, too many clients already"), LedgerNotReady),
        (psycopg.errors.AdminShutdown("terminating connection"), LedgerNotReady),
        (psycopg.errors.DeadlockDetected("deadlock detected"), LedgerNotReady),
        # What PgBouncer 1.18 says when the server dies under it, and what it never allows.
        (psycopg.errors.ProtocolViolation("invalid server parameter"), LedgerNotReady),
        (
            psycopg.errors.ProtocolViolation(
                "transaction blocks not allowed in statement pooling mode"
            ),
            LedgerError,
        ),
        (psycopg.InternalError("received 2 results from command 'ROLLBACK'"), LedgerUnreachable),
        (psycopg.OperationalError("FATAL:  password authentication failed"), LedgerError),
        (psycopg.errors.DiskFull("No space left on device"), LedgerError),
        (psycopg.errors.NotNullViolation("null value"), LedgerError),
    ],
)
def test_only_what_soon_passes_is_waited_for(error: psycopg.Error, kind: type[LedgerError]) -> None:
    """A wrong password stays wrong; a server that starts has started in a while."""
    assert kind is kind_of(error)


def unreachable() -> None:
    """Find nobody."""
    raise LedgerUnreachable("there", "nothing", "a ledger", "Start it.")


def test_a_ledger_that_was_never_reached_is_given_up_soon() -> None:
    """Its address may be wrong: as with a target, it is tried for about a second."""
    call = Mock(side_effect=unreachable)
    with pytest.raises(LedgerError, match="found nothing for 1 second,"):
        Retries(120).run(call)

    assert 2 < call.call_count


def test_who_stops_a_run_does_not_wait_for_the_server() -> None:
    """The wait ends in the middle, with the message that it would have had."""
    retries = Retries(120)
    retries.run(lambda: None)
    Timer(0.05, retries.end).start()
    with pytest.raises(LedgerError, match="found nothing"):
        retries.run(unreachable)


def test_what_was_carried_out_is_not_done_twice_when_the_answer_was_lost(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit may be on the disk although nobody heard of it: a run begins once, and so on."""
    now = datetime.now(UTC)
    run = Run("r1", KEY, "sync", now)
    plan = Plan("p1", KEY, "r1", now, now + timedelta(days=1))
    ledger.retries.run(lambda: None)
    lost = losing_answers(monkeypatch)
    ledger.begin(run)
    ledger.propose(plan, pl.DataFrame(schema=PLANNED_COLUMNS))
    approved = ledger.decide("p1", "approved", by="Ana", note="", at=now)
    again = ledger.decide("p1", "approved", by="Ana", note="", at=now + timedelta(seconds=1))

    assert (4, True, False) == (len(lost), approved, again)
    assert ([run], 1, "approved") == (
        ledger.runs(),
        len(ledger.decisions("p1")),
        ledger.plans()[0].status,
    )


def losing_answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Lose the answer to every second commit of a ledger; return what was said each time."""
    lost: list[str] = []
    heard = [True]
    original = Ledger._writing

    @contextmanager
    def writing(self: Ledger, key: FeedKey) -> Iterator[Any]:
        with original(self, key) as both:
            yield both
        heard[0] = not heard[0]
        if not heard[0]:
            lost.append("lost")
            unreachable()

    monkeypatch.setattr(Ledger, "_writing", writing)
    return lost
