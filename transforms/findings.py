"""What was found wrong: errors row by row, everything else counted with first examples.

`Findings.errors` has one line for each breach that refuses a row, a file or the drop; a cell value
stands in it, so it only ever goes to a local file. `Findings.notices` are groups.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import polars as pl

from transforms.rules import RULES

ROW = "#row"
EXAMPLES = 3

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
    """Breaches of one rule in one column that reject nothing: how often, and where first.

    `examples` are (row, value) pairs. `detail` completes the rule's sentence, for instance with
    the name under which a column was read.
    """

    rule: str
    file: str = ""
    column: str = ""
    count: int = 1
    detail: str = ""
    examples: tuple[tuple[int | None, str], ...] = ()


@dataclass(frozen=True)
class Findings:
    """Errors (columns of `ERRORS`) and notices."""

    errors: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ERRORS))
    notices: tuple[Notice, ...] = ()

    @property
    def fatal(self) -> pl.DataFrame:
        """The errors that refuse a file or the drop."""
        return self.errors.filter(pl.col("severity") == "fatal")


def gather(findings: Iterable[Findings]) -> Findings:
    """All findings as one, in order."""
    parts = list(findings)
    errors = [part.errors for part in parts if part.errors.height]
    return Findings(
        pl.concat(errors) if errors else pl.DataFrame(schema=ERRORS),
        tuple(notice for part in parts for notice in part.notices),
    )


def of_file(rule: str, file: str, detail: str = "", *, column: str = "", strict: bool = False, count: int = 1,
            row: int | None = None) -> Findings:  # fmt: skip
    """A finding about a whole file, or the drop if `file` is empty."""
    severity = RULES[rule].severity_when(strict)
    if severity in ("warning", "note"):
        return Findings(notices=(Notice(rule, file, column, count, detail, ((row, ""),) if row else ()),))
    line = {"file": file, "row": row, "column": column, "rule": rule, "severity": severity, "value": detail}
    return Findings(pl.DataFrame([line], schema=ERRORS))


def of_rows(rule: str, rows: pl.DataFrame, *, file: str, entity: str, column: str = "", value: str | None = None,
            detail: str = "", strict: bool = False) -> Findings:  # fmt: skip
    """A finding about each of `rows`, which have `#row`, `sourcedId` and the column named `value`."""
    if not rows.height:
        return Findings()
    severity = RULES[rule].severity_when(strict)
    values = pl.col(value).cast(pl.String) if value else pl.lit(None, pl.String)
    if severity in ("warning", "note"):
        first = rows.head(EXAMPLES).select(ROW, values.fill_null("").alias("value"))
        return Findings(notices=(Notice(rule, file, column, rows.height, detail, tuple(first.iter_rows())),))
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
