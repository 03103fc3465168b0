"""Files of people -> users, their roles, and their demographics."""

from __future__ import annotations

from transforms.guessing.agents import agent_joins, agent_lines
from transforms.guessing.columns import Seen
from transforms.guessing.draft import Block, Line, constant, quoted, word
from transforms.guessing.meanings import meaning_lines
from transforms.guessing.places import status_lines
from transforms.guessing.spellings import NAMES, Subject, means
from transforms.guessing.survey import Survey, key_line, org_line, school_line, schools_block

PLAIN = ("middleName", "preferredGivenName", "preferredFamilyName", "phone", "sms", "pronouns")
ROLE: dict[Subject, str] = {"students": "student", "teachers": "teacher", "contacts": "guardian"}
# Whose files are of one role, whatever else their columns say.
CERTAIN: frozenset[Subject] = frozenset({"students", "teachers"})
Meant = dict[str, Seen]


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


def meant_in(each: list[Seen], key: Seen | None) -> Meant:
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
    grades = meaning_lines("grades", "grades", meant["grades"], "by its name") if "grades" in meant and survey.holds[file].subject in ("students", "people") else []  # fmt: skip
    repeats = [Line("repeats", "true", "a person has a row for each child")] if survey.holds[file].subject == "contacts" else []  # fmt: skip
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
        lines.append(Line("username", word("lowered", meant["email"].name), "no column is a user name, and addresses are different", (meant["email"].name,)))  # fmt: skip
    if "email" in meant:
        lines.append(Line("email", quoted(meant["email"].name), "its values are e-mail addresses", (meant["email"].name,)))  # fmt: skip
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
        _plain(name, meant[name]) if name in meant else Line(name, lacking.value, lacking.why, open=True)
        for name in ("givenName", "familyName")
    ]


def _plain(name: str, column: Seen) -> Line:
    return Line(name, quoted(column.name), "by its name", (column.name,))


def _roles(survey: Survey, file: str, meant: Meant) -> Block:
    user = key_line(survey, "userSourcedId", survey.links.keys.get(file))
    user = Line(user.key, user.value, "as above", user.reads, user.open)
    org = org_line if survey.holds[file].subject == "contacts" else school_line
    return Block("roles", (user, org(survey, file, "orgSourcedId"), *_role(survey, file, meant)))


def _role(survey: Survey, file: str, meant: Meant) -> list[Line]:
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
        lines.append(Line("birthDate", word("birth_date", column.name), why, (column.name,), open=not column.dates))
    if "sex" in meant:
        lines += meaning_lines("sex", "sex", meant["sex"], "by its name", "demographics")
    if "races" in meant:
        lines.append(Line("races", quoted(meant["races"].name), "by its name", (meant["races"].name,)))
    return Block("demographics", tuple(lines))
