"""The blocks of a mapping file, by the subject of the file in the drop.

Subjects are people, classes, enrollments, schools, terms and courses. Lines that are not certain
are open, for a person to finish.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

import polars as pl

from transforms.infer_mapping.columns import SourceColumn
from transforms.infer_mapping.draft import Block, Line, constant, derived, key_of, quoted, word
from transforms.infer_mapping.spellings import (
    CLASSES,
    COURSES,
    ENROLLMENTS,
    NAMES,
    PEOPLE,
    SCHOOLS,
    TERMS,
    Spellings,
    Subject,
    looks_like_id,
    means,
)
from transforms.infer_mapping.survey import (
    Survey,
    id_cell,
    is_personal,
    key_line,
    link_line,
    org_line,
    school_line,
    schools_block,
)
from transforms.layouts.vocabulary import CLASS_ROLES, ROLES, SEXES, grade_of
from transforms.schemas import ENTITIES

# Columns of users that are read as they are.
PLAIN = ("middleName", "preferredGivenName", "preferredFamilyName", "phone", "sms", "pronouns")
ROLE: dict[Subject, str] = {"students": "student", "teachers": "teacher", "contacts": "guardian"}
# In files with these subjects all people have one role, whatever the columns say.
CERTAIN: frozenset[Subject] = frozenset({"students", "teachers"})
STAFF: tuple[Subject, ...] = ("teachers", "staff", "people")
ONCE = Line("derived", "true", "many rows tell of it, and it is meant once")
GRADES = (
    "KG",
    "PK",
    "PR",
    "TK",
    "IT",
    "PS",
    "UG",
    "Other",
    *(f"{year:02}" for year in range(1, 14)),
)
# Meaning (see `spellings`) -> column.
Meant = dict[str, SourceColumn]
# Returns OneRoster's word for a value; None if it is unknown.
Meaning = Callable[[str], str | None]


def people_blocks(survey: Survey, file: str) -> list[Block]:
    """Return the blocks of a file of people: users, their roles, and their demographics."""
    meant = meant_in(survey.columns[file], survey.links.keys.get(file))
    blocks = [
        *schools_block(survey, file),
        Block("users", (*_user_lines(survey, file, meant), *agent_lines(survey, file))),
        _roles(survey, file, meant),
    ]
    demographics = _demographics(survey, file, meant)
    if len(demographics.lines) > 1:
        blocks.append(demographics)
    return [*blocks, *agent_joins(survey, file)]


def meant_in(each: list[SourceColumn], key: SourceColumn | None) -> Meant:
    """Return the first column with each meaning; email addresses are recognized by their values."""
    meant: Meant = {}
    for one in each:
        meaning = means(one.name, NAMES)
        if meaning == "email" and not one.emails and one.rows and one.cells.len():
            continue
        if meaning and one is not key:
            meant.setdefault(meaning, one)
    addresses = [one for one in each if one.emails]
    if addresses and "email" not in meant:
        meant["email"] = addresses[0]
    return meant


def _user_lines(survey: Survey, file: str, meant: Meant) -> list[Line]:
    subject = survey.holds[file].subject
    lines = []
    if subject == "contacts":
        lines.append(Line("repeats", "true", "a person has a row for each child"))
    lines += [
        key_line(survey, "sourcedId", survey.links.keys.get(file)),
        *_sign_in_lines(meant),
        *_name_lines(meant),
        *(_plain_line(name, meant[name]) for name in PLAIN if name in meant),
    ]
    school = school_line(survey, file, "primaryOrgSourcedId")
    if not (school.open and subject == "contacts"):
        lines.append(school)
    if "grades" in meant and subject in ("students", "people"):
        lines += meaning_lines("grades", "grades", meant["grades"], "by its name")
    return [*lines, *status_lines(meant)]


def _sign_in_lines(meant: Meant) -> list[Line]:
    """The lines of `username` and `email`."""
    lines = []
    if "username" in meant:
        lines.append(_plain_line("username", meant["username"]))
    if "email" in meant:
        email = meant["email"].name
        if "username" not in meant:
            why = "no column is a user name, and addresses are different"
            lines.append(Line("username", word("lowered", email), why, (email,)))
        lines.append(Line("email", quoted(email), "its values are e-mail addresses", (email,)))
    return lines


def _name_lines(meant: Meant) -> list[Line]:
    """The given and the family name: from their own columns, or from a column with full names."""
    if "name" in meant and not {"givenName", "familyName"} & meant.keys():
        column = meant["name"].name
        return [
            Line(name, word(way, column), "a whole name, such as Ann Lee or Lee, Ann", (column,))
            for name, way in (("givenName", "given_name"), ("familyName", "family_name"))
        ]
    return [text_line(name, meant.get(name)) for name in ("givenName", "familyName")]


def _plain_line(name: str, column: SourceColumn) -> Line:
    return Line(name, quoted(column.name), "by its name", (column.name,))


def _roles(survey: Survey, file: str, meant: Meant) -> Block:
    user = key_line(survey, "userSourcedId", survey.links.keys.get(file))
    user = replace(user, why="as above")
    org = org_line if survey.holds[file].subject == "contacts" else school_line
    return Block(
        "roles", (user, org(survey, file, "orgSourcedId"), *_role_lines(survey, file, meant))
    )


def _role_lines(survey: Survey, file: str, meant: Meant) -> list[Line]:
    holds = survey.holds[file]
    if "role" in meant and holds.subject not in CERTAIN:
        return meaning_lines("role", "role", meant["role"], "by its name", "roles")
    if holds.subject in ROLE:
        return [Line("role", constant(ROLE[holds.subject]), holds.why)]
    return [Line("role", constant(""), "what are these people?", open=True)]


def _demographics(survey: Survey, file: str, meant: Meant) -> Block:
    user = key_line(survey, "sourcedId", survey.links.keys.get(file))
    lines = [replace(user, why="as above")]
    if "birthDate" in meant:
        column = meant["birthDate"]
        why = "its values are dates" if column.dates else "by its name"
        cell = word("birth_date", column.name)
        lines.append(Line("birthDate", cell, why, (column.name,), open=not column.dates))
    if "sex" in meant:
        lines += meaning_lines("sex", "sex", meant["sex"], "by its name", "demographics")
    if "races" in meant:
        lines.append(_plain_line("races", meant["races"]))
    return Block("demographics", tuple(lines))


def classes_blocks(survey: Survey, file: str) -> list[Block]:
    """Return the blocks of a file of classes: classes, teachers, and courses without a file."""
    key = survey.links.keys.get(file)
    blocks = [
        *schools_block(survey, file),
        *_classes_and_courses(survey, file, key_line(survey, "sourcedId", key), key),
    ]
    teachers = [_teacher(survey, key, one) for one in survey.leading(file, *STAFF) if key]
    return [*blocks, *teachers]


def _classes_and_courses(
    survey: Survey, file: str, own: Line, key: SourceColumn | None, once: tuple[Line, ...] = ()
) -> list[Block]:
    """The classes and courses of a file that lists classes, or of one that only names them.

    `own` is the line of the class's id; `once` is set if a file only names its classes.
    """
    meant = named(survey, file, CLASSES)
    course, courses = _course(survey, file, meant, key)
    lines = [
        own,
        text_line("title", meant.get("title"), key),
        course,
        school_line(survey, file, "schoolSourcedId"),
    ]
    if terms := survey.leading(file, "terms"):
        term = link_line(survey, "termSourcedIds", terms[0])
        lines.append(replace(term, value=word("texts", terms[0].name)))
    if "location" in meant and not once:
        lines.append(text_line("location", meant["location"]))
    if "periods" in meant and not once:
        periods = meant["periods"].name
        lines.append(Line("periods", word("texts", periods), "by its name", (periods,)))
    return [*courses, Block("classes", (*once, *lines))]


def _course(
    survey: Survey, file: str, meant: Meant, key: SourceColumn | None
) -> tuple[Line, list[Block]]:
    """The course of a class, and the courses themselves if no file lists them."""
    if columns := survey.leading(file, "courses"):
        return link_line(survey, "courseSourcedId", columns[0]), []
    column = meant.get("course") or meant.get("courseTitle") or key
    if column is None:
        return Line("courseSourcedId", '""', "which course is taught?", open=True), []
    why = f"no file lists courses, so there is one for each value of {column.name!r}"
    sourced_id = derived("course", column.name)
    lines = (
        ONCE,
        Line("sourcedId", sourced_id, why, (column.name,)),
        text_line("title", meant.get("courseTitle"), column),
        org_line(survey, file, "orgSourcedId"),
    )
    course = Line("courseSourcedId", sourced_id, "as above", (column.name,))
    return course, [Block("courses", lines)]


def _teacher(survey: Survey, key: SourceColumn, column: SourceColumn) -> Block:
    why = "a row where it is blank says of nobody that they teach"
    lines = (
        Line("given", quoted(column.name), why, (column.name,)),
        Line("classSourcedId", id_cell(survey, key), "as above", (key.name,)),
        link_line(survey, "userSourcedId", column),
        Line("role", constant("teacher"), f"{column.name!r} leads to those who teach"),
    )
    return Block("enrollments", lines)


def enrollments_blocks(survey: Survey, file: str) -> list[Block]:
    """Return the blocks of a file of enrollments, with its classes if no file lists those."""
    meant = named(survey, file, ENROLLMENTS)
    groups = survey.leading(file, "classes")
    group = groups[0] if groups else meant.get("class")
    people = [one for one in survey.leading(file, *PEOPLE) if one is not group]
    blocks: list[Block] = []
    if group is None:
        own = Line("classSourcedId", '""', "which column names the class?", open=True)
    elif groups:
        own = link_line(survey, "classSourcedId", group)
    else:
        own = Line("classSourcedId", _class_id(group), "as above", (group.name,))
        blocks = [*schools_block(survey, file), *_classes_named(survey, file, group)]
    alone = len(people) == 1
    blocks += [_enrollments(survey, own, one, meant, alone=alone) for one in people]
    if not people:
        person = Line("userSourcedId", '""', "which column names the person?", open=True)
        role = Line("role", constant(""), "what are they in the class?", open=True)
        blocks.append(Block("enrollments", (own, person, role)))
    return blocks


def _classes_named(survey: Survey, file: str, group: SourceColumn) -> list[Block]:
    why = f"no file lists classes, so there is one for each value of {group.name!r}"
    own = Line("sourcedId", _class_id(group), why, (group.name,))
    return _classes_and_courses(survey, file, own, group, (ONCE,))


def _class_id(group: SourceColumn) -> str:
    return quoted(group.name) if group.fit_for_ids else derived("class", group.name)


def _enrollments(
    survey: Survey, own: Line, column: SourceColumn, meant: Meant, *, alone: bool
) -> Block:
    """The enrollments of the people in a column; `alone` if no other column has people."""
    days = [
        date_line(name, meant[name]) for name in ("beginDate", "endDate") if name in meant and alone
    ]
    lines = [
        own,
        link_line(survey, "userSourcedId", column),
        *_class_role_lines(survey, column, meant, alone),
        *days,
        *status_lines(meant),
    ]
    link = survey.links.of(column)
    if alone or link is None or survey.holds[link.key.file].subject == "students":
        return Block("enrollments", tuple(lines))
    # A teacher is in the rows of all students of the class, but has one enrollment.
    reads = (*own.reads, column.name)
    sourced_id = derived("enrollment", *dict.fromkeys(reads))
    key = Line("sourcedId", sourced_id, "the class and the person", reads)
    return Block("enrollments", (ONCE, key, *lines))


def _class_role_lines(
    survey: Survey, column: SourceColumn, meant: Meant, alone: bool
) -> list[Line]:
    if "role" in meant and alone:
        return meaning_lines("role", "class_role", meant["role"], "by its name", "enrollments")
    link = survey.links.of(column)
    subject = survey.holds[link.key.file].subject if link else "people"
    if subject == "people":
        return [Line("role", constant(""), "what are they in the class?", open=True)]
    role = "student" if subject == "students" else "teacher"
    return [Line("role", constant(role), f"{column.name!r} leads to {subject}")]


def named(survey: Survey, file: str, spellings: Spellings) -> Meant:
    """Return the first column with each meaning, except the key."""
    meant: Meant = {}
    for one in survey.columns[file]:
        meaning = means(one.name, spellings)
        if meaning and one is not survey.links.keys.get(file):
            meant.setdefault(meaning, one)
    return meant


def text_line(
    name: str, column: SourceColumn | None, otherwise: SourceColumn | None = None
) -> Line:
    """Return the line of a column with text, or of another column if there is none by that name."""
    if column is not None:
        return _plain_line(name, column)
    if otherwise is not None:
        return Line(name, quoted(otherwise.name), "no other column says it", (otherwise.name,))
    return Line(name, '""', "no column has it by its name", open=True)


def schools_blocks(survey: Survey, file: str) -> list[Block]:
    """Return the block of a file of schools."""
    meant, key = named(survey, file, SCHOOLS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("name", meant.get("name"), key)]
    lines.append(Line("type", constant("school"), survey.holds[file].why))
    if "identifier" in meant:
        lines.append(text_line("identifier", meant["identifier"]))
    return [Block("orgs", tuple(lines))]


def terms_blocks(survey: Survey, file: str) -> list[Block]:
    """Return the block of a file of terms."""
    meant, key = named(survey, file, TERMS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    lines.append(Line("type", constant("term"), survey.holds[file].why))
    lines += [date_line(name, meant.get(name)) for name in ("startDate", "endDate")]
    return [Block("academicSessions", tuple(lines))]


def date_line(name: str, column: SourceColumn | None) -> Line:
    """Return the line of a column with dates; open if its values are no dates."""
    if column is None:
        return Line(name, '""', "no column has it by its name", open=True)
    why = "its values are dates" if column.dates else "by its name, but its values are no dates"
    return Line(name, word("iso_date", column.name), why, (column.name,), open=not column.dates)


def status_lines(meant: dict[str, SourceColumn]) -> list[Line]:
    """Return the line of a status: open, as only a person knows whether it deletes records."""
    if "status" not in meant:
        return []
    column = meant["status"].name
    why = "does it say who is gone? Words such as inactive are then deletions"
    return [Line("status", word("status", column), why, (column,), open=True)]


def courses_blocks(survey: Survey, file: str) -> list[Block]:
    """Return the block of a file of courses."""
    meant, key = named(survey, file, COURSES), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    if "courseCode" in meant:
        lines.append(text_line("courseCode", meant["courseCode"]))
    lines.append(org_line(survey, file, "orgSourcedId"))
    if "grades" in meant:
        lines += meaning_lines("grades", "grades", meant["grades"], "by its name")
    return [*schools_block(survey, file), Block("courses", tuple(lines))]


def agent_lines(survey: Survey, file: str) -> list[Line]:
    """Return the line of the agents of students, which are in a file of contacts."""
    return [_agents_line(survey, child, key) for child, key in _contacts(survey, file)[:1]]


def agent_joins(survey: Survey, file: str) -> list[Block]:
    """Return the join of the file of contacts to the file of students."""
    own = survey.links.keys.get(file)
    if own is None:
        return []
    return [Block("join", _join(own, child, key)) for child, key in _contacts(survey, file)[:1]]


def _contacts(survey: Survey, file: str) -> list[tuple[SourceColumn, SourceColumn]]:
    """The columns of files of contacts that refer to students, and the ids of those contacts."""
    if survey.holds[file].subject != "students":
        return []
    children = [
        link.column
        for link in survey.links.to(file)
        if link.column.file in survey.files("contacts")
    ]
    return [(child, key) for child in children if (key := survey.links.keys.get(child.file))]


def _agents_line(survey: Survey, child: SourceColumn, key: SourceColumn) -> Line:
    column = f"{_stem(child.file)}.{key.name}"
    why = f"{child.name!r} of {child.file} says whose contact each is"
    if id_cell(survey, key) == quoted(key.name):
        return Line("agentSourcedIds", word("texts", column), why)
    way = "digested_each" if is_personal(key) else "derived_each"
    ids = f'{{{way} = "contact", column = {quoted(column)}}}'
    if is_personal(key) or (key.distinct.str.to_lowercase() == key.distinct).all():
        return Line("agentSourcedIds", ids, why)
    why = f"{why}; but ids in lists are made in lower case"
    return Line("agentSourcedIds", ids, why, open=True)


def _join(own: SourceColumn, child: SourceColumn, key: SourceColumn) -> tuple[Line, ...]:
    return (
        Line("file", quoted(_stem(child.file)), "where the contacts of each student are"),
        Line("on", quoted(own.name), "the student here", (own.name,)),
        Line("key", quoted(child.name), "the student there"),
        Line("columns", f"[{quoted(key.name)}]", "the contact"),
        Line("all_of_them", "true", "a student has several"),
    )


def _stem(file: str) -> str:
    return file.rpartition(".")[0] or file


def _known_grades(value: str) -> str | None:
    """Return the value if it is a grade or a list of grades."""
    items = [grade_of(item, {}) for item in re.split(r"[,;|]", value) if item.strip()]
    return value if all(set(item.split(",")) <= set(GRADES) for item in items) else None


# By the function of `layouts.expressions` that reads such values.
WORDS: dict[str, Meaning] = {
    "grades": _known_grades,
    "sex": lambda value: SEXES.get(value.casefold()),
    "role": lambda value: ROLES.get(value.casefold()),
    "class_role": lambda value: CLASS_ROLES.get(value.casefold()),
}


def meaning_lines(
    key: str, vocabulary: str, column: SourceColumn, why: str, entity: str = ""
) -> list[Line]:
    """Return the lines of a column with words of a vocabulary.

    That is one line if all values are known or if there are too many; otherwise, a line for each
    value, which is open if the value is unknown. `entity` has the column, if that has a vocabulary.
    """
    meaning, reads = WORDS[vocabulary], (column.name,)
    counts = _counts(column)
    unknown = [value for value, _ in counts if meaning(value) is None]
    cell = word(vocabulary, column.name)
    if not unknown:
        return [Line(key, cell, f"{why}; all of its values are known", reads)]
    if not column.closed or column.emails or looks_like_id(column.words):
        why = f"{why}, but {len(unknown)} of its {len(counts)} values are not known"
        return [Line(key, cell, why, reads, open=True)]
    expected = ", ".join(ENTITIES[entity][key].values if entity else GRADES)
    why = f"{why}; each of its values has a line"
    return [
        Line(f"{key}.one_of", quoted(column.name), why, reads),
        *(_value_line(key, value, rows, meaning(value), expected) for value, rows in counts),
    ]


def _value_line(key: str, value: str, rows: int, meant: str | None, expected: str) -> Line:
    path = f"{key}.words.{key_of(value)}"
    where = f"in {rows} row{'s' * (rows != 1)}"
    if meant is None:
        return Line(path, '""', f"{where}; what is it? {expected}", open=True)
    return Line(path, quoted(meant), where)


def _counts(column: SourceColumn) -> list[tuple[str, int]]:
    """The distinct values in any case, in their first spelling, with the number of rows."""
    cells = pl.DataFrame({"value": column.cells})
    grouped = cells.group_by(pl.col("value").str.to_lowercase().alias("#key")).agg(
        pl.col("value").min(), pl.len()
    )
    return grouped.sort("#key").select("value", "len").rows()
