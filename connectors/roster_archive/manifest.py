"""The files of an archived roster: a JSON manifest, and a parquet file for each entity it names."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import polars as pl

from transforms.findings import ROW
from transforms.records import EntityRecords
from transforms.roster import SnapshotMode
from transforms.schemas import LIFECYCLE, Entity

VERSION = 1


@dataclass(frozen=True)
class EntityEntry:
    """One entity of a roster. Fields without a comment are those of `EntityRecords`."""

    content: str  # digest of the content, and part of the file's name
    height: int  # accepted records
    mode: SnapshotMode  # `bulk` if the records are complete
    file: str
    blurred: bool
    emptied: bool
    said: tuple[str, ...]
    partial: tuple[str, ...]
    fed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class RosterManifest:
    """The roster of one run."""

    run: str
    before: str = ""  # the run of the roster before this one, blank if there is none
    entities: dict[str, EntityEntry] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The digest of the content of all entities, 32 hex digits."""
        contents = sorted((name, entry.content) for name, entry in self.entities.items())
        return sha256(json.dumps(contents).encode()).hexdigest()[:32]

    @property
    def files(self) -> set[str]:
        """The names of the entities' files."""
        return {file_name(name, entry.content) for name, entry in self.entities.items()}

    def as_bytes(self) -> bytes:
        """Encode the manifest as JSON."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1).encode()

    @classmethod
    def read(cls, path: Path) -> RosterManifest:
        """Read a manifest. Raises `ArchiveError` if it is damaged or has another version."""
        with as_read_error(path):
            manifest = json.loads(path.read_bytes())
            if manifest["version"] != VERSION:
                raise ValueError(manifest["version"])
            entries = {name: _entry(entry) for name, entry in manifest["entities"].items()}
            return cls(manifest["run"], manifest["before"], entries)


def file_name(entity: str, content: str) -> str:
    """Return the name of the file with an entity's records."""
    return f"{entity}-{content}.parquet"


def describe_entity(records: EntityRecords, content: str) -> EntityEntry:
    """Describe an entity of a roster.

    Every mode other than `bulk` becomes `unknown`: what is missing may still exist.
    """
    mode: SnapshotMode = "bulk" if records.mode == "bulk" else "unknown"
    return EntityEntry(
        content,
        records.accepted.height,
        mode,
        records.file,
        records.blurred,
        records.emptied,
        tuple(sorted(records.said)),
        tuple(sorted(records.partial)),
        dict(records.fed),
    )


def _entry(fields: dict[str, Any]) -> EntityEntry:
    # Manifests of an earlier release have no `fed`.
    fed = {name: tuple(sources) for name, sources in fields.get("fed", {}).items()}
    lists = {name: tuple(fields[name]) for name in ("said", "partial")}
    return EntityEntry(**fields | lists | {"fed": fed})


# The column that says which part of `EntityRecords` a row of a content file belongs to.
STANDING = "#standing"
ACCEPTED, REFUSED, WITHHELD = "accepted", "refused", "withheld"
CAUSE = "as it was in that run"


def write_content(records: EntityRecords, file: IO[bytes]) -> None:
    """Write an entity's records in the order of their ids.

    Leaves out blank columns, row numbers and the lifecycle columns.
    """
    accepted = records.accepted.drop(ROW, *LIFECYCLE, strict=False).sort("sourcedId")
    filled = [name for name in accepted.columns if name == "sourcedId" or accepted[name].count()]
    others = [(records.refused, REFUSED), (records.withheld, WITHHELD)]
    frames = [_with_standing(accepted.select(filled), ACCEPTED)]
    frames += [
        _with_standing(frame.select("sourcedId").sort("sourcedId"), name)
        for frame, name in others
        if frame.height
    ]
    pl.concat(frames, how="diagonal").write_parquet(file, compression="zstd", compression_level=1)


def read_content(path: Path, entity: Entity, entry: EntityEntry) -> EntityRecords:
    """Read an entity's records, with new row numbers. Raises `ArchiveError` if it cannot."""
    with as_read_error(path):
        frame = pl.read_parquet(path)
        refused, withheld = (_ids(frame, name) for name in (REFUSED, WITHHELD))
        return EntityRecords(
            entity,
            accepted_rows(frame).pipe(_add_blank_columns, entity),
            entry.mode,
            entry.file,
            refused,
            withheld,
            blurred=entry.blurred,
            emptied=entry.emptied,
            said=frozenset(entry.said),
            partial=frozenset(entry.partial),
        )


def accepted_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the accepted records of a content file, without blank columns."""
    return frame.filter(pl.col(STANDING) == ACCEPTED).drop(STANDING)


def _with_standing(frame: pl.DataFrame, standing: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(standing).alias(STANDING))


def _ids(frame: pl.DataFrame, standing: str) -> pl.DataFrame:
    return frame.filter(pl.col(STANDING) == standing).select("sourcedId", cause=pl.lit(CAUSE))


def _add_blank_columns(frame: pl.DataFrame, entity: Entity) -> pl.DataFrame:
    """Add the blank columns and row numbers, which later stages expect."""
    blank = [column.name for column in entity.current if column.name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in blank).with_row_index(
        ROW, 1
    )


FULL = (ENOSPC, EDQUOT, EFBIG)
# polars gives an error of the system only in its message.
NUMBER = re.compile(r"os error (\d+)")


class ArchiveError(Exception):
    """A roster cannot be written to the archive or read from it."""

    def __init__(self, path: Path, found: str, expected: str, next_step: str) -> None:
        super().__init__(
            f"The archived roster {path} cannot be used: found {found}, expected {expected}. "
            f"{next_step}"
        )
        self.path = path


@contextmanager
def as_write_error(path: Path) -> Iterator[None]:
    """Turn errors of the file system during writing into an `ArchiveError`."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        number = _error_number(error)
        next_step = "Free some space on its disk" if number in FULL else "Let this user write there"
        found = repr(os.strerror(number))
        raise ArchiveError(
            path, found, "a place to write to", f"{next_step}, and run again."
        ) from None


@contextmanager
def as_read_error(path: Path) -> Iterator[None]:
    """Turn the errors of a damaged, missing or unreadable file into an `ArchiveError`."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        found = "no file" if isinstance(error, FileNotFoundError) else "a file that cannot be read"
        next_step = (
            "Restore it from a copy, or delete its folder: the next full drop begins a new one."
        )
        raise ArchiveError(path, found, "a roster as it was written", next_step) from None


def _error_number(error: Exception) -> int:
    """Return the system's error number, also from polars' message; EIO if there is none."""
    if isinstance(error, OSError):
        return error.errno or EIO
    match = NUMBER.search(str(error))
    return (int(match[1]) if match else 0) or EIO
