"""A drop that is a folder."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path

from connectors.drops.archive import csv_names
from connectors.drops.members import Member, Members, is_csv, is_noise, twice, unknown
from connectors.drops.refusal import Refused, printable


def folder_members(folder: Path, strict: bool, leave: frozenset[str] = frozenset()) -> Members:
    """List the CSV files of a folder, but for the files to `leave`.

    Folders inside it are not looked into. Raises `Refused` if it holds zips and no CSV files.
    """
    there = (name for name in sorted(os.listdir(folder)) if name not in leave and not is_noise(name))
    names = [name for name in there if not (folder / name).is_dir()]
    csvs = [name for name in names if is_csv(name) and printable(name) == name]
    zips = [name for name in names if name.lower().endswith(".zip")]
    if zips and not csvs:
        raise Refused(
            "drop_unreadable", detail=f"the folder holds no CSV file but {', '.join(zips)}; name the zip itself"
        )
    clashes = twice([*csvs, *(name for file in zips for name in csv_names(folder / file))])
    files = tuple(Member(name, partial(_load, folder / name)) for name in csvs if name not in clashes)
    return Members(files, (*clashes.values(), *unknown(set(names) - set(csvs), strict)))


def _load(path: Path) -> bytes:
    """Read a file; a FIFO or a device would block, or never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Refused("drop_unreadable", path.name, "not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise Refused("drop_unreadable", path.name, error.strerror or str(error)) from error
