"""Reads a drop: whatever is wrong with it ends in findings, never in an exception."""

from __future__ import annotations

from pathlib import Path

from connectors.drops.archive import Limits, zip_members
from connectors.drops.folder import folder_members
from connectors.drops.members import Member, Members
from connectors.drops.refusal import Refused
from connectors.drops.table import read_table
from transforms.findings import Findings, gather
from transforms.raw import Raw, RawFile


def read(
    path: Path, *, encoding: str | None = None, limits: Limits | None = None, strict: bool = False, escape: str = "",
    leave: frozenset[str] = frozenset(),
) -> Raw:  # fmt: skip
    """Read the CSV files of a folder or a zip, every column as text.

    `encoding` is the one that the feed declares; without it files are UTF-8, or Windows-1252 if they
    cannot be. Files of a folder to `leave` are no part of the drop. `escape` is the sign before quotes inside cells, where a layout has one. Never raises for bad input: fatal findings without a file refuse the drop, those with
    one refuse that file, which is then in `Raw.broken`.
    """
    try:
        members = _members(path, limits or Limits(), strict, leave)
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
        return Raw({}, findings=Refused("drop_unreadable", detail=f"{path.name}: {detail}").findings)


def _members(path: Path, limits: Limits, strict: bool, leave: frozenset[str]) -> Members:
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
