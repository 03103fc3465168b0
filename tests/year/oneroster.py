"""A district as OneRoster 1.2 CSV."""

from __future__ import annotations

from collections.abc import Iterable

from tests.year.district import PRINCIPAL, District, Group, Person, Term
from tests.year.files import DISTRICT_ID, Row, Tables


def grade_of(grade: int | None) -> str:
    """Return a grade in OneRoster's spelling."""
    return "" if grade is None else "KG" if grade == 0 else f"{grade:02}"


def enrollment(group: str, person: str) -> str:
    """Return the id of an enrollment."""
    return f"e-{group}-{person}"


def oneroster(now: District) -> Tables:
    return {
        "orgs.csv": [
            _org(DISTRICT_ID, "Larkspur Valley", "district", ""),
            *(_org(one.id, one.name, "school", DISTRICT_ID) for one in now.schools.values()),
        ],
        "academicSessions.csv": [_session(one) for one in now.terms.values()],
        "courses.csv": [
            _row(
                sourcedId=one.id,
                schoolYearSourcedId=_year(now).id,
                title=one.title,
                courseCode=one.id,
                grades=grade_of(one.grade),
                orgSourcedId=one.school,
            )
            for one in now.courses.values()
        ],
        "classes.csv": [_class(one) for one in now.groups.values()],
        "users.csv": [*(_user(one) for one in now.people.values()), *_parents(now)],
        "roles.csv": [
            *(_role(one.id, one.role, one.school) for one in now.people.values()),
            *(_role(one, "parent", school) for one, school in _schools(now).items()),
        ],
        "enrollments.csv": [
            _row(
                sourcedId=enrollment(group, person),
                classSourcedId=group,
                schoolSourcedId=now.groups[group].school,
                userSourcedId=person,
                role=role,
                primary="true" if role == "teacher" else "",
                beginDate="",
                endDate="",
            )
            for (group, person), role in now.seats.items()
        ],
        "demographics.csv": [_row(sourcedId=one.id, birthDate=one.born) for one in now.students()],
    }


def _row(sourcedId: str, **cells: str) -> Row:
    return {"sourcedId": sourcedId, "status": "", "dateLastModified": "", **cells}


def _org(sourcedId: str, name: str, kind: str, parent: str) -> Row:
    return _row(sourcedId, name=name, type=kind, identifier="", parentSourcedId=parent)


def _year(now: District) -> Term:
    return next(one for one in now.terms.values() if one.kind == "schoolYear")


def _session(one: Term) -> Row:
    parent = f"Y{one.year % 100}" if one.kind == "term" else ""
    return _row(
        one.id,
        title=one.title,
        type=one.kind,
        startDate=str(one.begins),
        endDate=str(one.ends),
        parentSourcedId=parent,
        schoolYear=str(one.year),
    )


def _class(one: Group) -> Row:
    return _row(
        one.id,
        title=one.title,
        grades=grade_of(one.grade),
        courseSourcedId=one.course,
        classCode=one.id,
        classType="scheduled",
        location="",
        schoolSourcedId=one.school,
        termSourcedIds=one.term,
        subjects="",
        subjectCodes="",
        periods="",
    )


def _user(one: Person) -> Row:
    return _row(
        one.id,
        enabledUser="true",
        username=one.username,
        givenName=one.given,
        familyName=one.family,
        identifier=one.number,
        email=one.email,
        phone="",
        agentSourcedIds=",".join(one.contacts),
        grades=grade_of(one.grade),
        primaryOrgSourcedId=one.school,
    )


def _parents(now: District) -> Iterable[Row]:
    schools = _schools(now)
    for one in now.contacts.values():
        yield _row(
            one.id,
            enabledUser="true",
            username=one.email,
            givenName=one.given,
            familyName=one.family,
            identifier="",
            email=one.email,
            phone=one.phone,
            agentSourcedIds="",
            grades="",
            primaryOrgSourcedId=schools[one.id],
        )


def _schools(now: District) -> dict[str, str]:
    """Return the school of each parent: that of the first child."""
    found: dict[str, str] = {}
    for one in now.people.values():
        for contact in one.contacts:
            found.setdefault(contact, one.school)
    return found


def _role(person: str, role: str, school: str) -> Row:
    return _row(
        f"r-{person}",
        userSourcedId=person,
        roleType="primary",
        role="principal" if role == PRINCIPAL else role,
        beginDate="",
        endDate="",
        orgSourcedId=school,
        userProfileSourcedId="",
    )
