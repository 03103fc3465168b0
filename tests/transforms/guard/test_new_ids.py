"""Records that come under new ids although they are there: nobody is there twice without being asked for."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from tests.guarding import Row, enrolled, held, night, people, person, rules
from transforms.guard import GuardLimits
from transforms.guard.context import no_groups

EVERYTHING = GuardLimits(
    vanished_percent=100, school_percent=100, week_percent=100, created_percent=100
)


def renamed(users: Sequence[Row]) -> list[dict[str, str | None]]:
    """Give people new ids, and nothing else."""
    return [dict(user) | {"sourcedId": f"n{user['sourcedId']}"} for user in users]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("count", [1, 7, 60])
def test_people_under_new_ids_are_held(count: int, whole: bool) -> None:
    """Be it one or all of them, in a snapshot or in a drop of changes; those who are really new go on."""
    before = people(60)
    now = [*renamed(before[:count]), *(before[count:] if whole else []), person("z1", "Zoe Quist")]

    guarded = night({"users": before}, {"users": now}, whole=whole, limits=EVERYTHING)

    new, old = (
        [f"nu{number}" for number in range(count)],
        [f"u{number}" for number in range(count)] * whole,
    )
    assert (["renumbered"], {"users": sorted([*new, *old])}) == (rules(guarded), held(guarded))
    assert [("users", "u0", "nu0", True)] == guarded.pairs.head(1).rows()
    assert count == guarded.pairs.height


@pytest.mark.parametrize(
    ("signs", "waits"),
    [
        ({"identifier": "9", "email": "a@schools.example.edu"}, True),
        ({"givenName": "Ana", "familyName": "Diaz", "identifier": "9"}, True),
        ({"givenName": "Ana", "familyName": "Diaz", "username": "ANA.DIAZ"}, True),
        ({"givenName": "Ana", "familyName": "Diaz"}, False),
        ({"email": "a@schools.example.edu"}, False),
    ],
)
def test_two_signs_of_five_tell_a_person(signs: dict[str, str], waits: bool) -> None:
    """A namesake may come while another one leaves, and a family may share an address."""
    gone = person("u1", "Other Name", username="u1", email="u1@schools.example.edu") | {
        key: value.lower() for key, value in signs.items()
    }
    came = person("n1", "Someone Else", username="n1", email="n1@schools.example.edu") | signs
    others = people(40, first=5)

    guarded = night({"users": [gone, *others]}, {"users": [came, *others]}, limits=EVERYTHING)

    assert ["renumbered"] * waits == rules(guarded)


def test_twins_are_two_people() -> None:
    """Born on one day, with one address, in a drop of changes: the second one is new."""
    ana, bea = (
        person(one, f"{name} Diaz", username=one, email="home@schools.example.edu")
        for one, name in (("u1", "Ana"), ("u2", "Bea"))
    )
    born = [{"sourcedId": one, "birthDate": "2012-02-03"} for one in ("u1", "u2")]

    guarded = night(
        {"users": [ana], "demographics": born[:1]},
        {"users": [bea], "demographics": born[1:]},
        whole=False,
    )

    assert [] == rules(guarded)


def test_a_day_of_birth_tells_namesakes_apart_and_people_again() -> None:
    """With the name it is one person."""
    ana, born = person("u1", "Ana Diaz"), {"birthDate": "2012-02-03"}
    again = person("n1", "Ana Diaz", email=None, username=None)

    guarded = night(
        {"users": [ana], "demographics": [born | {"sourcedId": "u1"}]},
        {"users": [again], "demographics": [born | {"sourcedId": "n1"}]},
        whole=False,
    )

    assert {"users": ["n1"]} == held(guarded)


def test_a_teacher_may_be_a_parent() -> None:
    """The same name and address, as another kind of person, are another record."""
    teacher = person("t1", "Ana Diaz", "teacher")

    guarded = night(
        {"users": [teacher]}, {"users": [person("p1", "Ana Diaz", "guardian")]}, whole=False
    )

    assert [] == rules(guarded)


@pytest.mark.parametrize("count", [1, 30])
def test_who_is_there_still_would_be_there_twice(count: int) -> None:
    """A snapshot has them under both ids."""
    before = people(40)

    guarded = night(
        {"users": before}, {"users": [*before, *renamed(before[:count])]}, limits=EVERYTHING
    )

    assert (["renumbered"], sorted(f"nu{number}" for number in range(count))) == (
        rules(guarded),
        held(guarded)["users"],
    )
    assert " there and came again under new ids" in guarded.holds[0].sentence


@pytest.mark.parametrize("whole", [True, False])
def test_families_share_addresses_and_birthdays(whole: bool) -> None:
    """Two siblings who come on one night are not the two who are there."""
    there = [
        person(
            f"u{number}",
            f"Old{number} Diaz{number}",
            username=f"u{number}",
            email=f"home{number}@schools.example.edu",
        )
        for number in range(40)
    ]
    came = [
        person(
            f"n{number}",
            f"New{number} Diaz{number}",
            username=f"n{number}",
            email=f"home{number}@schools.example.edu",
        )
        for number in range(3)
    ]

    guarded = night({"users": there}, {"users": [*there * whole, *came]}, whole=whole)

    assert [] == rules(guarded)


def test_who_is_told_by_two_signs_hides_nobody_who_is_told_by_one() -> None:
    """One of them has a number, the others have names and no more."""
    bare = [person(f"u{number}", username=None, email=None) for number in range(30)]
    numbered = person("t1", "Tia Quist", "teacher", identifier="7")
    others = people(40, first=50)

    guarded = night(
        {"users": [*bare, numbered, *others]},
        {"users": [*renamed([*bare, numbered]), *others]},
        limits=EVERYTHING,
    )

    assert (["renumbered"], 62) == (rules(guarded), guarded.held)
    assert [("users", "t1", "nt1")] == guarded.pairs.filter(pl.col("certain")).select(
        "entity", "old", "new"
    ).rows()


@pytest.mark.parametrize(("count", "waits"), [(10, False), (11, True)])
@pytest.mark.parametrize("left", [True, False])
def test_a_parent_may_be_there_once_for_each_child(count: int, waits: bool, left: bool) -> None:
    """And one whose id is made of an address has another one with another address; many of them are no everyday."""
    ids = [f"contact-{number:032x}" for number in range(40)]
    before = [
        person(one, f"Eva{one[-3:]} Diaz{one[-3:]}", "guardian", identifier=one[-3:]) for one in ids
    ]
    again = [
        dict(one) | {"sourcedId": f"contact-{number + 100:032x}", "email": None, "username": None}
        for number, one in enumerate(before[:count])
    ]

    guarded = night(
        {"users": before},
        {"users": [*(before[count:] if left else before), *again]},
        limits=EVERYTHING,
    )

    assert (["renumbered"] * waits) == rules(guarded)


def test_two_mothers_may_have_new_addresses() -> None:
    """Where ids are made of addresses, only their names are what they were."""
    before = [
        person(f"contact-{number:032x}", f"Eva{number} Diaz{number}", "guardian")
        for number in range(40)
    ]
    moved = [
        dict(one)
        | {
            "sourcedId": f"contact-{number + 100:032x}",
            "email": f"new{number}@schools.example.edu",
            "username": None,
        }
        for number, one in enumerate(before[:2])
    ]

    guarded = night({"users": before}, {"users": [*before[2:], *moved]}, limits=EVERYTHING)

    assert [] == rules(guarded)


def test_pairs_in_doubt_are_told_apart() -> None:
    """Of two namesakes with one address nobody can say who is who."""
    twice = [person(one, "Ana Diaz") for one in ("u1", "u2")]
    others = people(40, first=5)

    guarded = night(
        {"users": [*twice, *others]}, {"users": [*renamed(twice), *others]}, limits=EVERYTHING
    )

    assert {"users": ["nu1", "nu2", "u1", "u2"]} == held(guarded)
    assert not guarded.pairs["certain"].any()
    assert "4 pairs are in doubt: ids_in_doubt.csv lists them;" in guarded.holds[0].sentence


def test_what_a_crowd_shares_is_no_sign() -> None:
    """An address of the office that all have, and a name that stands for nobody."""
    before = [person(f"u{number}", "Not Known", username=None) for number in range(10)]
    now = [person(f"n{number}", "Not Known", username=None) for number in range(10)]

    guarded = night({"users": before}, {"users": [*before, *now]}, limits=EVERYTHING)

    assert [] == rules(guarded)


@pytest.mark.parametrize("whole", [True, False])
def test_names_alone_tell_people_if_most_who_come_are_known(whole: bool) -> None:
    """Where a drop has no more than names."""
    bare = [person(f"u{number}", username=None, email=None) for number in range(40)]
    now = renamed(bare[:30])

    guarded = night(
        {"users": bare},
        {"users": [*now, *(bare[30:] if whole else [])]},
        whole=whole,
        limits=EVERYTHING,
    )

    assert (["renumbered"], 60 if whole else 30) == (rules(guarded), guarded.held)
    assert not guarded.pairs["certain"].any()


def test_enrollments_wait_with_their_people() -> None:
    """Old ones are not taken away before the new ones may come."""
    before, others = people(3), people(40, first=5)
    was = {
        "users": [*before, *others],
        "enrollments": enrolled(before, "c1") + enrolled(others, "c1"),
    }
    now = {
        "users": [*renamed(before), *others],
        "enrollments": enrolled(renamed(before), "c1") + enrolled(others, "c1"),
    }

    guarded = night(was, now, limits=EVERYTHING)

    assert ["renumbered", "follows"] == rules(guarded)
    assert ["e-u0-c1", "e-u1-c1", "e-u2-c1"] == held(guarded)["enrollments"]


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(("count", "waits"), [(10, False), (11, True), (100, True)])
def test_enrollments_under_new_ids_are_held(count: int, waits: bool, whole: bool) -> None:
    """The same person in the same class in the same role; a few may leave and come back."""
    before = enrolled(people(100), "c1")
    now = [row | {"sourcedId": f"n{row['sourcedId']}"} for row in before[:count]] + before[
        count:
    ] * whole

    guarded = night({"enrollments": before}, {"enrollments": now}, whole=whole, limits=EVERYTHING)

    assert (["rekeyed"] * waits, count * (2 if whole else 1) * waits) == (
        rules(guarded),
        guarded.held,
    )


ORGS = [
    {"sourcedId": f"s{number}", "name": f"School {number}", "type": "school"} for number in range(4)
]
TERMS = [
    {
        "sourcedId": f"t{number}",
        "title": f"Term {number}",
        "type": "term",
        "startDate": f"2026-0{number + 1}-01",
        "endDate": f"2026-0{number + 2}-01",
    }
    for number in range(4)
]
COURSES = [
    {"sourcedId": f"k{number}", "title": f"Course {number}", "orgSourcedId": f"s{number}"}
    for number in range(4)
]
CLASSES = [
    {
        "sourcedId": f"c{number}",
        "title": f"Class {number}",
        "courseSourcedId": f"k{number}",
        "schoolSourcedId": f"s{number}",
        "termSourcedIds": f"t{number},t0",
    }
    for number in range(4)
]
KINDS = {"orgs": ORGS, "academicSessions": TERMS, "courses": COURSES, "classes": CLASSES}
SYSTEMS_IDS = ("sourcedId", "orgSourcedId", "courseSourcedId", "schoolSourcedId", "termSourcedIds")


def prefixed(rows: Sequence[Row]) -> list[dict[str, str | None]]:
    """Give all ids of some records another beginning, also where they refer to others."""
    return [
        {
            name: ",".join(f"n{one}" for one in (value or "").split(","))
            if name in SYSTEMS_IDS
            else value
            for name, value in row.items()
        }
        for row in rows
    ]


@pytest.mark.parametrize("whole", [True, False])
def test_a_system_with_other_ids_throughout_is_held(whole: bool) -> None:
    """What records refer to under new ids counts as what it is; and it is reported kind by kind."""
    before: dict[str, Sequence[Row]] = dict(KINDS)

    guarded = night(
        before,
        {name: prefixed(rows) for name, rows in KINDS.items()},
        whole=whole,
        limits=EVERYTHING,
    )

    assert ["rekeyed"] * 4 == rules(guarded)
    assert [8 if whole else 4] * 4 == [len(ids) for ids in held(guarded).values()]
    assert guarded.pairs["certain"].all()


@pytest.mark.parametrize("whole", [True, False])
def test_a_term_under_another_id_does_not_make_its_classes_others(whole: bool) -> None:
    """One term is few; all that is taught in it is not, whether the old ones are there still or not."""
    terms, classes = TERMS[:1], [row | {"termSourcedIds": "t0"} for row in CLASSES]
    seats = enrolled(people(8), *(row["sourcedId"] for row in CLASSES))
    new: dict[str, Sequence[Row]] = {
        "academicSessions": [row | {"sourcedId": "n0"} for row in terms],
        "classes": [
            row | {"sourcedId": f"n{row['sourcedId']}", "termSourcedIds": "n0"} for row in classes
        ],
        "enrollments": [
            row
            | {"sourcedId": f"n{row['sourcedId']}", "classSourcedId": f"n{row['classSourcedId']}"}
            for row in seats
        ],
    }
    before: dict[str, Sequence[Row]] = {
        "academicSessions": terms,
        "classes": classes,
        "enrollments": seats,
    }

    now: dict[str, Sequence[Row]] = {
        name: [*before[name], *rows] if whole else rows for name, rows in new.items()
    }
    guarded = night(before, now, whole=whole, limits=EVERYTHING)

    assert ["rekeyed", "follows"] == rules(guarded)
    assert (4, 32) == (len(held(guarded)["classes"]), len(held(guarded)["enrollments"]))


def test_a_second_section_looks_like_the_first_one() -> None:
    """In a snapshot that has both, other people come into it."""
    seats = enrolled(people(8), *(row["sourcedId"] for row in CLASSES))
    more = [row | {"sourcedId": f"n{row['sourcedId']}"} for row in CLASSES]
    new = enrolled(people(5, first=20), *(row["sourcedId"] for row in more))

    guarded = night(
        {"classes": CLASSES, "enrollments": seats},
        {"classes": [*CLASSES, *more], "enrollments": seats + new},
        limits=EVERYTHING,
    )

    assert [] == rules(guarded)


def test_two_classes_may_be_made_anew() -> None:
    """A registrar does that; three are a fault."""
    classes = [row | {"schoolSourcedId": "s0"} for row in CLASSES]

    for count, waits in ((2, False), (3, True)):
        now = [row | {"sourcedId": f"n{row['sourcedId']}"} for row in classes[:count]] + classes[
            count:
        ]

        guarded = night({"classes": classes}, {"classes": now}, limits=EVERYTHING)

        assert ["rekeyed"] * waits == rules(guarded)


def test_classes_of_a_term_that_is_over_are_known_too() -> None:
    """They stay, and would be there twice."""
    again = [row | {"sourcedId": f"n{row['sourcedId']}"} for row in CLASSES]

    guarded = night({"classes": CLASSES}, {"classes": again}, limits=EVERYTHING, policy="stay")

    assert (["rekeyed"], 4) == (rules(guarded), guarded.held)


def test_the_classes_of_a_new_term_are_new() -> None:
    """They have the titles of the old ones, and other terms."""
    later = [row | {"sourcedId": f"n{row['sourcedId']}", "termSourcedIds": "t9"} for row in CLASSES]

    guarded = night({"classes": CLASSES}, {"classes": later}, whole=False, limits=EVERYTHING)

    assert [] == rules(guarded)


def test_what_nobody_was_sent_has_no_twin() -> None:
    """A first load finds nothing that is there."""
    guarded = night({}, {"users": people(60), "enrollments": enrolled(people(60), "c1")})

    assert (0, 0) == (guarded.held, guarded.pairs.height)


def test_a_roster_that_is_not_kept_leaves_names() -> None:
    """The ledger has the names of those who vanish."""
    before = people(40)
    sent = {
        "users": pl.DataFrame(
            {"sourcedId": ["u0", "u1"], "#name": ["Givenu0 Familyu0", "Givenu1 Familyu1"]}
        )
    }
    now = [person("n0", "Givenu0 Familyu0"), person("n1", "Givenu1 Familyu1"), *before[2:]]

    guarded = night(
        {"users": before},
        {"users": now},
        sent=sent,
        groups=no_groups(),
    )

    assert {"users": ["n0", "n1", "u0", "u1"]} == held(guarded)


@pytest.mark.parametrize(("term", "waits"), [("fall", True), ("spring", False)])
def test_a_course_that_begins_in_another_term_is_another_one(term: str, waits: bool) -> None:
    """Sources that have a course of its own for each term, in a drop of changes."""
    courses = [
        {"sourcedId": f"k{place}", "title": f"Math {place}", "orgSourcedId": "s1"}
        for place in range(4)
    ]
    classes = [
        {
            "sourcedId": f"c{place}",
            "title": "A",
            "courseSourcedId": f"k{place}",
            "termSourcedIds": "fall",
        }
        for place in range(4)
    ]
    new = {
        "courses": [one | {"sourcedId": f"n{one['sourcedId']}"} for one in courses],
        "classes": [
            one
            | {
                "sourcedId": f"n{one['sourcedId']}",
                "courseSourcedId": f"n{one['courseSourcedId']}",
                "termSourcedIds": term,
            }
            for one in classes
        ],
    }

    guarded = night({"courses": courses, "classes": classes}, new, whole=False, limits=EVERYTHING)

    assert waits == ("rekeyed" in rules(guarded))
