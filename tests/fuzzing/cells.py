"""Cells as nobody wants them, and who must still be there after they came: counted without our reader."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.fuzzing.samples import Sample, Table
from transforms.binding.spelling import NULL_WORDS
from transforms.layouts.match import file_by_name, match_header
from transforms.schemas import ENTITIES
from transforms.sources import LAYOUTS

VALUES = (
    "", " ", "\u3000", "\u00a0x", "NULL", "N/A", "#N/A", "None", "nan", "-", "0", "-1", "007", "7", "12345.0", "3.6E+11", "1e400",
    "8-Jun", "12-Sep", "5-Jan", "6-8", "K-12", "PK", "13", "999", "Multiple", "9/1/2025", "11/1/98", "15/06/2023", "2017/4/1",
    "2019-08-123", "2026-02-30", "1/20", "June-1-2020", "0000-00-00", "9999-12-31", "46266", "2026-2027", "2026-2030", "TRUE", "Yes", "maybe",
    "active", "Student", "professor", "ext:coach", "ext:", "=1+1", "=cmd|'/C calc'!A0", "+1", "@x", 'say "x"', '"', "'", "''", "'7'", "O'Brien",
    "a,b", ",", ",,", "a;b", "a|b", '["10"]', '["10","11"]', "[]", "{LDAP:12},{LTI:15}", "{LDAP:12", "{", "a@b", "a b@example.edu", "@", "a@@b",
    "A@EXAMPLE.EDU", "id with spaces", "id/with@signs._-", "#district", "..", "../x", "<b>x</b>", "${HOME}", "%s", "\\", '\\"', "\t", "a\tb",
    "a\nb", "a\r\nb", "a\x00b", "a\x07b", "\x1a", "\u200b", "e\u0301", "\ufffd", "JosÃ©", "漢字", "😀", "\u202ex", "\u2028", "\u0085", "x" * 300, "9" * 5000,
)  # fmt: skip
# What a spreadsheet or an export does to a whole column at once.
COLUMNS: dict[str, Callable[[str], str]] = {
    "apostrophes": lambda cell: f"'{cell}'",
    "padding": lambda cell: f" {cell}\u00a0",
    "decimals": lambda cell: f"{cell}.0",
    "no zeros": lambda cell: cell.lstrip("0"),
    "upper case": str.upper,
    "decomposed": lambda cell: unicodedata.normalize("NFD", cell),
    "blank": lambda cell: "",
    "all alike": lambda cell: "x",
}


@dataclass(frozen=True)
class Dirt:
    """A cell that gets another value, or a column (`row` is None) to which something happens; places are taken modulo."""

    file: int
    row: int | None
    column: int
    value: str

    def upon(self, tables: dict[str, Table]) -> str:
        """Do it; give the file to which it was done."""
        name = sorted(tables)[self.file % len(tables)]
        rows = [row for row in tables[name][1:] if row]
        for row in (
            rows if self.row is None else rows[self.row % len(rows) : self.row % len(rows) + 1]
        ):
            place = self.column % len(row)
            row[place] = self.value if self.row is not None else COLUMNS[self.value](row[place])
        return name


def dirt() -> st.SearchStrategy[Dirt]:
    """Draw a spoilt cell or, more rarely, a spoilt column."""
    place = st.integers(0, 999)
    cell = st.builds(Dirt, place, place, place, st.sampled_from(VALUES) | st.text(max_size=9))
    column = st.builds(Dirt, place, st.none(), place, st.sampled_from(sorted(COLUMNS)))
    return st.one_of(cell, cell, cell, column)


def filled_rows(table: Table) -> int:
    """Count the records of a file."""
    return sum(any(cell.strip() for cell in row) for row in table[1:])


def named(sample: Sample, tables: dict[str, Table]) -> dict[tuple[str, str], set[str]]:
    """Give the ids of the records that rows describe, by entity and file, as far as a column holds them as they are."""
    found = (
        _of_oneroster(tables) if sample.layout not in LAYOUTS else _of_layout(sample.layout, tables)
    )
    # Words for "nothing" are no ids: such a cell is blank, and its row is rejected for that.
    return {
        place: {plain(cell) for cell in cells} - {"", *NULL_WORDS} for place, cells in found.items()
    }


def plain(cell: str) -> str:
    """Give an id as it is meant: without apostrophes and spaces around it, in one line, with accents in one way."""
    text = (
        re.sub("\r\r\n|\r\n|\r|\n", " ", unicodedata.normalize("NFC", cell))
        .strip()
        .strip("'")
        .strip()
    )
    return "".join(sign for sign in text if sign not in "\u200b\u200c\u200d\u2060\ufeff")


def _of_oneroster(tables: dict[str, Table]) -> dict[tuple[str, str], list[str]]:
    entities = {entity.file: name for name, entity in ENTITIES.items() if not entity.folds_into}
    return {
        (entities[file], file): _column(table, "sourcedId")
        for file, table in tables.items()
        if file in entities
    }


def _of_layout(code: str, tables: dict[str, Table]) -> dict[tuple[str, str], list[str]]:
    layout, found = LAYOUTS[code], dict[tuple[str, str], list[str]]()
    for name, table in tables.items():
        file = file_by_name(layout, name)
        for one in file.gives if file is not None else ():
            key = one.columns.get("sourcedId")
            if (
                file is None
                or key is None
                or len(key.reads) != 1
                or one.derived
                or one.where
                or one.given
                or one.each
            ):
                continue
            cell = match_header(file, layout.columns_of(file), tuple(table[0])).get(key.reads[0])
            if cell is not None:
                found[one.entity, name] = _column(table, cell)
    return found


def _column(table: Table, name: str) -> list[str]:
    """The cells of a column; rows that are too short have none."""
    place = table[0].index(name)
    return [row[place] for row in table[1:] if place < len(row)]
