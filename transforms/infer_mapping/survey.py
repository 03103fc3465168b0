"""Survey a drop: its columns, the links between files, and the subject of each file.

Also the lines that files of several subjects need: ids, and the school of a record.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.infer_mapping.columns import Columns, SourceColumn, seen
from transforms.infer_mapping.draft import Block, Line, constant, derived, quoted
from transforms.infer_mapping.links import Links, linked, reasons
from transforms.infer_mapping.spellings import (
    ENROLLMENTS,
    NAMES,
    PEOPLE,
    SCHOOL,
    TERMS,
    Spellings,
    Subject,
    means,
    subject_of,
)
from transforms.roster import Raw

KIND: dict[Subject, str] = {
    "schools": "school", "terms": "term", "courses": "course", "classes": "class",
    "students": "student",
    "teachers": "teacher", "staff": "staff", "contacts": "contact", "people": "person",
    "enrollments": "enrollment",
}  # fmt: skip
# Why an id is not the column itself: by whether the column is personal.
MADE = {
    True: "a digest of it, as nobody is to read a name or an address in an id",
    False: "made of it, as ids may not have such signs, or others have the same",
}
PERSONAL = frozenset({"name", "givenName", "familyName", "middleName", "email", "phone", "sms"})
ONE = "school"  # the id of the only school of a drop that names none
# Meanings of columns that a file about people has.
OF_PEOPLE = frozenset({"givenName", "familyName", "name", "username", "email"})


@dataclass(frozen=True)
class Survey:
    """What is known about a drop."""

    columns: Columns
    links: Links
    holds: dict[str, Holds]  # by file

    def files(self, *wanted: Subject) -> list[str]:
        """Return the files with these subjects."""
        return [name for name, holds in self.holds.items() if holds.subject in wanted]

    def leading(self, file: str, *wanted: Subject) -> list[SourceColumn]:
        """Return the columns of a file that refer to files with these subjects."""
        files = self.files(*wanted)
        return [
            one
            for one in self.columns[file]
            if (link := self.links.of(one)) and link.key.file in files
        ]

    def keys_of(self, subjects: frozenset[Subject]) -> list[SourceColumn]:
        """Return the keys of the files with these subjects."""
        return [key for name, key in self.links.keys.items() if name in self.files(*subjects)]


def surveyed(raw: Raw) -> Survey:
    """Survey a drop."""
    columns = seen(raw)
    links = linked(columns)
    return Survey(columns, links, subjects(columns, links))


def id_cell(survey: Survey, column: SourceColumn) -> str:
    """Return the cell of an id: the column itself, or an id made from it.

    An id is made if the column is personal, has characters that ids must not have, or has the same
    values as the ids of other people.
    """
    link = survey.links.of(column)
    key = link.key if link else column
    holds = survey.holds.get(key.file)
    if holds is not None and holds.subject in PEOPLE and is_personal(key):
        return derived(KIND[holds.subject], column.name, way="digested")
    same_ids = [key, *(one.column for one in survey.links.to(key.file))]
    if holds is None or (
        all(one.fit_for_ids for one in same_ids) and not _has_ids_of_others(survey, key, holds)
    ):
        return quoted(column.name)
    return derived(KIND[holds.subject], column.name)


def is_personal(column: SourceColumn) -> bool:
    """Whether a column has names, addresses or phone numbers of people."""
    return column.emails or means(column.name, NAMES) in PERSONAL


def _has_ids_of_others(survey: Survey, key: SourceColumn, holds: Holds) -> bool:
    others = (
        [one for one in survey.keys_of(PEOPLE) if one is not key] if holds.subject in PEOPLE else []
    )
    return any(key.distinct.is_in(one.distinct.implode()).any() for one in others)


def key_line(survey: Survey, name: str, key: SourceColumn | None) -> Line:
    """Return the line of a file's own ids."""
    if key is None:
        return Line(
            name, '""', "no column is different in each row; which of them is the id?", open=True
        )
    value = id_cell(survey, key)
    made = "" if value == quoted(key.name) else f"; {MADE[is_personal(key)]}"
    return Line(name, value, f"{'; '.join(reasons(survey.links, key))}{made}", (key.name,))


def link_line(survey: Survey, name: str, column: SourceColumn) -> Line:
    """Return the line of a column that refers to another file."""
    link = survey.links.of(column)
    why = (
        f"found in {link.key.name!r} of {link.key.file} in {link.share} of {link.rows} rows"
        if link
        else "by its name"
    )
    return Line(name, id_cell(survey, column), why, (column.name,))


def several_schools(survey: Survey) -> bool:
    """Whether the drop names schools: there may be several."""
    return bool(survey.files("schools")) or any(map(_school_column, survey.columns.values()))


def school_line(survey: Survey, file: str, name: str) -> Line:
    """Return the line of the school of a record."""
    if columns := survey.leading(file, "schools"):
        return link_line(survey, name, columns[0])
    column = _school_column(survey.columns[file])
    if column and not survey.files("schools"):
        return Line(
            name,
            derived("school", column.name),
            f"made of {column.name!r}, as no file lists the schools",
            (column.name,),
        )
    if several_schools(survey):
        return Line(name, '""', "which column says in which school it is?", open=True)
    return Line(name, constant(ONE), "no column names a school, so it is one")


def org_line(survey: Survey, file: str, name: str) -> Line:
    """Return the line of the org of a record: its school, or the district if that is not known."""
    line = school_line(survey, file, name)
    if not line.open:
        return line
    return Line(name, "{district = true}", "no column says which school's, so it is the district's")


def schools_block(survey: Survey, file: str) -> list[Block]:
    """Return the schools that a file of another subject names, if no file lists the schools.

    The only school of a drop that names none is in one block of the whole drop.
    """
    column = _school_column(survey.columns[file])
    if survey.files("schools"):
        return []
    if column:
        reads = (column.name,)
        count = column.distinct.len()
        sourced_id = Line(
            "sourcedId", derived("school", column.name), f"one for each of {count} values", reads
        )
        name = Line("name", quoted(column.name), "its name, or what there is of it", reads)
    elif several_schools(survey) or file != _file_with_school(survey):
        return []
    else:
        sourced_id = Line("sourcedId", constant(ONE), "no column names a school, so it is one")
        name = Line("name", constant(""), "what is the school called?", open=True)
    once = Line("derived", "true", "each row tells of it, and it is meant once")
    kind = Line("type", constant("school"), "a class is held by a school")
    return [Block("orgs", (once, sourced_id, name, kind))]


def _school_column(each: list[SourceColumn]) -> SourceColumn | None:
    return next(
        (
            one
            for one in each
            if means(one.name, {"school": SCHOOL}) and not one.unique and not one.emails
        ),
        None,
    )


def _file_with_school(survey: Survey) -> str:
    """The file with the block of the only school: of students, of other people, or the first."""
    return [*survey.files("students"), *survey.files(*PEOPLE), *survey.holds][0]


@dataclass(frozen=True)
class Holds:
    """The subject of a file."""

    subject: Subject
    why: str


def subjects(columns: Columns, links: Links) -> dict[str, Holds]:
    """Return the subjects of files, without those of unknown files."""
    known = {name: holds for name, each in columns.items() if (holds := _by_names(name, each))}
    for name, each in columns.items():
        if name in known and known[name].subject in {*PEOPLE, "schools"}:
            continue
        if holds := _by_links(each, links, known):
            known[name] = holds
    return known


def _by_names(file: str, each: list[SourceColumn]) -> Holds | None:
    """The subject of a file by its name, and the names of its columns."""
    meanings = {meaning for one in each if (meaning := means(one.name, NAMES))}
    if subject_and_word := subject_of(file):
        subject, word = subject_and_word
        # Files about something else, such as allergies, are also named after people.
        sure = subject not in PEOPLE or meanings & OF_PEOPLE
        return Holds(subject, f"its name says {word!r}") if sure else None
    if {"givenName", "familyName"} <= meanings:
        young = meanings & {"birthDate", "grades"}
        return Holds(
            "students" if young else "people",
            f"it has names{' and ' + ' and '.join(sorted(young)) if young else ''}",
        )
    if set(TERMS) <= {means(one.name, TERMS) for one in each}:
        return Holds("terms", "it has a name, a start and an end")
    return None


def _by_links(each: list[SourceColumn], links: Links, known: dict[str, Holds]) -> Holds | None:
    """Enrollments: a file that refers to people and to classes, and repeatedly to the same ones."""
    person = column_of(each, links, known, PEOPLE)
    group = column_of(each, links, known, frozenset({"classes"})) or first_named(
        each, ENROLLMENTS, "class"
    )
    if person is None or group is None or person is group or person.unique or group.unique:
        return None
    return Holds(
        "enrollments", f"{person.name!r} leads to people, and {group.name!r} names classes"
    )


def column_of(
    each: list[SourceColumn], links: Links, found: dict[str, Holds], wanted: frozenset[Subject]
) -> SourceColumn | None:
    """Return the first column that refers to a file with one of these subjects."""
    for one in each:
        link = links.of(one)
        if link and link.key.file in found and found[link.key.file].subject in wanted:
            return one
    return None


def first_named(
    each: list[SourceColumn], spellings: Spellings, meaning: str
) -> SourceColumn | None:
    """Return the first column whose name has this meaning."""
    return next((one for one in each if means(one.name, spellings) == meaning), None)
