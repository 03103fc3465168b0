"""The newest runs of many feeds: what is read depends on what is asked for, not on all runs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    func,
    or_,
    select,
    true,
    tuple_,
)

from connectors.ledger.history import Run, runs_in
from connectors.ledger.tables import FEEDS, RUNS, FeedKey


@dataclass(frozen=True)
class Which:
    """Which runs count. Each field that is set narrows them down."""

    exit_code: int | None = None  # those that ended with it
    but_exit_code: int | None = None  # those that ended otherwise, or not at all
    but_note: str | None = None  # those with another note
    accepted: bool = False  # those that ended, and had accepted a roster


ANY = Which()


def newest_runs(
    connection: Connection, keys: Collection[FeedKey], count: int, which: Which = ANY
) -> dict[FeedKey, list[Run]]:
    """Return up to `count` runs of each feed, the newest first, with one query for all feeds."""
    found: dict[FeedKey, list[Run]] = {key: [] for key in keys}
    for run in runs_in(connection.execute(_query(connection, keys, count, which))):
        if run.key in found:
            found[run.key].append(run)
    return found


# More feeds than this are not named one by one: databases limit the parameters of a statement.
NAMED = 10_000


def _query(
    connection: Connection, keys: Collection[FeedKey], count: int, which: Which
) -> Select[tuple[object, ...]]:
    """Build the query, in which an index gives the runs of each feed from the newest on."""
    run = RUNS.alias("newest")
    newest = (
        select(run)
        .where(run.c.feed_id == FEEDS.c.id, *_conditions(run, which))
        .order_by(run.c.started.desc(), run.c.id.desc())
        .limit(count)
    )
    if connection.dialect.name == "postgresql":
        runs: FromClause = newest.lateral()
        joined = FEEDS.join(runs, true())
    else:  # SQLite has no LATERAL, and looks up the ids of a list one by one
        runs = RUNS
        ids = newest.with_only_columns(run.c.id).correlate(FEEDS)
        joined = FEEDS.join(RUNS, RUNS.c.id.in_(ids))
    query = select(*runs.c, FEEDS.c.target, FEEDS.c.feed).select_from(joined)
    if len(keys) <= NAMED:
        names = [(key.target, key.feed) for key in keys]
        query = query.where(tuple_(FEEDS.c.target, FEEDS.c.feed).in_(names))
    return query.order_by(runs.c.started.desc(), runs.c.id.desc())


def _conditions(run: FromClause, which: Which) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if which.exit_code is not None:
        conditions.append(run.c.exit_code == which.exit_code)
    if which.but_exit_code is not None:
        conditions.append(or_(run.c.exit_code.is_(None), run.c.exit_code != which.but_exit_code))
    if which.but_note is not None:
        conditions.append(run.c.note != which.but_note)
    if which.accepted:
        conditions.append(and_(run.c.content != "", run.c.ended.is_not(None)))
    return conditions


def unchanged_since(connection: Connection, runs: Collection[Run]) -> dict[str, datetime]:
    """Return when the first of the runs up to each of these accepted the same roster, by id."""
    if not runs:
        return {}
    run, other, same = RUNS.alias("run"), RUNS.alias("other"), RUNS.alias("same")
    last_other = (
        select(other.c.started)
        .where(
            other.c.feed_id == run.c.feed_id,
            other.c.content.not_in(["", run.c.content]),
            other.c.started <= run.c.started,
        )
        .order_by(other.c.started.desc())
        .limit(1)
        .correlate(run)
        .scalar_subquery()
    )
    first = (
        select(func.min(same.c.started))
        .where(
            same.c.feed_id == run.c.feed_id,
            same.c.content == run.c.content,
            same.c.started > func.coalesce(last_other, ""),
        )
        .correlate(run)
        .scalar_subquery()
    )
    query = select(run.c.id, first).where(run.c.id.in_([one.id for one in runs]))
    return {row[0]: datetime.fromisoformat(row[1]) for row in connection.execute(query)}
