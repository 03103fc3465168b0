"""How each layout writes down a district, with the freedom that its documentation leaves.

A writer gives the rows of each file, and what a reader can know of the district from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from hypothesis import strategies as st

from tests.layouts.districts import District, Person

Row = dict[str, str]
Files = dict[str, list[Row]]
Forms = dict[str, Callable[[date], str]]

ISO: Forms = {"iso": date.isoformat}
AMERICAN: Forms = ISO | {
    "m/d/yyyy": lambda day: f"{day.month}/{day.day}/{day.year}",
    "mm/dd/yyyy": lambda day: f"{day:%m/%d/%Y}",
}
SEXES = {"male": ("M", "Male", "m"), "female": ("F", "Female", "f")}


@dataclass
class Choices:
    """What a system may choose for one drop."""

    data: st.DataObject
    days: Forms = field(default_factory=lambda: ISO)

    def __post_init__(self) -> None:
        """Choose one form of dates for the whole drop."""
        self.day = self.days[self.data.draw(st.sampled_from(sorted(self.days)))]

    def word(self, *spellings: str) -> str:
        """Choose one spelling of a word."""
        return self.data.draw(st.sampled_from(spellings))

    def cased(self, word: str) -> str:
        """Choose the case of a word."""
        return self.word(word, word.lower(), word.upper(), word.capitalize())

    def grade(self, grade: str) -> str:
        """Choose how a grade is written: with its zero or without it."""
        return self.word(grade, grade.removeprefix("0"))

    def has(self) -> bool:
        """Choose whether something optional is there."""
        return self.data.draw(st.booleans())


@dataclass
class Known:
    """What the files of a drop say, in OneRoster's words."""

    terms: bool = True
    births: bool = True
    grades: bool = True
    # The role of a person in no class, and whether it is one in the whole district.
    without_class: dict[str, str] = field(
        default_factory=lambda: {"student": "student", "teacher": "teacher"}
    )
    roles_of_district: bool = False
    # The days of a term are written with its last day, which is in the term.
    last_day_included: bool = True


Writer = Callable[[District, Choices], tuple[Files, Known]]


def oneroster_1_2(district: District, choose: Choices) -> tuple[Files, Known]:
    """OneRoster 1.2: roles in a file of their own, and dates as in ISO 8601."""
    files, known = _oneroster(district, choose)
    people = [*district.students, *district.teachers]
    roles = {one.sourcedId: _role(one) for one in people}
    files["users"] = [
        {
            "sourcedId": one.sourcedId,
            "enabledUser": "true",
            "username": f"u{one.sourcedId}",
            "givenName": one.given,
            "familyName": one.family,
            "grades": one.grade,
        }
        for one in people
    ]
    files["roles"] = [
        {
            "sourcedId": f"r-{one.sourcedId}",
            "userSourcedId": one.sourcedId,
            "roleType": "primary",
            "role": roles[one.sourcedId],
            "orgSourcedId": one.school,
        }
        for one in people
    ]
    return _bulk(files), known


def oneroster_1_1(district: District, choose: Choices) -> tuple[Files, Known]:
    """OneRoster 1.1: role and organizations in users.csv."""
    files, known = _oneroster(district, choose)
    files["users"] = [
        {
            "sourcedId": one.sourcedId,
            "enabledUser": "true",
            "orgSourcedIds": one.school,
            "role": _role(one),
            "username": f"u{one.sourcedId}",
            "givenName": one.given,
            "familyName": one.family,
            "grades": one.grade,
        }
        for one in [*district.students, *district.teachers]
    ]
    return _bulk(files), known


def _oneroster(district: District, choose: Choices) -> tuple[Files, Known]:
    term = district.term
    files: Files = {
        "orgs": [
            {"sourcedId": one, "name": name, "type": "school"}
            for one, name in district.schools.items()
        ],
        "academicSessions": [
            {
                "sourcedId": term.sourcedId,
                "title": term.title,
                "type": "term",
                "startDate": choose.day(term.first),
                "endDate": choose.day(term.last),
                "schoolYear": "2027",
            }
        ],
        "courses": [
            {"sourcedId": one.course, "title": one.title, "orgSourcedId": one.school}
            for one in district.sections
        ],
        "classes": [
            {
                "sourcedId": one.sourcedId,
                "title": one.title,
                "courseSourcedId": one.course,
                "classType": "scheduled",
                "schoolSourcedId": one.school,
                "termSourcedIds": term.sourcedId,
            }
            for one in district.sections
        ],
        "enrollments": [
            {
                "sourcedId": f"e-{section}-{person}",
                "classSourcedId": section,
                "schoolSourcedId": school,
                "userSourcedId": person,
                "role": role,
            }
            for section, school, person, role in _members(district)
        ],
    }
    births = choose.has()
    if births:
        files["demographics"] = [
            {
                "sourcedId": one.sourcedId,
                "birthDate": _born(one, choose),
                "sex": one.sex,
            }
            for one in district.students
        ]
    return files, Known(births=births, last_day_included=False)


def _bulk(files: Files) -> Files:
    """Add the columns that a bulk export leaves blank."""
    return {
        name: [
            {"sourcedId": row["sourcedId"], "status": "", "dateLastModified": "", **row}
            for row in rows
        ]
        for name, rows in files.items()
    }


def clever(district: District, choose: Choices) -> tuple[Files, Known]:
    """Clever SFTP: days in American order, optional columns, staff.csv only where there is staff."""
    births, terms = choose.has(), choose.has()
    term = {
        "Term_name": district.term.title,
        "Term_start": choose.day(district.term.first),
        "Term_end": choose.day(district.term.last),
    }
    files: Files = {
        "schools": [
            {"School_id": one, "School_name": name} for one, name in district.schools.items()
        ],
        "students": [
            {
                "School_id": one.school,
                "Student_id": one.sourcedId,
                "First_name": one.given,
                "Last_name": one.family,
                "Grade": choose.grade(one.grade),
                **(
                    {"DOB": _born(one, choose), "Gender": choose.word(*SEXES[one.sex])}
                    if births
                    else {}
                ),
            }
            for one in district.students
        ],
        "teachers": [
            {
                "School_id": one.school,
                "Teacher_id": one.sourcedId,
                "First_name": one.given,
                "Last_name": one.family,
            }
            for one in district.teachers
        ],
        "sections": [
            {
                "School_id": one.school,
                "Section_id": one.sourcedId,
                "Teacher_id": one.teacher,
                "Name": one.title,
                **(term if terms else {}),
            }
            for one in district.sections
        ],
        "enrollments": [
            {"School_id": one.school, "Section_id": one.sourcedId, "Student_id": student}
            for one in district.sections
            for student in sorted(one.students)
        ],
    }
    return files, Known(terms=terms, births=births)


def canvas(district: District, choose: Choices) -> tuple[Files, Known]:
    """Canvas: people have the roles of their classes; grades and birth dates are not there."""
    state = choose.cased("active")
    files: Files = {
        "accounts": [
            {"account_id": "A", "parent_account_id": "", "name": "All of it", "status": state},
            *(
                {"account_id": one, "parent_account_id": "A", "name": name, "status": state}
                for one, name in district.schools.items()
            ),
        ],
        "terms": [
            {
                "term_id": district.term.sourcedId,
                "name": district.term.title,
                "status": state,
                "start_date": choose.day(district.term.first),
                "end_date": choose.day(district.term.last),
            }
        ],
        "courses": [
            {
                "course_id": one.course,
                "short_name": one.course,
                "long_name": one.title,
                "account_id": one.school,
                "term_id": district.term.sourcedId,
                "status": state,
            }
            for one in district.sections
        ],
        "sections": [
            {
                "section_id": one.sourcedId,
                "course_id": one.course,
                "name": one.title,
                "status": state,
            }
            for one in district.sections
        ],
        "users": [
            {
                "user_id": one.sourcedId,
                "login_id": f"u{one.sourcedId}",
                "declared_user_type": choose.cased(_role(one)),
                **(
                    {"sortable_name": f"{one.family}, {one.given}"}
                    if sortable
                    else {"first_name": one.given, "last_name": one.family}
                ),
                "status": state,
            }
            for sortable in [choose.has()]
            for one in [*district.students, *district.teachers]
        ],
        "enrollments": [
            {
                "course_id": "",
                "user_id": person,
                "role": choose.cased(role),
                "section_id": section,
                "status": state,
            }
            for section, _, person, role in _members(district)
        ],
    }
    return files, Known(births=False, grades=False, roles_of_district=True)


def sds_v1(district: District, choose: Choices) -> tuple[Files, Known]:
    """School Data Sync V1: American or British names of columns, `Term StartDate` with a space or not."""
    births, british, spaced = choose.has(), choose.has(), choose.has()
    one_id = "ID" if british else "SIS ID"
    school_id = "School DfE Number" if british else "School SIS ID"
    section_id = "Section ID" if british else "Section SIS ID"
    start, end = (
        ("Term Start Date", "Term End Date") if spaced else ("Term StartDate", "Term EndDate")
    )

    def person(one: Person) -> Row:
        return {
            one_id: one.sourcedId,
            school_id: one.school,
            "Username": f"u{one.sourcedId}",
            "First Name": one.given,
            "Last Name": one.family,
        }

    files: Files = {
        "School": [
            {"DfE Number" if british else "SIS ID": one, "Name": name}
            for one, name in district.schools.items()
        ],
        "Section": [
            {
                one_id: one.sourcedId,
                school_id: one.school,
                "Section Name": one.title,
                "Term Name": district.term.title,
                start: choose.day(district.term.first),
                end: choose.day(district.term.last),
            }
            for one in district.sections
        ],
        "Student": [
            {
                **person(one),
                "Grade": choose.grade(one.grade),
                **(
                    {"Birthdate": _born(one, choose), "Gender": choose.word(*SEXES[one.sex])}
                    if births
                    else {}
                ),
            }
            for one in district.students
        ],
        "Teacher": [person(one) for one in district.teachers],
        "StudentEnrollment": [
            {section_id: one.sourcedId, one_id: student}
            for one in district.sections
            for student in sorted(one.students)
        ],
        "TeacherRoster": [
            {section_id: one.sourcedId, one_id: one.teacher} for one in district.sections
        ],
    }
    return files, Known(births=births)


def sds_v2(district: District, choose: Choices) -> tuple[Files, Known]:
    """School Data Sync V2: role and school in users.csv, no terms."""
    files, known = _sds(district, choose)
    files["users"] = [
        {
            "sourcedId": one.sourcedId,
            "orgSourcedIds": one.school,
            "username": f"u{one.sourcedId}",
            "givenName": one.given,
            "familyName": one.family,
            "role": choose.cased(_role(one)),
            "grade": choose.grade(one.grade),
        }
        for one in [*district.students, *district.teachers]
    ]
    return files, known


def sds_v2_1(district: District, choose: Choices) -> tuple[Files, Known]:
    """School Data Sync V2.1: roles.csv with the grade, academicSessions.csv where there is one."""
    files, known = _sds(district, choose)
    people = [*district.students, *district.teachers]
    files["users"] = [
        {
            "sourcedId": one.sourcedId,
            "username": f"u{one.sourcedId}",
            "givenName": one.given,
            "familyName": one.family,
        }
        for one in people
    ]
    files["roles"] = [
        {
            "userSourcedId": one.sourcedId,
            "orgSourcedId": one.school,
            "role": choose.cased(_role(one)),
            "grade": choose.grade(one.grade),
        }
        for one in people
    ]
    return files, known


def _sds(district: District, choose: Choices) -> tuple[Files, Known]:
    births, terms, term = choose.has(), choose.has(), district.term
    files: Files = {
        "orgs": [
            {"sourcedId": one, "name": name, "type": choose.cased("school")}
            for one, name in district.schools.items()
        ],
        "classes": [
            {
                "sourcedId": one.sourcedId,
                "orgSourcedId": one.school,
                "title": one.title,
                **({"sessionSourcedIds": term.sourcedId} if terms else {}),
            }
            for one in district.sections
        ],
        "enrollments": [
            {"classSourcedId": section, "userSourcedId": person, "role": choose.cased(role)}
            for section, _, person, role in _members(district)
        ],
    }
    if terms:
        files["academicSessions"] = [
            {
                "sourcedId": term.sourcedId,
                "title": term.title,
                "type": choose.cased("term"),
                "startDate": choose.day(term.first),
                "endDate": choose.day(term.last),
            }
        ]
    if births:
        files["demographics"] = [
            {
                "userSourcedId": one.sourcedId,
                "birthDate": _born(one, choose),
                "sex": choose.cased(one.sex),
            }
            for one in district.students
        ]
    return files, Known(terms=terms, births=births)


def apple_school_manager(district: District, choose: Choices) -> tuple[Files, Known]:
    """Apple School Manager: all six files, no terms, staff without a role."""

    def person(one: Person) -> Row:
        return {
            "person_id": one.sourcedId,
            "first_name": one.given,
            "last_name": one.family,
            "location_id": one.school,
        }

    files: Files = {
        "locations": [
            {"location_id": one, "location_name": name} for one, name in district.schools.items()
        ],
        "students": [
            {**person(one), "grade_level": choose.grade(one.grade)} for one in district.students
        ],
        "staff": [person(one) for one in district.teachers],
        "courses": [
            {"course_id": one.course, "course_name": one.title, "location_id": one.school}
            for one in district.sections
        ],
        "classes": [
            {
                "class_id": one.sourcedId,
                "course_id": one.course,
                "instructor_id": one.teacher,
                "location_id": one.school,
            }
            for one in district.sections
        ],
        "rosters": [
            {
                "roster_id": f"{one.sourcedId}/{student}",
                "class_id": one.sourcedId,
                "student_id": student,
            }
            for one in district.sections
            for student in sorted(one.students)
        ],
    }
    without = {"student": "student", "teacher": "aide"}
    return files, Known(terms=False, births=False, without_class=without)


WRITERS: dict[str, tuple[Writer, Forms]] = {
    "oneroster_1_2": (oneroster_1_2, ISO),
    "oneroster_1_1": (oneroster_1_1, ISO),
    "clever": (clever, AMERICAN),
    "canvas": (canvas, ISO),
    "sds_v1": (sds_v1, AMERICAN),
    "sds_v2": (sds_v2, AMERICAN),
    "sds_v2_1": (sds_v2_1, AMERICAN),
    "apple_school_manager": (apple_school_manager, ISO),
}


def _role(one: Person) -> str:
    return "student" if one.grade else "teacher"


def _born(one: Person, choose: Choices) -> str:
    return choose.day(one.born) if one.born else ""


def _members(district: District) -> list[tuple[str, str, str, str]]:
    """Each member of each class: class, school, person, role."""
    return [
        (one.sourcedId, one.school, person, role)
        for one in district.sections
        for person, role in [
            (one.teacher, "teacher"),
            *((student, "student") for student in sorted(one.students)),
        ]
    ]
