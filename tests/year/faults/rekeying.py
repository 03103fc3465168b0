"""Ids that are others than the night before, and ids that mean somebody else."""

from __future__ import annotations

from collections.abc import Collection

from tests.year.faults.columns import PEOPLE
from tests.year.faults.fault import Night
from tests.year.oneroster import enrollment


def _people(night: Night, who: Collection[str]) -> None:
    """Give people new ids wherever they stand; what has ids made of theirs gets new ones too."""
    night.map("person", lambda one: f"9{one[1:]}-N", frozenset(who))
    if night.code == "oneroster":
        for row in night.tables["roles.csv"]:
            row["sourcedId"] = f"r-{row['userSourcedId']}"
        _enrollments(night)


def _enrollments(night: Night, extra: str = "") -> None:
    for row in night.tables["enrollments.csv"]:
        row["sourcedId"] = enrollment(row["classSourcedId"], row["userSourcedId"]) + extra


def everybody(night: Night) -> None:
    """The export has new ids for all people and all classes."""
    _people(night, night.now.people)
    classes(night)


def everybody_but_one(night: Night) -> None:
    """All people but one have new ids."""
    _people(night, list(night.now.people)[1:])


def students(night: Night) -> None:
    """All students have new ids, and the teachers have not."""
    _people(night, night.students())


def one_school(night: Night) -> None:
    """The students of one school have new ids."""
    _people(night, [one.id for one in night.now.students(night.now.students()[0].school)])


def one_person(night: Night) -> None:
    """One student has a new id."""
    _people(
        night,
        [night.chance.choice([one for one in night.students() if one in night.before.people])],
    )


def classes(night: Night) -> None:
    """All classes have new ids."""
    night.map("class", lambda one: f"N-{one}")
    if night.code == "oneroster":
        _enrollments(night)


def enrollments(night: Night) -> None:
    """All enrollments have new ids, and nothing else."""
    _enrollments(night, "-n")


def schools(night: Night) -> None:
    """All schools have new ids."""
    night.map("school", lambda one: f"9{one}", set(night.now.schools))


def strangers(night: Night) -> None:
    """The ids of twelve people are given to others."""
    _strangers(night, 12)


def one_stranger(night: Night) -> None:
    """The id of one who left is given to somebody new, who is of another grade, on the same night."""
    _strangers(night, 1)


def _strangers(night: Night, count: int) -> None:
    old = [one for one in night.students() if one in night.before.people]
    for number, person in enumerate(night.chance.sample(old, count)):
        for row in night.rows_of(PEOPLE[night.code], night.person, [person]):
            row[night.column("given")], row[night.column("family")] = (
                f"Newcomer{number}",
                f"Stranger{number}",
            )
            row[night.column("username")] = f"nstranger{number}"
            row[night.column("email")] = f"nstranger{number}@students.example.edu"
            row[night.column("number")] = f"7{number:05}"


def doubled(night: Night) -> None:
    """Every student is there twice, the second time under another id."""
    students = set(night.students())
    again = [
        row | {night.person: f"{row[night.person]}-2"}
        for row in night.people
        if row[night.person] in students
    ]
    night.people.extend(again)
    if night.code == "oneroster":
        roles = [row for row in night.tables["roles.csv"] if row["userSourcedId"] in students]
        night.tables["roles.csv"] += [
            row
            | {"sourcedId": f"{row['sourcedId']}-2", "userSourcedId": f"{row['userSourcedId']}-2"}
            for row in roles
        ]
