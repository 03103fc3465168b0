"""The law of layouts: a district that is written in a layout's words is read as the same district."""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.layouts.districts import District, districts
from tests.layouts.normalizing import judged, lines, normalized
from tests.layouts.writers import WRITERS, Choices, Files, Known
from tests.strength import expensive
from transforms.roster import Roster

# Some columns of some records.
Lines = AbstractSet[tuple[str | None, ...]]


@dataclass(frozen=True)
class Reading:
    """What is compared: a district in OneRoster's words."""

    schools: Lines
    people: Lines
    roles: Lines
    grades: Lines
    births: Lines
    classes: Lines
    terms: Lines
    members: Lines


@pytest.mark.parametrize("layout", WRITERS)
@expensive(20, 10)
@given(st.data(), districts())
def test_a_district_is_read_as_it_was_written(
    layout: str, data: st.DataObject, district: District
) -> None:
    """With no setting, in any form that the layout's documentation allows; no row is rejected."""
    writer, days = WRITERS[layout]
    choose = Choices(data, days)
    files, known = writer(district, choose)

    with tempfile.TemporaryDirectory() as folder:
        roster = normalized(_write(Path(folder), files, choose))

    assert [] == judged(roster).findings.errors.rows()
    assert _expected(district, known) == _read(roster, known)


def _write(folder: Path, files: Files, choose: Choices) -> Path:
    """Write the files with some order of rows and columns, some ends of lines and some quotes."""
    end, quoted = choose.word("\n", "\r\n"), choose.has()
    encoding = choose.word("utf-8", "utf-8-sig")
    for name, rows in files.items():
        columns = choose.data.draw(st.permutations(list(rows[0])))
        with (folder / f"{name}.csv").open("w", encoding=encoding, newline="") as file:
            writer = csv.DictWriter(
                file,
                columns,
                lineterminator=end,
                quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL,
            )
            writer.writeheader()
            writer.writerows(choose.data.draw(st.permutations(rows)))
    return folder


def _expected(district: District, known: Known) -> Reading:
    people = [*district.students, *district.teachers]
    busy = {one.teacher for one in district.sections} | {
        student for one in district.sections for student in one.students
    }
    roles = set()
    for one in people:
        role = "student" if one.grade else "teacher"
        if one.sourcedId in busy:
            roles.add((one.sourcedId, role, one.school))
        else:
            org = "" if known.roles_of_district else one.school
            roles.add((one.sourcedId, known.without_class[role], org))
    after = timedelta(days=known.last_day_included)
    days = (district.term.first.isoformat(), (district.term.last + after).isoformat())
    return Reading(
        schools=set(district.schools.items()),
        people={(one.sourcedId, one.given, one.family) for one in people},
        roles=roles,
        grades={(one.sourcedId, one.grade) for one in district.students if known.grades},
        births={
            (one.sourcedId, str(one.born), one.sex) for one in district.students if known.births
        },
        classes={(one.sourcedId, one.title, one.school) for one in district.sections},
        terms={(one.sourcedId, *days) for one in district.sections if known.terms},
        members={
            (one.sourcedId, person, role)
            for one in district.sections
            for role, members in (("teacher", [one.teacher]), ("student", one.students))
            for person in members
        },
    )


def _read(roster: Roster, known: Known) -> Reading:
    schools = {
        (one, name)
        for one, name, kind in lines(roster, "orgs", "sourcedId", "name", "type")
        if kind == "school"
    }
    ids = {one for one, _ in schools}
    sessions = {
        one: days
        for one, *days in lines(roster, "academicSessions", "sourcedId", "startDate", "endDate")
    }
    return Reading(
        schools=schools,
        people=set(lines(roster, "users", "sourcedId", "givenName", "familyName")),
        roles={
            (one, role, org if org in ids else "")
            for one, role, org in lines(roster, "roles", "userSourcedId", "role", "orgSourcedId")
        },
        grades={
            (one, grade) for one, grade in lines(roster, "users", "sourcedId", "grades") if grade
        },
        births=set(lines(roster, "demographics", "sourcedId", "birthDate", "sex"))
        if known.births
        else set(),
        classes=set(lines(roster, "classes", "sourcedId", "title", "schoolSourcedId")),
        terms={
            (one, *sessions[term])
            for one, term in lines(roster, "classes", "sourcedId", "termSourcedIds")
            if known.terms and term
        },
        members=set(lines(roster, "enrollments", "classSourcedId", "userSourcedId", "role")),
    )
