"""What becomes of records that vanished, kind by kind."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from transforms.changes import ACTION, ENDS, SCHOOL, Changes, EntityChanges
from transforms.removals import Details, Policy, allowed_policies, apply_policies

TODAY = date(2026, 11, 24)


def gone(entity: str, *ids: str, action: str = "delete") -> EntityChanges:
    """Give changes in which records of an entity vanished."""
    removals = pl.DataFrame({"sourcedId": list(ids), ACTION: [action] * len(ids)})
    return EntityChanges(
        entity, pl.DataFrame(schema={"sourcedId": pl.String, ACTION: pl.String}), removals
    )


def details(**rows: list[tuple[str, str, str, str | None]]) -> Details:
    """Give what the ledger keeps: id, school, parents, last day."""
    schema = ["sourcedId", "school", "parents", "ends"]
    return {
        name: pl.DataFrame(table, schema=dict.fromkeys(schema, pl.String), orient="row")
        for name, table in rows.items()
    }


def actions(
    *parts: EntityChanges, known: Details | None = None, **policies: Policy
) -> dict[str, str]:
    """Give what is done with each record."""
    changes: Changes = {part.entity: part for part in parts}
    done = apply_policies(changes, known or {}, policies, TODAY)
    return {
        f"{name}:{one}": what
        for name, part in done.items()
        for one, what in part.removals.select("sourcedId", ACTION).iter_rows()
    }


def test_every_kind_has_a_default() -> None:
    """Memberships go, people are disabled, everything else stays."""
    names = (
        "enrollments",
        "classes",
        "componentResources",
        "users",
        "orgs",
        "academicSessions",
        "courses",
        "courseComponents",
        "resources",
        "lineItems",
        "results",
    )

    assert {
        "enrollments:x": "delete",
        "classes:x": "delete",
        "componentResources:x": "delete",
        "users:x": "disable",
        **{f"{name}:x": "keep" for name in names[4:]},
    } == actions(*(gone(name, "x") for name in names))


def test_a_feed_may_say_otherwise() -> None:
    """Enrollments that are ended get the day of the run as their last."""
    changes: Changes = {"enrollments": gone("enrollments", "e")}

    removals = apply_policies(changes, {}, {"enrollments": "end"}, TODAY)["enrollments"].removals

    assert ("end", "2026-11-24") == removals.select(ACTION, ENDS).row(0)


def test_what_a_drop_says_is_gone_and_the_ledger_never_knew_stays_kept() -> None:
    """No policy turns it into a request."""
    assert {"classes:x": "kept"} == actions(gone("classes", "x", action="kept"))


def test_terms_that_are_over_take_nothing_with_them() -> None:
    """Their classes and enrollments are kept, also if an id has a space in it; those of running terms are not."""
    known = details(
        academicSessions=[("fall 25", "d", "", "2026-01-20"), ("fall 26", "d", "", "2027-01-20")],
        classes=[
            ("old", "s1", "courses:m academicSessions:fall 25 orgs:s1", None),
            ("both", "s1", "courses:m academicSessions:fall 25 academicSessions:fall 26", None),
            ("new", "s1", "courses:m academicSessions:fall 26 orgs:s1", None),
        ],
        enrollments=[
            ("e-old", "s1", "classes:old users:u", None),
            ("e-new", "s1", "classes:new users:u", None),
            ("e-left", "s1", "classes:new users:u", "2026-09-30"),
        ],
    )

    done = actions(
        gone("classes", "old", "both", "new"),
        gone("enrollments", "e-old", "e-new", "e-left"),
        gone("academicSessions", "fall 25"),
        known=known,
        academicSessions="delete",
    )

    assert {
        "classes:old": "stay",
        "classes:both": "delete",
        "classes:new": "delete",
        "enrollments:e-old": "stay",
        "enrollments:e-new": "delete",
        "enrollments:e-left": "stay",
        "academicSessions:fall 25": "stay",
    } == done


@pytest.mark.parametrize(
    ("policy", "with_user", "alone"),
    [("delete", "delete", "kept"), ("disable", "stay", "stay"), ("keep", "stay", "stay")],
)
def test_demographics_follow_their_user(policy: Policy, with_user: str, alone: str) -> None:
    """They are deleted with a user who is, and never alone."""
    done = actions(gone("users", "u"), gone("demographics", "u", "alone"), users=policy)

    assert (with_user, alone) == (done["demographics:u"], done["demographics:alone"])


def test_schools_come_from_the_ledger() -> None:
    """The drop does not have the record any more."""
    changes: Changes = {"classes": gone("classes", "c", "unheard-of")}

    removals = apply_policies(changes, details(classes=[("c", "s1", "orgs:s1", None)]), {}, TODAY)[
        "classes"
    ].removals

    assert [("c", "s1"), ("unheard-of", None)] == removals.select("sourcedId", SCHOOL).rows()


def test_policies_that_make_sense() -> None:
    """Only people can be disabled, only enrollments have a last day."""
    assert (("delete", "disable", "keep"), ("delete", "end", "keep"), ("delete", "keep")) == (
        allowed_policies("users"),
        allowed_policies("enrollments"),
        allowed_policies("orgs"),
    )
