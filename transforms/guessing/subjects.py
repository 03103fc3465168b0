"""What each file of a drop holds: by its name, by its columns, and by where they lead."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.guessing.columns import Columns, Seen
from transforms.guessing.links import Links
from transforms.guessing.spellings import (
    ENROLLMENTS,
    NAMES,
    PEOPLE,
    TERMS,
    Spellings,
    Subject,
    means,
    subject_of,
)

PERSONAL = frozenset({"givenName", "familyName", "name", "username", "email"})


@dataclass(frozen=True)
class Holds:
    """What a file is about, and why that is thought."""

    subject: Subject
    why: str


def subjects(columns: Columns, links: Links) -> dict[str, Holds]:
    """Say what files hold; those of which nothing is known are left out."""
    found = {name: holds for name, each in columns.items() if (holds := _by_itself(name, each))}
    for name, each in columns.items():
        if name in found and found[name].subject in {*PEOPLE, "schools"}:
            continue
        if holds := _of_both(each, links, found):
            found[name] = holds
    return found


def _by_itself(name: str, each: list[Seen]) -> Holds | None:
    meanings = {meaning for one in each if (meaning := means(one.name, NAMES))}
    if said := subject_of(name):
        # Files about people, such as of their allergies, are called after them too.
        known = said[0] not in PEOPLE or meanings & PERSONAL
        return Holds(said[0], f"its name says {said[1]!r}") if known else None
    if {"givenName", "familyName"} <= meanings:
        young = meanings & {"birthDate", "grades"}
        return Holds(
            "students" if young else "people", f"it has names{' and ' + ' and '.join(sorted(young)) if young else ''}"
        )
    if set(TERMS) <= {means(one.name, TERMS) for one in each}:
        return Holds("terms", "it has a name, a start and an end")
    return None


def _of_both(each: list[Seen], links: Links, found: dict[str, Holds]) -> Holds | None:
    """A file that leads to people and to classes, and to the same ones many times, says who is in which class."""
    person = column_of(each, links, found, PEOPLE)
    group = column_of(each, links, found, frozenset({"classes"})) or first_named(each, ENROLLMENTS, "class")
    if person is None or group is None or person is group or person.unique or group.unique:
        return None
    return Holds("enrollments", f"{person.name!r} leads to people, and {group.name!r} names classes")


def column_of(each: list[Seen], links: Links, found: dict[str, Holds], wanted: frozenset[Subject]) -> Seen | None:
    """The first column that leads to a file of what is wanted."""
    for one in each:
        link = links.of(one)
        if link and link.key.file in found and found[link.key.file].subject in wanted:
            return one
    return None


def first_named(each: list[Seen], spellings: Spellings, meaning: str) -> Seen | None:
    """The first column whose name has a meaning."""
    return next((one for one in each if means(one.name, spellings) == meaning), None)
