"""Read a drop, a folder or a zip of CSV files. Bad input becomes findings, never an exception."""

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
    duplicate_names,
    is_csv,
    is_noise,
    printable,
    unknown_files,
)
from connectors.drops.zip import ZipLimits, csv_names, zip_members
from transforms.findings import Findings, merge_findings
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

    Never raises for bad input. A fatal finding without a file refuses the drop. One with a file
    refuses that file, and `Raw.broken` then names it.

    Args:
        path: The folder or the zip.
        encoding: The encoding that the feed declares. Without it, a file is read as UTF-8, or as
            Windows-1252 if it is not valid UTF-8.
        limits: How much a zip may unpack to.
        strict: Whether lenient readings become errors.
        escape: The character before quotes inside cells, if the layout has one.
        leave: Names of files in the folder that are not part of the drop.
    """
    files: dict[str, RawFile] = {}
    try:
        members = _list_members(path, limits or ZipLimits(), strict, leave)
        findings = list(members.findings)
        for member in members.files:
            try:
                # Loaded as an argument, so that nothing here keeps the bytes alive during parsing.
                table, in_file = read_table(member.name, member.load(), encoding, strict, escape)
            except Refused as refused:
                if refused.findings.fatal["file"][0] == "":
                    raise
                table, in_file = None, refused.findings
            findings.append(in_file)
            if table is not None:
                files[member.name] = table
        return _raw_of(files, findings)
    except Refused as refused:
        return Raw({}, findings=refused.findings)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        detail = getattr(error, "strerror", None) or str(error)
        return Raw({}, findings=Refused("drop_unreadable", detail=detail).findings)


def read_file(path: Path, *, encoding: str | None = None) -> Raw:
    """Read one CSV file outside a drop. Bad input becomes findings, as in a drop."""
    try:
        table, findings = read_table(path.name, path.read_bytes(), encoding, strict=False)
    except OSError as error:
        detail = f"{path.name}: {error.strerror or f'{path} cannot be read'}"
        return Raw({}, findings=Refused("drop_unreadable", detail=detail).findings)
    return _raw_of({} if table is None else {path.name: table}, [findings])


def _list_members(path: Path, limits: ZipLimits, strict: bool, leave: frozenset[str]) -> Members:
    if path.is_dir():
        return folder_members(path, strict, leave)
    path.stat()  # raises with the reason, where `is_file` only returns False
    if not path.is_file():
        raise Refused("drop_unreadable", detail="neither a folder nor a file")
    with path.open("rb") as file:
        start = file.read(4)
    if start[:2] != b"PK" and not (start == b"" and path.suffix.lower() == ".zip"):
        raise Refused("drop_unreadable", detail="neither a folder nor a zip")
    return zip_members(path, limits, strict)


def folder_members(folder: Path, strict: bool, leave: frozenset[str] = frozenset()) -> Members:
    """List the CSV files of a folder, except those that `leave` names.

    Folders inside it are ignored. Raises `Refused` if it holds zips and no CSV files.
    """
    visible = (
        name for name in sorted(os.listdir(folder)) if name not in leave and not is_noise(name)
    )
    names = [name for name in visible if not (folder / name).is_dir()]
    csvs = [name for name in names if is_csv(name) and printable(name) == name]
    zips = [name for name in names if name.lower().endswith(".zip")]
    if zips and not csvs:
        raise Refused(
            "drop_unreadable",
            detail=f"the folder holds no CSV file but {', '.join(zips)}; name the zip itself",
        )
    clashes = duplicate_names(csvs, {file: csv_names(folder / file) for file in zips})
    files = tuple(
        Member(name, partial(_load, folder / name)) for name in csvs if name not in clashes
    )
    return Members(files, (*clashes.values(), *unknown_files(set(names) - set(csvs), strict)))


def _load(path: Path) -> bytes:
    """Read a file. Raises `Refused` for a FIFO or a device, which would block or never end."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise Refused("drop_unreadable", path.name, "not a regular file")
        return path.read_bytes()
    except OSError as error:
        raise Refused("drop_unreadable", path.name, error.strerror or str(error)) from error


def _raw_of(files: dict[str, RawFile], found: list[Findings]) -> Raw:
    """Put files and findings together; a fatal finding without a file leaves no file."""
    findings = merge_findings(found)
    fatal = set(findings.fatal["file"])
    return Raw({} if "" in fatal else files, frozenset(fatal - {""}), findings)
