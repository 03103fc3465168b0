"""Judging rows as a drop, for tests: what is found, and what becomes of each record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from connectors.drops import read
from tests.rosters import Rows, drop
from transforms.checks import Checked, check
from transforms.checks.references import Elsewhere
from transforms.layouts.options import Dialect
from transforms.sources import normalize

TODAY = date(2026, 11, 24)
Known = dict[str, pl.DataFrame]
# The district of the tests has a class that nobody teaches, and few students: whose row is bad leaves a class without any.
ALWAYS = {"class_without_teacher", "class_without_student"}


def judged(
    folder: Path,
    rows: Rows,
    known: Known | None = None,
    *,
    strict: bool = False,
    mode: str = "bulk",
    elsewhere: Elsewhere | None = None,
) -> Checked:
    """Read, normalise and check rows."""
    return judged_drop(drop(folder, rows, mode), known, strict=strict, elsewhere=elsewhere)


def judged_drop(
    folder: Path,
    known: Known | None = None,
    *,
    strict: bool = False,
    elsewhere: Elsewhere | None = None,
) -> Checked:
    """Read, normalise and check a drop."""
    return check(
        normalize("oneroster", read(folder, strict=strict), Dialect(TODAY, strict=strict)),
        known or {},
        strict,
        elsewhere,
    )


def rules(checked: Checked) -> set[str]:
    """Name the rules that were broken, but for what is always told of the district."""
    return {
        *checked.findings.errors["rule"],
        *(notice.rule for notice in checked.findings.notices),
    } - ALWAYS


def errors(checked: Checked) -> list[tuple[str, str, str]]:
    """Give (entity, sourcedId, rule) of each error."""
    return checked.findings.errors.select("entity", "sourcedId", "rule").rows()


def accepted(checked: Checked, entity: str) -> list[str]:
    """Give the ids that were accepted."""
    return sorted(checked.standing[entity].accepted["sourcedId"])


def ledger(**entities: list[str]) -> Known:
    """Give what a ledger knows as active, with fingerprints that match nothing."""
    return {
        name: pl.DataFrame(
            {"sourcedId": ids, "fingerprint": [0] * len(ids), "status": ["active"] * len(ids)}
        )
        for name, ids in entities.items()
    }
