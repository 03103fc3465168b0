"""Read a drop that is a zip: members in memory, under limits, never unpacked to disk."""

from __future__ import annotations

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from connectors.drops.members import (
    Member,
    Members,
    Refused,
    duplicate_names,
    is_csv,
    is_noise,
    unknown_files,
)
from transforms.findings import Findings, file_finding
from transforms.grammar import count_of

CHUNK = 1 << 20
UNSAFE = re.compile(r"/|[A-Za-z]:")
# A tiny file may shrink a thousandfold, so the ratio is not checked below this size, in bytes.
RATIO_FLOOR = 1 << 20
ENCRYPTED, UTF8_NAME = 0x1, 0x800
# Python unpacks other methods in one step: a zip of 453 bytes gave 400 MB before we could count.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# The end of the central directory (APPNOTE 4.3.16); the struct reads its number of members.
END_MARK = b"PK\x05\x06"
END_OF_DIRECTORY = struct.Struct("<10xH10x")
LONGEST_COMMENT = 0xFFFF
# The types of members that are files: 0 if the program stores no types. A zip that 7-Zip 26
# writes from a pipe (`7z a -si`) stores the type of the pipe for a member with ordinary content.
FILE_TYPES = (0, stat.S_IFREG, stat.S_IFIFO)
# A directory with this number of members has the true number in its ZIP64 record.
IN_ZIP64 = 0xFFFF


@dataclass(frozen=True)
class ZipLimits:
    """How much a zip may unpack to."""

    members: int = 64  # files
    total_bytes: int = 2 * 1024**3
    ratio: int = 200  # unpacked bytes for each byte of the zip


@dataclass
class _Budget:
    """The bytes that the members have unpacked to so far. The sizes in headers are not trusted."""

    limits: ZipLimits
    packed: int  # bytes of the zip
    spent: int = 0  # bytes unpacked

    def spend(self, size: int) -> None:
        self.spent += size
        if self.spent > self.limits.total_bytes:
            raise Refused(
                "zip_too_large", detail=f"more than {count_of(self.limits.total_bytes, 'bytes')}"
            )
        if self.spent > max(RATIO_FLOOR, self.limits.ratio * self.packed):
            raise Refused(
                "zip_too_large", detail=f"more than {self.limits.ratio} times the size of the zip"
            )


@dataclass(frozen=True)
class _Entry:
    """One member."""

    path: str  # with `/` between folders
    info: zipfile.ZipInfo = field(repr=False)  # the member's entry in the central directory

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


def zip_members(path: Path, limits: ZipLimits, strict: bool) -> Members:
    """List the CSV files of a zip.

    Raises `Refused` if the zip is damaged, encrypted, unsafe, or nested deeper than one folder.
    """
    entries = _list_entries(path, limits)
    csvs = [entry for entry in entries if is_csv(entry.path)]
    findings = _check_folders(csvs, strict)
    clashes = duplicate_names(entry.name for entry in csvs)
    budget = _Budget(limits, path.stat().st_size)
    files = tuple(
        Member(entry.name, partial(_load, path, entry, budget))
        for entry in csvs
        if entry.name not in clashes
    )
    others = {entry.path for entry in entries} - {entry.path for entry in csvs}
    return Members(files, (*findings, *clashes.values(), *unknown_files(others, strict)))


def csv_names(path: Path) -> set[str]:
    """Return the names of the CSV files in a zip, without reading them; none if it cannot open."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rsplit("/", 1)[-1] for name in archive.namelist() if not is_noise(name)}
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):
        return set()
    return {name for name in names if is_csv(name)}


def _list_entries(path: Path, limits: ZipLimits) -> list[_Entry]:
    if path.stat().st_size == 0:
        return []
    with _refuse_damage(), zipfile.ZipFile(path) as archive:
        _refuse_incomplete(path, archive)
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(infos) > limits.members:
        raise Refused(
            "zip_too_large",
            detail=f"{count_of(len(infos), 'files')}, and at most {limits.members:,} allowed",
        )
    entries = [_Entry(_safe_path(info), info) for info in infos]
    entries = [entry for entry in entries if not is_noise(entry.path)]
    for entry in entries:
        _refuse_unreadable(entry)
    return entries


def _refuse_incomplete(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise `Refused` if the zip lists fewer members than its end counts (APPNOTE 4.3.16).

    Python does not compare the two.
    """
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_OF_DIRECTORY.size - LONGEST_COMMENT))
        last = file.read()
    (count,) = END_OF_DIRECTORY.unpack_from(last, last.rindex(END_MARK))
    if len(archive.infolist()) < count < IN_ZIP64:
        raise Refused(
            "zip_damaged",
            detail=f"only {len(archive.infolist()):,} of {count_of(count, 'files')} can be found",
        )


def _safe_path(info: zipfile.ZipInfo) -> str:
    """Return the member's path. Raises `Refused` if it leads out of the zip, or is a link."""
    path = _decode_name(info).replace("\\", "/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not path or UNSAFE.match(path) or ".." in path.split("/") or not path.isprintable():
        raise Refused("zip_unsafe", detail=path)
    if kind not in FILE_TYPES:
        raise Refused("zip_unsafe", detail=f"{path} is a link or a device")
    return path


def _decode_name(info: zipfile.ZipInfo) -> str:
    """Return the name as its author wrote it.

    A zip may use UTF-8 without setting the flag for it (APPNOTE 4.4.4, bit 11).
    """
    if info.flag_bits & UTF8_NAME or info.orig_filename.isascii():
        return info.orig_filename
    try:
        return info.orig_filename.encode("cp437").decode("utf-8")
    except UnicodeError as error:
        raise Refused("zip_unsafe", detail=f"the name {info.orig_filename} is not UTF-8") from error


def _refuse_unreadable(entry: _Entry) -> None:
    if entry.info.flag_bits & ENCRYPTED:
        raise Refused("zip_encrypted", detail=entry.path)
    if entry.path.lower().endswith(".zip"):
        raise Refused("zip_nested", detail=entry.path)
    if entry.info.compress_type not in METHODS:
        raise Refused(
            "drop_unreadable",
            detail=f"{entry.path} is compressed by method {entry.info.compress_type}; "
            "deflate (8) is expected, which every program writes",
        )


def _check_folders(csvs: Iterable[_Entry], strict: bool) -> tuple[Findings, ...]:
    """Accept one folder around all the files, with a finding. Raises `Refused` for more folders."""
    folders = {entry.folder for entry in csvs}
    if len(folders) > 1 or any("/" in folder for folder in folders):
        raise Refused(
            "zip_nested", detail=", ".join(sorted(folder or "(top)" for folder in folders))
        )
    folder = next(iter(folders), "")
    return (file_finding("wrapper_folder", "", folder, strict=strict),) if folder else ()


def _load(path: Path, entry: _Entry, budget: _Budget) -> bytes:
    data = bytearray()
    with _refuse_damage(), zipfile.ZipFile(path) as archive, archive.open(entry.info) as stream:
        while chunk := stream.read(CHUNK):
            budget.spend(len(chunk))
            data += chunk
    return bytes(data)


@contextmanager
def _refuse_damage() -> Iterator[None]:
    """Turn the errors that the zip reader raises on damage into `Refused`. They share no base."""
    try:
        yield
    except UnicodeError as error:
        raise Refused("zip_damaged", detail="a member's name is not UTF-8") from error
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
    ) as error:
        raise Refused("zip_damaged", detail=str(error)) from error
