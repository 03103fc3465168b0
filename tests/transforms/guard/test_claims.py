"""New records with ids that another feed of the target has sent: the same record, or another one."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from tests.guarding import changed
from transforms.changes import ENDS, LABEL, PARENTS
from transforms.guard import GuardContext, GuardLimits, guard
from transforms.guard.context import CLAIMED

# An entity, and what this feed and the other one say: label, parents and last day.
SAME = [
    ("users", ("Tia Diaz", "orgs:s2", ""), ("Tia Núñez Diaz", "orgs:s1", "")),
    ("users", ("Tía Berg", "", ""), ("TIA DIAZ", "", "")),
    ("orgs", ("Larkspur Valley", "", ""), ("Larkspur Valley Schools", "", "")),
    ("courses", ("Math 5", "orgs:s2", ""), ("math 5", "orgs:d", "")),
    ("academicSessions", ("Fall 2026", "", "2027-01-15"), ("Fall", "", "2027-01-08")),
    ("classes", ("Math", "orgs:s1 courses:co", ""), ("Math A", "courses:c2 orgs:s1", "")),
    ("enrollments", ("teacher", "users:u classes:c", ""), ("student", "classes:c users:u", "")),
    ("results", ("", "", ""), ("", "", "")),
]
OTHERS = [
    ("users", ("Ole Berg", "", ""), ("Tia Diaz", "", "")),
    ("orgs", ("Oak School", "", ""), ("Elm School", "", "")),
    ("courses", ("Art", "", ""), ("Math 5", "", "")),
    ("academicSessions", ("Fall", "", "2027-01-15"), ("Fall", "", "2026-12-18")),
    ("classes", ("Homeroom", "orgs:s2", ""), ("Homeroom", "orgs:s1", "")),
    ("enrollments", ("student", "users:u classes:c", ""), ("student", "users:v classes:c", "")),
]


def held(entity: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> list[str]:
    """Return the rules that hold a new record which another feed has sent, and their sentences."""
    part = changed(entity, [], [{"sourcedId": "x"}])
    names = (LABEL, PARENTS, ENDS)
    cells = [
        pl.lit(cell or None, pl.String).alias(name) for name, cell in zip(names, ours, strict=True)
    ]
    part = replace(part, upserts=part.upserts.with_columns(cells))
    claimed = pl.DataFrame([(entity, "x", "north", *theirs)], schema=CLAIMED, orient="row")
    found = guard({entity: part}, GuardContext(claimed=claimed), GuardLimits())
    return [f"{hold.rule}: {hold.sentence}" for hold in found.holds]


@pytest.mark.parametrize(("entity", "ours", "theirs"), SAME)
def test_one_record_of_two_feeds_passes(
    entity: str, ours: tuple[str, ...], theirs: tuple[str, ...]
) -> None:
    """Feeds may write of it in other words."""
    assert [] == held(entity, ours, theirs)


@pytest.mark.parametrize(("entity", "ours", "theirs"), OTHERS)
def test_another_record_waits(entity: str, ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    """The sentence names the feed, the id, and both ways out."""
    (said,) = held(entity, ours, theirs)

    assert said.startswith(f"claimed: {entity}: 1 id is that of something else in feed north (x).")
    assert ("`prefix`" in said, "approve" in said) == (True, True)
