"""People, seats and places that an export says to be other than they are: locked out, ended, moved, emptied."""

from __future__ import annotations

from datetime import date, timedelta

from tests.year.faults.fault import Night, Spoil
from tests.year.files import Row
from tests.year.oneroster import enrollment

MOST = 0.7


def locked_out(night: Night) -> None:
    """Seven of ten people can no longer sign in."""
    column, cell = ("status", "suspended") if night.code == "canvas" else ("enabledUser", "false")
    for row in night.some(night.tables["users.csv"], MOST):
        row[column] = cell


def ended(night: Night) -> None:
    """Seven of ten enrollments ended a month ago."""
    for row in night.some(night.tables["enrollments.csv"], MOST):
        row["endDate"] = str(night.now.day - timedelta(days=30))


def marked_deleted(*files: str) -> Spoil:
    """All rows of some files say that they are deleted."""

    def spoil(night: Night) -> None:
        for file in files:
            for row in night.tables[file]:
                row["status"] = "deleted" if night.code == "canvas" else "tobedeleted"

    return spoil


def seats_shifted(night: Night) -> None:
    """The students of all enrollments were sorted alone: each seat is another student's."""
    rows = _of_students(night)
    column = night.places("seated")[0][1]
    cells = [row[column] for row in rows]
    for row, cell in zip(rows, [*cells[7:], *cells[:7]], strict=True):
        row[column] = cell


def one_class_emptied(night: Night) -> None:
    """One class of eight or more has lost all of its students."""
    sizes = {one: len(night.now.in_class(one)) for one in night.now.groups}
    known = [one for one, size in sizes.items() if size >= 8 and one in night.before.groups]
    # Nobody loses a class that is over. In summer, all are.
    running = [one for one in known if _ends(night, one) > night.now.day]
    chosen = night.chance.choice(running or known)
    _without(night, [row for row in _of_students(night) if row[_class(night)] == chosen])


def _ends(night: Night, group: str) -> date:
    return night.now.terms[night.now.groups[group].term].ends


def classes_emptied(night: Night) -> None:
    """Every class has lost half of its students."""
    _without(night, _of_students(night)[::2])


def _without(night: Night, rows: list[Row]) -> None:
    """Take enrollments away; a layout that lists who is gone lists these."""
    if night.form in ("delta", "canvas"):
        for row in rows:
            row["status"] = "deleted" if night.code == "canvas" else "tobedeleted"
        return
    gone = {id(row) for row in rows}
    night.tables["enrollments.csv"] = [
        row for row in night.tables["enrollments.csv"] if id(row) not in gone
    ]


def one_teacher_everywhere(night: Night) -> None:
    """One teacher is put into every class."""
    teacher = next(iter(night.now.staff("teacher"))).id
    if night.form == "clever":
        for row in night.tables["sections.csv"]:
            row["Teacher_2_id"] = teacher if row["Teacher_id"] != teacher else ""
        return
    rows = [row for row in night.tables["enrollments.csv"] if row["role"] == "teacher"]
    column = night.places("seated")[0][1]
    for row in [row for row in rows if row[column] != teacher]:
        new = row | {column: teacher}
        if night.code == "oneroster":
            new |= {"sourcedId": enrollment(row["classSourcedId"], teacher), "primary": "false"}
        night.tables["enrollments.csv"].append(new)


def all_in_one_class(night: Night) -> None:
    """Every enrollment names one and the same class."""
    chosen = night.chance.choice(list(night.now.groups.values()))
    for row in _of_students(night):
        row[_class(night)] = chosen.id
        for column in {"schoolSourcedId", "School_id"} & row.keys():
            row[column] = chosen.school


def teachers_shifted(night: Night) -> None:
    """Each class has the teacher of the class below."""
    file, column = (
        ("sections.csv", "Teacher_id")
        if night.form == "clever"
        else ("enrollments.csv", night.places("seated")[0][1])
    )
    rows = [row for row in night.tables[file] if night.form == "clever" or row["role"] == "teacher"]
    cells = [row[column] for row in rows]
    for row, cell in zip(rows, [*cells[5:], *cells[:5]], strict=True):
        row[column] = cell


def roles_swapped(night: Night) -> None:
    """Students are listed as teachers, and teachers as students."""
    swap = {"student": "teacher", "teacher": "student"}
    for file, column in (
        ("roles.csv", "role"),
        ("enrollments.csv", "role"),
        ("users.csv", "declared_user_type"),
    ):
        for row in night.tables.get(file, []):
            if row.get(column) in swap:
                row[column] = swap[row[column]]
                row.update({"primary": ""} if "primary" in row else {})


def parents_shifted(night: Night) -> None:
    """Seven of ten students have the parents of another student."""
    names = [
        name for name in night.people[0] if name == "agentSourcedIds" or name.startswith("Contact_")
    ]
    students = set(night.students())
    rows = [row for row in night.people if row[night.person] in students]
    rows = rows[: int(len(rows) * MOST)]
    cells = [[row[name] for name in names] for row in rows]
    for row, own in zip(rows, [*cells[3:], *cells[:3]], strict=True):
        row.update(zip(names, own, strict=True))


def sessions_ended(night: Night) -> None:
    """All terms have ended a month ago."""
    day = night.now.day - timedelta(days=30)
    night.map(
        "session end",
        lambda _: f"{day.month}/{day.day}/{day.year}" if night.form == "clever" else str(day),
    )


def schools_swapped(night: Night) -> None:
    """The files of two schools were swapped: each has the people, classes and seats of the other."""
    one, other = list(night.now.schools)[:2]
    swap = {one: other, other: one}
    for file, column in night.places("school"):
        for row in (
            night.tables[file] if file not in ("orgs.csv", "schools.csv", "accounts.csv") else ()
        ):
            row[column] = swap.get(row[column], row[column])


def all_in_one_school(night: Night) -> None:
    """Every student is listed in the first school."""
    first = next(iter(night.now.schools))
    column = "primaryOrgSourcedId" if night.code == "oneroster" else "School_id"
    students = set(night.students())
    for row in night.people:
        if row[night.person] in students:
            row[column] = first
    for row in night.tables.get("roles.csv", []):
        if row["userSourcedId"] in students:
            row["orgSourcedId"] = first


def _of_students(night: Night) -> list[Row]:
    return [
        row for row in night.tables["enrollments.csv"] if row.get("role", "student") == "student"
    ]


def _class(night: Night) -> str:
    return night.places("enrollment class")[0][1]
