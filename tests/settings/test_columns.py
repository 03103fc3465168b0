"""`[source.columns]`: "this column is that one", wherever a header can be off; elsewhere it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts.clever import clever
from tests.rosters import csv_text, district, drop
from tests.running import Run, roster
from transforms.schemas.entity import Version

FEED = 'district = "larkspur"\ndrop = "drop"\ntarget.url = "sandbox"\n'
SETTING = 'source.columns.users.nom = "familyName"\n'
NEAR = """
[layout]
code = "near"
title = "Almost the standard"
base = "oneroster"
[[file]]
name = "users"
names = ["people"]
"""


def run(folder: Path, text: str, command: str = "check") -> Run:
    """Run a command with a feed file."""
    feed = folder / "larkspur.toml"
    feed.write_text(FEED + text, "utf-8")
    return roster(command, feed, "--json", state=folder / "state")


def rename_column(folder: Path, version: Version) -> Path:
    """Write the small district with a column of users that has another name."""
    rows = district()
    if version == "1.1":
        for user in rows["users"]:
            user |= {"role": "student", "orgSourcedIds": "s1"}
        del rows["roles"], rows["demographics"]
        rows = {name: table for name, table in rows.items() if name in ("orgs", "users")}
        folder = drop(folder, {})
        for name, table in rows.items():
            (folder / f"{name}.csv").write_text(csv_text(name, table, "1.1"), "utf-8", newline="")
        (folder / "manifest.csv").unlink()
    else:
        folder = drop(folder, rows)
    file = folder / "users.csv"
    file.write_text(file.read_text("utf-8").replace("familyName", "nom", 1), "utf-8", newline="")
    return file


@pytest.mark.parametrize(
    ("version", "near"), [("1.2", ""), ("1.1", ""), ("1.2", 'layout = "near.toml"\n')]
)
def test_a_column_is_what_the_feed_file_says(version: Version, near: str, tmp_path: Path) -> None:
    """In each version of OneRoster, and in a layout of one's own that is almost OneRoster."""
    file = rename_column(tmp_path / "drop", version)
    if near:
        (tmp_path / "near.toml").write_text(NEAR)
        file.rename(file.with_name("people.csv"))
    without = run(tmp_path, near)

    checked, loaded = (run(tmp_path, near + SETTING, command) for command in ("check", "sync"))

    said = " ".join(without.said.split())
    assert (4, True) == (without.code, "[source.columns.users]" in said)
    assert (0, 0, 0) == (checked.code, loaded.code, loaded.total("rejected"))
    assert 4 == loaded.json["entities"]["users"]["created"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('layout = "clever"\n', "begin one with `roster map DROP`, and name it as `layout`"),
        ("", "begin one with `roster map DROP`, and name it as `layout`"),
    ],
)
def test_in_other_layouts_a_mapping_file_says_it(text: str, says: str, tmp_path: Path) -> None:
    """The setting is refused, at once or when the layout is recognized."""
    clever(tmp_path / "drop")

    refused = run(tmp_path, text + SETTING)

    assert (2, True) == (refused.code, says in " ".join(refused.said.split()))
