"""The true state of a district on one day: schools, terms, classes, people and enrollments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

STUDENT, TEACHER, PRINCIPAL = "student", "teacher", "administrator"


@dataclass(frozen=True)
class School:
    """A school. Grade 0 is kindergarten."""

    id: str
    name: str
    first: int  # grade
    last: int  # grade

    @property
    def grades(self) -> range:
        """The grades that it teaches."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class Term:
    """A school year or a part of one."""

    id: str
    title: str
    kind: str
    begins: date
    ends: date
    year: int  # in which its school year ends


@dataclass(frozen=True)
class Course:
    """A course that is taught in one grade of a school."""

    id: str
    title: str
    subject: str
    school: str
    grade: int


@dataclass(frozen=True)
class Group:
    """A class: students who take a course in a term."""

    id: str
    title: str
    course: str
    school: str
    grade: int
    term: str


@dataclass(frozen=True)
class Person:
    """A student or a member of the staff."""

    id: str
    role: str
    given: str
    family: str
    username: str
    email: str
    number: str
    school: str
    grade: int | None = None  # None for staff
    born: str = ""
    contacts: tuple[str, ...] = ()  # ids


@dataclass(frozen=True)
class Contact:
    """A parent, with a name that no other parent has."""

    id: str
    given: str
    family: str
    email: str
    phone: str


@dataclass
class District:
    """The district. All its parts are kept by id."""

    day: date
    schools: dict[str, School] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    # The enrollments: the role of a person in a class, by the ids of class and person.
    seats: dict[tuple[str, str], str] = field(default_factory=dict)

    def copy(self) -> District:
        """Return a copy, which later events do not change."""
        return District(
            self.day,
            dict(self.schools),
            dict(self.terms),
            dict(self.courses),
            dict(self.groups),
            dict(self.people),
            dict(self.contacts),
            dict(self.seats),
        )

    def students(self, school: str | None = None) -> list[Person]:
        """Return the students of one school, or all."""
        return [
            one
            for one in self.people.values()
            if one.role == STUDENT and school in (None, one.school)
        ]

    def staff(self, role: str, school: str | None = None) -> list[Person]:
        """Return the staff with a role, of one school or of all."""
        return [
            one for one in self.people.values() if one.role == role and school in (None, one.school)
        ]

    def in_class(self, group: str, role: str = STUDENT) -> list[str]:
        """Return the ids of the people who have a role in a class."""
        return [person for (of, person), what in self.seats.items() if of == group and what == role]

    def classes_of(self, person: str) -> list[str]:
        """Return the ids of a person's classes."""
        return [of for of, one in self.seats if one == person]
