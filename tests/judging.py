"""Checks of rows as a drop, for tests: the findings, and the state of each record."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from connectors.drops import read
from tests.rosters import Rows, drop
from transforms.checks import Checked, check
from transforms.checks.references import OtherFeedsIds
from transforms.layouts.options import ReadingOptions
from transforms.sources import normalize

TODAY = date(2026, 11, 24)
Known = dict[str, pl.DataFrame]
# The tests' district has a class without a teacher, and so few students that one bad row leaves a
# class without any.
ALWAYS = {"class_without_teacher", "class_without_student"}


def judged(
    folder: Path,
    rows: Rows,
    known: Known | None = None,
    *,
    strict: bool = False,
    mode: str = "bulk",
    elsewhere: OtherFeedsIds | None = None,
) -> Checked:
    """Write rows as a drop; read, normalize and check it."""
    return judged_drop(drop(folder, rows, mode), known, strict=strict, elsewhere=elsewhere)


def judged_drop(
    folder: Path,
    known: Known | None = None,
    *,
    strict: bool = False,
    elsewhere: OtherFeedsIds | None = None,
) -> Checked:
    """Read, normalize and check a drop."""
    return check(
        normalize("oneroster", read(folder, strict=strict), ReadingOptions(TODAY, strict=strict)),
        known or {},
        strict,
        elsewhere,
    )


def rules(checked: Checked) -> set[str]:
    """Return the rules of all findings, without those that the tests' district always has."""
    return {
        *checked.findings.errors["rule"],
        *(notice.rule for notice in checked.findings.notices),
    } - ALWAYS


def errors(checked: Checked) -> list[tuple[str, str, str]]:
    """Return (entity, sourcedId, rule) of each error."""
    return checked.findings.errors.select("entity", "sourcedId", "rule").rows()


def accepted(checked: Checked, entity: str) -> list[str]:
    """Return the ids of the accepted records."""
    return sorted(checked.standing[entity].accepted["sourcedId"])


def ledger(**entities: list[str]) -> Known:
    """Return a ledger's active records, with fingerprints that match no record."""
    return {
        name: pl.DataFrame(
            {"sourcedId": ids, "fingerprint": [0] * len(ids), "status": ["active"] * len(ids)}
        )
        for name, ids in entities.items()
    }
