"""Runs, plans and decisions in the ledger. The only names of people are of those who decided."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl
from sqlalchemy import Connection, CursorResult, Row, delete, func, insert, select, update

from connectors.ledger.records import upsert, upsert_rows
from connectors.ledger.tables import DECISIONS, FEEDS, PLANNED, PLANS, RECORDS, RUNS, FeedKey, Types
from transforms.changes import REMOVALS
from transforms.guard import Hold

PlanStatus = Literal["open", "approved", "sent", "replaced", "discarded", "expired"]
# Plans that may still be sent.
PENDING: tuple[PlanStatus, ...] = ("open", "approved")
# By the new status of a plan, the statuses that it may have before.
ALLOWED_FROM: dict[str, tuple[str, ...]] = {
    "approved": ("open",),
    "discarded": ("open",),
    "expired": ("open",),
    "replaced": ("open", "approved"),
    "sent": ("approved",),
}
# Statuses of plans that can no longer be sent.
CLOSED = ("sent", "replaced", "discarded", "expired")
# Statuses of records that a run removed.
REMOVED_STATUSES = tuple(status for _, status in REMOVALS.values())
# Rows that are inserted at a time: a plan may hold a whole district.
AT_ONCE = 10_000


@dataclass(frozen=True)
class Run:
    """One run of a feed: how it began and, once it has ended, its result. Times are in UTC."""

    id: str
    key: FeedKey
    command: str
    started: datetime
    drop: str = ""
    drop_date: date | None = None  # the date that the drop states
    content: str = ""  # digest of the accepted roster
    roster: str = ""  # the run under which that roster is archived
    ended: datetime | None = None
    status: str = ""
    exit_code: int | None = None
    # By entity, then by the name of the count.
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    plan: str = ""  # the plan of what it held
    approved: str = ""  # the plan that it was started to send
    raised: str = ""  # the raised limits that it used up
    requests: int = 0
    max_age_hours: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """What a run held, and what was decided about it. Times are in UTC."""

    id: str
    key: FeedKey
    run: str
    made: datetime
    expires: datetime
    status: PlanStatus = "open"
    holds: tuple[Hold, ...] = ()
    decided: datetime | None = None
    by: str = ""  # who decided
    note: str = ""  # of the person who decided


@dataclass(frozen=True)
class Decision:
    """One decision on a plan."""

    plan: str
    at: datetime  # in UTC
    by: str
    what: str  # the plan's new status
    note: str


def write_run(connection: Connection, feed: int, run: Run, *, new: bool) -> None:
    """Insert a run, or update all its fields. A new one is there already if an answer was lost."""
    values = {name: value for name, value in vars(run).items() if name not in ("id", "key")}
    values |= {name: _text(values[name]) for name in ("started", "ended", "drop_date")}
    values["counts"] = json.dumps(run.counts)
    if new:
        connection.execute(upsert(connection, RUNS), {"id": run.id, "feed_id": feed, **values})
    else:
        connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(**values))


def read_runs(connection: Connection, *conditions: Any, last: int | None = None) -> list[Run]:
    """Return runs, the newest first."""
    query = (
        select(RUNS, FEEDS.c.target, FEEDS.c.feed)
        .join(FEEDS, FEEDS.c.id == RUNS.c.feed_id)
        .where(*conditions)
    )
    query = query.order_by(RUNS.c.started.desc(), RUNS.c.id.desc()).limit(last)
    return list(runs_in(connection.execute(query)))


def write_plan(connection: Connection, feed: int, plan: Plan, records: pl.DataFrame) -> None:
    """Insert a plan, or renew the one with the same id; it replaces the feed's other open plans."""
    older = (PLANS.c.feed_id == feed, PLANS.c.status == "open", PLANS.c.id != plan.id)
    connection.execute(update(PLANS).where(*older).values(status="replaced"))
    holds = json.dumps([vars(hold) for hold in plan.holds])
    same = {
        "run": plan.run,
        "made": _text(plan.made),
        "expires": _text(plan.expires),
        "holds": holds,
    }
    before = connection.execute(
        select(PLANS.c.status).where(PLANS.c.id == plan.id)
    ).scalar_one_or_none()
    if before is None:
        connection.execute(
            insert(PLANS).values(id=plan.id, feed_id=feed, status="open", by="", note="", **same)
        )
    else:
        # An approved plan stays approved if its run was interrupted.
        reopened = (
            {} if before in PENDING else {"status": "open", "decided": None, "by": "", "note": ""}
        )
        connection.execute(update(PLANS).where(PLANS.c.id == plan.id).values(**same, **reopened))
    connection.execute(delete(PLANNED).where(PLANNED.c.plan == plan.id))
    rows = records.rename({"sourcedId": "sourced_id"}).with_columns(plan=pl.lit(plan.id))
    for part in rows.iter_slices(AT_ONCE):
        upsert_rows(connection, PLANNED, part)


def read_plans(connection: Connection, *conditions: Any) -> list[Plan]:
    """Return plans, the newest first."""
    query = (
        select(PLANS, FEEDS.c.target, FEEDS.c.feed)
        .join(FEEDS, FEEDS.c.id == PLANS.c.feed_id)
        .where(*conditions)
    )
    return [
        _plan(row) for row in connection.execute(query.order_by(PLANS.c.made.desc(), PLANS.c.id))
    ]


def read_planned(connection: Connection, plan: str, types: Types) -> pl.DataFrame:
    """Return the records of a plan, with the columns of `types`."""
    columns = [PLANNED.c["sourced_id" if name == "sourcedId" else name] for name in types]
    query = (
        select(*columns)
        .where(PLANNED.c.plan == plan)
        .order_by(PLANNED.c.entity, PLANNED.c.sourced_id)
    )
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=types, orient="row")


def decide(connection: Connection, decision: Decision, *, again: bool = False) -> bool:
    """Change the status of a plan and record the decision.

    Returns False, and changes nothing, if the plan's status does not allow it. With `again`, an
    earlier attempt may have succeeded, of which the answer was lost.
    """
    if again and decision in read_decisions(connection, decision.plan):
        return True
    allowed = (PLANS.c.id == decision.plan, PLANS.c.status.in_(ALLOWED_FROM[decision.what]))
    at = _text(decision.at)
    changed = (
        update(PLANS)
        .where(*allowed)
        .values(status=decision.what, decided=at, by=decision.by, note=decision.note)
    )
    if not connection.execute(changed).rowcount:
        return False
    connection.execute(insert(DECISIONS).values(**vars(decision) | {"at": at}))
    return True


def read_decisions(connection: Connection, plan: str) -> list[Decision]:
    """Return every decision on a plan, the oldest first."""
    rows = connection.execute(
        select(DECISIONS).where(DECISIONS.c.plan == plan).order_by(DECISIONS.c.id)
    )
    return [
        Decision(row.plan, datetime.fromisoformat(row.at), row.by, row.what, row.note)
        for row in rows
    ]


def runs_in(rows: CursorResult[Any]) -> Iterator[Run]:
    """Yield the run in each row: the columns of `RUNS`, with the target and name of its feed."""
    names = tuple(rows.keys())  # asking each row for them takes as long as reading it
    for row in rows:
        yield _run(dict(zip(names, row, strict=True)))


def _run(fields: dict[str, Any]) -> Run:
    key = FeedKey(fields.pop("target"), fields.pop("feed"))
    del fields["feed_id"]
    started, ended = datetime.fromisoformat(fields.pop("started")), _time(fields.pop("ended"))
    drop_date = fields.pop("drop_date")
    return Run(
        key=key,
        started=started,
        ended=ended,
        drop_date=date.fromisoformat(drop_date) if drop_date else None,
        **fields | {"counts": json.loads(fields["counts"])},
    )


def _plan(row: Row[Any]) -> Plan:
    holds = tuple(Hold(**hold) for hold in json.loads(row.holds))
    made, expires = datetime.fromisoformat(row.made), datetime.fromisoformat(row.expires)
    return Plan(
        row.id,
        FeedKey(row.target, row.feed),
        row.run,
        made,
        expires,
        row.status,
        holds,
        _time(row.decided),
        row.by,
        row.note,
    )


def _text(time: date | None) -> str | None:
    return time.isoformat() if time else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def delete_closed_plans(connection: Connection, feed: int, before: datetime) -> None:
    """Delete the records of plans that were closed before a time in UTC.

    A replaced plan counts as closed at the time when it would have expired.
    """
    ended = func.coalesce(PLANS.c.decided, PLANS.c.expires) < before.isoformat()
    closed = select(PLANS.c.id).where(PLANS.c.feed_id == feed, PLANS.c.status.in_(CLOSED), ended)
    connection.execute(delete(PLANNED).where(PLANNED.c.plan.in_(closed)))


def removed_since(connection: Connection, feed: int, since: datetime, but: str) -> dict[str, int]:
    """Count the records of each entity that runs removed since a time in UTC, except run `but`.

    Runs that sent an approved plan or used raised limits do not count. For a killed run it is
    unknown whether it used raised limits, so its removals count.
    """
    runs = select(RUNS.c.id).where(
        RUNS.c.feed_id == feed,
        RUNS.c.started >= since.isoformat(),
        RUNS.c.id != but,
        RUNS.c.approved == "",
        RUNS.c.raised == "",
    )
    removed = (
        RECORDS.c.feed_id == feed,
        RECORDS.c.status.in_(REMOVED_STATUSES),
        RECORDS.c.run.in_(runs),
    )
    query = select(RECORDS.c.entity, func.count()).where(*removed).group_by(RECORDS.c.entity)
    return {row[0]: row[1] for row in connection.execute(query)}
