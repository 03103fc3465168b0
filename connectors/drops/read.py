"""Reads a drop: whatever is wrong with it ends in findings, never in an exception."""

from __future__ import annotations

import os
import stat
from functools import partial
from pathlib import Path

from connectors.drops.csv_file import read_table
from connectors.drops.members import (
    Member,
    Members,
    Refused,
    is_csv,
    is_noise,
    printable,
    twice,
    unknown,
)
from connectors.drops.zip import ZipLimits, csv_names, zip_members
from transforms.findings import Findings, gather
from transforms.roster import Raw, RawFile


def read(
    path: Path,
    *,
    encoding: str | None = None,
    limits: ZipLimits | None = None,
    strict: bool = False,
    escape: str = "",
    leave: frozenset[str] = frozenset(),
) -> Raw:
    """Read the CSV files of a folder or a zip, every column as text.

    `encoding` is the one that the feed declares; without it files are UTF-8, or Windows-1252 if they
    cannot be. Files of a folder to `leave` are no part of the drop. `escape` is the sign before quotes inside cells, where a layout has one. Never raises for bad input: fatal findings without a file refuse the drop, those with
    one refuse that file, which is then in `Raw.broken`.
    """
    try:
        members = _members(path, limits or ZipLimits(), strict, leave)
        return _tables(members, encoding, strict, escape)
    except Refused as refused:
        return Raw({}, findings=refused.findings)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        detail = getattr(error, "strerror", None) or str(error)
        return Raw({}, findings=Refused("drop_unreadable", detail=detail).findings)


def read_file(path: Path, *, encoding: str | None = None) -> Raw:
    """Read one CSV file that lies outside of a drop; what is wrong with it is found as in a drop."""
    try:
        return _tables(Members((Member(path.name, path.read_bytes),)), encoding, strict=False)
    except (OSError, Refused) as error:
        detail = getattr(error, "strerror", None) or f"{path} cannot be read"
        return Raw(
            {}, findings=Refused("drop_unreadable", detail=f"{path.name}: {detail}").findings
        )


def _members(path: Path, limits: ZipLimits, strict: bool, leave: frozenset[str]) -> Members:
    if path.is_dir():
        return folder_members(path, strict, leave)
    path.stat()  # says why, where `is_file` only says no
    if not path.is_file():
        raise Refused("drop_unreadable", detail="neither a folder nor a file")
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] != b"PK" and not (start == b"" and path.suffix.lower() == ".zip"):
        raise Refused("drop_unreadable", detail="neither a folder nor a zip")
    return zip_members(path, limits, strict)


def _tables(members: Members, encoding: str | None, strict: bool, escape: str = "") -> Raw:
    files: dict[str, RawFile] = {}
    found: list[Findings] = list(members.findings)
    for member in members.files:
        try:
            # Loaded as an argument, so that nothing here keeps the bytes alive while they are parsed.
            table, findings = read_table(member.name, member.load(), encoding, strict, escape)
        except Refused as refused:
            if refused.findings.fatal["file"][0] == "":
                raise
            table, findings = None, refused.findings
        found.append(findings)
        if table is not None:
            files[member.name] = table
    findings = gather(found)
    broken = frozenset(findings.fatal["file"]) - {""}
    refused_drop = "" in findings.fatal["file"].to_list()
    return Raw({} if refused_drop else files, broken, findings)


def folder_members(folder: Path, strict: bool, leave: frozenset[str] = frozenset()) -> Members:
    """List the CSV files of a folder, but for the files to `leave`.

    Folders inside it are not looked into. Raises `Refused` if it holds zips and no CSV files.
    """
    there = (
        name for name in sorted(os.listdir(folder)) if name not in leave and not is_noise(name)
    )
    names = [name for name in there if not (folder / name).is_dir()]
    csvs = [name for name in names if is_csv(name) and printable(name) == name]
    zips = [name for name in names if name.lower().endswith(".zip")]
    if zips and not csvs:
        raise Refused(
            "drop_unreadable",
            detail=f"the folder holds no CSV file but {', '.join(zips)}; name the zip itself",
        )
    clashes = twice([*csvs, *(name for file in zips for name in csv_names(folder / file))])
    files = tuple(
        Member(name, partial(_load, folder / name)) for name in csvs if name not in clashes
    )
    return Members(files, (*clashes.values(), *unknown(set(names) - set(csvs), strict)))


def _load(path: Path) -> bytes:
    """Read a file; a FIFO or a device would block, or never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Refused("drop_unreadable", path.name, "not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise Refused("drop_unreadable", path.name, error.strerror or str(error)) from error
