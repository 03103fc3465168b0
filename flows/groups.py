"""Findings grouped by rule: what a person reads of them. Rows and columns are named, values are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from transforms.findings import EXAMPLES, Findings, Notice
from transforms.rules import RULES, Rule

SEVERITIES = ("fatal", "error", "warning", "note")


@dataclass(frozen=True)
class Group:
    """All breaches of one rule in one column of one file; `rows` are the first ones."""

    severity: str
    rule: Rule
    file: str
    column: str
    count: int
    rows: tuple[int, ...]
    detail: str = ""

    @property
    def place(self) -> str:
        """Where it is, as far as it is in one place."""
        return ", ".join(part for part in (self.file or "the drop", self.column) if part)

    @property
    def sentence(self) -> str:
        """What, where, how often, and what to do next."""
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.rule.says}{detail}. {self.rule.fix}"

    @property
    def extent(self) -> str:
        """How many, and the first rows."""
        if not self.rows:
            return f"{self.count:,} times" if self.count > 1 else ""
        more = ", …" if self.count > len(self.rows) else ""
        return f"{self.count:,} {'row' if self.count == 1 else 'rows'}: {', '.join(map(str, self.rows))}{more}"


def groups(findings: Findings) -> list[Group]:
    """Group the findings, the worst and the most frequent first."""
    found = [*_errors(findings), *_notices(findings.notices)]
    return sorted(found, key=lambda group: (SEVERITIES.index(group.severity), -group.count, group.file, group.column))


def _errors(findings: Findings) -> Iterator[Group]:
    # A root cause is told by its own group; details of whole files are names of columns, members and the like.
    detail = pl.when(pl.col("row").is_null()).then("value")
    grouped = findings.errors.group_by(
        "severity", "rule", "file", "column", detail.alias("detail"), maintain_order=True
    )
    for severity, rule, file, column, text, count, rows in grouped.agg(
        pl.len(), pl.col("row").drop_nulls().head(EXAMPLES).alias("rows")
    ).iter_rows():
        yield Group(severity, RULES[rule], file, column, count, tuple(rows), text or "")


def _notices(notices: tuple[Notice, ...]) -> Iterator[Group]:
    for notice in notices:
        rows = tuple(row for row, _ in notice.examples if row is not None)
        severity = RULES[notice.rule].severity
        yield Group(severity, RULES[notice.rule], notice.file, notice.column, notice.count, rows, notice.detail)
