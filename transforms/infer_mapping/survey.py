"""Survey a drop: its columns, the links between files, and the subject of each file.

Also the lines that files of several subjects need: ids, and the school of a record.
"""

from __future__ import annotations

from dataclasses import dataclass

from transforms.grammar import count_of
from transforms.infer_mapping.columns import Columns, SourceColumn, columns_of_files
from transforms.infer_mapping.draft import DraftLine, EntityDraft, constant, derived, toml_string
from transforms.infer_mapping.links import Links, find_links, key_reasons
from transforms.infer_mapping.spellings import (
    ENROLLMENTS,
    NAMES,
    PEOPLE,
    SCHOOL,
    TERMS,
    Spellings,
    Subject,
    has_names,
    meaning_of,
    subject_of,
)
from transforms.roster import Raw

ID_KINDS: dict[Subject, str] = {
    "schools": "school", "terms": "term", "courses": "course", "classes": "class",
    "students": "student",
    "teachers": "teacher", "staff": "staff", "contacts": "contact", "people": "person",
    "enrollments": "enrollment",
}  # fmt: skip
# Why an id is not the column itself: by whether the column is personal.
REASONS_FOR_IDS = {
    True: "a digest of it, as nobody is to read a name or an address in an id",
    False: "made of it, as ids may not have such signs, or others have the same",
}
PERSONAL = frozenset({"name", "givenName", "familyName", "middleName", "email", "phone", "sms"})
ONLY_SCHOOL = "school"  # the id of the only school of a drop that names none
# Meanings of columns that a file about people has.
OF_PEOPLE = frozenset({"givenName", "familyName", "name", "username", "email"})


@dataclass(frozen=True)
class Survey:
    """What is known about a drop."""

    columns: Columns
    links: Links
    holds: dict[str, FileSubject]  # by file

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


def survey_drop(raw: Raw) -> Survey:
    """Survey a drop."""
    columns = columns_of_files(raw)
    links = find_links(columns)
    return Survey(columns, links, find_subjects(columns, links))


def id_cell(survey: Survey, column: SourceColumn) -> str:
    """Return the cell of an id: the column itself, or an id made from it.

    An id is made if the column is personal, has characters that ids must not have, or has the same
    values as the ids of other people.
    """
    link = survey.links.of(column)
    key = link.key if link else column
    holds = survey.holds.get(key.file)
    if holds is not None and holds.subject in PEOPLE and is_personal(key):
        return derived(ID_KINDS[holds.subject], column.name, way="digested")
    same_ids = [key, *(one.column for one in survey.links.to(key.file))]
    if holds is None or (
        all(one.fit_for_ids for one in same_ids) and not _has_ids_of_others(survey, key, holds)
    ):
        return toml_string(column.name)
    return derived(ID_KINDS[holds.subject], column.name)


def is_personal(column: SourceColumn) -> bool:
    """Whether a column has names, addresses or phone numbers of people."""
    return column.emails or meaning_of(column.name, NAMES) in PERSONAL


def _has_ids_of_others(survey: Survey, key: SourceColumn, holds: FileSubject) -> bool:
    others = (
        [one for one in survey.keys_of(PEOPLE) if one is not key] if holds.subject in PEOPLE else []
    )
    return any(key.distinct.is_in(one.distinct.implode()).any() for one in others)


def key_line(survey: Survey, name: str, key: SourceColumn | None) -> DraftLine:
    """Return the line of a file's own ids."""
    if key is None:
        return DraftLine(
            name, '""', "no column is different in each row; which of them is the id?", open=True
        )
    value = id_cell(survey, key)
    made = "" if value == toml_string(key.name) else f"; {REASONS_FOR_IDS[is_personal(key)]}"
    return DraftLine(name, value, f"{'; '.join(key_reasons(survey.links, key))}{made}", (key.name,))


def link_line(survey: Survey, name: str, column: SourceColumn) -> DraftLine:
    """Return the line of a column that refers to another file."""
    link = survey.links.of(column)
    why = (
        f"found in {link.key.name!r} of {link.key.file} in {link.share} of "
        f"{count_of(link.rows, 'rows')}"
        if link
        else "by its name"
    )
    return DraftLine(name, id_cell(survey, column), why, (column.name,))


def several_schools(survey: Survey) -> bool:
    """Whether the drop names schools: there may be several."""
    return bool(survey.files("schools")) or any(map(_school_column, survey.columns.values()))


def school_line(survey: Survey, file: str, name: str) -> DraftLine:
    """Return the line of the school of a record."""
    if columns := survey.leading(file, "schools"):
        return link_line(survey, name, columns[0])
    column = _school_column(survey.columns[file])
    if column and not survey.files("schools"):
        return DraftLine(
            name,
            derived("school", column.name),
            f"made of {column.name!r}, as no file lists the schools",
            (column.name,),
        )
    if several_schools(survey):
        return DraftLine(name, '""', "which column says in which school it is?", open=True)
    return DraftLine(name, constant(ONLY_SCHOOL), "no column names a school, so it is one")


def org_line(survey: Survey, file: str, name: str) -> DraftLine:
    """Return the line of the org of a record: its school, or the district if that is not known."""
    line = school_line(survey, file, name)
    if not line.open:
        return line
    return DraftLine(
        name, "{district = true}", "no column says which school's, so it is the district's"
    )


def named_schools_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the schools that a file of another subject names, if no file lists the schools.

    The only school of a drop that names none is in one block of the whole drop.
    """
    column = _school_column(survey.columns[file])
    if survey.files("schools"):
        return []
    if column:
        reads = (column.name,)
        count = column.distinct.len()
        sourced_id = DraftLine(
            "sourcedId",
            derived("school", column.name),
            f"one for each of {count_of(count, 'values')}",
            reads,
        )
        name = DraftLine(
            "name", toml_string(column.name), "its name, or what there is of it", reads
        )
    elif several_schools(survey) or file != _file_with_school(survey):
        return []
    else:
        sourced_id = DraftLine(
            "sourcedId", constant(ONLY_SCHOOL), "no column names a school, so it is one"
        )
        name = DraftLine("name", constant(""), "what is the school called?", open=True)
    once = DraftLine("derived", "true", "each row names it, and it is meant once")
    kind = DraftLine("type", constant("school"), "a class is held by a school")
    return [EntityDraft("orgs", (once, sourced_id, name, kind))]


def _school_column(each: list[SourceColumn]) -> SourceColumn | None:
    return next(
        (
            one
            for one in each
            if meaning_of(one.name, {"school": SCHOOL}) and not one.unique and not one.emails
        ),
        None,
    )


def _file_with_school(survey: Survey) -> str:
    """The file with the block of the only school: of students, of other people, or the first."""
    return [*survey.files("students"), *survey.files(*PEOPLE), *survey.holds][0]


@dataclass(frozen=True)
class FileSubject:
    """The subject of a file."""

    subject: Subject
    why: str


def find_subjects(columns: Columns, links: Links) -> dict[str, FileSubject]:
    """Return the subjects of files, without those of unknown files."""
    known = {name: holds for name, each in columns.items() if (holds := _by_names(name, each))}
    for name, each in columns.items():
        if name in known and known[name].subject in {*PEOPLE, "schools"}:
            continue
        if holds := _by_links(each, links, known):
            known[name] = holds
    return known


def _by_names(file: str, each: list[SourceColumn]) -> FileSubject | None:
    """The subject of a file by its name, and the names of its columns."""
    meanings = {meaning for one in each if (meaning := meaning_of(one.name, NAMES))}
    if subject_and_word := subject_of(file):
        subject, word = subject_and_word
        # Files about something else, such as allergies, are also named after people.
        sure = subject not in PEOPLE or meanings & OF_PEOPLE
        return FileSubject(subject, f"its name says {word!r}") if sure else None
    if has_names(one.name for one in each):
        young = meanings & {"birthDate", "grades"}
        return FileSubject(
            "students" if young else "people",
            f"it has names{' and ' + ' and '.join(sorted(young)) if young else ''}",
        )
    if set(TERMS) <= {meaning_of(one.name, TERMS) for one in each}:
        return FileSubject("terms", "it has a name, a start and an end")
    return None


def _by_links(
    each: list[SourceColumn], links: Links, known: dict[str, FileSubject]
) -> FileSubject | None:
    """Enrollments: a file that refers to people and to classes, and repeatedly to the same ones.

    In a small drop each student may have one class, which is certain if a file lists the classes.
    """
    person = column_linked_to(each, links, known, PEOPLE)
    listed = column_linked_to(each, links, known, frozenset({"classes"}))
    group = listed or column_named(each, ENROLLMENTS, "class")
    if person is None or group is None or person is group:
        return None
    pupil = listed and column_linked_to(each, links, known, frozenset({"students", "people"}))
    if (person.unique or group.unique) and not pupil:
        return None
    return FileSubject(
        "enrollments", f"{person.name!r} leads to people, and {group.name!r} names classes"
    )


def column_linked_to(
    each: list[SourceColumn],
    links: Links,
    found: dict[str, FileSubject],
    wanted: frozenset[Subject],
) -> SourceColumn | None:
    """Return the first column that refers to a file with one of these subjects."""
    for one in each:
        link = links.of(one)
        if link and link.key.file in found and found[link.key.file].subject in wanted:
            return one
    return None


def column_named(
    each: list[SourceColumn], spellings: Spellings, meaning: str
) -> SourceColumn | None:
    """Return the first column whose name has this meaning."""
    return next((one for one in each if meaning_of(one.name, spellings) == meaning), None)
