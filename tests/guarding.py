"""Rosters before and after, for tests of the guard: the changes, and the guard's decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl

from transforms.changes import (
    ACTION,
    FINGERPRINT,
    LABEL,
    PARENTS,
    SCHOOL,
    Changes,
    EntityChanges,
    imbalance,
)
from transforms.guard import GuardContext, GuardLimits, GuardResult, guard
from transforms.guard.context import GROUPS, TOTALS
from transforms.payload import write_parts

TODAY = date(2026, 11, 24)
Row = Mapping[str, str | None]
Rosters = Mapping[str, Sequence[Row]]


def role(name: str = "student", school: str = "s1") -> str:
    """Return a role as a user record has it."""
    return write_parts([{"role": name, "orgSourcedId": school}]) or ""


def person(
    sourced_id: str, name: str = "", what: str = "student", **cells: str | None
) -> dict[str, str | None]:
    """Return a user. Email and username are made from the name, unless `cells` has them."""
    given, _, family = (name or f"Given{sourced_id} Family{sourced_id}").partition(" ")
    made = f"{given}.{family}".casefold()
    return {
        "sourcedId": sourced_id,
        "enabledUser": "true",
        "givenName": given,
        "familyName": family,
        "username": made,
        "email": f"{made}@schools.example.edu",
        "roles": role(what),
    } | cells


def people(count: int, what: str = "student", first: int = 0) -> list[dict[str, str | None]]:
    """Return `count` people who have only their role in common."""
    return [person(f"u{number}", what=what) for number in range(first, first + count)]


def enrolled(users: Sequence[Row], *classes: str) -> list[dict[str, str | None]]:
    """Return the enrollments that put people into classes."""
    return [
        {
            "sourcedId": f"e-{user['sourcedId']}-{one}",
            "classSourcedId": one,
            "userSourcedId": user["sourcedId"],
            "role": "student",
            "schoolSourcedId": "s1",
        }
        for user in users
        for one in classes
    ]


def frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Return records as a frame of a roster."""
    columns = list(dict.fromkeys(name for row in rows for name in row)) or ["sourcedId"]
    return pl.DataFrame(
        [[row.get(name) for name in columns] for row in rows],
        schema=dict.fromkeys(columns, pl.String),
        orient="row",
    )


def changed(
    entity: str,
    before: Sequence[Row],
    now: Sequence[Row],
    *,
    whole: bool = True,
    policy: str = "delete",
) -> EntityChanges:
    """Compare two rosters of one entity, as a run does."""
    was = {row["sourcedId"]: row for row in before}
    there = {row["sourcedId"] for row in now}
    sent = [row for row in now if was.get(row["sourcedId"]) != row]
    upserts = (
        frame(sent) if sent else frame(now).clear() if now else frame([{"sourcedId": None}]).clear()
    )
    actions = ["update" if row["sourcedId"] in was else "create" for row in sent]
    gone = [row for row in before if whole and row["sourcedId"] not in there]
    removals = pl.DataFrame(
        {
            "sourcedId": [row["sourcedId"] for row in gone],
            ACTION: [policy] * len(gone),
            SCHOOL: [_school(entity, row) for row in gone],
            PARENTS: [_parents(row) for row in gone],
        },
        schema=dict.fromkeys(("sourcedId", ACTION, SCHOOL, PARENTS), pl.String),
    )
    upserts = upserts.with_columns(
        pl.Series(ACTION, actions, dtype=pl.String),
        pl.lit(1, pl.Int64).alias(FINGERPRINT),
        pl.Series(SCHOOL, [_school(entity, row) for row in sent], dtype=pl.String),
        pl.Series(PARENTS, [_parents(row) for row in sent], dtype=pl.String),
        pl.Series(
            LABEL,
            [f"{row.get('givenName')} {row.get('familyName')}" for row in sent],
            dtype=pl.String,
        ),
    )
    filled = [
        name
        for name in upserts.columns
        if name.startswith("#") or name == "sourcedId" or upserts[name].count()
    ]
    read = len(now)
    counts: Any = {"read": read, "unchanged": read - len(sent), "vanished": len(gone)}
    said = frozenset(name for row in now for name in row)
    return EntityChanges(
        entity, upserts.select(filled), removals, counts=counts, whole=whole, said=said
    )


def _school(entity: str, row: Row) -> str | None:
    return row["sourcedId"] if entity == "orgs" else row.get("schoolSourcedId") or "s1"


def _parents(row: Row) -> str:
    words = {"classSourcedId": "classes", "userSourcedId": "users", "courseSourcedId": "courses"}
    return " ".join(
        f"{entity}:{row[column]}" for column, entity in words.items() if row.get(column)
    )


def night(
    before: Rosters,
    now: Rosters,
    *,
    whole: bool = True,
    policy: str = "delete",
    limits: GuardLimits | None = None,
    **past: Any,
) -> GuardResult:
    """Run the guard on the difference of two rosters, and check that its counts add up."""
    changes: Changes = {
        name: changed(name, before.get(name, []), rows, whole=whole, policy=policy)
        for name, rows in now.items()
    }
    sent = {name: frame(rows) for name, rows in before.items()}
    places = [(name, _school(name, row), 1) for name, rows in before.items() for row in rows]
    totals = pl.DataFrame(places, schema=TOTALS, orient="row").group_by("entity", "school").sum()
    guarded = guard(
        changes,
        replace(
            GuardContext(
                totals=totals,
                sent=sent,
                today=TODAY,
                settled=_ids(before),
                groups=_groups(before.get("users", [])),
            ),
            **past,
        ),
        limits or GuardLimits(),
    )
    for name, one in guarded.changes.items():
        assert imbalance(one.counts) == one.due, name
    return guarded


def _ids(before: Rosters) -> dict[str, pl.Series]:
    return {
        name: frame(rows)["sourcedId"]
        for name, rows in before.items()
        if name in ("users", "classes")
    }


def _groups(users: Sequence[Row]) -> pl.DataFrame:
    words = {role(): "students", role("teacher"): "staff", role("guardian"): "contacts"}
    found: dict[str, int] = {}
    for user in users:
        word = words[str(user["roles"])]
        found[word] = found.get(word, 0) + 1
    rows = [("users", group, "s1", count) for group, count in found.items()]
    return pl.DataFrame(rows, schema=GROUPS, orient="row")


def held(guarded: GuardResult) -> dict[str, list[str]]:
    """Return the ids of held records, by entity."""
    return {
        name: sorted(one.held["sourcedId"])
        for name, one in guarded.changes.items()
        if one.held.height
    }


def rules(guarded: GuardResult) -> list[str]:
    """Return the rules of the holds."""
    return [hold.rule for hold in guarded.holds]
