"""Findings about a drop: errors row by row, and everything else counted, with first examples.

`Findings.errors` has one line for each violation that refuses a row, a file or the drop. It
contains cell values, and is therefore written to local files only. `Findings.notices` are groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.rules import RULES

ROW = "#row"
EXAMPLES = 3
# A table whose rows come from several files names all of them. It numbers the rows of the second
# file from SPAN on, and those of the third from twice SPAN on: row SPAN + 7 of
# `students.csv, teachers.csv` is row 7 of teachers.csv. If each row of a file describes several
# records, the file is named once for each of them.
FILE_SEPARATOR = ", "
SPAN = 1 << 24
# The last numbers of a span are those of records that roster made itself. They are in no file, so
# people are shown no row number.
MADE = SPAN - (1 << 16)

ERRORS: dict[str, type[pl.DataType]] = {
    "file": pl.String,
    "row": pl.UInt32,
    "entity": pl.String,
    "sourcedId": pl.String,
    "column": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "value": pl.String,
}


@dataclass(frozen=True)
class Notice:
    """Violations of one rule in one column that reject nothing."""

    rule: str
    file: str = ""
    column: str = ""
    count: int = 1
    detail: str = ""  # completes the rule's sentence, for instance with a column's original name
    examples: tuple[tuple[int | None, str], ...] = ()  # (row, value) of the first ones
    entity: str = ""  # blank: columns are named as in the file


@dataclass(frozen=True)
class Findings:
    """Errors and notices."""

    # Columns of `ERRORS`, one row for each violation.
    errors: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ERRORS))
    notices: tuple[Notice, ...] = ()

    @property
    def fatal(self) -> pl.DataFrame:
        """The errors that refuse a file or the drop."""
        return self.errors.filter(pl.col("severity") == "fatal")


def merge_findings(findings: Iterable[Findings]) -> Findings:
    """Merge findings into one, in order."""
    parts = list(findings)
    errors = [part.errors for part in parts if part.errors.height]
    return Findings(
        pl.concat(errors) if errors else pl.DataFrame(schema=ERRORS),
        tuple(notice for part in parts for notice in part.notices),
    )


def file_finding(
    rule: str,
    file: str,
    detail: str = "",
    *,
    column: str = "",
    strict: bool = False,
    count: int = 1,
    row: int | None = None,
    entity: str | None = None,
) -> Findings:
    """Return a finding about a whole file, or about the drop if `file` is empty."""
    severity = RULES[rule].severity_when(strict)
    file = FILE_SEPARATOR.join(files_of(file))
    if severity in ("warning", "note"):
        return Findings(
            notices=(Notice(rule, file, column, count, detail, ((row, ""),) if row else ()),)
        )
    line = {
        "file": file,
        "row": row,
        "entity": entity,
        "column": column,
        "rule": rule,
        "severity": severity,
        "value": detail,
    }
    return Findings(pl.DataFrame([line], schema=ERRORS))


def row_findings(
    rule: str,
    rows: pl.DataFrame,
    *,
    file: str,
    entity: str,
    column: str = "",
    value: str | None = None,
    detail: str = "",
    strict: bool = False,
) -> Findings:
    """Return a finding about each of `rows` (`#row`, `sourcedId`, and the column named `value`)."""
    if not rows.height:
        return Findings()
    severity = RULES[rule].severity_when(strict)
    values = pl.col(value).cast(pl.String) if value else pl.lit(None, pl.String)
    if severity in ("warning", "note"):
        parts = _by_file(rows, file).items()
        return Findings(
            notices=tuple(
                Notice(rule, name, column, part.height, detail, _examples(part, values), entity)
                for name, part in parts
            )
        )
    errors = rows.select(
        pl.lit(file).alias("file"),
        pl.col(ROW).cast(pl.UInt32).alias("row"),
        pl.lit(entity).alias("entity"),
        pl.col("sourcedId"),
        pl.lit(column).alias("column"),
        pl.lit(rule).alias("rule"),
        pl.lit(severity).alias("severity"),
        values.alias("value"),
    )
    return Findings(errors)


def files_of(file: str) -> list[str]:
    """Return the files of a table, each once."""
    return list(dict.fromkeys(file.split(FILE_SEPARATOR)))


def file_and_row(file: str, row: str = ROW) -> tuple[pl.Expr, pl.Expr]:
    """Return the file that a table's row comes from, and the row's number in that file.

    A record that roster made has no row number.
    """
    names = file.split(FILE_SEPARATOR)
    number = pl.col(row) % SPAN
    in_file = pl.when(number < MADE).then(number)
    if len(names) == 1:
        return pl.lit(file), in_file
    place = pl.col(row) // SPAN
    return place.replace_strict(dict(enumerate(names)), return_dtype=pl.String), in_file


def with_real_files(findings: Findings) -> Findings:
    """Replace the file names and row numbers of tables with several files by the real ones."""
    errors = findings.errors
    made = set(errors.filter(pl.col("row") % SPAN >= MADE)["file"])
    several = [
        name
        for name in errors["file"].unique()
        if name and (FILE_SEPARATOR in name or name in made)
    ]
    for name in several:
        here = pl.col("file").eq_missing(name) & pl.col("row").is_not_null()
        file, row = file_and_row(name, "row")
        errors = errors.with_columns(
            file=pl.when(here).then(file).otherwise("file"),
            row=pl.when(here).then(row).otherwise("row").cast(pl.UInt32),
        )
    return Findings(errors, findings.notices) if several else findings


def with_source_columns(findings: Findings, names: Mapping[tuple[str, str, str], str]) -> Findings:
    """Add to each column its names in the file, given as in `Roster.spelt`.

    A cell that several records are made of is reported once.
    """
    if not names:
        return findings

    def in_file(file: str, entity: str | None, column: str) -> str:
        return names.get((file, entity or "", column)) or names.get((file, "", column), "")

    def spelling(file: str, entity: str | None, column: str) -> str:
        name = in_file(file, entity, column)
        return f"{column} ({name})" if name else column

    places = findings.errors.select("file", "entity", "column").unique()
    rows = [(*one, spelling(*one)) for one in places.drop_nulls(["file", "column"]).iter_rows()]
    there = pl.DataFrame(
        rows,
        schema=dict.fromkeys(("file", "entity", "column", "#spelt"), pl.String),
        orient="row",
    )
    errors = findings.errors.join(
        there, on=["file", "entity", "column"], how="left", nulls_equal=True, maintain_order="left"
    )
    errors = errors.with_columns(column=pl.coalesce("#spelt", "column")).drop("#spelt")
    once: dict[object, Notice] = {}
    for one in findings.notices:
        cell = in_file(one.file, one.entity, one.column) if one.entity else ""
        key = (one.rule, one.file, cell, one.detail) if cell else len(once)
        if key not in once or once[key].count < one.count:
            once[key] = replace(one, column=spelling(one.file, one.entity, one.column))
    return Findings(errors, tuple(once.values()))


def _by_file(rows: pl.DataFrame, file: str) -> dict[str, pl.DataFrame]:
    """Split a table's rows by the file that they come from, with their numbers in that file."""
    name_of, row = file_and_row(file)
    if FILE_SEPARATOR not in file:
        return {file: rows.with_columns(row.cast(pl.UInt32).alias(ROW))}
    parts = {name: rows.filter(name_of == name) for name in files_of(file)}
    return {
        name: part.with_columns(row.cast(pl.UInt32).alias(ROW))
        for name, part in parts.items()
        if part.height
    }


def _examples(rows: pl.DataFrame, values: pl.Expr) -> tuple[tuple[int | None, str], ...]:
    first = rows.head(EXAMPLES).select(ROW, values.fill_null("").alias("value"))
    return tuple(first.iter_rows())


def row_location(file: str, row: str = ROW) -> pl.Expr:
    """Return the text that names a row's file and number: only its file if roster made it."""
    name, number = file_and_row(file, row)
    return pl.coalesce(pl.concat_str(name, pl.lit(" row "), number), name)


def fault_location(file: str, row: str = ROW) -> pl.Expr:
    """Return the text that names a row's file and number, its `column` and the broken `rule`."""
    return pl.concat_str(row_location(file, row), pl.lit(", "), "column", pl.lit(": "), "rule")
