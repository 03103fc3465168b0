"""The blocks of a mapping file, by the subject of the file in the drop.

Subjects are people, classes, enrollments, schools, terms and courses. Lines that are not certain
are open, for a person to finish.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import polars as pl

from transforms.grammar import agree, count_of
from transforms.infer_mapping.columns import SourceColumn
from transforms.infer_mapping.draft import (
    DraftLine,
    EntityDraft,
    cell_of,
    constant,
    derived,
    toml_key,
    toml_string,
)
from transforms.infer_mapping.spellings import (
    CLASSES,
    COURSES,
    ENROLLMENT_STATES,
    ENROLLMENTS,
    FILES,
    NAMES,
    PEOPLE,
    SCHOOLS,
    TERMS,
    Spellings,
    Subject,
    looks_like_id,
    meaning_of,
)
from transforms.infer_mapping.survey import (
    Survey,
    id_cell,
    is_personal,
    key_line,
    link_line,
    named_schools_blocks,
    org_line,
    school_line,
)
from transforms.layouts.vocabulary import CLASS_ROLES, ROLES, SEXES, STATES, grade_of
from transforms.schemas import ENTITIES

# Columns of users that are read as they are.
PLAIN = ("middleName", "preferredGivenName", "preferredFamilyName", "phone", "sms", "pronouns")
ROLE: dict[Subject, str] = {"students": "student", "teachers": "teacher", "contacts": "guardian"}
# In files with these subjects all people have one role, whatever the columns say.
CERTAIN: frozenset[Subject] = frozenset({"students", "teachers"})
STAFF: tuple[Subject, ...] = ("teachers", "staff", "people")
ONCE = DraftLine("derived", "true", "many rows name it, and it is meant once")
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
ColumnsByMeaning = dict[str, SourceColumn]
# Returns OneRoster's word for a value; None if it is unknown.
Meaning = Callable[[str], str | None]


def people_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the blocks of a file of people: users, their roles, and their demographics."""
    meant = people_columns(survey.columns[file], survey.links.keys.get(file))
    blocks = [
        *named_schools_blocks(survey, file),
        EntityDraft("users", (*_user_lines(survey, file, meant), *agent_lines(survey, file))),
        _roles(survey, file, meant),
    ]
    demographics = _demographics(survey, file, meant)
    if len(demographics.lines) > 1:
        blocks.append(demographics)
    return [*blocks, *agent_joins(survey, file)]


def people_columns(each: list[SourceColumn], key: SourceColumn | None) -> ColumnsByMeaning:
    """Return the first column with each meaning; email addresses are recognized by their values."""
    meant: ColumnsByMeaning = {}
    for one in each:
        meaning = meaning_of(one.name, NAMES)
        if meaning == "email" and not one.emails and one.rows and one.cells.len():
            continue
        if meaning and one is not key:
            meant.setdefault(meaning, one)
    addresses = [one for one in each if one.emails]
    if addresses and "email" not in meant:
        meant["email"] = addresses[0]
    return meant


def _user_lines(survey: Survey, file: str, meant: ColumnsByMeaning) -> list[DraftLine]:
    subject = survey.holds[file].subject
    lines = []
    if subject == "contacts":
        lines.append(DraftLine("repeats", "true", "a person has a row for each child"))
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


def _sign_in_lines(meant: ColumnsByMeaning) -> list[DraftLine]:
    """The lines of `username` and `email`."""
    lines = []
    if "username" in meant:
        lines.append(_plain_line("username", meant["username"]))
    if "email" in meant:
        email = meant["email"].name
        if "username" not in meant:
            why = "no column is a user name, and addresses are different"
            lines.append(DraftLine("username", cell_of("lowered", email), why, (email,)))
        lines.append(
            DraftLine("email", toml_string(email), "its values are e-mail addresses", (email,))
        )
    return lines


def _name_lines(meant: ColumnsByMeaning) -> list[DraftLine]:
    """The given and the family name: from their own columns, or from a column with full names."""
    if "name" in meant and not {"givenName", "familyName"} & meant.keys():
        column = meant["name"].name
        return [
            DraftLine(
                name, cell_of(way, column), "a whole name, such as Ann Lee or Lee, Ann", (column,)
            )
            for name, way in (("givenName", "given_name"), ("familyName", "family_name"))
        ]
    return [text_line(name, meant.get(name)) for name in ("givenName", "familyName")]


def _plain_line(name: str, column: SourceColumn) -> DraftLine:
    return DraftLine(name, toml_string(column.name), "by its name", (column.name,))


def _roles(survey: Survey, file: str, meant: ColumnsByMeaning) -> EntityDraft:
    user = key_line(survey, "userSourcedId", survey.links.keys.get(file))
    user = replace(user, why="as above")
    org = org_line if survey.holds[file].subject == "contacts" else school_line
    return EntityDraft(
        "roles", (user, org(survey, file, "orgSourcedId"), *_role_lines(survey, file, meant))
    )


def _role_lines(survey: Survey, file: str, meant: ColumnsByMeaning) -> list[DraftLine]:
    holds = survey.holds[file]
    if "role" in meant and holds.subject not in CERTAIN:
        return meaning_lines("role", "role", meant["role"], "by its name", "roles")
    if holds.subject in ROLE:
        return [DraftLine("role", constant(ROLE[holds.subject]), holds.why)]
    return [DraftLine("role", constant(""), "what are these people?", open=True)]


def _demographics(survey: Survey, file: str, meant: ColumnsByMeaning) -> EntityDraft:
    user = key_line(survey, "sourcedId", survey.links.keys.get(file))
    lines = [replace(user, why="as above")]
    if "birthDate" in meant:
        column = meant["birthDate"]
        why = "its values are dates" if column.dates else "by its name"
        cell = cell_of("birth_date", column.name)
        lines.append(DraftLine("birthDate", cell, why, (column.name,), open=not column.dates))
    if "sex" in meant:
        lines += meaning_lines("sex", "sex", meant["sex"], "by its name", "demographics")
    if "races" in meant:
        lines.append(_plain_line("races", meant["races"]))
    return EntityDraft("demographics", tuple(lines))


def classes_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the blocks of a file of classes: classes, teachers, and courses without a file."""
    key = survey.links.keys.get(file)
    blocks = [
        *named_schools_blocks(survey, file),
        *_classes_and_courses(survey, file, key_line(survey, "sourcedId", key), key),
    ]
    teachers = [_teacher(survey, key, one) for one in survey.leading(file, *STAFF) if key]
    return [*blocks, *teachers]


def _classes_and_courses(
    survey: Survey,
    file: str,
    own: DraftLine,
    key: SourceColumn | None,
    once: tuple[DraftLine, ...] = (),
    numbered: bool = False,
) -> list[EntityDraft]:
    """The classes and courses of a file that lists classes, or of one that only names them.

    `own` is the line of the class's id; `once` is set if a file only names its classes. They are
    `numbered` if the key is only a number within their course.
    """
    meant = columns_by_meaning(survey, file, CLASSES)
    course, courses = _course(survey, file, meant, key)
    title, joins = _class_title(survey, file, meant, key, numbered)
    lines = [
        own,
        title,
        course,
        school_line(survey, file, "schoolSourcedId"),
    ]
    if terms := survey.leading(file, "terms"):
        term = link_line(survey, "termSourcedIds", terms[0])
        lines.append(replace(term, value=cell_of("texts", terms[0].name)))
    if "location" in meant and not once:
        lines.append(text_line("location", meant["location"]))
    if "periods" in meant and not once:
        periods = meant["periods"].name
        lines.append(DraftLine("periods", cell_of("texts", periods), "by its name", (periods,)))
    return [*courses, EntityDraft("classes", (*once, *lines)), *joins]


def _class_title(
    survey: Survey, file: str, meant: ColumnsByMeaning, key: SourceColumn | None, numbered: bool
) -> tuple[DraftLine, list[EntityDraft]]:
    """The title of a class: its own, or that of its course, here or in the file of courses.

    Also the join of the file of courses that it needs. An id such as `7A` in a column `Class` is
    what people call the class.
    """
    if "title" in meant or key is None or not (numbered or looks_like_id(key.words)):
        return text_line("title", meant.get("title"), key), []
    why = "no column has the class's own name, so it is the course's"
    if "courseTitle" in meant and meant["courseTitle"] is not key:
        of_course = meant["courseTitle"].name
        return DraftLine("title", _first(of_course, key.name), why, (of_course, key.name)), []
    for column in survey.leading(file, "courses"):
        link = survey.links.of(column)
        titles = columns_by_meaning(survey, link.key.file, COURSES) if link else {}
        if link and "title" in titles:
            there, name = _stem(link.key.file), titles["title"].name
            join = (
                DraftLine("file", toml_string(there), "where the courses are"),
                DraftLine("on", toml_string(column.name), "the course here", (column.name,)),
                DraftLine("key", toml_string(link.key.name), "the course there"),
                DraftLine("columns", f"[{toml_string(name)}]", "its name"),
            )
            title = _first(f"{there}.{name}", key.name)
            return DraftLine("title", title, why, (key.name,)), [EntityDraft("join", join)]
    return text_line("title", None, key), []


def _first(*columns: str) -> str:
    return f"{{first = [{', '.join(map(toml_string, columns))}]}}"


def _course(
    survey: Survey, file: str, meant: ColumnsByMeaning, key: SourceColumn | None
) -> tuple[DraftLine, list[EntityDraft]]:
    """The course of a class, and the courses themselves if no file lists them."""
    if columns := survey.leading(file, "courses"):
        return link_line(survey, "courseSourcedId", columns[0]), []
    column = meant.get("course") or meant.get("courseTitle") or key
    if column is None:
        return DraftLine("courseSourcedId", '""', "which course is taught?", open=True), []
    why = f"no file lists courses, so there is one for each value of {column.name!r}"
    sourced_id = derived("course", column.name)
    lines = (
        ONCE,
        DraftLine("sourcedId", sourced_id, why, (column.name,)),
        text_line("title", meant.get("courseTitle"), column),
        org_line(survey, file, "orgSourcedId"),
    )
    course = DraftLine("courseSourcedId", sourced_id, "as above", (column.name,))
    return course, [EntityDraft("courses", lines)]


def _teacher(survey: Survey, key: SourceColumn, column: SourceColumn) -> EntityDraft:
    why = "a row where it is blank says of nobody that they teach"
    lines = (
        DraftLine("given", toml_string(column.name), why, (column.name,)),
        DraftLine("classSourcedId", id_cell(survey, key), "as above", (key.name,)),
        link_line(survey, "userSourcedId", column),
        DraftLine("role", constant("teacher"), f"{column.name!r} leads to those who teach"),
    )
    return EntityDraft("enrollments", lines)


def enrollments_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the blocks of a file of enrollments, with its classes if no file lists those."""
    meant = columns_by_meaning(survey, file, ENROLLMENTS)
    groups = survey.leading(file, "classes")
    group = groups[0] if groups else meant.get("class")
    people = [one for one in survey.leading(file, *PEOPLE) if one is not group]
    blocks: list[EntityDraft] = []
    if group is None:
        own = DraftLine("classSourcedId", '""', "which column names the class?", open=True)
    elif groups:
        own = link_line(survey, "classSourcedId", group)
    else:
        named_by = _class_names(survey, file, group)
        reads = tuple(one.name for one in named_by)
        own = DraftLine("classSourcedId", _class_id(named_by), "as above", reads)
        blocks = [*named_schools_blocks(survey, file), *_classes_named(survey, file, named_by)]
    teachers = [one for one in people if _teaches(survey, one)]
    blocks += [
        _enrollments(
            survey, own, one, meant, alone=len(people) == 1, beside_teachers=bool(teachers)
        )
        for one in people
    ]
    if not people:
        person = DraftLine("userSourcedId", '""', "which column names the person?", open=True)
        role = DraftLine("role", constant(""), "what are they in the class?", open=True)
        blocks.append(EntityDraft("enrollments", (own, person, role)))
    return blocks


def _class_names(survey: Survey, file: str, group: SourceColumn) -> tuple[SourceColumn, ...]:
    """Return the columns that name a class: also the course, if courses number their classes."""
    meant = columns_by_meaning(survey, file, CLASSES)
    course = meant.get("course") or meant.get("courseTitle")
    if course is None or course is group or group.determines(course):
        return (group,)
    return (course, group)


def _classes_named(
    survey: Survey, file: str, named_by: tuple[SourceColumn, ...]
) -> list[EntityDraft]:
    names = " and ".join(repr(one.name) for one in named_by)
    reads = tuple(one.name for one in named_by)
    why = f"no file lists classes, so there is one for each value of {names}"
    own = DraftLine("sourcedId", _class_id(named_by), why, reads)
    return _classes_and_courses(survey, file, own, named_by[-1], (ONCE,), len(named_by) > 1)


def _class_id(named_by: tuple[SourceColumn, ...]) -> str:
    if len(named_by) == 1 and named_by[0].fit_for_ids:
        return toml_string(named_by[0].name)
    return derived("class", *(one.name for one in named_by))


def _enrollments(
    survey: Survey,
    own: DraftLine,
    column: SourceColumn,
    meant: ColumnsByMeaning,
    *,
    alone: bool,
    beside_teachers: bool,
) -> EntityDraft:
    """The enrollments of the people in a column; `alone` if no other column has people.

    Dates and a status are those of the student, if the row has a teacher too.
    """
    lines = [
        own,
        link_line(survey, "userSourcedId", column),
        *_class_role_lines(survey, column, meant, alone),
    ]
    link = survey.links.of(column)
    learns = link is None or survey.holds[link.key.file].subject == "students"
    if alone or learns or (beside_teachers and not _teaches(survey, column)):
        days = [date_line(name, meant[name]) for name in ("beginDate", "endDate") if name in meant]
        return EntityDraft("enrollments", (*lines, *days, *_enrollment_status_lines(meant)))
    # A teacher is in the rows of all students of the class, but has one enrollment.
    reads = (*own.reads, column.name)
    sourced_id = derived("enrollment", *dict.fromkeys(reads))
    key = DraftLine("sourcedId", sourced_id, "the class and the person", reads)
    return EntityDraft("enrollments", (ONCE, key, *lines))


def _teaches(survey: Survey, column: SourceColumn) -> bool:
    """Whether a column has those who teach: by the file that it leads to, or by its name."""
    link = survey.links.of(column)
    subject = survey.holds[link.key.file].subject if link else "people"
    return subject in ("teachers", "staff") or (subject == "people" and _is_called_teacher(column))


def _is_called_teacher(column: SourceColumn) -> bool:
    return bool({*FILES["teachers"]}.intersection(column.words))


def _class_role_lines(
    survey: Survey, column: SourceColumn, meant: ColumnsByMeaning, alone: bool
) -> list[DraftLine]:
    if "role" in meant and alone:
        return meaning_lines("role", "class_role", meant["role"], "by its name", "enrollments")
    link = survey.links.of(column)
    subject = survey.holds[link.key.file].subject if link else "people"
    if subject == "people" and _is_called_teacher(column):
        return [DraftLine("role", constant("teacher"), "by its name")]
    if subject == "people":
        return [DraftLine("role", constant(""), "what are they in the class?", open=True)]
    role = "student" if subject == "students" else "teacher"
    return [DraftLine("role", constant(role), f"{column.name!r} leads to {subject}")]


def columns_by_meaning(survey: Survey, file: str, spellings: Spellings) -> ColumnsByMeaning:
    """Return the first column with each meaning, except the key."""
    meant: ColumnsByMeaning = {}
    for one in survey.columns[file]:
        meaning = meaning_of(one.name, spellings)
        if meaning and one is not survey.links.keys.get(file):
            meant.setdefault(meaning, one)
    return meant


def text_line(
    name: str, column: SourceColumn | None, otherwise: SourceColumn | None = None
) -> DraftLine:
    """Return the line of a column with text, or of another column if there is none by that name."""
    if column is not None:
        return _plain_line(name, column)
    if otherwise is not None:
        return DraftLine(
            name, toml_string(otherwise.name), "no other column says it", (otherwise.name,)
        )
    return DraftLine(name, '""', "no column has it by its name", open=True)


def schools_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the block of a file of schools."""
    meant, key = columns_by_meaning(survey, file, SCHOOLS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("name", meant.get("name"), key)]
    lines.append(DraftLine("type", constant("school"), survey.holds[file].why))
    if "identifier" in meant:
        lines.append(text_line("identifier", meant["identifier"]))
    return [EntityDraft("orgs", tuple(lines))]


def terms_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the block of a file of terms."""
    meant, key = columns_by_meaning(survey, file, TERMS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    lines.append(DraftLine("type", constant("term"), survey.holds[file].why))
    lines += [date_line(name, meant.get(name)) for name in ("startDate", "endDate")]
    return [EntityDraft("academicSessions", tuple(lines))]


def date_line(name: str, column: SourceColumn | None) -> DraftLine:
    """Return the line of a column with dates; open if its values are no dates."""
    if column is None:
        return DraftLine(name, '""', "no column has it by its name", open=True)
    why = "its values are dates" if column.dates else "by its name, but its values are no dates"
    cell = cell_of("iso_date", column.name)
    if name == "endDate":
        cell, why = f"{{day_after = {cell}}}", f"{why}; OneRoster's end is the day after the last"
    return DraftLine(name, cell, why, (column.name,), open=not column.dates)


def status_lines(meant: dict[str, SourceColumn]) -> list[DraftLine]:
    """Return the line of a status: open, as only a person knows whether it deletes records."""
    if "status" not in meant:
        return []
    column = meant["status"].name
    why = "does it say who is gone? Words such as inactive are then deletions"
    return [DraftLine("status", cell_of("status", column), why, (column,), open=True)]


def _enrollment_status_lines(meant: ColumnsByMeaning) -> list[DraftLine]:
    """The lines of the status of enrollments: whoever has left a class is no longer in it."""
    if "status" not in meant:
        return []
    return meaning_lines("status", "status", meant["status"], "by its name", "enrollments")


def courses_blocks(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the block of a file of courses."""
    meant, key = columns_by_meaning(survey, file, COURSES), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    if "courseCode" in meant:
        lines.append(text_line("courseCode", meant["courseCode"]))
    lines.append(org_line(survey, file, "orgSourcedId"))
    if "grades" in meant:
        lines += meaning_lines("grades", "grades", meant["grades"], "by its name")
    return [*named_schools_blocks(survey, file), EntityDraft("courses", tuple(lines))]


def agent_lines(survey: Survey, file: str) -> list[DraftLine]:
    """Return the line of the agents of students, which are in a file of contacts."""
    return [_agents_line(survey, child, key) for child, key in _contacts(survey, file)[:1]]


def agent_joins(survey: Survey, file: str) -> list[EntityDraft]:
    """Return the join of the file of contacts to the file of students."""
    own = survey.links.keys.get(file)
    if own is None:
        return []
    return [
        EntityDraft("join", _join(own, child, key)) for child, key in _contacts(survey, file)[:1]
    ]


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


def _agents_line(survey: Survey, child: SourceColumn, key: SourceColumn) -> DraftLine:
    column = f"{_stem(child.file)}.{key.name}"
    why = f"{child.name!r} of {child.file} says whose contact each is"
    if id_cell(survey, key) == toml_string(key.name):
        return DraftLine("agentSourcedIds", cell_of("texts", column), why)
    way = "digested_each" if is_personal(key) else "derived_each"
    ids = f'{{{way} = "contact", column = {toml_string(column)}}}'
    if is_personal(key) or (key.distinct.str.to_lowercase() == key.distinct).all():
        return DraftLine("agentSourcedIds", ids, why)
    why = f"{why}; but ids in lists are made in lower case"
    return DraftLine("agentSourcedIds", ids, why, open=True)


def _join(own: SourceColumn, child: SourceColumn, key: SourceColumn) -> tuple[DraftLine, ...]:
    return (
        DraftLine("file", toml_string(_stem(child.file)), "where the contacts of each student are"),
        DraftLine("on", toml_string(own.name), "the student here", (own.name,)),
        DraftLine("key", toml_string(child.name), "the student there"),
        DraftLine("columns", f"[{toml_string(key.name)}]", "the contact"),
        DraftLine("all_of_them", "true", "a student has several"),
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
    "status": lambda value: STATES.get(value.casefold()),
}
# Functions that take more words themselves, and words that have one meaning in such columns.
MORE_WORDS: dict[str, Mapping[str, str]] = {"status": ENROLLMENT_STATES}


def meaning_lines(
    key: str, vocabulary: str, column: SourceColumn, why: str, entity: str = ""
) -> list[DraftLine]:
    """Return the lines of a column with words of a vocabulary.

    That is one line if all values are known or if there are too many; otherwise, a line for each
    value, which is open if the value is unknown. `entity` has the column, if that has a vocabulary.
    """
    meaning, reads = WORDS[vocabulary], (column.name,)
    counts = _counts(column)
    unknown = [value for value, _ in counts if meaning(value) is None]
    cell = cell_of(vocabulary, column.name)
    if not unknown:
        return [DraftLine(key, cell, f"{why}; all of its values are known", reads)]
    if not column.closed or column.emails or looks_like_id(column.words):
        are = agree(len(unknown), "are")
        why = (
            f"{why}, but {len(unknown):,} of its {count_of(len(counts), 'values')} {are} not known"
        )
        return [DraftLine(key, cell, why, reads, open=True)]
    expected = ", ".join(ENTITIES[entity][key].values if entity else GRADES)
    more = MORE_WORDS.get(vocabulary)
    way = "one_of" if more is None else vocabulary
    why = f"{why}; each of its values has a line{'' if more is None else ' or is known'}"
    return [
        DraftLine(f"{key}.{way}", toml_string(column.name), why, reads),
        *(
            _value_line(
                key, value, rows, meaning(value) or (more or {}).get(value.casefold()), expected
            )
            for value, rows in counts
            if more is None or value in unknown
        ),
    ]


def _value_line(key: str, value: str, rows: int, meant: str | None, expected: str) -> DraftLine:
    path = f"{key}.words.{toml_key(value)}"
    where = f"in {count_of(rows, 'rows')}"
    if meant is None:
        return DraftLine(path, '""', f"{where}; what is it? {expected}", open=True)
    return DraftLine(path, toml_string(meant), where)


def _counts(column: SourceColumn) -> list[tuple[str, int]]:
    """The distinct values in any case, in their first spelling, with the number of rows."""
    cells = pl.DataFrame({"value": column.cells})
    grouped = cells.group_by(pl.col("value").str.to_lowercase().alias("#key")).agg(
        pl.col("value").min(), pl.len()
    )
    return grouped.sort("#key").select("value", "len").rows()
