"""A district in Clever's SFTP layout."""

from __future__ import annotations

from collections.abc import Iterable

from tests.year.district import STUDENT, District, Group, Person
from tests.year.files import Row, Tables


def clever(now: District) -> Tables:
    teachers: dict[str, list[str]] = {}
    for (group, person), role in now.seats.items():
        if role == "teacher":
            teachers.setdefault(group, []).append(person)
    return {
        "schools.csv": [
            {
                "School_id": one.id,
                "School_name": one.name,
                "School_number": one.id,
                "State_id": f"NV-{one.id}",
            }
            for one in now.schools.values()
        ],
        "students.csv": [row for one in now.students() for row in _student(one, now)],
        "teachers.csv": [
            {
                "School_id": one.school,
                "Teacher_id": one.id,
                "Teacher_number": one.number,
                "Teacher_email": one.email,
                "First_name": one.given,
                "Last_name": one.family,
                "Username": one.username,
            }
            for one in now.staff("teacher")
        ],
        "staff.csv": [
            {
                "School_id": one.school,
                "Staff_id": one.id,
                "Staff_email": one.email,
                "First_name": one.given,
                "Last_name": one.family,
                "Username": one.username,
                "Role": "principal",
            }
            for one in now.staff("administrator")
        ],
        "sections.csv": [
            _section(one, now, teachers.get(one.id, [])) for one in now.groups.values()
        ],
        "enrollments.csv": [
            {"School_id": now.groups[group].school, "Section_id": group, "Student_id": person}
            for (group, person), role in now.seats.items()
            if role == STUDENT
        ],
    }


def _student(one: Person, now: District) -> Iterable[Row]:
    for contact in one.contacts or ("",):
        of = now.contacts.get(contact)
        yield {
            "School_id": one.school,
            "Student_id": one.id,
            "Student_number": one.number,
            "Last_name": one.family,
            "First_name": one.given,
            "Grade": "Kindergarten" if one.grade == 0 else str(one.grade),
            "DOB": _american(one.born),
            "Student_email": one.email,
            "Contact_relationship": "Mother" if of else "",
            "Contact_name": f"{of.given} {of.family}" if of else "",
            "Contact_phone": of.phone if of else "",
            "Contact_email": of.email if of else "",
            "Contact_sis_id": contact,
            "Username": one.username,
        }


def _american(day: str) -> str:
    year, month, of = day.split("-")
    return f"{int(month)}/{int(of)}/{year}"


def _section(one: Group, now: District, teachers: list[str]) -> Row:
    term, course = now.terms[one.term], now.courses[one.course]
    return {
        "School_id": one.school,
        "Section_id": one.id,
        "Teacher_id": teachers[0] if teachers else "",
        "Teacher_2_id": teachers[1] if len(teachers) > 1 else "",
        "Name": one.title,
        "Grade": "Kindergarten" if one.grade == 0 else str(one.grade),
        "Course_name": course.title,
        "Course_number": course.id,
        "Period": "",
        "Subject": "",
        "Section_number": one.id,
        "Term_name": term.title,
        "Term_start": _american(str(term.begins)),
        "Term_end": _american(str(term.ends)),
    }
