"""Findings grouped by rule: what a person reads of them. Rows and columns are named, values are not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import polars as pl

from flows.showing import one_line
from transforms.findings import EXAMPLES, Findings, Notice
from transforms.rules import CONSEQUENCES, RULES, Rule

SEVERITIES = ("fatal", "error", "warning", "note")
MOST_PLACES = 6


@dataclass(frozen=True)
class Place:
    """All breaches of one rule in one column of one file; `rows` are the first ones."""

    severity: str
    rule: str
    file: str
    column: str
    count: int
    rows: tuple[int, ...]
    detail: str = ""

    @property
    def sentence(self) -> str:
        """Say where it is, in which rows, and what was found there."""
        where = " ".join(part for part in (self.file or "the drop", self.column) if part)
        more = ", …" if self.rows and self.count > len(self.rows) else ""
        rows = f"{'row' if self.count == 1 else 'rows'} {', '.join(map(str, self.rows))}{more}" if self.rows else ""
        return one_line(": ".join(part for part in (where, rows, self.detail) if part))


@dataclass(frozen=True)
class Group:
    """All breaches of one rule, the place with the most of them first."""

    rule: Rule
    severity: str
    places: tuple[Place, ...]

    @property
    def count(self) -> int:
        """How often the rule was broken."""
        return sum(place.count for place in self.places)

    @property
    def sentence(self) -> str:
        """Say what is wrong, and what to do next."""
        return f"{self.rule.says[0].upper()}{self.rule.says[1:]}. {self.rule.fix}"

    @property
    def examples(self) -> Iterator[str]:
        """The first places, and how many more there are."""
        yield from (place.sentence for place in self.places[:MOST_PLACES])
        if len(self.places) > MOST_PLACES:
            yield f"and {len(self.places) - MOST_PLACES} other places"


def groups(findings: Findings) -> list[Group]:
    """Group the findings by rule, the worst and the most frequent first."""
    places = sorted([*_errors(findings), *_notices(findings.notices)], key=lambda place: (place.rule, place.severity))
    found = [
        _group(RULES[rule], severity, same)
        for (rule, severity), same in groupby(places, key=lambda p: (p.rule, p.severity))
    ]
    return sorted(found, key=_weight)


def _weight(group: Group) -> tuple[int, bool, int, str]:
    return SEVERITIES.index(group.severity), group.rule.code in CONSEQUENCES, -group.count, group.rule.code


def _group(rule: Rule, severity: str, places: Iterable[Place]) -> Group:
    return Group(rule, severity, tuple(sorted(places, key=lambda place: (-place.count, place.file, place.column))))


def _errors(findings: Findings) -> Iterator[Place]:
    # Values of rows are personal; details of whole files are names of columns, members and the like.
    detail = pl.when(pl.col("row").is_null()).then("value")
    grouped = findings.errors.group_by(
        "severity", "rule", "file", "column", detail.alias("detail"), maintain_order=True
    )
    rows = pl.col("row").drop_nulls().head(EXAMPLES).alias("rows")
    for severity, rule, file, column, text, count, first in grouped.agg(pl.len(), rows).iter_rows():
        yield Place(severity, rule, file, column, count, tuple(first), text or "")


def _notices(notices: tuple[Notice, ...]) -> Iterator[Place]:
    for notice in notices:
        rows = tuple(row for row, _ in notice.examples if row is not None)
        yield Place(
            RULES[notice.rule].severity, notice.rule, notice.file, notice.column, notice.count, rows, notice.detail
        )
