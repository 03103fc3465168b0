"""All that was seen of a drop, and the cells that several kinds of files need: ids, and the school of whatever it is."""

from __future__ import annotations

from dataclasses import dataclass

from transforms.guessing.columns import Columns, Seen, seen
from transforms.guessing.draft import Block, Line, constant, derived, quoted
from transforms.guessing.links import Links, linked, reasons
from transforms.guessing.spellings import NAMES, PEOPLE, SCHOOL, Subject, means
from transforms.guessing.subjects import Holds, subjects
from transforms.raw import Raw

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

    def leading(self, file: str, *wanted: Subject) -> list[Seen]:
        """The columns of a file that lead to what is wanted."""
        files = self.files(*wanted)
        return [one for one in self.columns[file] if (link := self.links.of(one)) and link.key.file in files]

    def keys_of(self, subjects: frozenset[Subject]) -> list[Seen]:
        """The keys of the files that hold these."""
        return [key for name, key in self.links.keys.items() if name in self.files(*subjects)]


def surveyed(raw: Raw) -> Survey:
    """Look at a drop."""
    columns = seen(raw)
    links = linked(columns)
    return Survey(columns, links, subjects(columns, links))


def id_cell(survey: Survey, column: Seen) -> str:
    """An id as it is; or made of it, where it is an address, has signs that ids may not have, or other people have the same one."""
    link = survey.links.of(column)
    key = link.key if link else column
    holds = survey.holds.get(key.file)
    if holds is not None and holds.subject in PEOPLE and is_personal(key):
        return derived(KIND[holds.subject], column.name, way="digested")
    ways_in = [key, *(one.column for one in survey.links.to(key.file))]
    if holds is None or (all(one.fit_for_ids for one in ways_in) and not _taken(survey, key, holds)):
        return quoted(column.name)
    return derived(KIND[holds.subject], column.name)


def is_personal(column: Seen) -> bool:
    """Whether a column has names or addresses of people."""
    return column.emails or means(column.name, NAMES) in PERSONAL


def _taken(survey: Survey, key: Seen, holds: Holds) -> bool:
    others = [one for one in survey.keys_of(PEOPLE) if one is not key] if holds.subject in PEOPLE else []
    return any(key.distinct.is_in(one.distinct.implode()).any() for one in others)


def key_line(survey: Survey, name: str, key: Seen | None) -> Line:
    """The line of a file's own ids."""
    if key is None:
        return Line(name, '""', "no column is different in each row; which of them is the id?", open=True)
    value = id_cell(survey, key)
    made = "" if value == quoted(key.name) else f"; {MADE[is_personal(key)]}"
    return Line(name, value, f"{'; '.join(reasons(survey.links, key))}{made}", (key.name,))


def link_line(survey: Survey, name: str, column: Seen) -> Line:
    """The line of a column that leads to another file."""
    link = survey.links.of(column)
    why = (
        f"found in {link.key.name!r} of {link.key.file} in {link.share} of {link.rows} rows" if link else "by its name"
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
        return Line(name, derived("school", column.name), f"made of {column.name!r}, as no file lists the schools", (column.name,))  # fmt: skip
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
        made = Line("sourcedId", derived("school", column.name), f"one for each of {column.distinct.len()} values", (column.name,))  # fmt: skip
        return [Block("orgs", (derived_line, made, Line("name", quoted(column.name), "its name, or what there is of it", (column.name,)), kind))]  # fmt: skip
    if several_schools(survey) or file != _home(survey):
        return []
    named = Line("name", constant(""), "what is the school called?", open=True)
    return [Block("orgs", (derived_line, Line("sourcedId", constant(ONE), "no column names a school, so it is one"), named, kind))]  # fmt: skip


def _named(each: list[Seen]) -> Seen | None:
    return next(
        (one for one in each if means(one.name, {"school": SCHOOL}) and not one.unique and not one.emails), None
    )


def _home(survey: Survey) -> str:
    """The file beside whose rows the one school stands: that of students, of other people, or the first."""
    return [*survey.files("students"), *survey.files(*PEOPLE), *survey.holds][0]
