"""Report the cells of a drop that are cleaned: each once, in the column that the file calls it.

One cell may become several: a course's title and a class's. They are cleaned where they end up, as
those of OneRoster's own files are (`binding/spelling.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.binding.spelling import NULLS, may_be_padded, trimmed
from transforms.findings import ROW, Findings, row_findings
from transforms.layouts.layout import File
from transforms.layouts.match import MatchedFile
from transforms.schemas import ENTITIES, Column


def cleaned_cells(files: dict[str, MatchedFile]) -> list[Findings]:
    """Report the spaces that were removed around values, and the words that were read as blank."""
    return [one for match in files.values() for one in _of_file(match)]


def _of_file(match: MatchedFile) -> Iterator[Findings]:
    uses = {name: one for name, one in _uses(match.file).items() if name in match.cells}
    tests = [(may_be_padded(name) | pl.col(name).is_in(NULLS)).any().alias(name) for name in uses]
    if not tests or not match.frame.height:
        return
    hits = match.frame.select(tests).row(0, named=True)
    for name in (name for name, hit in hits.items() if hit):
        value = trimmed(name, is_id=any(column.is_id for column in uses[name]))
        cells = match.frame.select(ROW, sourcedId=pl.lit(None, pl.String), cell=name, value=value)
        yield _reported(
            "padded", cells.filter(pl.col("cell").ne_missing(pl.col("value"))), match, name
        )
        # Some people are named Null.
        if not all(column.kind == "text" and column.required for column in uses[name]):
            yield _reported("null_words", cells.filter(pl.col("value").is_in(NULLS)), match, name)


def _uses(file: File) -> dict[str, list[Column]]:
    """The columns of the roster that each column of a file becomes."""
    uses: dict[str, list[Column]] = {}
    for rows in file.gives:
        columns = ENTITIES[rows.entity].by_name
        for name, cell in rows.columns.items():
            for read in cell.reads if name in columns else ():
                uses.setdefault(read, []).append(columns[name])
    return uses


def _reported(rule: str, cells: pl.DataFrame, match: MatchedFile, name: str) -> Findings:
    return row_findings(
        rule, cells, file=match.raw.name, entity="", column=match.cells[name], value="cell"
    )
