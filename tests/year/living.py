"""A year of a district: the events of each day, and the district on each night with an export."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from random import Random

from tests.year import calendar
from tests.year.calendar import NIGHTS, Size, terms
from tests.year.district import STUDENT, TEACHER, District, School
from tests.year.life import Life


def nights(seed: int, size: Size | None = None, count: int = NIGHTS) -> Iterator[District]:
    """Yield the district on each night with an export. There is none on Saturdays."""
    year = Year(seed, size or Size())
    day, given = calendar.FIRST, 0
    while given < count:
        year.live(day)
        if day.weekday() != calendar.SATURDAY:
            given += 1
            yield year.life.now.copy()
        day += timedelta(days=1)


class Year:
    """The year of a district, day by day. The seed decides its events."""

    def __init__(self, seed: int, size: Size) -> None:
        self.chance = Random(seed)
        self.life = Life(calendar.FIRST, self.chance)
        self._size = size
        for school in (calendar.ASH, calendar.BIRCH, calendar.MIDDLE, calendar.HIGH):
            self.life.open(school)
        for school, each in (
            (calendar.ASH, size.ash),
            (calendar.BIRCH, size.birch),
            (calendar.MIDDLE, size.middle),
            (calendar.HIGH, size.high),
        ):
            self._fill(school, each)
        self.life.now.terms |= terms(2027)
        self.life.schedule(["Y27", "F27"])

    def live(self, day: date) -> None:
        """Apply the events of a day."""
        self.life.now.day = day
        fixed: dict[date, Callable[[], None]] = {
            calendar.OPENS: self._open,
            calendar.LEVELED: self._level,
            calendar.SECOND_TERM_MADE: self._second_term,
            calendar.FIRST_TERM_LEFT_OUT: self._left_out,
            calendar.CLOSES: self._close,
            calendar.ROLLOVER: self._roll_over,
        }
        if day in fixed:
            fixed[day]()
        busy, summer = (
            calendar.BUSY_BEGINS <= day <= calendar.BUSY_ENDS,
            day >= date(2027, 6, 11) or day < calendar.BUSY_BEGINS,
        )
        students = len(self.life.now.students()) / 330
        self._happen(self._enroll, (1.5 if busy else 0.8 if summer else 0.3) * students)
        self._happen(self._leave, (0.6 if busy else 0.3) * students)
        self._happen(self._move, (0.2 if busy else 0.05) * students)
        self._happen(self._change_class, 0 if summer else (6 if busy else 0.5) * students)
        self._happen(self._marry, 0.03)
        self._happen(self._correct, 0.1)
        self._happen(self._resign, 0.05)
        self._happen(lambda: self.life.hire(self._school().id), 0.04)
        self._happen(self._split, 0.08 if busy else 0)
        self._happen(self._cancel, 0.06 if busy else 0)

    def _happen(self, event: Callable[[], object], often: float) -> None:
        for _ in range(int(often) + (self.chance.random() < often % 1)):
            event()

    def _fill(self, school: School, each: int) -> None:
        for _ in range(max(2, each * len(school.grades) // 12)):
            self.life.hire(school.id)
        for grade in school.grades:
            for _ in range(each):
                self.life.enroll(grade, school.id)

    def _school(self) -> School:
        return self.chance.choice(list(self.life.now.schools.values()))

    def _enroll(self) -> None:
        school = self._school()
        self.life.enroll(self.chance.choice(school.grades), school.id)

    def _leave(self) -> None:
        self.life.leave(self.chance.choice(self.life.now.students()).id)

    def _move(self) -> None:
        one = self.chance.choice(self.life.now.students())
        others = [
            other.id
            for other in self.life.now.schools.values()
            if other.id != one.school and one.grade in other.grades
        ]
        if others:
            self.life.move(one.id, self.chance.choice(others))

    def _change_class(self) -> None:
        """Move a student to another class of the same course and term."""
        one = self.chance.choice(self.life.now.students())
        for group in self.life.now.classes_of(one.id):
            siblings = self.life.siblings(self.life.now.groups[group])
            if siblings:
                del self.life.now.seats[group, one.id]
                self.life.now.seats[self.chance.choice(siblings).id, one.id] = STUDENT
                return

    def _marry(self) -> None:
        staff = self.life.now.staff(TEACHER)
        self.life.marry(self.chance.choice(staff).id)

    def _correct(self) -> None:
        """Correct the spelling of a name."""
        one = self.chance.choice(self.life.now.students())
        place = self.chance.randrange(1, len(one.given))
        self.life.change(
            one.id, given=one.given[:place] + one.given[place - 1].lower() + one.given[place:]
        )

    def _resign(self) -> None:
        self.life.resign(self.chance.choice(self.life.now.staff(TEACHER)).id)

    def _split(self) -> None:
        """Split the largest class in two."""
        sizes = self.life.sizes()
        one = max(self.life.now.groups.values(), key=lambda group: sizes.get(group.id, 0))
        course = self.life.now.courses[one.course]
        new = self.life.group(
            self.life.now.schools[one.school], one.grade, course.subject, one.term
        )
        for person in self.life.now.in_class(one.id)[::2]:
            del self.life.now.seats[one.id, person]
            self.life.now.seats[new.id, person] = STUDENT

    def _cancel(self) -> None:
        """Merge the smallest class into another one of the same course."""
        sizes = self.life.sizes()
        small = [one for one in self.life.now.groups.values() if self.life.siblings(one)]
        if not small:
            return
        one = min(small, key=lambda group: sizes.get(group.id, 0))
        into = self.life.siblings(one)[0]
        people = self.life.now.in_class(one.id)
        self.life.dissolve(one.id)
        for person in people:
            self.life.now.seats[into.id, person] = STUDENT

    def _open(self) -> None:
        self.life.open(calendar.NEW)
        self._fill(calendar.NEW, self._size.new)
        self.life.schedule(["Y27"], schools=[calendar.NEW.id])

    def _level(self) -> None:
        """Distribute the students of one grade again over the classes of each course."""
        for one in self.life.now.students(calendar.MIDDLE.id):
            if one.grade == calendar.MIDDLE.first:
                self.life.unseat(one.id)
        students = [
            one
            for one in self.life.now.students(calendar.MIDDLE.id)
            if one.grade == calendar.MIDDLE.first
        ]
        for one in self.chance.sample(students, len(students)):
            self.life.seat(one)

    def _second_term(self) -> None:
        self.life.schedule(["Y27", "S27"], elementary=False)

    def _left_out(self) -> None:
        """Remove the first term's classes, which the SIS no longer exports."""
        for group in [one.id for one in self.life.now.groups.values() if one.term == "F27"]:
            self.life.dissolve(group)

    def _close(self) -> None:
        """Close a small school. Its students and teachers move to another elementary school."""
        now = self.life.now
        for group in [one.id for one in now.groups.values() if one.school == calendar.BIRCH.id]:
            self.life.dissolve(group)
        for course in [one.id for one in now.courses.values() if one.school == calendar.BIRCH.id]:
            del now.courses[course]
        for one in [one for one in now.people.values() if one.school == calendar.BIRCH.id]:
            self.life.move(one.id, calendar.ASH.id) if one.grade is not None else self.life.change(
                one.id, school=calendar.ASH.id
            )
        del now.schools[calendar.BIRCH.id]

    def _roll_over(self) -> None:
        """Start the next school year.

        All students are promoted, the last grade leaves, and classes with new ids replace the old.
        """
        now = self.life.now
        for group in list(now.groups):
            self.life.dissolve(group)
        for one in now.students():
            if one.grade == calendar.HIGH.last:
                self.life.leave(one.id)
            else:
                self._promote(one.id, (one.grade or 0) + 1)
        now.terms = terms(2028)
        for school in [one for one in now.schools.values() if one.first == 0]:
            for _ in range(self._size.ash):
                self.life.enroll(0, school.id)
        self.life.schedule(["Y28", "F28"])

    def _promote(self, person: str, grade: int) -> None:
        school = self.life.now.schools[self.life.now.people[person].school]
        if grade > school.last:
            school = calendar.MIDDLE if grade <= calendar.MIDDLE.last else calendar.HIGH
        self.life.change(person, grade=grade, school=school.id)
