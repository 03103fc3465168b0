"""The events in a district: people arrive, leave, move and marry, and classes are made.

The caller passes the random numbers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import Random

from tests.year.district import (
    PRINCIPAL,
    STUDENT,
    TEACHER,
    Contact,
    Course,
    District,
    Group,
    Person,
    School,
)
from tests.year.names import FAMILY, GIVEN

ELEMENTARY, SECONDARY = ("Homeroom", "Art"), ("Mathematics", "English", "Biology", "History")
SEATS = 16
LAST_ELEMENTARY = 5


class Life:
    """Changes a district, one event after another."""

    def __init__(self, day: date, chance: Random) -> None:
        self.now = District(day)
        self.chance = chance
        self._numbers: dict[str, int] = {}
        self._named: set[tuple[str, str]] = set()

    def open(self, school: School) -> None:
        """Open a school, with a principal."""
        self.now.schools[school.id] = school
        self.hire(school.id, PRINCIPAL)

    def hire(self, school: str, role: str = TEACHER) -> Person:
        """Add a member of the staff."""
        given, family = self._name()
        username = f"{given[0]}{family}{self._number('username')}".lower()
        number = f"{self._number('staff'):04}"
        one = Person(
            f"T{number}",
            role,
            given,
            family,
            username,
            f"{username}@example.edu",
            f"E{number}",
            school,
        )
        self.now.people[one.id] = one
        return one

    def enroll(self, grade: int, school: str) -> Person:
        """Add a student: sometimes a sibling of another, sometimes with a parent's email."""
        siblings = [one for one in self.now.students() if one.contacts]
        family = self.chance.choice(siblings) if siblings and self.chance.random() < 0.3 else None
        given, name = self._name(family.family if family else None)
        contacts = (
            family.contacts
            if family
            else tuple(self._contact(name) for _ in range(self.chance.choice((0, 1, 1, 2))))
        )
        username = f"{given[0]}{name}{self._number('username')}".lower()
        email = f"{username}@students.example.edu"
        if contacts and self.chance.random() < 0.05:
            email = self.now.contacts[contacts[0]].email
        number = self._number("student")
        born = date(
            self.now.day.year - 5 - grade, self.chance.randint(1, 12), self.chance.randint(1, 28)
        ).isoformat()
        # An id of twelve digits with a leading zero, which spreadsheets damage.
        one = Person(
            f"0{36_000_001_000 + number * 7}",
            STUDENT,
            given,
            name,
            username,
            email,
            f"{number:06}",
            school,
            grade,
            born,
            contacts,
        )
        self.now.people[one.id] = one
        self.seat(one)
        return one

    def leave(self, person: str) -> None:
        """Remove a person, and parents who have no child left."""
        contacts = self.now.people.pop(person).contacts
        self.unseat(person)
        needed = {one for other in self.now.people.values() for one in other.contacts}
        for one in set(contacts) - needed:
            del self.now.contacts[one]

    def change(self, person: str, **what: str | int) -> None:
        """Change properties of a person."""
        self.now.people[person] = replace(self.now.people[person], **what)  # type: ignore[arg-type]

    def move(self, person: str, school: str) -> None:
        """Move a student to another school of the district."""
        self.unseat(person)
        self.change(person, school=school)
        self.seat(self.now.people[person])

    def marry(self, person: str) -> None:
        """Change a person's family name, username and email address."""
        one = self.now.people[person]
        family = self.chance.choice([name for name in FAMILY if name != one.family])
        username = f"{one.given[0]}{family}{self._number('username')}".lower()
        self.change(
            person,
            family=family,
            username=username,
            email=f"{username}@{one.email.rpartition('@')[2]}",
        )

    def resign(self, person: str) -> None:
        """Remove a teacher. A new one takes over the classes."""
        groups = self.now.classes_of(person)
        successor = self.hire(self.now.people[person].school)
        self.leave(person)
        for group in groups:
            self.now.seats[group, successor.id] = TEACHER

    def schedule(
        self, terms: Iterable[str], *, elementary: bool = True, schools: Iterable[str] | None = None
    ) -> None:
        """Add the classes of some terms, and enroll all students.

        The first term is the school year: elementary classes run in it, all others in its parts.
        """
        year, *parts = terms
        for school in [self.now.schools[one] for one in schools or self.now.schools]:
            for grade in school.grades:
                there = sum(one.grade == grade for one in self.now.students(school.id))
                for subject in subjects(grade):
                    for term in parts if grade > LAST_ELEMENTARY else [year] if elementary else []:
                        for _ in range(max(1, -(-there // SEATS))):
                            self.group(school, grade, subject, term)
        for one in self.now.students():
            self.seat(one)

    def group(self, school: School, grade: int, subject: str, term: str) -> Group:
        """Add a class, taught by the teacher of the school who has the fewest classes."""
        course = f"C-{school.id}-{grade:02}-{subject[:3].upper()}"
        self.now.courses.setdefault(
            course, Course(course, f"{subject} {grade}", subject, school.id, grade)
        )
        number = self._number(f"class {term}")
        one = Group(
            f"{term}-{number:04}", f"{subject} {grade} ({number})", course, school.id, grade, term
        )
        self.now.groups[one.id] = one
        teachers = self.now.staff(TEACHER, school.id)
        load = {teacher.id: 0 for teacher in teachers}
        for _, person in self.now.seats:
            load[person] = load.get(person, 0) + 1
        chosen = (
            min(teachers, key=lambda teacher: load[teacher.id])
            if teachers
            else self.hire(school.id)
        )
        if load.get(chosen.id, 0) >= len(SECONDARY) * 3:
            chosen = self.hire(school.id)
        self.now.seats[one.id, chosen.id] = TEACHER
        return one

    def seat(self, student: Person) -> None:
        """Enroll a student in the smallest class of each course and term that they still need."""
        mine = {self._kind(self.now.groups[one]) for one in self.now.classes_of(student.id)}
        sizes = self.sizes()
        open_ones: dict[tuple[str, str], list[Group]] = {}
        for one in self.now.groups.values():
            if (one.school, one.grade) == (student.school, student.grade) and self._runs(one):
                open_ones.setdefault(self._kind(one), []).append(one)
        for kind, groups in open_ones.items():
            if kind not in mine:
                self.now.seats[min(groups, key=lambda one: sizes.get(one.id, 0)).id, student.id] = (
                    STUDENT
                )

    def unseat(self, person: str) -> None:
        """Remove a person from all classes."""
        for group in self.now.classes_of(person):
            del self.now.seats[group, person]

    def sizes(self) -> dict[str, int]:
        """Return the number of students of each class."""
        found: dict[str, int] = {}
        for (group, _), role in self.now.seats.items():
            found[group] = found.get(group, 0) + (role == STUDENT)
        return found

    def siblings(self, group: Group) -> list[Group]:
        """Return the other classes of the same course and term."""
        kind = self._kind(group)
        return [
            one
            for one in self.now.groups.values()
            if self._kind(one) == kind and one.id != group.id
        ]

    def dissolve(self, group: str) -> None:
        """Remove a class and all its enrollments."""
        del self.now.groups[group]
        for of, person in [seat for seat in self.now.seats if seat[0] == group]:
            del self.now.seats[of, person]

    def _runs(self, group: Group) -> bool:
        return self.now.terms[group.term].ends >= self.now.day

    def _kind(self, group: Group) -> tuple[str, str]:
        return group.course, group.term

    def _number(self, of: str) -> int:
        self._numbers[of] = self._numbers.get(of, 0) + 1
        return self._numbers[of]

    def _name(self, family: str | None = None) -> tuple[str, str]:
        return self.chance.choice(GIVEN), family or self.chance.choice(FAMILY)

    def _contact(self, family: str) -> str:
        free = [one for one in GIVEN if (one, family) not in self._named]
        given = (
            self.chance.choice(free)
            if free
            else f"{self.chance.choice(GIVEN)}-{self._number('spare name')}"
        )
        self._named.add((given, family))
        number = self._number("contact")
        mail = f"{given}.{family}{number}@mail.example.org".lower()
        one = Contact(f"P{number:05}", given, family, mail, f"+1 555 01{number:05}")
        self.now.contacts[one.id] = one
        return one.id


def subjects(grade: int) -> tuple[str, ...]:
    """Return the subjects of a grade."""
    return ELEMENTARY if grade <= LAST_ELEMENTARY else SECONDARY
