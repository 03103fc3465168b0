"""The rules that made a plan, applied once more when it is approved."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from tests.transforms.test_guard import Ids, held, part, rules
from transforms.changes import EntityChanges, imbalance
from transforms.guard import GuardResult, guard_plan
from transforms.guard.context import CHILDREN

NOBODY = pl.DataFrame(schema=CHILDREN)


def again(*parts: EntityChanges, children: pl.DataFrame = NOBODY, **there: Ids) -> GuardResult:
    """Judge changes once more; `there` are the ids in the target."""
    ids: Mapping[str, pl.Series] = {
        name: pl.Series(list(some), dtype=pl.String) for name, some in there.items()
    }
    guarded = guard_plan({one.entity: one for one in parts}, children, ids)
    for one in guarded.changes.values():
        assert imbalance(one.counts) == one.due
    return guarded


def test_what_is_as_it_was_is_sent() -> None:
    """Parents are in the target, or sent with their children."""
    new = part("enrollments", new=["e1"], parents="classes:c1 users:u1")

    assert {} == held(again(part("classes", new=["c1"]), new, classes=[], users=["u1"]))


def test_what_names_a_record_that_is_gone_waits_and_what_names_that() -> None:
    """Deleted meanwhile, or by the same plan; an entity of which nobody asked is not looked at."""
    sent = part("classes", new=["c1"], parents="courses:co terms:t")
    below = part("enrollments", new=["e1"], parents="classes:c1")
    going = part("courses", gone=["co"])

    assert {"classes": ["c1"], "enrollments": ["e1"]} == held(
        again(sent, below, courses=[], classes=[])
    )
    guarded = again(sent, below, going, courses=["co"], classes=[])
    assert {"classes": ["c1"], "enrollments": ["e1"]} == held(guarded)
    assert ["parent_gone", "parent_gone"] == rules(guarded)
    assert {} == held(again(sent, below, classes=[]))


def test_trees_wait_to_their_leaves() -> None:
    """A school below a district that is gone, and what is below that."""
    orgs = part("orgs", new=["a"], parents="orgs:gone")
    below = part("orgs", new=["b"], parents="orgs:a")
    both = EntityChanges("orgs", pl.concat([orgs.upserts, below.upserts]), counts={"read": 2})

    assert {"orgs": ["a", "b"]} == held(again(both, orgs=["d"]))


def test_what_others_need_is_not_deleted() -> None:
    """A child that came meanwhile, or one that would have moved away and waits; demographics wait with their user."""
    children = pl.DataFrame([("enrollments", "e1", "classes", "c1")], schema=CHILDREN, orient="row")
    moves = part("enrollments", changed=["e1"], parents="classes:c9")

    assert {"classes": ["c1"]} == held(again(part("classes", gone=["c1"]), children=children))
    assert {} == held(
        again(part("classes", gone=["c1"]), moves, children=children, classes=["c1", "c9"])
    )
    assert {"classes": ["c1"], "enrollments": ["e1"]} == held(
        again(part("classes", gone=["c1"]), moves, children=children, classes=["c1"])
    )
    of_user = pl.DataFrame([("enrollments", "e1", "users", "u1")], schema=CHILDREN, orient="row")
    waits = again(part("users", gone=["u1"]), part("demographics", gone=["u1"]), children=of_user)
    assert {"users": ["u1"], "demographics": ["u1"]} == held(waits)
