"""Exporting drops to `out.zip` in a folder, for tests."""

from __future__ import annotations

import zipfile
from pathlib import Path

from tests.rosters import Rows, drop
from tests.running import Run, roster

SAMPLES = Path(__file__).parents[2] / "sample_data"
FEED = """
district = "larkspur"
drop = "{drop}"
[target]
url = "sandbox"
email_template = "{{sourcedId}}@example.edu"
"""


def export(folder: Path, source: Path, *more: str) -> Run:
    """Export a drop to `out.zip` in a folder."""
    return roster("export", source, folder / "out.zip", "--json", *more, state=folder / "state")


def rows(folder: Path, table: Rows, *more: str) -> Run:
    """Export rows."""
    return export(folder, drop(folder / "drop", table), *more)


def feed(folder: Path, source: Path, more: str = "") -> Path:
    """Write a feed file for a drop."""
    path = folder / "larkspur.toml"
    path.write_text(FEED.format(drop=source) + more)
    return path


def member(folder: Path, name: str) -> str:
    """Give a file of the zip."""
    with zipfile.ZipFile(folder / "out.zip") as archive:
        return archive.read(name).decode()


def said(run: Run) -> str:
    """What was printed, as one line."""
    return " ".join(run.said.split())
