"""Findings grouped by rule, as people read them.

Reports, notifications and the preflight use these sentences. They name rows and columns, never
values of rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from flows.safe_text import one_line
from transforms.findings import EXAMPLES, Findings, Notice
from transforms.grammar import agree, count_of
from transforms.rules import CONSEQUENCES, RULES, Rule

SEVERITIES = ("fatal", "error", "warning", "note")
MOST_PLACES = 6


@dataclass(frozen=True)
class FindingPlace:
    """All breaches of one rule in one column of one file."""

    severity: str
    rule: str
    file: str
    column: str
    count: int
    rows: tuple[int, ...]  # the first ones
    detail: str = ""

    @property
    def sentence(self) -> str:
        """The file, the column, the first rows, and what was found there."""
        where = " ".join(part for part in (self.file or "the drop", self.column) if part)
        more = ", …" if self.rows and self.count > len(self.rows) else ""
        rows = ""
        if self.rows:
            rows = f"{agree(self.count, 'rows')} {', '.join(map(str, self.rows))}{more}"
        return one_line(": ".join(part for part in (where, rows, self.detail) if part))


@dataclass(frozen=True)
class FindingGroup:
    """All breaches of one rule. The place with the most breaches comes first."""

    rule: Rule
    severity: str
    places: tuple[FindingPlace, ...]

    @property
    def count(self) -> int:
        """How many times the rule was broken."""
        return sum(place.count for place in self.places)

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do next."""
        return f"{self.rule.says[0].upper()}{self.rule.says[1:]}. {self.rule.fix}"

    @property
    def examples(self) -> Iterator[str]:
        """The first places, and how many more there are."""
        yield from (place.sentence for place in self.places[:MOST_PLACES])
        if len(self.places) > MOST_PLACES:
            yield f"and {count_of(len(self.places) - MOST_PLACES, 'other places')}"


def finding_groups(findings: Findings) -> list[FindingGroup]:
    """Group findings by rule, the most severe and most frequent first."""
    places = [*_error_places(findings), *map(_notice_place, findings.notices)]
    places.sort(key=lambda place: (place.rule, place.severity))
    groups = []
    for (rule, severity), places_of_rule in groupby(
        places, key=lambda place: (place.rule, place.severity)
    ):
        most_first = sorted(
            places_of_rule, key=lambda place: (-place.count, place.file, place.column)
        )
        groups.append(FindingGroup(RULES[rule], severity, tuple(most_first)))
    return sorted(groups, key=_order)


def _order(group: FindingGroup) -> tuple[int, bool, int, str]:
    code = group.rule.code
    return SEVERITIES.index(group.severity), code in CONSEQUENCES, -group.count, code


def _error_places(findings: Findings) -> Iterator[FindingPlace]:
    # Values of rows are personal. Details of complete files are names of columns, members and so
    # on.
    detail = pl.when(pl.col("row").is_null()).then("value").alias("detail")
    by = ("severity", "rule", "file", "column")
    grouped = findings.errors.group_by(*by, detail, maintain_order=True)
    rows = pl.col("row").drop_nulls().head(EXAMPLES).alias("rows")
    for severity, rule, file, column, text, count, first in grouped.agg(pl.len(), rows).iter_rows():
        yield FindingPlace(severity, rule, file, column, count, tuple(first), text or "")


def _notice_place(notice: Notice) -> FindingPlace:
    rows = tuple(row for row, _ in notice.examples if row is not None)
    return FindingPlace(
        RULES[notice.rule].severity,
        notice.rule,
        notice.file,
        notice.column,
        notice.count,
        rows,
        notice.detail,
    )
