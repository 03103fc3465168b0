"""The reference of the layouts is what the layouts say, today."""

from __future__ import annotations

from pathlib import Path

from transforms.layouts.reference import layouts_page
from transforms.sources import LAYOUTS

WRITTEN = Path(__file__).parents[2] / "docs" / "layouts.md"


def test_the_written_reference_is_current() -> None:
    """If not: `make dictionary`."""
    assert layouts_page(LAYOUTS.values()) == WRITTEN.read_text(encoding="utf-8")


def test_a_column_tells_what_becomes_of_it() -> None:
    """For its own file, for files that join it, and for which records there are."""
    page = layouts_page([LAYOUTS["sds_v1"]])

    assert "| `SIS ID` *required* | `ID` | users.sourcedId, " in page
    assert "| `Term StartDate` | `Term Start Date` | academicSessions.sourcedId" in page
    assert "whether there are academicSessions" in page
