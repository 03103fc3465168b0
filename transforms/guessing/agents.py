"""Contacts of students: who acts for whom stands in the file of contacts, and belongs to the student."""

from __future__ import annotations

from transforms.guessing.columns import Seen
from transforms.guessing.draft import Block, Line, quoted, word
from transforms.guessing.survey import Survey, id_cell, is_personal


def agent_lines(survey: Survey, file: str) -> list[Line]:
    """The lines of a student's agents, joined from the files of contacts that lead to students."""
    return [_agents(survey, child, key) for child, key in _contacts(survey, file)[:1]]


def agent_joins(survey: Survey, file: str) -> list[Block]:
    """The joins that bring them."""
    own = survey.links.keys.get(file)
    if own is None:
        return []
    return [Block("join", _join(own, child, key)) for child, key in _contacts(survey, file)[:1]]


def _contacts(survey: Survey, file: str) -> list[tuple[Seen, Seen]]:
    """The columns of files of contacts that lead to a file of students, with the contacts' own ids."""
    if survey.holds[file].subject != "students":
        return []
    ways = [link.column for link in survey.links.to(file) if link.column.file in survey.files("contacts")]
    return [(column, key) for column in ways if (key := survey.links.keys.get(column.file))]


def _agents(survey: Survey, child: Seen, key: Seen) -> Line:
    column = f"{_stem(child.file)}.{key.name}"
    why = f"{child.name!r} of {child.file} says whose contact each is"
    if id_cell(survey, key) == quoted(key.name):
        return Line("agentSourcedIds", word("texts", column), why)
    way = "digested_each" if is_personal(key) else "derived_each"
    made = f'{{{way} = "contact", column = {quoted(column)}}}'
    same = is_personal(key) or bool((key.distinct.str.to_lowercase() == key.distinct).all())
    return Line(
        "agentSourcedIds", made, why if same else f"{why}; but ids in lists are made in lower case", open=not same
    )


def _join(own: Seen, child: Seen, key: Seen) -> tuple[Line, ...]:
    return (
        Line("file", quoted(_stem(child.file)), "where the contacts of each student are"),
        Line("on", quoted(own.name), "the student here", (own.name,)),
        Line("key", quoted(child.name), "the student there"),
        Line("columns", f"[{quoted(key.name)}]", "the contact"),
        Line("all_of_them", "true", "a student has several"),
    )


def _stem(file: str) -> str:
    return file.rpartition(".")[0] or file
