"""A district as it truly is on one day: schools, terms, classes, people, who looks after whom, and who sits in which class."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

STUDENT, TEACHER, PRINCIPAL = "student", "teacher", "administrator"


@dataclass(frozen=True)
class School:
    """A school, and the first and last grade that it teaches (0 is kindergarten)."""

    id: str
    name: str
    first: int
    last: int

    @property
    def grades(self) -> range:
        """The grades that it teaches."""
        return range(self.first, self.last + 1)


@dataclass(frozen=True)
class Term:
    """A school year or a part of one; `year` is that in which its school year ends."""

    id: str
    title: str
    kind: str
    begins: date
    ends: date
    year: int


@dataclass(frozen=True)
class Course:
    """What is taught in one grade of a school."""

    id: str
    title: str
    subject: str
    school: str
    grade: int


@dataclass(frozen=True)
class Group:
    """A class: a group of students who are taught a course in a term."""

    id: str
    title: str
    course: str
    school: str
    grade: int
    term: str


@dataclass(frozen=True)
class Person:
    """A student or somebody of the staff; `grade` is None of staff, `contacts` are ids."""

    id: str
    role: str
    given: str
    family: str
    username: str
    email: str
    number: str
    school: str
    grade: int | None = None
    born: str = ""
    contacts: tuple[str, ...] = ()


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
    """All of it; `seats` lead from a class and a person to the role that the person has there."""

    day: date
    schools: dict[str, School] = field(default_factory=dict)
    terms: dict[str, Term] = field(default_factory=dict)
    courses: dict[str, Course] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    seats: dict[tuple[str, str], str] = field(default_factory=dict)

    def copy(self) -> District:
        """Give the district as it is now; what happens later does not change it."""
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
        """The students, of one school or of all."""
        return [
            one
            for one in self.people.values()
            if one.role == STUDENT and school in (None, one.school)
        ]

    def staff(self, role: str, school: str | None = None) -> list[Person]:
        """The staff of one role, of one school or of all."""
        return [
            one for one in self.people.values() if one.role == role and school in (None, one.school)
        ]

    def in_class(self, group: str, role: str = STUDENT) -> list[str]:
        """The ids of those who have a role in a class."""
        return [person for (of, person), what in self.seats.items() if of == group and what == role]

    def classes_of(self, person: str) -> list[str]:
        """The ids of the classes in which a person is."""
        return [of for of, one in self.seats if one == person]
