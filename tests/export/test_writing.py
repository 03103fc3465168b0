"""Frames as a zip of CSV files: their bytes, their places, and that a zip is there whole or not at all."""

from __future__ import annotations

import os
import stat
import zipfile
from pathlib import Path

import polars as pl
import pytest

from connectors.drops import read
from connectors.drops.write import write_zip

ODD = ["Núñez", "a,b", 'say "x"', "=1+1", None]


def frame(*titles: str | None) -> pl.DataFrame:
    """Give categories of these titles."""
    ids = [f"k{number}" for number in range(len(titles))]
    return pl.DataFrame(
        {"sourcedId": ids, "title": titles}, schema={"sourcedId": pl.String, "title": pl.String}
    )


def member(path: Path, name: str = "categories.csv") -> bytes:
    """Give the bytes of a file in a zip."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)


def test_cells_are_quoted_where_they_must_be(tmp_path: Path) -> None:
    """UTF-8, no byte order mark, CR LF, and nothing escaped that is data."""
    write_zip(tmp_path / "out.zip", {"categories.csv": frame(*ODD)})

    expected = 'sourcedId,title\r\nk0,Núñez\r\nk1,"a,b"\r\nk2,"say ""x"""\r\nk3,=1+1\r\nk4,\r\n'
    assert expected.encode() == member(tmp_path / "out.zip")


def test_a_zip_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Every cell, and nothing to find fault with."""
    write_zip(tmp_path / "out.zip", {"categories.csv": frame(*ODD)})

    raw = read(tmp_path / "out.zip", strict=True)

    assert frame(*ODD).equals(raw.files["categories.csv"].frame.drop("#row"))
    assert (0, ()) == (raw.findings.errors.height, raw.findings.notices)


def test_files_lie_at_the_top_in_order_for_their_owner(tmp_path: Path) -> None:
    """Deflated, with no folder around them."""
    write_zip(tmp_path / "out.zip", {"manifest.csv": frame("b"), "categories.csv": frame("a")})

    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        members = [
            (one.filename, one.compress_type, one.external_attr >> 16) for one in archive.infolist()
        ]
    assert [("manifest.csv", 8, 0o600), ("categories.csv", 8, 0o600)] == members
    assert 0o600 == stat.S_IMODE(os.stat(tmp_path / "out.zip").st_mode)


def test_the_same_frames_are_the_same_bytes(tmp_path: Path) -> None:
    """Nothing of a zip says when it was written."""
    for name in ("one.zip", "two.zip"):
        write_zip(tmp_path / name, {"categories.csv": frame("a")})

    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()


def test_a_zip_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    """Neither half a zip nor a trace of the attempt."""
    out = tmp_path / "out.zip"
    write_zip(out, {"categories.csv": frame("a")})
    before = out.read_bytes()

    with pytest.raises(pl.exceptions.ComputeError):
        write_zip(out, {"categories.csv": pl.DataFrame({"sourcedId": [["a", "list"]]})})

    assert (before, [out]) == (out.read_bytes(), list(tmp_path.iterdir()))


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """The name may be misspelled."""
    with pytest.raises(FileNotFoundError):
        write_zip(tmp_path / "nowhere" / "out.zip", {"categories.csv": frame("a")})

    assert [] == list(tmp_path.iterdir())
