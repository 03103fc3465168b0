"""Small random districts in the words of no layout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from string import ascii_letters

from hypothesis import strategies as st

GRADES = ("KG", "01", "05", "10", "12")
# Names as people have them: spaces, hyphens, apostrophes and accents inside, letters at both ends.
NAMES = st.builds(
    lambda head, middle, tail: head + middle + tail,
    st.sampled_from(ascii_letters.upper() + "ÁÉÖØŁ"),
    st.text("abcdeéñøłü '-", max_size=5).map(lambda text: " ".join(text.split())),
    st.sampled_from("aeioué"),
)


@dataclass(frozen=True)
class Person:
    """A student or a teacher of one school."""

    sourcedId: str
    given: str
    family: str
    school: str
    grade: str = ""  # of a student
    born: date | None = None  # of a student
    sex: str = ""  # of a student: `male` or `female`


@dataclass(frozen=True)
class Term:
    """A term, with its first and its last day."""

    sourcedId: str
    title: str
    first: date
    last: date


@dataclass(frozen=True)
class Section:
    """A class with its members."""

    sourcedId: str
    title: str
    course: str  # the id of its course, which no other section has
    school: str
    teacher: str
    students: frozenset[str]


@dataclass(frozen=True)
class District:
    """What a student information system knows."""

    schools: dict[str, str]  # from their ids to their names
    term: Term
    students: tuple[Person, ...]
    teachers: tuple[Person, ...]
    sections: tuple[Section, ...]


@st.composite
def districts(draw: st.DrawFn) -> District:
    """Draw a district with one term, in which each school has a teacher, a class and a student."""
    names = draw(st.lists(NAMES, min_size=1, max_size=2, unique=True))
    schools = {f"{number}": name for number, name in enumerate(names, 101)}
    first = draw(st.dates(date(2026, 7, 1), date(2026, 12, 1)))
    last = draw(st.dates(date(2027, 1, 1), date(2027, 6, 30)))
    students, teachers, sections = [], [], []
    for school in schools:
        pupils = [
            _student(draw, f"{school}{number:03}", school)
            for number in range(draw(st.integers(1, 4)))
        ]
        staff = [
            Person(f"T{school}{number:02}", draw(NAMES), draw(NAMES), school)
            for number in range(draw(st.integers(1, 2)))
        ]
        sections += [
            Section(
                f"C{school}-{number}",
                draw(NAMES),
                f"K{school}-{number}",
                school,
                draw(st.sampled_from(staff)).sourcedId,
                frozenset(
                    draw(st.sets(st.sampled_from([one.sourcedId for one in pupils]), min_size=1))
                ),
            )
            for number in range(draw(st.integers(1, 3)))
        ]
        students += pupils
        teachers += staff
    return District(
        schools,
        Term("Y1", draw(NAMES), first, last),
        tuple(students),
        tuple(teachers),
        tuple(sections),
    )


def _student(draw: st.DrawFn, one: str, school: str) -> Person:
    return Person(
        one,
        draw(NAMES),
        draw(NAMES),
        school,
        draw(st.sampled_from(GRADES)),
        draw(st.dates(date(2008, 1, 1), date(2021, 12, 31))),
        draw(st.sampled_from(("male", "female"))),
    )
