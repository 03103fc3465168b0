"""Files of classes, and of who is in them -> courses, classes and enrollments."""

from __future__ import annotations

from transforms.guessing.columns import Seen
from transforms.guessing.draft import Block, Line, constant, derived, quoted, word
from transforms.guessing.meanings import meaning_lines
from transforms.guessing.places import date_line, named, status_lines, text_line
from transforms.guessing.spellings import CLASSES, ENROLLMENTS, PEOPLE, Subject
from transforms.guessing.survey import Survey, id_cell, key_line, link_line, org_line, school_line, schools_block

STAFF: tuple[Subject, ...] = ("teachers", "staff", "people")
ONCE = Line("derived", "true", "many rows tell of it, and it is meant once")


def classes_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of classes give: classes, their courses where no file has those, and who teaches."""
    key = survey.links.keys.get(file)
    blocks = [*schools_block(survey, file), *_class_of(survey, file, key_line(survey, "sourcedId", key), key)]
    teachers = [_teaches(survey, key, one) for one in survey.leading(file, *STAFF) if key]
    return [*blocks, *teachers]


def _class_of(survey: Survey, file: str, own: Line, key: Seen | None, once: tuple[Line, ...] = ()) -> list[Block]:
    """Classes and their courses, of a file that lists them or of one that only names them."""
    meant = named(survey, file, CLASSES)
    course, courses = _course(survey, file, meant, key)
    terms = survey.leading(file, "terms")
    lines = [
        own,
        text_line("title", meant.get("title"), key),
        course,
        school_line(survey, file, "schoolSourcedId"),
        *([Line("termSourcedIds", word("texts", terms[0].name), link_line(survey, "", terms[0]).why, (terms[0].name,))] if terms else []),
        *(text_line(name, meant[name]) for name in ("location",) if name in meant and not once),
        *([Line("periods", word("texts", meant["periods"].name), "by its name", (meant["periods"].name,))] if "periods" in meant and not once else []),
    ]  # fmt: skip
    return [*courses, Block("classes", (*once, *lines))]


def _course(survey: Survey, file: str, meant: dict[str, Seen], key: Seen | None) -> tuple[Line, list[Block]]:
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
        "courses", (ONCE, Line("sourcedId", made, why, (of.name,)), title, org_line(survey, file, "orgSourcedId"))
    )
    return Line("courseSourcedId", made, "as above", (of.name,)), [block]


def _teaches(survey: Survey, key: Seen, column: Seen) -> Block:
    lines = (
        Line("given", quoted(column.name), "a row where it is blank says of nobody that they teach", (column.name,)),
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
    own = link_line(survey, "classSourcedId", group) if group else Line("classSourcedId", '""', "which column names the class?", open=True)  # fmt: skip
    blocks = [] if groups or group is None else [*schools_block(survey, file), *_classes_named(survey, file, group)]
    if group and not groups:
        own = Line("classSourcedId", _made(group), "as above", (group.name,))
    many = [_member(survey, own, one, meant, alone=len(people) == 1) for one in people]
    nobody = Block("enrollments", (own, Line("userSourcedId", '""', "which column names the person?", open=True), Line("role", constant(""), "what are they in the class?", open=True)))  # fmt: skip
    return [*blocks, *(many or [nobody])]


def _classes_named(survey: Survey, file: str, group: Seen) -> list[Block]:
    own = Line("sourcedId", _made(group), f"no file lists classes, so there is one for each value of {group.name!r}", (group.name,))  # fmt: skip
    return _class_of(survey, file, own, group, (ONCE,))


def _made(group: Seen) -> str:
    return quoted(group.name) if group.fit_for_ids else derived("class", group.name)


def _member(survey: Survey, own: Line, column: Seen, meant: dict[str, Seen], *, alone: bool) -> Block:
    days = [date_line(name, meant[name]) for name in ("beginDate", "endDate") if name in meant and alone]
    lines = [
        own,
        link_line(survey, "userSourcedId", column),
        *_role(survey, column, meant, alone),
        *days,
        *status_lines(meant),
    ]
    if alone or not _repeats(survey, column):
        return Block("enrollments", tuple(lines))
    # A teacher stands in the row of each pupil of the class, and teaches it once.
    made = derived("enrollment", *dict.fromkeys([*own.reads, column.name]))
    return Block("enrollments", (ONCE, Line("sourcedId", made, "the class and the person", (*own.reads, column.name)), *lines))  # fmt: skip


def _repeats(survey: Survey, column: Seen) -> bool:
    link = survey.links.of(column)
    return link is not None and survey.holds[link.key.file].subject != "students"


def _role(survey: Survey, column: Seen, meant: dict[str, Seen], alone: bool) -> list[Line]:
    if "role" in meant and alone:
        return meaning_lines("role", "class_role", meant["role"], "by its name", "enrollments")
    link = survey.links.of(column)
    subject = survey.holds[link.key.file].subject if link else "people"
    if subject == "people":
        return [Line("role", constant(""), "what are they in the class?", open=True)]
    role = "student" if subject == "students" else "teacher"
    return [Line("role", constant(role), f"{column.name!r} leads to {subject}")]
