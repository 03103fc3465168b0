"""Infer a first mapping file from a drop in an unknown layout, for a person to finish.

The names of files and columns, the values, and references between files show what is what. Every
line has a reason. Nothing personal gets into the file: only values of columns with few distinct
values, which are grades, sexes or roles.
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
    """An inferred mapping file."""

    text: str
    lines: int  # that are certain enough
    open: int  # lines for a person to finish
    files: dict[str, str]  # file -> its subject, blank if unknown


def guess(raw: Raw, code: str) -> Guess:
    """Infer a mapping file from a drop; `code` is the code of the new layout."""
    survey = surveyed(raw)
    sheets = [_sheet(survey, name) for subject in BLOCKS for name in survey.files(subject)]
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


def _sheet(survey: Survey, name: str) -> Sheet:
    holds = survey.holds[name]
    sheet = Sheet(
        name,
        f"taken for {holds.subject}: {holds.why}",
        blocks=tuple(BLOCKS[holds.subject](survey, name)),
    )
    used = set(sheet.reads)
    if holds.subject == "contacts":
        # The join of contacts to students reads these.
        used |= {one.name for one in survey.leading(name, "students")}
    unused = [one.name for one in survey.columns[name] if one.name not in used]
    settings = []
    if holds.subject in NEEDED:
        settings.append(Line("needed", "true", "without it the drop is not loaded"))
    if unused:
        names = ", ".join(quoted(_escape_pattern(one)) for one in unused)
        why = "not used; delete from this list what you map"
        settings.append(Line("ignored", f"[{names}]", why))
    return replace(sheet, settings=tuple(settings))


def _escape_pattern(name: str) -> str:
    """Escape `*`, `?` and `[`, which are wildcards in `ignored`."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _head(survey: Survey, sheets: list[Sheet], code: str) -> list[Line]:
    """The lines of `[layout]`."""
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
