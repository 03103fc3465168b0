"""Runs, plans and decisions, as the ledger keeps them. Nothing here holds a name of anybody but of who decided."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

import polars as pl
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from connectors.ledger.records import put_all
from connectors.ledger.tables import DECISIONS, FEEDS, PLANNED, PLANS, RECORDS, RUNS, FeedKey
from transforms.changes import REMOVALS
from transforms.guard import Hold

PlanStatus = Literal["open", "approved", "sent", "replaced", "discarded", "expired"]
# Plans that may still be sent.
PENDING: tuple[PlanStatus, ...] = ("open", "approved")
# From which states a plan can be brought into which.
FROM: dict[str, tuple[str, ...]] = {
    "approved": ("open",), "discarded": ("open",), "expired": ("open",), "replaced": ("open", "approved"), "sent": ("approved",),
}  # fmt: skip
# Rows that are inserted at once: a plan may hold a whole district.
AT_ONCE = 10_000


@dataclass(frozen=True)
class Run:
    """One run of a feed, as it began and, once it has `ended`, as it ended. Times are in UTC.

    `drop_date` is the day that the drop says it is of, `content` the digest of the accepted roster and
    `roster` the run under which that is archived. `counts` are the terms of each entity. `approved` is the
    plan that it was to send, `plan` what it held, `raised` the raised limits that it used up.
    """

    id: str
    key: FeedKey
    command: str
    started: datetime
    drop: str = ""
    drop_date: date | None = None
    content: str = ""
    roster: str = ""
    ended: datetime | None = None
    status: str = ""
    exit_code: int | None = None
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    plan: str = ""
    approved: str = ""
    raised: str = ""
    requests: int = 0
    max_age_hours: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Plan:
    """What a run held, and what became of it: `by` whom it was `decided`, when, and with which `note`."""

    id: str
    key: FeedKey
    run: str
    made: datetime
    expires: datetime
    status: PlanStatus = "open"
    holds: tuple[Hold, ...] = ()
    decided: datetime | None = None
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class Decision:
    """One decision on a plan."""

    plan: str
    at: datetime
    by: str
    what: str
    note: str


def write_run(connection: Connection, feed: int, run: Run, *, new: bool) -> None:
    """Insert a run, or write all that is known of one."""
    values = {name: value for name, value in vars(run).items() if name not in ("id", "key")}
    values |= {name: _text(values[name]) for name in ("started", "ended", "drop_date")}
    values["counts"] = json.dumps(run.counts)
    if new:
        connection.execute(insert(RUNS).values(id=run.id, feed_id=feed, **values))
    else:
        connection.execute(update(RUNS).where(RUNS.c.id == run.id).values(**values))


def read_runs(connection: Connection, *conditions: Any, last: int | None = None) -> list[Run]:
    """Give runs, the newest first."""
    query = (
        select(RUNS, FEEDS.c.target, FEEDS.c.feed)
        .join(FEEDS, FEEDS.c.id == RUNS.c.feed_id)
        .where(*conditions)
    )
    query = query.order_by(RUNS.c.started.desc(), RUNS.c.id.desc()).limit(last)
    return [_run(row) for row in connection.execute(query)]


def write_plan(connection: Connection, feed: int, plan: Plan, records: pl.DataFrame) -> None:
    """Insert a plan, or renew the one with its id; the feed's other open plans are replaced by it."""
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
        # An approval whose sending broke off stays one.
        fresh = (
            {} if before in PENDING else {"status": "open", "decided": None, "by": "", "note": ""}
        )
        connection.execute(update(PLANS).where(PLANS.c.id == plan.id).values(**same, **fresh))
    connection.execute(delete(PLANNED).where(PLANNED.c.plan == plan.id))
    rows = records.rename({"sourcedId": "sourced_id"}).with_columns(plan=pl.lit(plan.id))
    for part in rows.iter_slices(AT_ONCE):
        put_all(connection, PLANNED, part)


def read_plans(connection: Connection, *conditions: Any) -> list[Plan]:
    """Give plans, the newest first."""
    query = (
        select(PLANS, FEEDS.c.target, FEEDS.c.feed)
        .join(FEEDS, FEEDS.c.id == PLANS.c.feed_id)
        .where(*conditions)
    )
    return [
        _plan(row) for row in connection.execute(query.order_by(PLANS.c.made.desc(), PLANS.c.id))
    ]


def read_planned(
    connection: Connection, plan: str, types: dict[str, type[pl.DataType]]
) -> pl.DataFrame:
    """Give the records of a plan, with the columns that are asked for."""
    columns = [PLANNED.c["sourced_id" if name == "sourcedId" else name] for name in types]
    query = (
        select(*columns)
        .where(PLANNED.c.plan == plan)
        .order_by(PLANNED.c.entity, PLANNED.c.sourced_id)
    )
    rows: Sequence[Row[Any]] = connection.execute(query).all()
    return pl.DataFrame([tuple(row) for row in rows], schema=types, orient="row")


def decide(connection: Connection, decision: Decision) -> bool:
    """Bring a plan into another state, and note who did; False if it is in none that allows that."""
    allowed = (PLANS.c.id == decision.plan, PLANS.c.status.in_(FROM[decision.what]))
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
    """Give every decision on a plan, the first one first."""
    rows = connection.execute(
        select(DECISIONS).where(DECISIONS.c.plan == plan).order_by(DECISIONS.c.id)
    )
    return [
        Decision(row.plan, datetime.fromisoformat(row.at), row.by, row.what, row.note)
        for row in rows
    ]


def _run(row: Row[Any]) -> Run:
    named = dict(row._mapping)
    key = FeedKey(named.pop("target"), named.pop("feed"))
    del named["feed_id"]
    started, ended = datetime.fromisoformat(named.pop("started")), _time(named.pop("ended"))
    drop_date = named.pop("drop_date")
    return Run(
        key=key,
        started=started,
        ended=ended,
        drop_date=date.fromisoformat(drop_date) if drop_date else None,
        **named | {"counts": json.loads(named["counts"])},
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


def _text(moment: date | None) -> str | None:
    return moment.isoformat() if moment else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


CLOSED = ("sent", "replaced", "discarded", "expired")


def prune(connection: Connection, feed: int, before: datetime) -> None:
    """Delete the records of plans that were closed before a moment (in UTC); one that was replaced ends when it would have expired."""
    ended = func.coalesce(PLANS.c.decided, PLANS.c.expires) < before.isoformat()
    closed = select(PLANS.c.id).where(PLANS.c.feed_id == feed, PLANS.c.status.in_(CLOSED), ended)
    connection.execute(delete(PLANNED).where(PLANNED.c.plan.in_(closed)))


LEFT = tuple(status for _, status in REMOVALS.values())


def removed_since(connection: Connection, feed: int, moment: datetime, but: str) -> dict[str, int]:
    """Count the records of each entity that runs removed which began at or after a moment (in UTC), one of them aside.

    What a person approved, or a limit let through that was raised once, is left out. Whether a killed run had used up
    raised limits is not known: what it removed counts.
    """
    runs = select(RUNS.c.id).where(
        RUNS.c.feed_id == feed,
        RUNS.c.started >= moment.isoformat(),
        RUNS.c.id != but,
        RUNS.c.approved == "",
        RUNS.c.raised == "",
    )
    removed = (RECORDS.c.feed_id == feed, RECORDS.c.status.in_(LEFT), RECORDS.c.run.in_(runs))
    query = select(RECORDS.c.entity, func.count()).where(*removed).group_by(RECORDS.c.entity)
    return {row[0]: row[1] for row in connection.execute(query)}
