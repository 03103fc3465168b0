"""What a feed file says of how long is kept what runs leave behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SettingsError
from flows.feeds.feed import read_feed
from flows.retention import Retention

LEAST = 'drop = "drop"\n[target]\nurl = "sandbox"\n'


def keep(folder: Path, tail: str = "") -> Retention:
    """Read a feed file with some lines more."""
    path = folder / "larkspur.toml"
    path.write_text(LEAST + tail)
    return read_feed(path).keep.keep


def test_what_is_kept_has_defaults_and_can_be_set(tmp_path: Path) -> None:
    """One number more in the file is one number changed."""
    assert Retention(30, 90, 90) == keep(tmp_path)
    assert Retention(7, 14, 90) == keep(tmp_path, "[keep]\nrosters = 7\nrun_days = 14\n")


@pytest.mark.parametrize(
    "line", ["rosters = 0", "run_days = 0", 'closed_plan_days = "90"', "reports = 3"]
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, line: str) -> None:
    """No roster at all would leave nothing to compare with."""
    with pytest.raises(SettingsError, match=line.partition(" ")[0]):
        keep(tmp_path, f"[keep]\n{line}\n")
