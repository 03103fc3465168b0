"""Which time zones the program goes by: the newest that are installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ASK = "import zoneinfo; from flows.time_zones import time_zone; time_zone('UTC'); print(zoneinfo.TZPATH)"


@pytest.mark.parametrize(
    ("first_line", "taken"),
    [("# version 2025b", False), ("# version 9999a", True), ("", False)],
    ids=["older than the package", "newer", "of unknown age"],
)
def test_the_systems_files_are_taken_if_they_are_newer(
    tmp_path: Path, first_line: str, taken: bool
) -> None:
    """They stay as they are for years, and countries change their rules."""
    (tmp_path / "tzdata.zi").write_text(f"{first_line}\n")

    shown = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"PYTHONTZPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert taken == (str(tmp_path) in shown)
