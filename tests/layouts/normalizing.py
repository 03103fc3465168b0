"""Drops in any layout, read and normalized, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from connectors.drops import read
from tests.judging import TODAY
from transforms.checks import Checked, check
from transforms.findings import Findings, with_real_files
from transforms.layouts import Layout, ReadingOptions
from transforms.roster import Roster
from transforms.sources import escape_character, normalize


def written(folder: Path, **files: str) -> Path:
    """Write files, each as lines of text, and give their folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(
            "\n".join(line.strip() for line in text.strip().splitlines()) + "\n", "utf-8"
        )
    return folder


def normalized(drop: Path, layout: Layout | str = "auto", **dialect: Any) -> Roster:
    """Normalize a drop."""
    raw = read(drop)
    escape = escape_character(layout, raw)
    return normalize(
        layout, read(drop, escape=escape) if escape else raw, ReadingOptions(TODAY, **dialect)
    )


def judged(roster: Roster) -> Checked:
    """Check a roster; findings say which of several files is meant."""
    checked = check(roster, {})
    return Checked(checked.standing, with_real_files(checked.findings))


def rules(findings: Findings) -> list[str]:
    """Name the rules that were broken or told, in order and each once."""
    return list(
        dict.fromkeys([*findings.errors["rule"], *(notice.rule for notice in findings.notices)])
    )


def column(frame: pl.DataFrame, name: str) -> dict[str, str | None]:
    """What a column has of each record."""
    return dict(frame.select("sourcedId", name).iter_rows())


def lines(roster: Roster, entity: str, *columns: str) -> list[tuple[str | None, ...]]:
    """Some columns of an entity's rows."""
    return roster.tables[entity].frame.select(columns).rows()
