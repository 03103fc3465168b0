"""A drop in an unknown layout -> a first mapping file, with a reason for each line, for a person to finish.

Names of files and columns, values and how files lead to each other say what is what. Nothing personal gets into the
file: values only of columns that have few of them, and are grades, sexes or roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from transforms.infer_mapping.columns import order_line
from transforms.infer_mapping.draft import Block, Line, Sheet, quoted, written
from transforms.infer_mapping.entities import (
    classes_blocks,
    courses_blocks,
    enrollments_blocks,
    people_blocks,
    schools_blocks,
    terms_blocks,
)
from transforms.infer_mapping.spellings import Subject
from transforms.infer_mapping.survey import Survey, several_schools, surveyed
from transforms.roster import Raw

__all__ = ["Guess", "guess"]

BLOCKS: dict[Subject, Callable[[Survey, str], list[Block]]] = {
    "schools": schools_blocks,
    "terms": terms_blocks,
    "students": people_blocks,
    "teachers": people_blocks,
    "staff": people_blocks,
    "contacts": people_blocks,
    "people": people_blocks,
    "courses": courses_blocks,
    "classes": classes_blocks,
    "enrollments": enrollments_blocks,
}
NEEDED = ("schools", "students", "people", "classes", "enrollments")


@dataclass(frozen=True)
class Guess:
    """The text of a mapping file; how many of its lines are certain enough, how many are open, and what each file is taken for."""

    text: str
    lines: int
    open: int
    files: dict[str, str]


def guess(raw: Raw, code: str) -> Guess:
    """Guess a mapping for a drop."""
    survey = surveyed(raw)
    sheets = [_sheet(survey, name) for name in _in_order(survey)]
    rest = sorted(raw.files.keys() - survey.holds.keys())
    sheets += [
        Sheet(name, "nothing says what it holds" if name in survey.columns else "it has no rows")
        for name in rest
    ]
    head = _head(survey, sheets, code)
    lines = [*head, *(line for sheet in sheets for block in sheet.blocks for line in block.lines)]
    open_lines = sum(line.open for line in lines)
    files = {
        name: survey.holds[name].subject if name in survey.holds else ""
        for name in sorted(raw.files)
    }
    return Guess(written(head, sheets), len(lines) - open_lines, open_lines, files)


def _in_order(survey: Survey) -> list[str]:
    return [name for subject in BLOCKS for name in survey.files(subject)]


def _sheet(survey: Survey, name: str) -> Sheet:
    holds = survey.holds[name]
    sheet = Sheet(
        name,
        f"taken for {holds.subject}: {holds.why}",
        blocks=tuple(BLOCKS[holds.subject](survey, name)),
    )
    # By these, students find their contacts.
    joined = (
        {one.name for one in survey.leading(name, "students")}
        if holds.subject == "contacts"
        else set()
    )
    unused = [one.name for one in survey.columns[name] if one.name not in sheet.reads | joined]
    needed = (
        [Line("needed", "true", "without it the drop is not loaded")]
        if holds.subject in NEEDED
        else []
    )
    ignored = (
        [
            Line(
                "ignored",
                f"[{', '.join(quoted(_literally(one)) for one in unused)}]",
                "not used; delete from this list what you map",
            )
        ]
        if unused
        else []
    )
    return replace(sheet, settings=(*needed, *ignored))


def _literally(name: str) -> str:
    """A name among those that are ignored, where `*`, `?` and `[` stand for others."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _head(survey: Survey, sheets: list[Sheet], code: str) -> list[Line]:
    """What holds for all: a name, the order of dates, whether drops are whole, and what is above the schools."""
    read = {sheet.name: sheet.reads for sheet in sheets}
    columns = [
        one
        for name, each in survey.columns.items()
        for one in each
        if one.name in read.get(name, ())
    ]
    order = order_line(columns)
    lines = [
        Line("code", quoted(code), "a short name"),
        Line("title", quoted(code), "what people call it"),
    ]
    lines += [order] if order else []
    lines.append(
        Line(
            "snapshot",
            "true",
            "does each drop hold everybody, so that whoever is absent has left?",
            open=True,
        )
    )
    if several_schools(survey):
        lines.append(
            Line("district", "true", "the drop names schools, and above them there is a district")
        )
    return lines
