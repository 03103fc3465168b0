"""The newest runs of many feeds: the same as among all runs, and found without reading those."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine, event, text

from connectors.ledger import FeedKey, Ledger, Plan, Run, Which
from connectors.ledger.database import open_database
from flows.result import DONE, REPAIRED, USAGE
from flows.run import stale
from flows.status import FeedStatus, read_statuses
from tests.ledger.server import PASSWORD, USER, Server
from transforms.guard import PLANNED_COLUMNS

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WHICH: dict[Which, Callable[[Run], bool]] = {
    Which(): lambda _: True,
    Which(exit_code=DONE): lambda run: run.exit_code == DONE,
    Which(but_exit_code=USAGE): lambda run: run.exit_code != USAGE,
    Which(but_exit_code=USAGE, but_note=REPAIRED): lambda run: (
        run.exit_code != USAGE and run.note != REPAIRED
    ),
    Which(accepted=True): lambda run: bool(run.content and run.ended),
}


def key_of(number: int) -> FeedKey:
    """A feed."""
    return FeedKey("sandbox", f"feed-{number:02}")


def enter(ledger: Ledger, feeds: int, nights: int) -> list[Run]:
    """Enter runs of all kinds, some of which never ended; return them, the newest first."""
    chance = random.Random(nights)
    runs = []
    for night in range(nights):
        for number in range(feeds):
            started = NOW - timedelta(days=nights - night, minutes=chance.randrange(100))
            killed, dated = chance.random() < 0.1, chance.random() < 0.3
            run = Run(
                f"{night:03}-{number:02}",
                key_of(number),
                "sync",
                started,
                drop_date=started.date() if dated else None,
                content=chance.choice(["", "a", "a", "a", "b"]),
                ended=None if killed else started,
                exit_code=None if killed else chance.choice([0, 0, 1, 2, 2, 3, 3, 4]),
                counts={"users": {"held": chance.randrange(2), "undelivered": 0}},
                max_age_hours=36 if number % 2 else None,
                note=chance.choice(["", "", REPAIRED]),
            )
            runs.append(run)
            ledger.begin(run)
    return sorted(runs, key=lambda run: (run.started, run.id), reverse=True)


def test_the_newest_runs_of_each_feed_are_found(ledger: Ledger) -> None:
    """Of each kind, as many as there are and no more than were asked for; nobody else's."""
    runs, keys = enter(ledger, 5, 12), [key_of(number) for number in (0, 1, 3, 99)]
    for which, counts in WHICH.items():
        expected = {
            key: [run for run in runs if run.key == key and counts(run)][:3] for key in keys
        }
        assert expected == ledger.newest_runs(keys, 3, which)


def test_since_when_a_roster_is_the_same_is_found(ledger: Ledger) -> None:
    """What the ledger says makes the same sentence as all runs of the feed."""
    runs = [run for run in enter(ledger, 3, 20) if run.content]
    since = ledger.unchanged_since(runs)

    assert len(runs) == len(since)
    for run in runs:
        of_feed = [one for one in runs if one.key == run.key]
        assert stale(run, of_feed, NOW) == stale(run, (), NOW, since[run.id])


def test_a_status_is_the_same_as_from_all_runs(ledger: Ledger) -> None:
    """What has nothing to do with the newest runs is looked for among the older ones."""
    runs = enter(ledger, 12, 15)
    statuses = read_statuses({key_of(number): "" for number in range(13)}, ledger, NOW)
    for status in statuses:
        of_feed = tuple(run for run in runs if run.key == status.key)
        whole = FeedStatus(status.key, of_feed, None, (), status.stale)
        assert essence(whole) == essence(status)
        accepted = whole.accepted
        assert (stale(accepted, of_feed, NOW) if accepted else "") == status.stale


def essence(status: FeedStatus) -> tuple[Any, ...]:
    """Everything that a status says of a feed, apart from the list of its runs."""
    newest = status.runs[:2]
    return (
        newest,
        status.last,
        status.good,
        status.loaded,
        status.accepted,
        status.foreign,
        status.undelivered,
        status.exit_code,
    )


@contextmanager
def counted() -> Iterator[list[str]]:
    """Count the statements that databases are sent."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        statements.append(arguments[2])

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_a_status_of_many_feeds_takes_as_many_queries_as_that_of_few(ledger: Ledger) -> None:
    """However many runs and plans they have."""
    numbers = []
    for feeds, nights in ((2, 4), (9, 11)):
        for run in enter(ledger, feeds, nights):
            plan = Plan(f"p-{run.id}", run.key, run.id, NOW, NOW + timedelta(days=1))
            ledger.propose(plan, pl.DataFrame(schema=PLANNED_COLUMNS))
        # Of this feed the age is looked for, and of one without runs each kind of run.
        last = Run("last", key_of(1), "sync", NOW, content="a", ended=NOW, max_age_hours=36)
        ledger.begin(last)
        keys = dict.fromkeys([*ledger.feeds(), key_of(99)], "")
        with counted() as statements:
            found = read_statuses(keys, ledger, NOW)
        assert [*[1] * feeds, 0] == [len(status.held) for status in found]
        numbers.append(len(statements))
        with ledger._database.writing() as connection:
            connection.execute(text("DELETE FROM runs"))

    assert numbers[0] == numbers[1], statements


def test_a_ledger_of_an_earlier_release_gets_the_indexes(place: Path | str) -> None:
    """When a run opens it; who only reads leaves it as it is."""
    Ledger(place).close()
    with closing(open_database(place, make=True)) as database:
        with database.writing() as connection:
            before = database.index_names(connection)
            connection.execute(text("DROP INDEX ix_runs_newest"))
        Ledger.reading(place).close()
        with database.reading() as connection:
            lacking = before - database.index_names(connection)
        Ledger(place).close()
        with database.reading() as connection:
            after = database.index_names(connection)

    assert (frozenset({"ix_runs_newest"}), before) == (lacking, after)


def test_who_may_only_write_rows_needs_no_index(server: Server) -> None:
    """Their nights go on, and a status only takes longer."""
    address = server.new()
    database = address.rpartition("/")[2]
    enter_one = Run("r1", key_of(1), "sync", NOW)
    Ledger(address).close()
    server.run("DROP INDEX ix_runs_newest", database)
    server.run(f"CREATE ROLE writer LOGIN PASSWORD '{PASSWORD}'", database)
    for what in ("ALL TABLES", "ALL SEQUENCES"):
        server.run(f"GRANT ALL ON {what} IN SCHEMA public TO writer", database)

    with Ledger(address.replace(USER, "writer", 1)) as ledger:
        ledger.begin(enter_one)
        assert {key_of(1): [enter_one]} == ledger.newest_runs([key_of(1)], 1)
