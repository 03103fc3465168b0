"""What a sync makes of an export: the same as of the drop, whatever layout that was in."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree

import pytest

from tests.export.exporting import SAMPLES, export, member, rows
from tests.rosters import district, drop, without
from tests.running import roster
from transforms.sources import LAYOUTS


def assert_nothing_to_send(folder: Path, source: Path, *more: str) -> None:
    """Load a drop, export it, and load the zip: the target has it all."""
    state = folder / "state"
    first = roster("sync", source, "--json", *more, state=state)
    made = export(folder, source, *more)
    again = roster("sync", folder / "out.zip", "--json", *more, state=state)

    # Some samples have hardly any addresses, which holds each night.
    expected = {0: "unchanged", 3: "held"}[first.code]
    assert (0, expected, 0) == (made.code, again.json["status"], again.json["requests"])


@pytest.mark.parametrize("name", ["oneroster_1_1", "oneroster_1_2", *LAYOUTS])
def test_a_sync_of_an_export_sends_nothing(name: str, tmp_path: Path) -> None:
    """After one of the drop itself, in whatever layout that is."""
    assert_nothing_to_send(tmp_path, SAMPLES / name)


def test_a_sync_of_what_a_mapping_file_reads_sends_nothing(tmp_path: Path) -> None:
    """The zip needs no mapping file any more."""
    state, source = tmp_path / "state", SAMPLES / "own_layout" / "hawthorn.toml"
    first = roster("sync", source, "--json", state=state)
    made = export(tmp_path, source)
    plain = (
        source.read_text().replace('"drop"', '"out.zip"').replace('"mapping.toml"', '"oneroster"')
    )
    (tmp_path / "hawthorn.toml").write_text(plain)

    again = roster("sync", tmp_path / "hawthorn.toml", "--json", state=state)

    # Some samples have hardly any addresses, which holds each night.
    expected = {0: "unchanged", 3: "held"}[first.code]
    assert (0, expected, 0) == (made.code, again.json["status"], again.json["requests"])


def test_a_sync_of_exported_content_sends_nothing(tmp_path: Path) -> None:
    """Its own kinds of records, which the standard does not have, stay in the target."""
    roster("sync", SAMPLES / "oneroster_1_2", state=tmp_path / "state")

    assert_nothing_to_send(tmp_path, SAMPLES / "learning", "--district", "learning")


def test_a_sync_of_a_real_district_sends_nothing_twice(real_drops: Path, tmp_path: Path) -> None:
    """Of OneRoster 1.1, whose users have their roles in one file."""
    assert_nothing_to_send(tmp_path, real_drops / "oneroster-1.1-district")


def test_what_a_zip_lacks_is_gone_for_whoever_loads_it(tmp_path: Path) -> None:
    """It says so of every file that it has."""
    state = tmp_path / "state"
    roster("sync", drop(tmp_path / "drop", district()), state=state)
    rows(tmp_path, without(district(), "e1"))

    run = roster("plan", tmp_path / "out.zip", "--json", state=state)

    assert (3, 1) == (run.code, run.total("held"))


def test_what_any_layout_has_in_place_of_values_is_read_as_oneroster_reads_it(
    tmp_path: Path,
) -> None:
    """Words for nothing, and accents that are written in two ways."""
    folder = tmp_path / "drop"
    copytree(SAMPLES / "clever", folder)
    text = (folder / "teachers.csv").read_text("utf-8").replace(",Una,,Ek,", ",Una,N/A,Jose\u0301,")
    (folder / "teachers.csv").write_text(text, "utf-8")

    assert_nothing_to_send(tmp_path, folder)
    assert "Una,Jos\u00e9,," in member(tmp_path, "users.csv")
