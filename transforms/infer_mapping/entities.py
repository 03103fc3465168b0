"""Files of people -> users, their roles, and their demographics."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

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

PLAIN = ("middleName", "preferredGivenName", "preferredFamilyName", "phone", "sms", "pronouns")
ROLE: dict[Subject, str] = {"students": "student", "teachers": "teacher", "contacts": "guardian"}
# Whose files are of one role, whatever else their columns say.
CERTAIN: frozenset[Subject] = frozenset({"students", "teachers"})
Meant = dict[str, SourceColumn]


def people_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of people give."""
    meant = meant_in(survey.columns[file], survey.links.keys.get(file))
    blocks = [
        *schools_block(survey, file),
        Block("users", (*_users(survey, file, meant), *agent_lines(survey, file))),
        _roles(survey, file, meant),
    ]
    told = _demographics(survey, file, meant)
    return [*blocks, *([told] if len(told.lines) > 1 else []), *agent_joins(survey, file)]


def meant_in(each: list[SourceColumn], key: SourceColumn | None) -> Meant:
    """The first column of each meaning; addresses are known by their values."""
    found: Meant = {}
    for one in each:
        meaning = means(one.name, NAMES)
        if meaning == "email" and not one.emails and one.rows and one.cells.len():
            continue
        if meaning and one is not key:
            found.setdefault(meaning, one)
    addresses = [one for one in each if one.emails]
    if addresses and "email" not in found:
        found["email"] = addresses[0]
    return found


def _users(survey: Survey, file: str, meant: Meant) -> list[Line]:
    named = {name: _plain(name, meant[name]) for name in PLAIN if name in meant}
    grades = (
        meaning_lines("grades", "grades", meant["grades"], "by its name")
        if "grades" in meant and survey.holds[file].subject in ("students", "people")
        else []
    )
    repeats = (
        [Line("repeats", "true", "a person has a row for each child")]
        if survey.holds[file].subject == "contacts"
        else []
    )
    return [
        *repeats,
        key_line(survey, "sourcedId", survey.links.keys.get(file)),
        *_sign_in(meant),
        *_names(meant),
        *named.values(),
        *_main_school(survey, file),
        *grades,
        *status_lines(meant),
    ]


def _main_school(survey: Survey, file: str) -> list[Line]:
    line = school_line(survey, file, "primaryOrgSourcedId")
    return [] if line.open and survey.holds[file].subject == "contacts" else [line]


def _sign_in(meant: Meant) -> list[Line]:
    lines = []
    if "username" in meant:
        lines.append(_plain("username", meant["username"]))
    elif "email" in meant:
        lines.append(
            Line(
                "username",
                word("lowered", meant["email"].name),
                "no column is a user name, and addresses are different",
                (meant["email"].name,),
            )
        )
    if "email" in meant:
        lines.append(
            Line(
                "email",
                quoted(meant["email"].name),
                "its values are e-mail addresses",
                (meant["email"].name,),
            )
        )
    return lines


def _names(meant: Meant) -> list[Line]:
    """Given and family name: of their own columns, or taken out of one that has both."""
    if "name" in meant and not {"givenName", "familyName"} & meant.keys():
        column = meant["name"].name
        return [
            Line(name, word(way, column), "a whole name, such as Ann Lee or Lee, Ann", (column,))
            for name, way in (("givenName", "given_name"), ("familyName", "family_name"))
        ]
    lacking = Line("", '""', "no column has it by its name", open=True)
    return [
        _plain(name, meant[name])
        if name in meant
        else Line(name, lacking.value, lacking.why, open=True)
        for name in ("givenName", "familyName")
    ]


def _plain(name: str, column: SourceColumn) -> Line:
    return Line(name, quoted(column.name), "by its name", (column.name,))


def _roles(survey: Survey, file: str, meant: Meant) -> Block:
    user = key_line(survey, "userSourcedId", survey.links.keys.get(file))
    user = Line(user.key, user.value, "as above", user.reads, user.open)
    org = org_line if survey.holds[file].subject == "contacts" else school_line
    return Block(
        "roles", (user, org(survey, file, "orgSourcedId"), *_user_role(survey, file, meant))
    )


def _user_role(survey: Survey, file: str, meant: Meant) -> list[Line]:
    holds = survey.holds[file]
    if "role" in meant and holds.subject not in CERTAIN:
        return meaning_lines("role", "role", meant["role"], "by its name", "roles")
    if holds.subject in ROLE:
        return [Line("role", constant(ROLE[holds.subject]), holds.why)]
    return [Line("role", constant(""), "what are these people?", open=True)]


def _demographics(survey: Survey, file: str, meant: Meant) -> Block:
    user = key_line(survey, "sourcedId", survey.links.keys.get(file))
    lines = [Line(user.key, user.value, "as above", user.reads, user.open)]
    if "birthDate" in meant:
        column = meant["birthDate"]
        why = "its values are dates" if column.dates else "by its name"
        lines.append(
            Line(
                "birthDate",
                word("birth_date", column.name),
                why,
                (column.name,),
                open=not column.dates,
            )
        )
    if "sex" in meant:
        lines += meaning_lines("sex", "sex", meant["sex"], "by its name", "demographics")
    if "races" in meant:
        lines.append(
            Line("races", quoted(meant["races"].name), "by its name", (meant["races"].name,))
        )
    return Block("demographics", tuple(lines))


STAFF: tuple[Subject, ...] = ("teachers", "staff", "people")
ONCE = Line("derived", "true", "many rows tell of it, and it is meant once")


def classes_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of classes give: classes, their courses where no file has those, and who teaches."""
    key = survey.links.keys.get(file)
    blocks = [
        *schools_block(survey, file),
        *_class_of(survey, file, key_line(survey, "sourcedId", key), key),
    ]
    teachers = [_teaches(survey, key, one) for one in survey.leading(file, *STAFF) if key]
    return [*blocks, *teachers]


def _class_of(
    survey: Survey, file: str, own: Line, key: SourceColumn | None, once: tuple[Line, ...] = ()
) -> list[Block]:
    """Classes and their courses, of a file that lists them or of one that only names them."""
    meant = named(survey, file, CLASSES)
    course, courses = _course(survey, file, meant, key)
    terms = survey.leading(file, "terms")
    lines = [
        own,
        text_line("title", meant.get("title"), key),
        course,
        school_line(survey, file, "schoolSourcedId"),
        *(
            [
                Line(
                    "termSourcedIds",
                    word("texts", terms[0].name),
                    link_line(survey, "", terms[0]).why,
                    (terms[0].name,),
                )
            ]
            if terms
            else []
        ),
        *(text_line(name, meant[name]) for name in ("location",) if name in meant and not once),
        *(
            [
                Line(
                    "periods",
                    word("texts", meant["periods"].name),
                    "by its name",
                    (meant["periods"].name,),
                )
            ]
            if "periods" in meant and not once
            else []
        ),
    ]
    return [*courses, Block("classes", (*once, *lines))]


def _course(
    survey: Survey, file: str, meant: dict[str, SourceColumn], key: SourceColumn | None
) -> tuple[Line, list[Block]]:
    """The course of a class, and the courses themselves where no file lists them."""
    if columns := survey.leading(file, "courses"):
        return link_line(survey, "courseSourcedId", columns[0]), []
    of = meant.get("course") or meant.get("courseTitle") or key
    if of is None:
        return Line("courseSourcedId", '""', "which course is taught?", open=True), []
    why = f"no file lists courses, so there is one for each value of {of.name!r}"
    made = derived("course", of.name)
    title = text_line("title", meant.get("courseTitle"), of)
    block = Block(
        "courses",
        (
            ONCE,
            Line("sourcedId", made, why, (of.name,)),
            title,
            org_line(survey, file, "orgSourcedId"),
        ),
    )
    return Line("courseSourcedId", made, "as above", (of.name,)), [block]


def _teaches(survey: Survey, key: SourceColumn, column: SourceColumn) -> Block:
    lines = (
        Line(
            "given",
            quoted(column.name),
            "a row where it is blank says of nobody that they teach",
            (column.name,),
        ),
        Line("classSourcedId", id_cell(survey, key), "as above", (key.name,)),
        link_line(survey, "userSourcedId", column),
        Line("role", constant("teacher"), f"{column.name!r} leads to those who teach"),
    )
    return Block("enrollments", lines)


def enrollments_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows that say who is in which class give."""
    meant = named(survey, file, ENROLLMENTS)
    groups = survey.leading(file, "classes")
    group = groups[0] if groups else meant.get("class")
    people = [one for one in survey.leading(file, *PEOPLE) if one is not group]
    own = (
        link_line(survey, "classSourcedId", group)
        if group
        else Line("classSourcedId", '""', "which column names the class?", open=True)
    )
    blocks = (
        []
        if groups or group is None
        else [*schools_block(survey, file), *_classes_named(survey, file, group)]
    )
    if group and not groups:
        own = Line("classSourcedId", _made(group), "as above", (group.name,))
    many = [_member(survey, own, one, meant, alone=len(people) == 1) for one in people]
    nobody = Block(
        "enrollments",
        (
            own,
            Line("userSourcedId", '""', "which column names the person?", open=True),
            Line("role", constant(""), "what are they in the class?", open=True),
        ),
    )
    return [*blocks, *(many or [nobody])]


def _classes_named(survey: Survey, file: str, group: SourceColumn) -> list[Block]:
    own = Line(
        "sourcedId",
        _made(group),
        f"no file lists classes, so there is one for each value of {group.name!r}",
        (group.name,),
    )
    return _class_of(survey, file, own, group, (ONCE,))


def _made(group: SourceColumn) -> str:
    return quoted(group.name) if group.fit_for_ids else derived("class", group.name)


def _member(
    survey: Survey, own: Line, column: SourceColumn, meant: dict[str, SourceColumn], *, alone: bool
) -> Block:
    days = [
        date_line(name, meant[name]) for name in ("beginDate", "endDate") if name in meant and alone
    ]
    lines = [
        own,
        link_line(survey, "userSourcedId", column),
        *_class_role(survey, column, meant, alone),
        *days,
        *status_lines(meant),
    ]
    if alone or not _repeats(survey, column):
        return Block("enrollments", tuple(lines))
    # A teacher stands in the row of each pupil of the class, and teaches it once.
    made = derived("enrollment", *dict.fromkeys([*own.reads, column.name]))
    return Block(
        "enrollments",
        (
            ONCE,
            Line("sourcedId", made, "the class and the person", (*own.reads, column.name)),
            *lines,
        ),
    )


def _repeats(survey: Survey, column: SourceColumn) -> bool:
    link = survey.links.of(column)
    return link is not None and survey.holds[link.key.file].subject != "students"


def _class_role(
    survey: Survey, column: SourceColumn, meant: dict[str, SourceColumn], alone: bool
) -> list[Line]:
    if "role" in meant and alone:
        return meaning_lines("role", "class_role", meant["role"], "by its name", "enrollments")
    link = survey.links.of(column)
    subject = survey.holds[link.key.file].subject if link else "people"
    if subject == "people":
        return [Line("role", constant(""), "what are they in the class?", open=True)]
    role = "student" if subject == "students" else "teacher"
    return [Line("role", constant(role), f"{column.name!r} leads to {subject}")]


def named(survey: Survey, file: str, spellings: Spellings) -> dict[str, SourceColumn]:
    """The first column of each meaning, but for the key."""
    found: dict[str, SourceColumn] = {}
    for one in survey.columns[file]:
        meaning = means(one.name, spellings)
        if meaning and one is not survey.links.keys.get(file):
            found.setdefault(meaning, one)
    return found


def text_line(
    name: str, column: SourceColumn | None, otherwise: SourceColumn | None = None
) -> Line:
    """The text of a column; or of another, where there is none of that name."""
    if column is not None:
        return Line(name, quoted(column.name), "by its name", (column.name,))
    if otherwise is not None:
        return Line(name, quoted(otherwise.name), "no other column says it", (otherwise.name,))
    return Line(name, '""', "no column has it by its name", open=True)


def schools_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of schools give."""
    meant, key = named(survey, file, SCHOOLS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("name", meant.get("name"), key)]
    lines.append(Line("type", constant("school"), survey.holds[file].why))
    if "identifier" in meant:
        lines.append(text_line("identifier", meant["identifier"]))
    return [Block("orgs", tuple(lines))]


def terms_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of terms give."""
    meant, key = named(survey, file, TERMS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    lines.append(Line("type", constant("term"), survey.holds[file].why))
    return [
        Block(
            "academicSessions",
            (*lines, *(date_line(name, meant.get(name)) for name in ("startDate", "endDate"))),
        )
    ]


def date_line(name: str, column: SourceColumn | None) -> Line:
    """A day, if the values of the column are dates."""
    if column is None:
        return Line(name, '""', "no column has it by its name", open=True)
    why = "its values are dates" if column.dates else "by its name, but its values are no dates"
    return Line(name, word("iso_date", column.name), why, (column.name,), open=not column.dates)


def status_lines(meant: dict[str, SourceColumn]) -> list[Line]:
    """The line of a column that may say which records are gone: whether it is so, a person has to say."""
    if "status" not in meant:
        return []
    column = meant["status"].name
    return [
        Line(
            "status",
            word("status", column),
            "does it say who is gone? Words such as inactive are then deletions",
            (column,),
            open=True,
        )
    ]


def courses_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of courses give."""
    meant, key = named(survey, file, COURSES), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    if "courseCode" in meant:
        lines.append(text_line("courseCode", meant["courseCode"]))
    lines.append(org_line(survey, file, "orgSourcedId"))
    grades = (
        meaning_lines("grades", "grades", meant["grades"], "by its name")
        if "grades" in meant
        else []
    )
    return [*schools_block(survey, file), Block("courses", (*lines, *grades))]


def agent_lines(survey: Survey, file: str) -> list[Line]:
    """The lines of a student's agents, joined from the files of contacts that lead to students."""
    return [_agents(survey, child, key) for child, key in _contacts(survey, file)[:1]]


def agent_joins(survey: Survey, file: str) -> list[Block]:
    """The joins that bring them."""
    own = survey.links.keys.get(file)
    if own is None:
        return []
    return [Block("join", _join(own, child, key)) for child, key in _contacts(survey, file)[:1]]


def _contacts(survey: Survey, file: str) -> list[tuple[SourceColumn, SourceColumn]]:
    """The columns of files of contacts that lead to a file of students, with the contacts' own ids."""
    if survey.holds[file].subject != "students":
        return []
    ways = [
        link.column
        for link in survey.links.to(file)
        if link.column.file in survey.files("contacts")
    ]
    return [(column, key) for column in ways if (key := survey.links.keys.get(column.file))]


def _agents(survey: Survey, child: SourceColumn, key: SourceColumn) -> Line:
    column = f"{_stem(child.file)}.{key.name}"
    why = f"{child.name!r} of {child.file} says whose contact each is"
    if id_cell(survey, key) == quoted(key.name):
        return Line("agentSourcedIds", word("texts", column), why)
    way = "digested_each" if is_personal(key) else "derived_each"
    made = f'{{{way} = "contact", column = {quoted(column)}}}'
    same = is_personal(key) or bool((key.distinct.str.to_lowercase() == key.distinct).all())
    return Line(
        "agentSourcedIds",
        made,
        why if same else f"{why}; but ids in lists are made in lower case",
        open=not same,
    )


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


Meaning = Callable[[str], str | None]


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


def _grade(value: str) -> str | None:
    """A grade, or a list of them."""
    items = [grade_of(item, {}) for item in re.split(r"[,;|]", value) if item.strip()]
    return value if all(set(item.split(",")) <= set(GRADES) for item in items) else None


# A word of the vocabulary, and what it makes of one value.
WORDS: dict[str, Meaning] = {
    "grades": _grade,
    "sex": lambda value: SEXES.get(value.casefold()),
    "role": lambda value: ROLES.get(value.casefold()),
    "class_role": lambda value: CLASS_ROLES.get(value.casefold()),
}


def meaning_lines(
    key: str, vocabulary: str, column: SourceColumn, why: str, entity: str = ""
) -> list[Line]:
    """Lines for a column of words: one if all are known, else one for each, those unknown left open."""
    meaning, reads = WORDS[vocabulary], (column.name,)
    counts = _counts(column)
    unknown = [value for value, _ in counts if meaning(value) is None]
    if not unknown:
        return [
            Line(key, word(vocabulary, column.name), f"{why}; all of its values are known", reads)
        ]
    if not column.closed or column.emails or looks_like_id(column.words):
        return [
            Line(
                key,
                word(vocabulary, column.name),
                f"{why}, but {len(unknown)} of its {len(counts)} values are not known",
                reads,
                open=True,
            )
        ]
    expected = _expected(ENTITIES[entity][key].values if entity else GRADES)
    first = Line(
        f"{key}.one_of", quoted(column.name), f"{why}; each of its values has a line", reads
    )
    return [
        first,
        *(_value_line(key, value, rows, meaning(value), expected) for value, rows in counts),
    ]


def _value_line(key: str, value: str, rows: int, meant: str | None, expected: str) -> Line:
    path = f"{key}.words.{key_of(value)}"
    where = f"in {rows} row{'s' * (rows != 1)}"
    if meant is None:
        return Line(path, '""', f"{where}; what is it? {expected}", open=True)
    return Line(path, quoted(meant), where)


def _counts(column: SourceColumn) -> list[tuple[str, int]]:
    """How often each value is there, whatever its case; in the spelling that comes first."""
    cells = pl.DataFrame({"value": column.cells})
    grouped = cells.group_by(pl.col("value").str.to_lowercase().alias("#key")).agg(
        pl.col("value").min(), pl.len()
    )
    return grouped.sort("#key").select("value", "len").rows()


def _expected(values: Sequence[str]) -> str:
    return ", ".join(values)
