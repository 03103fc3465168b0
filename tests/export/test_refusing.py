"""What is not exported, where no zip is written, and what is not overwritten."""

from __future__ import annotations

import zipfile
from contextlib import chdir
from pathlib import Path

import pytest

from tests.export.exporting import export, feed, rows, said
from tests.rosters import delta, district, drop
from tests.running import roster


def test_a_drop_that_would_be_refused_is_not_exported(tmp_path: Path) -> None:
    """Exit 4, with what is wrong as `check` says it, and no zip."""
    folder = drop(tmp_path / "drop", district())
    (folder / "users.csv").unlink()

    run = export(tmp_path, folder)

    assert (4, "refused", None) == (run.code, run.json["status"], run.json["zip"])
    assert "manifest_file_missing" in said(run)
    assert not (tmp_path / "out.zip").exists()


def test_changes_are_not_exported(tmp_path: Path) -> None:
    """A bulk zip of them would say of everybody else that they are gone."""
    source = drop(tmp_path / "drop", delta(district()), "delta")

    run = export(tmp_path, source)

    assert (4, True, False) == (
        run.code,
        "export_delta" in said(run),
        (tmp_path / "out.zip").exists(),
    )


def test_a_zip_is_not_replaced_unless_that_is_asked_for(tmp_path: Path) -> None:
    """Exit 2; with `--force` it is."""
    out = tmp_path / "out.zip"
    out.write_text("precious")

    refused = rows(tmp_path, district())
    kept = out.read_text()
    forced = rows(tmp_path, district(), "--force")

    assert (2, "precious", 0, True) == (refused.code, kept, forced.code, zipfile.is_zipfile(out))
    assert "--force" in said(refused)


PLACES = (
    ("roster.csv", "does not end in .zip"),
    ("nowhere/out.zip", "does not exist. Make it first"),
    ("drop/out.zip", "lies in the drop"),
    ("folder.zip", "is a folder"),
)


@pytest.mark.parametrize(("place", "why"), PLACES)
def test_where_a_zip_cannot_be_meant_is_told(place: str, why: str, tmp_path: Path) -> None:
    """Exit 2, before anything is read."""
    (tmp_path / "folder.zip").mkdir()
    source = drop(tmp_path / "drop", district())

    run = roster("export", source, tmp_path / place, "--force", state=tmp_path / "state")

    assert (2, True) == (run.code, why in said(run))


def test_a_drop_is_not_overwritten_by_its_export(tmp_path: Path) -> None:
    """Not even if that is asked for."""
    rows(tmp_path, district())

    run = export(tmp_path, tmp_path / "out.zip", "--force")

    assert (2, True) == (run.code, "lies in the drop" in said(run))


def test_what_a_target_holds_is_written_wherever_one_is(tmp_path: Path) -> None:
    """There is no drop in which the zip could lie."""
    state = tmp_path / "state"
    roster("sync", drop(tmp_path / "drop", district()), state=state)

    with chdir(tmp_path):
        run = roster(
            "export", "--from-api", "--target", "sandbox", "out.zip", "--json", state=state
        )

    assert (0, True) == (run.code, zipfile.is_zipfile(tmp_path / "out.zip"))


def test_what_a_target_holds_is_not_written_into_the_drop_of_its_feed(tmp_path: Path) -> None:
    """It would be read as a part of it the next night."""
    path = feed(tmp_path, drop(tmp_path / "drop", district()))

    run = roster(
        "export", "--from-api", path, tmp_path / "drop" / "out.zip", state=tmp_path / "state"
    )

    assert (2, True) == (run.code, "lies in the drop" in said(run))


def test_a_disk_that_does_not_take_the_zip_is_told(tmp_path: Path) -> None:
    """Exit 1; here the name is too long for the file system while it is written."""
    source = drop(tmp_path / "drop", district())

    run = roster(
        "export", source, tmp_path / f"{'a' * 251}.zip", "--json", state=tmp_path / "state"
    )

    assert (1, "failed", None) == (run.code, run.json["status"], run.json["zip"])
    assert "Not written" in said(run)
