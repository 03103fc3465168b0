"""Infer a first mapping file from a drop in an unknown layout, for a person to finish.

The names of files and columns, the values, and references between files show what is what. Every
line has a reason. Nothing personal gets into the file: only values of columns with few distinct
values, which are grades, sexes or roles.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from transforms.infer_mapping.columns import date_order_line
from transforms.infer_mapping.draft import (
    DraftLine,
    EntityDraft,
    FileDraft,
    mapping_text,
    toml_string,
)
from transforms.infer_mapping.entities import (
    classes_blocks,
    courses_blocks,
    enrollments_blocks,
    people_blocks,
    schools_blocks,
    terms_blocks,
)
from transforms.infer_mapping.near_standard import find_differences
from transforms.infer_mapping.spellings import Subject
from transforms.infer_mapping.survey import Survey, several_schools, survey_drop
from transforms.roster import Raw

__all__ = ["InferredMapping", "infer_mapping", "infer_near_standard"]

BLOCKS: dict[Subject, Callable[[Survey, str], list[EntityDraft]]] = {
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
class InferredMapping:
    """An inferred mapping file."""

    text: str
    lines: int  # that are certain enough
    open: int  # lines for a person to finish
    files: dict[str, str]  # file -> its subject, blank if unknown


def infer_mapping(raw: Raw, code: str) -> InferredMapping:
    """Infer a mapping file from a drop; `code` is the code of the new layout."""
    survey = survey_drop(raw)
    sheets = [_sheet(survey, name) for subject in BLOCKS for name in survey.files(subject)]
    rest = sorted(raw.files.keys() - survey.holds.keys())
    sheets += [
        FileDraft(
            name, "nothing says what it holds" if name in survey.columns else "it has no rows"
        )
        for name in rest
    ]
    head = _head(survey, sheets, code)
    lines = [*head, *(line for sheet in sheets for block in sheet.blocks for line in block.lines)]
    open_lines = sum(line.open for line in lines)
    files = {
        name: survey.holds[name].subject if name in survey.holds else ""
        for name in sorted(raw.files)
    }
    return InferredMapping(mapping_text(head, sheets), len(lines) - open_lines, open_lines, files)


def infer_near_standard(raw: Raw, code: str) -> InferredMapping | None:
    """Infer the mapping of a drop that is almost OneRoster; None if no name differs.

    It begins with the standard's layout, and has only the names of files and columns that differ.
    """
    near = find_differences(raw)
    if not near.files:
        return None
    head = [
        DraftLine("code", toml_string(code), "a short name"),
        DraftLine("title", toml_string(code), "what people call it"),
        DraftLine("base", toml_string("oneroster"), "all else is as in the standard"),
    ]
    lines = [*head, *(line for sheet in near.files for line in sheet.settings)]
    open_lines = sum(line.open for line in lines)
    text = mapping_text(head, near.files)
    return InferredMapping(text, len(lines) - open_lines, open_lines, near.holds)


def _sheet(survey: Survey, name: str) -> FileDraft:
    holds = survey.holds[name]
    sheet = FileDraft(
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
        settings.append(DraftLine("needed", "true", "without it the drop is not loaded"))
    if unused:
        names = ", ".join(toml_string(_escape_pattern(one)) for one in unused)
        why = "not used; delete from this list what you map"
        settings.append(DraftLine("ignored", f"[{names}]", why))
    return replace(sheet, settings=tuple(settings))


def _escape_pattern(name: str) -> str:
    """Escape `*`, `?` and `[`, which are wildcards in `ignored`."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _head(survey: Survey, sheets: list[FileDraft], code: str) -> list[DraftLine]:
    """The lines of `[layout]`."""
    read = {sheet.name: sheet.reads for sheet in sheets}
    columns = [
        one
        for name, each in survey.columns.items()
        for one in each
        if one.name in read.get(name, ())
    ]
    order = date_order_line(columns)
    lines = [
        DraftLine("code", toml_string(code), "a short name"),
        DraftLine("title", toml_string(code), "what people call it"),
    ]
    lines += [order] if order else []
    lines.append(
        DraftLine(
            "snapshot",
            "true",
            "does each drop hold everybody, so that whoever is absent has left?",
            open=True,
        )
    )
    if several_schools(survey):
        lines.append(
            DraftLine(
                "district", "true", "the drop names schools, and above them there is a district"
            )
        )
    return lines
