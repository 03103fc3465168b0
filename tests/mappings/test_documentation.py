"""What is written of mapping files is true, and whole."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

from transforms.layouts import File, Join, Layout, Rows
from transforms.mappings import FIELDS, read_mapping
from transforms.mappings.tables import CELLS, CONDITIONS, FILE, ROWS

TEXT = (Path(__file__).parents[2] / "docs" / "own_layout.md").read_text("utf-8")
# What only a layout in code has: files are tables, and `required` columns are all that are not optional. Old
# and new ids are the business of a feed file.
IN_CODE = {
    "prepare",
    "report",
    "cross_lists",
    "enrolled_once",
    "renames",
    "made",
    "beside",
    "files",
    "gives",
    "joins",
    "required",
    "reads",
    "entity",
    "columns",
}


def test_every_word_is_told_of() -> None:
    """In the form in which it is written."""
    assert [] == [word for word in {**CELLS, **CONDITIONS} if f"{{{word} = " not in TEXT]


def test_every_key_can_be_written_and_is_told_of() -> None:
    """Whatever a layout may say, but for what needs code."""
    written = {*FIELDS, *FILE, *ROWS, *(one.name for one in fields(Join))}

    assert {one.name for kind in (Layout, File, Rows) for one in fields(kind)} - IN_CODE <= written
    assert [] == [key for key in written if f"{key} = " not in TEXT]


def test_the_example_is_a_mapping() -> None:
    """Each of its lines is right."""
    example = TEXT.partition("```toml\n")[2].partition("```")[0]

    assert () == read_mapping(tomllib.loads(example)).problems
