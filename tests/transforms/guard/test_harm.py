"""Updates that harm people: who is locked out, ended, overwritten or moved counts as who vanishes."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.guarding import TODAY, Rosters, Row, enrolled, held, night, people, person, role, rules
from transforms.guard import GuardLimits
from transforms.guard.context import GROUPS, SIZES, ColumnHistory


def locked(users: list[dict[str, str | None]], count: int) -> list[dict[str, str | None]]:
    """Take the right to sign in from the first of some people."""
    return [user | {"enabledUser": "false"} for user in users[:count]] + users[count:]


@pytest.mark.parametrize(("count", "waits"), [(30, False), (31, True), (210, True)])
def test_who_is_locked_out_counts_as_who_is_removed(count: int, waits: bool) -> None:
    """Ten percent of the students may lose their right to sign in."""
    before = people(300)

    guarded = night(
        {"users": before}, {"users": locked(before, count)}, limits=GuardLimits(school_percent=100)
    )

    assert ["vanished"] * waits == rules(guarded)
    assert count * waits == guarded.held
    if waits:
        assert (
            f"{count} of 300 students: {count} would be locked out, more than 10 % and 25 records."
            == guarded.holds[0].sentence
        )


def test_who_was_locked_out_before_loses_nothing() -> None:
    """A new room for people without access is no harm."""
    before = locked(people(60), 60)

    guarded = night(
        {"users": before},
        {"users": [user | {"phone": "1"} for user in before]},
        limits=GuardLimits(updated_percent=100),
    )

    assert [] == rules(guarded)


def test_many_do_not_hide_few() -> None:
    """Of thousand contacts and forty teachers, thirty teachers are locked out: 3 % of all, and most of the staff."""
    contacts, teachers = people(1000, "guardian"), people(40, "teacher", 1000)

    guarded = night({"users": contacts + teachers}, {"users": contacts + locked(teachers, 30)})

    assert (["vanished"], 30) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith("30 of 40 staff: 30 would be locked out")


@pytest.mark.parametrize(("day", "waits"), [("2026-11-24", True), ("2026-11-25", False)])
def test_enrollments_that_end_count_as_removed(day: str, waits: bool) -> None:
    """The end is exclusive: who is in class until today is in it no more."""
    before = enrolled(people(100), "c1")

    guarded = night(
        {"enrollments": before},
        {"enrollments": [row | {"endDate": day} for row in before[:70]] + before[70:]},
    )

    assert (["vanished"] * waits, 70 * waits) == (rules(guarded), guarded.held)


@pytest.mark.parametrize(("day", "held"), [("2026-11-06", 60), ("2026-11-05", 120)])
def test_a_term_that_is_over_ends_its_enrollments(day: str, held: int) -> None:
    """Some systems write the last day only then; it is not weeks before the term's own."""
    before = enrolled(people(60), "c1") + enrolled(people(60), "c2")
    now = [row | {"endDate": day} for row in before]

    guarded = night(
        {"enrollments": before},
        {"enrollments": now},
        limits=GuardLimits(updated_percent=100),
        over={"c1": "2026-11-20"},
    )

    assert (["vanished"], held) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith(f"{held} of 120 enrollments: {held} would be ended")


def test_what_ended_before_loses_nothing() -> None:
    """An end that is corrected from one past day to another is no harm."""
    before = [row | {"endDate": "2026-09-01"} for row in enrolled(people(60), "c1")]

    guarded = night(
        {"enrollments": before},
        {"enrollments": [row | {"endDate": "2026-09-02"} for row in before]},
        limits=GuardLimits(updated_percent=100),
    )

    assert [] == rules(guarded)


@pytest.mark.parametrize(
    "columns", [("givenName", "familyName"), ("email",), ("username",), ("identifier",)]
)
def test_a_column_that_was_shifted_is_held(columns: tuple[str, ...]) -> None:
    """Three of four people would get what belongs to the one above."""
    before = [user | {"identifier": f"9{user['sourcedId']}"} for user in people(100)]
    shifted = [
        user | {name: before[place][name] for name in columns}
        for place, user in enumerate(before[1:74])
    ]

    guarded = night({"users": before}, {"users": [before[0], *shifted, *before[74:]]})

    assert (["identity"], 73) == (rules(guarded), guarded.held)
    assert f"another {columns[0]} for 73" in guarded.holds[0].sentence


def test_a_value_that_comes_is_no_other_identity() -> None:
    """A district that begins to send addresses overwrites nobody."""
    before = [user | {"email": None} for user in people(50)]

    guarded = night(
        {"users": before}, {"users": people(50)}, limits=GuardLimits(updated_percent=100)
    )

    assert [] == rules(guarded)


def test_enrollments_that_pass_to_others_are_held() -> None:
    """Ids of enrollments that are numbered anew put people into each other's classes."""
    before = enrolled(people(100), "c1")
    moved = [row | {"userSourcedId": f"x{row['sourcedId']}"} for row in before]

    guarded = night(
        {"enrollments": before}, {"enrollments": moved}, limits=GuardLimits(updated_percent=100)
    )

    assert (["identity"], 100) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith(
        "100 of 100 enrollments would become others (another userSourcedId for 100)"
    )


@pytest.mark.parametrize(
    ("cells", "waits"),
    [
        (
            {"givenName": "Zoe", "familyName": "Quist", "email": "zoe.quist@schools.example.edu"},
            True,
        ),
        ({"givenName": "Zoe", "familyName": "Quist", "identifier": "77"}, True),
        ({"givenName": "Zoe", "familyName": "Quist", "grades": "11"}, True),
        ({"identifier": "77", "email": "zoe.quist@schools.example.edu"}, True),
        (
            {
                "familyName": "Quist",
                "email": "ana.quist@schools.example.edu",
                "username": "ana.quist",
            },
            False,
        ),
        ({"givenName": "Zoe", "familyName": "Quist"}, False),
        ({"grades": "06"}, False),
        ({"givenName": "ANÁ"}, False),
    ],
)
def test_an_id_that_passes_to_a_stranger_is_held(cells: dict[str, str], waits: bool) -> None:
    """By two of name, birth, address, number and grade; a marriage changes the family's name and the addresses made of it."""
    ana = person("u1", "Ana Diaz", identifier="12", grades="05")
    before = [ana, *people(50, first=2)]

    guarded = night({"users": before}, {"users": [ana | cells, *before[1:]]})

    assert (["recycled"] * waits, 1 * waits) == (rules(guarded), guarded.held)


def test_a_stranger_is_known_by_the_day_of_birth() -> None:
    """Demographics wait with their user."""
    ana, born = person("u1", "Ana Diaz"), {"sourcedId": "u1", "birthDate": "2012-02-03"}
    before: Rosters = {"users": [ana, *people(50, first=2)], "demographics": [born]}
    now: Rosters = {
        "users": [ana | {"givenName": "Zoe", "familyName": "Quist"}, *people(50, first=2)],
        "demographics": [born | {"birthDate": "2016-05-06"}],
    }

    guarded = night(before, now)

    assert (["recycled"], {"users": ["u1"], "demographics": ["u1"]}) == (
        rules(guarded),
        held(guarded),
    )


def test_a_person_of_whom_no_roster_is_kept_is_known_by_name() -> None:
    """The ledger has that; another address beside it is not known."""
    zoe = person("u1", "Zoe Quist", identifier="3")
    before = [person("u1", "Ana Diaz"), *people(50, first=2)]
    sent = {"users": pl.DataFrame({"sourcedId": ["u1"], "#name": ["Ana Diaz"]})}

    guarded = night({"users": before}, {"users": [zoe, *before[1:]]}, sent=sent)

    assert [] == rules(guarded)


@pytest.mark.parametrize("missing", [True, False])
def test_a_column_that_is_gone_or_blank_is_held_by_its_name(missing: bool) -> None:
    """What took its place in the file is reported."""
    before = [user | {"phone": "555"} for user in people(60)]
    columns = {
        "users": {
            "phone": ColumnHistory(60, missing, "students.csv", ("Telephone",) if missing else ())
        }
    }

    guarded = night({"users": before}, {"users": people(60)}, columns=columns)

    said = "missing in this drop" if missing else "blank for 60 in this drop"
    assert (["column_gone"], 60) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith(
        f"students.csv: column phone is {said}, and 60 users had a value in it."
    )
    assert missing == (
        "New in students.csv: Telephone. Did it take its place?" in guarded.holds[0].sentence
    )


def test_made_up_values_do_not_take_the_place_of_a_column() -> None:
    """With `email_template`, everybody gets an address all the same."""
    before = people(60)
    made = [user | {"email": f"{user['sourcedId']}@students.example.edu"} for user in before]

    guarded = night(
        {"users": before},
        {"users": made},
        columns={"users": {"email": ColumnHistory(60, True, "students.csv", ("E-mail",))}},
    )

    assert (["column_gone"], 60) == (rules(guarded), guarded.held)


@pytest.mark.parametrize("few", [4, 29])
def test_a_few_values_may_go(few: int) -> None:
    """That some have no telephone any more is nothing that an export lost."""
    before = [user | {"phone": "555"} for user in people(60)]
    now = people(few) + before[few:]

    guarded = night(
        {"users": before}, {"users": now}, columns={"users": {"phone": ColumnHistory(60)}}
    )

    assert [] == rules(guarded)


def sizes(**records: int) -> pl.DataFrame:
    """Say how many people classes have."""
    return pl.DataFrame(list(records.items()), schema=SIZES, orient="row")


@pytest.mark.parametrize(("left", "waits"), [(15, False), (16, True), (26, True)])
def test_a_class_keeps_two_of_five_people(left: int, waits: bool) -> None:
    """Of a thousand enrollments 26 are few, and all of one class."""
    others, here = enrolled(people(1000), "c1"), enrolled(people(26), "c2")
    guarded = night(
        {"enrollments": others + here},
        {"enrollments": others + here[left:]},
        sizes=sizes(c1=1000, c2=26),
        names={"classes:c2": "Biology [lab]"},
    )

    assert (["class_emptied"] * waits, left * waits) == (rules(guarded), guarded.held)
    if waits:
        assert guarded.holds[0].sentence.startswith(
            f"Class Biology [lab] (c2) loses {left} of its 26 people: more than 60 %"
        )


@pytest.mark.parametrize(
    "now",
    [
        {"endDate": TODAY.isoformat()},
        {"classSourcedId": "c1"},
    ],
)
def test_a_class_loses_people_by_updates_too(now: Row) -> None:
    """Whose enrollment ends, or goes to another class, is in that class no more."""
    others, here = enrolled(people(1000), "c1"), enrolled(people(8), "c2")

    guarded = night(
        {"enrollments": others + here},
        {"enrollments": others + [{**row, **now} for row in here]},
        sizes=sizes(c2=8),
    )

    assert (["class_emptied"], 8) == (rules(guarded), guarded.held)


def test_a_class_that_goes_takes_its_people_along() -> None:
    """So does one of fewer than five, and one whose people come back under other ids."""
    others, here, few = (
        enrolled(people(1000), "c1"),
        enrolled(people(20), "c2"),
        enrolled(people(4), "c3"),
    )
    again = [row | {"sourcedId": f"new-{row['sourcedId']}"} for row in enrolled(people(20), "c4")]
    classes = [{"sourcedId": f"c{number}", "title": f"Class {number}"} for number in range(1, 40)]
    before: Rosters = {
        "classes": classes,
        "enrollments": others + here + few + enrolled(people(20), "c4"),
    }
    now: Rosters = {
        "classes": [one for one in classes if one["sourcedId"] != "c2"],
        "enrollments": others + again,
    }

    guarded = night(before, now, sizes=sizes(c1=1000, c2=20, c3=4, c4=20))

    assert [] == rules(guarded)


def test_many_classes_are_one_reason() -> None:
    """The first are named, and how many more there are."""
    others = enrolled(people(1000), "c1")
    here = [row for number in range(5) for row in enrolled(people(8), f"d{number}")]

    guarded = night(
        {"enrollments": others + here},
        {"enrollments": others},
        sizes=sizes(**{f"d{number}": 8 for number in range(5)}),
    )

    assert ["class_emptied"] == rules(guarded)
    assert (
        "Class d0 loses 8 of its 8 people, d1 loses 8 of its 8 people, d2 loses 8 of its 8 people, and 2 more classes: "
        in guarded.holds[0].sentence
    )


def test_a_class_may_be_filled_anew() -> None:
    """In September, students are distributed over the classes that there are."""
    others, here = enrolled(people(1000), "c1"), enrolled(people(26), "c2")
    come = enrolled(people(20, first=2000), "c2")

    guarded = night(
        {"enrollments": others + here},
        {"enrollments": others + here[20:] + come},
        sizes=sizes(c1=1000, c2=26),
    )

    assert [] == rules(guarded)


@pytest.mark.parametrize("entity", ["classes", "courses", "orgs"])
def test_names_that_were_shifted_are_held(entity: str) -> None:
    """So that no class gets the name of the next one."""
    column = "name" if entity == "orgs" else "title"
    before = [{"sourcedId": f"x{number}", column: f"Name {number}"} for number in range(60)]

    guarded = night(
        {entity: before},
        {entity: [row | {column: f"{row[column]}1"} for row in before]},
        limits=GuardLimits(updated_percent=100),
    )

    assert (["identity"], 60) == (rules(guarded), guarded.held)


@pytest.mark.parametrize(
    ("now", "waits"), [("06", False), ("07", True), ("04", True), ("KG", False), ("05", False)]
)
def test_grades_that_do_not_go_up_by_one_are_held(now: str, waits: bool) -> None:
    """A new year promotes everybody; a column that was shifted does not."""
    before = [user | {"grades": "05"} for user in people(60)]

    guarded = night(
        {"users": before},
        {"users": [user | {"grades": now} for user in before]},
        limits=GuardLimits(updated_percent=100),
    )

    assert ["identity"] * waits == rules(guarded)


@pytest.mark.parametrize(
    ("up", "waits"), [(10, False), (11, True), (29, True), (30, False), (60, False)]
)
def test_all_go_up_or_few(up: int, waits: bool) -> None:
    """A new year takes at least half of the students up; of a column that was shifted, some go up by chance."""
    before = [user | {"grades": "05"} for user in people(60)]
    now = [user | {"grades": "06" if place < up else "05"} for place, user in enumerate(before)]

    guarded = night({"users": before}, {"users": now}, limits=GuardLimits(updated_percent=100))

    assert (["identity"] * waits, up * waits) == (rules(guarded), guarded.held)


def test_who_goes_up_waits_with_those_who_do_not() -> None:
    """Where many go up, and too many others go down."""
    before = [user | {"grades": "05"} for user in people(60)]
    now = [user | {"grades": "06" if place < 40 else "02"} for place, user in enumerate(before)]

    guarded = night({"users": before}, {"users": now}, limits=GuardLimits(updated_percent=100))

    assert (["identity"], 60) == (rules(guarded), guarded.held)
    assert (
        "20 of 60 students would become others (another grades for 20)" in guarded.holds[0].sentence
    )


def test_roles_that_were_swapped_are_held() -> None:
    """Students who become teachers see what they should not."""
    before = people(60)

    guarded = night({"users": before}, {"users": people(20, "teacher") + before[20:]})

    assert (["identity"], 20) == (rules(guarded), guarded.held)


@pytest.mark.parametrize(("count", "waits"), [(25, False), (26, True)])
def test_people_who_change_schools_are_limited(count: int, waits: bool) -> None:
    """One school's file in place of another's moves all of them."""
    before = [user | {"primaryOrgSourcedId": "s1"} for user in people(200)]
    now = [
        user | {"primaryOrgSourcedId": "s2", "schoolSourcedId": "s2"} for user in before[:count]
    ] + before[count:]

    guarded = night({"users": before}, {"users": now}, columns={})

    assert (["moved"] * waits, count * waits) == (rules(guarded), guarded.held)


def test_enrollments_that_go_are_named_with_people_who_change_schools() -> None:
    """Some layouts give people the schools of their enrollments, so these are the cause."""
    before = [user | {"schoolSourcedId": "s1"} for user in people(60)]
    seats = enrolled(before, "c1")

    guarded = night(
        {"users": before, "enrollments": seats},
        {
            "users": [user | {"schoolSourcedId": "s2"} for user in before],
            "enrollments": seats[10:],
        },
    )

    assert ["moved"] == rules(guarded)
    assert guarded.holds[0].sentence.endswith(
        "10 enrollments would be removed too; check that the export's enrollments are complete."
    )


@pytest.mark.parametrize(("count", "waits"), [(10, False), (11, True)])
def test_enrollments_that_get_another_role_are_held(count: int, waits: bool) -> None:
    """Students who would teach their class."""
    before = enrolled(people(200), "c1")
    now = [row | {"role": "teacher"} for row in before[:count]] + before[count:]

    guarded = night({"enrollments": before}, {"enrollments": now})

    assert (["identity"] * waits, count * waits) == (rules(guarded), guarded.held)


@pytest.mark.parametrize(("count", "waits"), [(30, False), (31, True)])
def test_enrollments_that_go_to_other_classes_are_limited(count: int, waits: bool) -> None:
    """Under the ids that they had: a column of classes that was sorted by itself."""
    classes = [{"sourcedId": one, "title": one} for one in ("c1", "c2")]
    before = enrolled(people(200), "c1") + enrolled(people(100, first=200), "c2")
    now = [row | {"classSourcedId": "c2"} for row in before[:count]] + before[count:]

    guarded = night(
        {"classes": classes, "enrollments": before},
        {"enrollments": now},
        limits=GuardLimits(class_percent=100),
    )

    assert (["moved"] * waits, count * waits) == (rules(guarded), guarded.held)


@pytest.mark.parametrize("column", ["userMasterIdentifier", "userIds"])
def test_numbers_by_which_others_know_people_are_theirs(column: str) -> None:
    """A column that was shifted by itself signs everybody in as somebody else."""
    before = [person(f"u{number}") | {column: f"m{number}"} for number in range(60)]
    now = [row | {column: f"m{number + 1}"} for number, row in enumerate(before[:20])] + before[20:]

    assert ["identity"] == rules(night({"users": before}, {"users": now}))


def test_staff_who_get_other_roles_are_held() -> None:
    """All teachers as administrators of the district."""
    before = people(60, "teacher")
    now = [row | {"roles": role("districtAdministrator")} for row in before[:11]] + before[11:]

    guarded = night({"users": before}, {"users": now}, limits=GuardLimits())

    assert (["identity"], 11) == (rules(guarded), guarded.held)


def test_days_of_birth_of_others_are_held() -> None:
    """In a file of their own."""
    before = [
        {"sourcedId": f"u{number}", "birthDate": f"2012-02-{number % 28 + 1:02}"}
        for number in range(60)
    ]
    now = [row | {"birthDate": "2012-03-01"} for row in before[:11]] + before[11:]

    assert ["identity"] == rules(night({"demographics": before}, {"demographics": now}))


TERM = {
    "sourcedId": "t1",
    "title": "Fall",
    "type": "term",
    "startDate": "2026-08-17",
    "endDate": "2027-01-15",
}
OVER = TERM | {
    "sourcedId": "t0",
    "title": "Last year",
    "startDate": "2025-08-17",
    "endDate": "2026-06-10",
}


@pytest.mark.parametrize(
    ("cells", "waits"),
    [
        ({"endDate": "2026-11-24"}, True),
        ({"startDate": "2027-08-17", "endDate": "2028-01-15"}, True),
        ({"endDate": "2027-01-22"}, False),
    ],
)
def test_one_row_does_not_end_the_term_of_everybody(cells: dict[str, str], waits: bool) -> None:
    """Or puts it off; a term that is a week longer is none of our business."""
    guarded = night(
        {"academicSessions": [TERM]}, {"academicSessions": [TERM | cells]}, taught={"t1": 96}
    )

    assert (["session_moved"] * waits, int(waits)) == (rules(guarded), guarded.held)
    if waits:
        assert (
            "and was to last from 2026-08-17 to 2027-01-15: 96 classes are taught in it"
            in guarded.holds[0].sentence
        )


def test_a_term_without_classes_may_be_moved() -> None:
    """Nobody is in it."""
    guarded = night(
        {"academicSessions": [TERM]}, {"academicSessions": [TERM | {"startDate": "2026-12-01"}]}
    )

    assert [] == rules(guarded)


@pytest.mark.parametrize("known", [True, False])
def test_classes_do_not_move_into_terms_that_are_over(known: bool) -> None:
    """Be the term known, or one that comes with them."""
    before = [
        {"sourcedId": f"c{number}", "title": f"Class {number}", "termSourcedIds": "t1"}
        for number in range(12)
    ]
    now: Rosters = {
        "classes": [row | {"termSourcedIds": "t0"} for row in before],
        "academicSessions": [TERM] if known else [TERM, OVER],
    }
    ends = {"t1": TERM["endDate"]} | ({"t0": OVER["endDate"]} if known else {})

    guarded = night(
        {"classes": before, "academicSessions": [TERM]},
        now,
        ends=ends,
        limits=GuardLimits(updated_percent=100),
    )

    assert (["vanished_of_school"], 12) == (rules(guarded), guarded.held)
    assert "12 of 12 classes: 12 would be ended" in guarded.holds[0].sentence


@pytest.mark.parametrize(("count", "waits"), [(25, False), (26, True)])
def test_classes_of_terms_that_are_over_do_not_come_by_the_dozen(count: int, waits: bool) -> None:
    """Last year's export has them, with everybody in them."""
    before = [
        {"sourcedId": f"c{number}", "title": f"Class {number}", "termSourcedIds": "t1"}
        for number in range(40)
    ]
    old = [
        {"sourcedId": f"o{number}", "title": f"Old {number}", "termSourcedIds": "t0"}
        for number in range(count)
    ]
    seats = enrolled(people(3), *(one["sourcedId"] for one in old))
    rosters: Rosters = {"classes": before, "academicSessions": [TERM], "enrollments": []}

    guarded = night(
        rosters,
        {"classes": [*before, *old], "academicSessions": [TERM, OVER], "enrollments": seats},
        ends={"t1": TERM["endDate"]},
    )

    assert (["old_terms"] * waits, (count + len(seats)) * waits) == (rules(guarded), guarded.held)


def test_enrollments_that_are_put_off_count_as_removed() -> None:
    """Who is in class now would not be in it until next year."""
    before = [row | {"beginDate": "2026-08-17"} for row in enrolled(people(100), "c1")]
    now = [row | {"beginDate": "2027-08-17"} for row in before[:70]] + before[70:]

    guarded = night({"enrollments": before}, {"enrollments": now})

    assert (["vanished"], 70) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith("70 of 100 enrollments: 70 would be put off")


@pytest.mark.parametrize(("count", "waits"), [(5, False), (6, True)])
def test_the_teachers_of_a_school_are_not_taken_from_its_classes(count: int, waits: bool) -> None:
    """They are few beside its students, and fewer than may vanish in a district."""
    students = enrolled(people(300), "c1")
    teachers = [row | {"role": "teacher"} for row in enrolled(people(6, "teacher", 2000), "c1")]
    groups = pl.DataFrame(
        [("enrollments", "student", "s1", 300), ("enrollments", "teacher", "s1", 6)],
        schema=GROUPS,
        orient="row",
    )

    guarded = night(
        {"enrollments": students + teachers},
        {"enrollments": students + teachers[count:]},
        groups=groups,
    )

    assert (["vanished_of_school"] * waits, count * waits) == (rules(guarded), guarded.held)


def test_one_teacher_may_take_the_classes_of_another() -> None:
    """In a small school that is more than a third of its teachers' seats."""
    students = enrolled(people(300), "c0")
    left, came = (
        [
            row | {"role": "teacher"}
            for row in enrolled(
                [person(one, what="teacher")], *(f"c{number}" for number in range(8))
            )
        ]
        for one in ("t1", "t2")
    )
    groups = pl.DataFrame(
        [("enrollments", "student", "s1", 300), ("enrollments", "teacher", "s1", 8)],
        schema=GROUPS,
        orient="row",
    )

    guarded = night(
        {"enrollments": students + left}, {"enrollments": students + came}, groups=groups
    )

    assert [] == rules(guarded)


def test_a_session_of_the_district_is_no_third_of_a_school() -> None:
    """Layouts that name terms by their dates have another one when a term lasts a day longer."""
    terms = [
        TERM | {"sourcedId": f"t{number}", "endDate": f"2027-01-{number + 10}"}
        for number in range(2)
    ]

    guarded = night(
        {"academicSessions": terms},
        {"academicSessions": [terms[0], TERM | {"sourcedId": "t9", "endDate": "2027-01-20"}]},
        policy="keep",
    )

    assert [] == rules(guarded)


def test_the_people_of_a_school_that_closes_wait_with_it() -> None:
    """That they go to another school is no reason of its own; who goes there from elsewhere does not wait."""
    here = [user | {"primaryOrgSourcedId": "s1", "schoolSourcedId": "s1"} for user in people(60)]
    others = [
        user | {"primaryOrgSourcedId": "s2", "schoolSourcedId": "s2"}
        for user in people(60, first=60)
    ]
    moved = [
        user | {"primaryOrgSourcedId": "s3", "schoolSourcedId": "s3"} for user in (*here, others[0])
    ]
    schools = [{"sourcedId": name, "name": f"School {name}"} for name in ("s1", "s2", "s3")]
    seats = enrolled(others, "c2")
    new = enrolled([*here, others[0]], "c3")

    guarded = night(
        {"orgs": schools, "users": here + others, "enrollments": seats},
        {"orgs": schools[1:], "users": moved + others[1:], "enrollments": seats + new},
    )

    assert ["school_missing"] == rules(guarded)
    ids = sorted(str(user["sourcedId"]) for user in here)
    assert {"orgs": ["s1"], "users": ids, "enrollments": [f"e-{one}-c3" for one in ids]} == held(
        guarded
    )


@pytest.mark.parametrize(("count", "waits"), [(40, False), (41, True)])
def test_people_who_come_into_classes_that_were_there_are_limited(count: int, waits: bool) -> None:
    """By the role that they have there."""
    before = enrolled(people(400), "c1")

    guarded = night(
        {"enrollments": before}, {"enrollments": before + enrolled(people(count), "c2")}
    )

    assert (["moved"] * waits, count * waits) == (rules(guarded), guarded.held)


@pytest.mark.parametrize(("count", "waits"), [(20, False), (21, True)])
def test_nobody_comes_into_all_classes_at_once(count: int, waits: bool) -> None:
    """However few enrollments that is of all."""
    before = enrolled(people(1000), "c0")
    new = enrolled(
        [person("t1", what="teacher")], *(f"c{number}" for number in range(1, count + 1))
    )

    guarded = night({"enrollments": before}, {"enrollments": before + new})

    assert (["moved"] * waits, count * waits) == (rules(guarded), guarded.held)
    if waits:
        assert (
            "enrollments: more than 20 classes at once for one person (t1 into 21)."
            in guarded.holds[0].sentence
        )


def test_new_classes_and_new_people_are_no_moves() -> None:
    """A term begins with them, and so does a school."""
    classes = [{"sourcedId": f"c{number}", "title": f"Class {number}"} for number in range(2)]
    before: Rosters = {
        "users": people(200),
        "classes": classes[:1],
        "enrollments": enrolled(people(200), "c0"),
    }
    new: Any = [user | {"schoolSourcedId": "s9"} for user in people(60, first=200)]
    seats = [*enrolled(people(200), "c1"), *enrolled(new, "c0")]

    guarded = night(
        before,
        {
            "users": people(200) + new,
            "classes": classes,
            "enrollments": [*before["enrollments"], *seats],
        },
    )

    assert [] == rules(guarded)


def test_the_seats_of_teachers_are_limited_by_themselves() -> None:
    """Thirty of forty teachers are taken out of their classes: few of all enrollments."""
    students = enrolled(people(1000), "c1")
    teachers = [row | {"role": "teacher"} for row in enrolled(people(40, "teacher", 2000), "c1")]
    groups = pl.DataFrame(
        [("enrollments", "student", "s1", 1000), ("enrollments", "teacher", "s1", 40)],
        schema=GROUPS,
        orient="row",
    )

    guarded = night(
        {"enrollments": students + teachers},
        {"enrollments": students + teachers[30:]},
        groups=groups,
    )

    assert (["vanished"], 30) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith("30 of 40 teacher enrollments vanished")


@pytest.mark.parametrize(("count", "waits"), [(50, False), (51, True)])
def test_new_people_are_limited_too(count: int, waits: bool) -> None:
    """Half as many again as a school has are no ordinary night."""
    before = people(100)

    guarded = night({"users": before}, {"users": before + people(count, first=100)})

    assert (["created"] * waits, count * waits) == (rules(guarded), guarded.held)


def test_a_new_school_brings_its_people() -> None:
    """That is growth, and so are contacts who were never sent before."""
    before = people(30)
    new: Any = [user | {"schoolSourcedId": "s9"} for user in people(100, first=100)]

    guarded = night({"users": before}, {"users": before + new + people(90, "guardian", 300)})

    assert [] == rules(guarded)


def test_readings_say_how_near_each_limit_is() -> None:
    """Also where nothing is held."""
    before = people(240)

    guarded = night(
        {"users": before}, {"users": before[12:]}, limits=GuardLimits(school_percent=100)
    )

    assert "removed students: 12 of 25 allowed (240 in all)" in [
        reading.sentence for reading in guarded.readings
    ]


def test_parents_who_are_other_students_parents_are_held() -> None:
    """One who comes or goes is everyday; other ones throughout are not."""
    before = [
        user | {"agentSourcedIds": f"p{place},q{place}"} for place, user in enumerate(people(60))
    ]
    shifted = [
        user | {"agentSourcedIds": f"p{place + 1},q{place + 1}"}
        for place, user in enumerate(before)
    ]
    fewer = [user | {"agentSourcedIds": f"p{place},r{place}"} for place, user in enumerate(before)]

    bad, good = (
        night({"users": before}, {"users": now}, limits=GuardLimits(updated_percent=100))
        for now in (shifted, fewer)
    )

    assert (["identity"], 60, []) == (rules(bad), bad.held, rules(good))


def test_parents_who_come_wait_where_those_of_many_became_others() -> None:
    """Parents were shifted by a row: children who had none, or some of their own, get strangers too."""
    before = [
        user | {"agentSourcedIds": f"p{place}" if place % 3 else None}
        for place, user in enumerate(people(60))
    ]
    cells = [user["agentSourcedIds"] for user in before]
    now = [
        user | {"agentSourcedIds": cell}
        for user, cell in zip(before, [*cells[1:], *cells[:1]], strict=True)
    ]

    guarded = night({"users": before}, {"users": now}, limits=GuardLimits(updated_percent=100))

    assert 60 == guarded.held


def test_newcomers_wait_where_so_many_became_others() -> None:
    """The export of another district with the same ids brings people of its own."""
    before = people(60)
    others = [person(f"u{number}", f"Other{number} Name{number}") for number in range(60)]

    guarded = night(
        {"users": before},
        {"users": [*others, person("x1", "New One")]},
        limits=GuardLimits(updated_percent=100),
    )

    assert (["identity"], 61) == (rules(guarded), guarded.held)


def test_what_was_done_to_many_was_done_to_few() -> None:
    """One column was shifted: the contacts, of whom ten may become others, wait with the students."""
    before = people(60) + people(8, "guardian", 100)
    names = [user["familyName"] for user in before]
    shifted = [user | {"familyName": names[place - 1]} for place, user in enumerate(before)]

    guarded = night({"users": before}, {"users": shifted}, limits=GuardLimits(updated_percent=100))

    assert (["identity"], 68) == (rules(guarded), guarded.held)
    assert guarded.holds[0].sentence.startswith(
        "8 of 8 contacts, 60 of 60 students would become others (another familyName for 68)"
    )


def test_grades_that_are_lost_are_held() -> None:
    """The column of grades was sorted by itself, blank cells first."""
    before = [user | {"grades": "05"} for user in people(60)]
    now = [user | {"grades": "05" if place > 15 else None} for place, user in enumerate(before)]

    assert 16 == night({"users": before}, {"users": now}).held


def test_all_that_is_new_waits_where_most_people_became_others() -> None:
    """Another district's export whose ids are like ours brings classes and enrollments of its own."""
    before: Rosters = {"users": people(60), "classes": [{"sourcedId": "c1", "title": "One"}]}
    others = [person(f"u{number}", f"Other{number} Name{number}") for number in range(60)]
    classes = [{"sourcedId": "c1", "title": "One"}, {"sourcedId": "c2", "title": "Two"}]

    guarded = night(
        before, {"users": others, "classes": classes}, limits=GuardLimits(updated_percent=100)
    )

    assert (["identity", "follows"], ["c2"]) == (rules(guarded), held(guarded)["classes"])
