"""A district in the layout of Canvas SIS imports."""

from __future__ import annotations

from tests.year.district import District
from tests.year.files import DISTRICT_ID, Tables

KEYS: dict[str, tuple[str, ...]] = {
    "accounts.csv": ("account_id",), "terms.csv": ("term_id",), "courses.csv": ("course_id",), "sections.csv": ("section_id",),
    "users.csv": ("user_id",), "enrollments.csv": ("section_id", "user_id", "role"),
}  # fmt: skip


def canvas(now: District) -> Tables:
    active = {"status": "active"}
    kinds = {"student": "student", "teacher": "teacher", "administrator": "administrator"}
    courses = {(now.courses[one.course].id, one.term) for one in now.groups.values()}
    return {
        "accounts.csv": [
            {"account_id": DISTRICT_ID, "parent_account_id": "", "name": "Larkspur Valley"}
            | active,
            *(
                {"account_id": one.id, "parent_account_id": DISTRICT_ID, "name": one.name} | active
                for one in now.schools.values()
            ),
        ],
        "terms.csv": [
            {
                "term_id": one.id,
                "name": one.title,
                "start_date": str(one.begins),
                "end_date": str(one.ends),
            }
            | active
            for one in now.terms.values()
        ],
        "courses.csv": [
            {
                "course_id": f"{course}.{term}",
                "short_name": course,
                "long_name": now.courses[course].title,
                "account_id": now.courses[course].school,
                "term_id": term,
            }
            | active
            for course, term in sorted(courses)
        ],
        "sections.csv": [
            {"section_id": one.id, "course_id": f"{one.course}.{one.term}", "name": one.title}
            | active
            for one in now.groups.values()
        ],
        "users.csv": [
            {
                "user_id": one.id,
                "integration_id": one.number,
                "login_id": one.username,
                "first_name": one.given,
                "last_name": one.family,
                "email": one.email,
                "declared_user_type": kinds[one.role],
            }
            | active
            for one in now.people.values()
        ],
        "enrollments.csv": [
            {
                "course_id": f"{now.groups[group].course}.{now.groups[group].term}",
                "user_id": person,
                "role": role,
                "section_id": group,
            }
            | active
            for (group, person), role in now.seats.items()
        ],
    }
