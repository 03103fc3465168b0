"""All that was seen of a drop, and the cells that several kinds of files need: ids, and the school of whatever it is."""

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
    "schools": "school", "terms": "term", "courses": "course", "classes": "class", "students": "student",
    "teachers": "teacher", "staff": "staff", "contacts": "contact", "people": "person", "enrollments": "enrollment",
}  # fmt: skip
MADE = {
    # whether the column is personal
    True: "a digest of it, as nobody is to read a name or an address in an id",
    False: "made of it, as ids may not have such signs, or others have the same",
}
PERSONAL = frozenset({"name", "givenName", "familyName", "middleName", "email", "phone", "sms"})
ONE = "school"  # the id of the one school of a drop that names none


@dataclass(frozen=True)
class Survey:
    """The columns of a drop, how its files hang together, and what each of them holds."""

    columns: Columns
    links: Links
    holds: dict[str, Holds]

    def files(self, *wanted: Subject) -> list[str]:
        """The files that hold what is wanted."""
        return [name for name, holds in self.holds.items() if holds.subject in wanted]

    def leading(self, file: str, *wanted: Subject) -> list[SourceColumn]:
        """The columns of a file that lead to what is wanted."""
        files = self.files(*wanted)
        return [
            one
            for one in self.columns[file]
            if (link := self.links.of(one)) and link.key.file in files
        ]

    def keys_of(self, subjects: frozenset[Subject]) -> list[SourceColumn]:
        """The keys of the files that hold these."""
        return [key for name, key in self.links.keys.items() if name in self.files(*subjects)]


def surveyed(raw: Raw) -> Survey:
    """Look at a drop."""
    columns = seen(raw)
    links = linked(columns)
    return Survey(columns, links, subjects(columns, links))


def id_cell(survey: Survey, column: SourceColumn) -> str:
    """An id as it is; or made of it, where it is an address, has signs that ids may not have, or other people have the same one."""
    link = survey.links.of(column)
    key = link.key if link else column
    holds = survey.holds.get(key.file)
    if holds is not None and holds.subject in PEOPLE and is_personal(key):
        return derived(KIND[holds.subject], column.name, way="digested")
    ways_in = [key, *(one.column for one in survey.links.to(key.file))]
    if holds is None or (
        all(one.fit_for_ids for one in ways_in) and not _taken(survey, key, holds)
    ):
        return quoted(column.name)
    return derived(KIND[holds.subject], column.name)


def is_personal(column: SourceColumn) -> bool:
    """Whether a column has names or addresses of people."""
    return column.emails or means(column.name, NAMES) in PERSONAL


def _taken(survey: Survey, key: SourceColumn, holds: Holds) -> bool:
    others = (
        [one for one in survey.keys_of(PEOPLE) if one is not key] if holds.subject in PEOPLE else []
    )
    return any(key.distinct.is_in(one.distinct.implode()).any() for one in others)


def key_line(survey: Survey, name: str, key: SourceColumn | None) -> Line:
    """The line of a file's own ids."""
    if key is None:
        return Line(
            name, '""', "no column is different in each row; which of them is the id?", open=True
        )
    value = id_cell(survey, key)
    made = "" if value == quoted(key.name) else f"; {MADE[is_personal(key)]}"
    return Line(name, value, f"{'; '.join(reasons(survey.links, key))}{made}", (key.name,))


def link_line(survey: Survey, name: str, column: SourceColumn) -> Line:
    """The line of a column that leads to another file."""
    link = survey.links.of(column)
    why = (
        f"found in {link.key.name!r} of {link.key.file} in {link.share} of {link.rows} rows"
        if link
        else "by its name"
    )
    return Line(name, id_cell(survey, column), why, (column.name,))


def several_schools(survey: Survey) -> bool:
    """Whether the drop names schools, of which there may be several."""
    return bool(survey.files("schools")) or any(_named(each) for each in survey.columns.values())


def school_line(survey: Survey, file: str, name: str) -> Line:
    """The line that says in which school something is."""
    if columns := survey.leading(file, "schools"):
        return link_line(survey, name, columns[0])
    column = _named(survey.columns[file])
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
    """The line that says whose something is: its school's; where that is not known, the district's."""
    line = school_line(survey, file, name)
    if not line.open:
        return line
    return Line(name, "{district = true}", "no column says which school's, so it is the district's")


def schools_block(survey: Survey, file: str) -> list[Block]:
    """The schools that a file tells of beside what it holds, where no file lists them."""
    column = _named(survey.columns[file])
    if survey.files("schools"):
        return []
    kind = Line("type", constant("school"), "a class is held by a school")
    derived_line = Line("derived", "true", "each row tells of it, and it is meant once")
    if column:
        made = Line(
            "sourcedId",
            derived("school", column.name),
            f"one for each of {column.distinct.len()} values",
            (column.name,),
        )
        return [
            Block(
                "orgs",
                (
                    derived_line,
                    made,
                    Line(
                        "name",
                        quoted(column.name),
                        "its name, or what there is of it",
                        (column.name,),
                    ),
                    kind,
                ),
            )
        ]
    if several_schools(survey) or file != _home(survey):
        return []
    named = Line("name", constant(""), "what is the school called?", open=True)
    return [
        Block(
            "orgs",
            (
                derived_line,
                Line("sourcedId", constant(ONE), "no column names a school, so it is one"),
                named,
                kind,
            ),
        )
    ]


def _named(each: list[SourceColumn]) -> SourceColumn | None:
    return next(
        (
            one
            for one in each
            if means(one.name, {"school": SCHOOL}) and not one.unique and not one.emails
        ),
        None,
    )


def _home(survey: Survey) -> str:
    """The file beside whose rows the one school stands: that of students, of other people, or the first."""
    return [*survey.files("students"), *survey.files(*PEOPLE), *survey.holds][0]


OF_PEOPLE = frozenset({"givenName", "familyName", "name", "username", "email"})


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


def _by_itself(name: str, each: list[SourceColumn]) -> Holds | None:
    meanings = {meaning for one in each if (meaning := means(one.name, NAMES))}
    if said := subject_of(name):
        # Files about people, such as of their allergies, are called after them too.
        known = said[0] not in PEOPLE or meanings & OF_PEOPLE
        return Holds(said[0], f"its name says {said[1]!r}") if known else None
    if {"givenName", "familyName"} <= meanings:
        young = meanings & {"birthDate", "grades"}
        return Holds(
            "students" if young else "people",
            f"it has names{' and ' + ' and '.join(sorted(young)) if young else ''}",
        )
    if set(TERMS) <= {means(one.name, TERMS) for one in each}:
        return Holds("terms", "it has a name, a start and an end")
    return None


def _of_both(each: list[SourceColumn], links: Links, found: dict[str, Holds]) -> Holds | None:
    """A file that leads to people and to classes, and to the same ones many times, says who is in which class."""
    person = column_of(each, links, found, PEOPLE)
    group = column_of(each, links, found, frozenset({"classes"})) or first_named(
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
    """The first column that leads to a file of what is wanted."""
    for one in each:
        link = links.of(one)
        if link and link.key.file in found and found[link.key.file].subject in wanted:
            return one
    return None


def first_named(
    each: list[SourceColumn], spellings: Spellings, meaning: str
) -> SourceColumn | None:
    """The first column whose name has a meaning."""
    return next((one for one in each if means(one.name, spellings) == meaning), None)
