"""A drop that is a zip: its members are read in memory, by name, and under limits; nothing is unpacked to disk."""

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

from connectors.drops.members import Member, Members, Refused, is_csv, is_noise, twice, unknown
from transforms.findings import Findings, of_file

CHUNK = 1 << 20
UNSAFE = re.compile(r"/|[A-Za-z]:")
# A tiny file may well shrink a thousandfold; below this size, in bytes, the ratio says nothing.
RATIO_FLOOR = 1 << 20
ENCRYPTED, UTF8_NAME = 0x1, 0x800
# Python unpacks the others in one go: of a zip of 453 bytes, 400 MB at once, before anything can be counted.
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
# The end of the directory, up to how many members it has; one that says the highest number has the true one elsewhere (APPNOTE 4.3.16).
END_MARK, END_OF_DIRECTORY, LONGEST_COMMENT, IN_ZIP64 = (
    b"PK\x05\x06",
    struct.Struct("<10xH10x"),
    0xFFFF,
    0xFFFF,
)


@dataclass(frozen=True)
class ZipLimits:
    """How much a zip may unpack to: files, bytes in all, and bytes for each byte of the zip."""

    members: int = 64
    total_bytes: int = 2 * 1024**3
    ratio: int = 200


@dataclass
class _Budget:
    """What the members read so far have taken; the headers' own numbers are not believed."""

    limits: ZipLimits
    packed: int
    spent: int = 0

    def spend(self, size: int) -> None:
        self.spent += size
        if self.spent > self.limits.total_bytes:
            raise Refused("zip_too_large", detail=f"more than {self.limits.total_bytes} bytes")
        if self.spent > max(RATIO_FLOOR, self.limits.ratio * self.packed):
            raise Refused(
                "zip_too_large", detail=f"more than {self.limits.ratio} times the size of the zip"
            )


@dataclass(frozen=True)
class _Entry:
    """A member's path, with `/` between folders, and its line in the zip's directory."""

    path: str
    info: zipfile.ZipInfo = field(repr=False)

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[-1]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


def zip_members(path: Path, limits: ZipLimits, strict: bool) -> Members:
    """List the CSV files of a zip.

    Raises `Refused` if the zip is damaged, encrypted, unsafe to read or nested deeper than one folder.
    """
    entries = _entries(path, limits)
    csvs = [entry for entry in entries if is_csv(entry.path)]
    findings = _wrapper(csvs, strict)
    clashes = twice(entry.name for entry in csvs)
    budget = _Budget(limits, path.stat().st_size)
    files = tuple(
        Member(entry.name, partial(_load, path, entry, budget))
        for entry in csvs
        if entry.name not in clashes
    )
    others = {entry.path for entry in entries} - {entry.path for entry in csvs}
    return Members(files, (*findings, *clashes.values(), *unknown(others, strict)))


def csv_names(path: Path) -> set[str]:
    """Name the CSV files in a zip that is not read itself; none if it cannot be opened."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.rsplit("/", 1)[-1] for name in archive.namelist() if not is_noise(name)}
    except (OSError, ValueError, RuntimeError, zipfile.BadZipFile):
        return set()
    return {name for name in names if is_csv(name)}


def _entries(path: Path, limits: ZipLimits) -> list[_Entry]:
    if path.stat().st_size == 0:
        return []
    with _damage_refused(), zipfile.ZipFile(path) as archive:
        _refuse_incomplete(path, archive)
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
    if len(infos) > limits.members:
        raise Refused(
            "zip_too_large", detail=f"{len(infos)} files, and {limits.members} are allowed"
        )
    entries = [_Entry(_safe_path(info), info) for info in infos]
    entries = [entry for entry in entries if not is_noise(entry.path)]
    for entry in entries:
        _refuse_unreadable(entry)
    return entries


def _refuse_incomplete(path: Path, archive: zipfile.ZipFile) -> None:
    """Raise `Refused` if fewer members can be listed than the end of the zip counts (APPNOTE 4.3.16); Python does not compare."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - END_OF_DIRECTORY.size - LONGEST_COMMENT))
        last = file.read()
    (said,) = END_OF_DIRECTORY.unpack_from(last, last.rindex(END_MARK))
    if len(archive.infolist()) < said < IN_ZIP64:
        raise Refused(
            "zip_damaged", detail=f"{len(archive.infolist())} of {said} files can be found in it"
        )


def _safe_path(info: zipfile.ZipInfo) -> str:
    """Give the member's path; raise `Refused` if it leads out of the zip, or is a link."""
    path = _decoded(info).replace("\\", "/")
    kind = stat.S_IFMT(info.external_attr >> 16)
    if not path or UNSAFE.match(path) or ".." in path.split("/") or not path.isprintable():
        raise Refused("zip_unsafe", detail=path)
    if kind not in (0, stat.S_IFREG):
        raise Refused("zip_unsafe", detail=f"{path} is a link or a device")
    return path


def _decoded(info: zipfile.ZipInfo) -> str:
    """Give the name as its maker wrote it: zips without the UTF-8 flag may still use it (APPNOTE 4.4.4, bit 11)."""
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
        found = f"{entry.path} is compressed by method {entry.info.compress_type}"
        raise Refused(
            "drop_unreadable",
            detail=f"{found}; deflate (8) is expected, which every program writes",
        )


def _wrapper(csvs: Iterable[_Entry], strict: bool) -> tuple[Findings, ...]:
    """Tolerate one folder around all the files."""
    folders = {entry.folder for entry in csvs}
    if len(folders) > 1 or any("/" in folder for folder in folders):
        raise Refused(
            "zip_nested", detail=", ".join(sorted(folder or "(top)" for folder in folders))
        )
    folder = next(iter(folders), "")
    return (of_file("wrapper_folder", "", folder, strict=strict),) if folder else ()


def _load(path: Path, entry: _Entry, budget: _Budget) -> bytes:
    data = bytearray()
    with _damage_refused(), zipfile.ZipFile(path) as archive, archive.open(entry.info) as stream:
        while chunk := stream.read(CHUNK):
            budget.spend(len(chunk))
            data += chunk
    return bytes(data)


@contextmanager
def _damage_refused() -> Iterator[None]:
    """Turn what the zip reader raises on damage (it has no one base class for it) into a refusal."""
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
