"""Roles that are left to people when a drop is laid over the roster before it."""

from __future__ import annotations

from pathlib import Path

from connectors.oneroster.profile import TIMEBACK
from tests.judging import judged as judged_rows
from tests.judging import ledger
from tests.layouts.normalizing import judged, normalized, written
from tests.layouts.test_nights import CANVAS
from tests.rosters import delta, district
from transforms.checks import check
from transforms.payload import read_parts
from transforms.records import RosterState
from transforms.role_ends import mark_restored_roles, may_omit_roles, settle_roles
from transforms.target_vocabulary import feed_vocabulary

TWICE = {
    **CANVAS,
    "sections": CANVAS["sections"] + "\nR,C,Art 2,active",
    "enrollments": CANVAS["enrollments"] + "\nR,u1,student,active",
}


def standing(folder: Path, **files: str) -> RosterState:
    """Judge a drop of Canvas."""
    return judged(normalized(written(folder, **files), "canvas")).standing


def test_a_drop_that_takes_no_role_from_anybody_brings_nobody_in(tmp_path: Path) -> None:
    """One of two classes is gone, and the role that both made is not."""
    before = standing(tmp_path / "before", **TWICE)
    drop = standing(
        tmp_path / "drop", enrollments="section_id,user_id,role,status\nS,u1,student,deleted"
    )

    settled, found = settle_roles(drop, before, {}, feed_vocabulary(TIMEBACK.vocabulary))

    assert (True, drop, 0) == (may_omit_roles(drop), settled, len(found.notices))


def test_without_enrollments_nothing_is_left_of_what_was_made_of_them(tmp_path: Path) -> None:
    """A roster may have come without its enrollments; the last role stays all the same, and is reported."""
    before = standing(tmp_path / "before", **TWICE)
    drop = normalized(
        written(tmp_path / "drop", users=CANVAS["users"].replace("Ann", "Anna")), "canvas"
    )
    there = check(drop, ledger(users=["u1", "u2"])).standing

    settled, found = settle_roles(
        there, {"users": before["users"]}, {}, feed_vocabulary(TIMEBACK.vocabulary)
    )

    assert ["E", "district/default"] == [
        read_parts(text)[0]["orgSourcedId"] for text in settled["users"].accepted["roles"]
    ]
    assert ["last_role"] == [notice.rule for notice in found.notices]


def test_a_roster_that_holds_all_roles_takes_the_others_by_itself(tmp_path: Path) -> None:
    """So does a drop that does; one of which nothing is known before ends nothing."""
    whole = judged_rows(tmp_path / "whole", district()).standing
    part = judged_rows(
        tmp_path / "part", delta({"users": district()["users"][:1]}), mode="delta"
    ).standing

    assert whole is mark_restored_roles(whole, whole["users"])
    assert (False, whole) == (
        may_omit_roles(whole),
        settle_roles(whole, whole, {}, feed_vocabulary(TIMEBACK.vocabulary))[0],
    )
    assert (
        part["users"]
        is settle_roles(part, {}, {}, feed_vocabulary(TIMEBACK.vocabulary))[0]["users"]
    )


def test_roles_that_came_later_end_when_an_older_roster_is_to_hold(tmp_path: Path) -> None:
    """And what had ended then stays so."""
    older = standing(tmp_path / "older", **CANVAS)
    moved = CANVAS["accounts"].replace("E,,Elm", "O,,Oak"), CANVAS["courses"].replace(",E,", ",O,")
    newer = standing(tmp_path / "newer", **{**CANVAS, "accounts": moved[0], "courses": moved[1]})

    back = mark_restored_roles(older, newer["users"])
    again = mark_restored_roles(back, older["users"])

    ended = [one["users"].accepted.filter(sourcedId="u1")["#ended"][0] for one in (back, again)]
    assert [[{"orgSourcedId": "O", "role": "student"}]] * 2 == [read_parts(text) for text in ended]
