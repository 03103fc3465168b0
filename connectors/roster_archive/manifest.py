"""What a run's roster consists of: one small JSON file that names the file of each entity."""

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
from transforms.roster import Mode
from transforms.schemas import LIFECYCLE, Entity

VERSION = 1


@dataclass(frozen=True)
class EntityEntry:
    """One entity of a roster; `content` is its digest, and names its file. `mode` is `bulk` if nothing is missing.

    The rest is as in `Judged`; `height` counts what is accepted.
    """

    content: str
    height: int
    mode: Mode
    file: str
    blurred: bool
    emptied: bool
    said: tuple[str, ...]
    partial: tuple[str, ...]
    fed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class RosterManifest:
    """One roster; `before` is the run of the one that it follows, blank if there is none."""

    run: str
    before: str = ""
    entities: dict[str, EntityEntry] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """32 hex digits for the content of all entities."""
        contents = sorted((name, entry.content) for name, entry in self.entities.items())
        return sha256(json.dumps(contents).encode()).hexdigest()[:32]

    @property
    def files(self) -> set[str]:
        """The files of its entities."""
        return {file_of(name, entry.content) for name, entry in self.entities.items()}

    def as_bytes(self) -> bytes:
        """Write it."""
        return json.dumps({"version": VERSION, **asdict(self)}, indent=1).encode()

    @classmethod
    def read(cls, path: Path) -> RosterManifest:
        """Read one; raise `ArchiveError` if it is damaged or of another version."""
        with reading(path):
            said = json.loads(path.read_bytes())
            if said["version"] != VERSION:
                raise ValueError(said["version"])
            entries = {name: _entry(entry) for name, entry in said["entities"].items()}
            return cls(said["run"], said["before"], entries)


def file_of(entity: str, content: str) -> str:
    """Name the file that holds an entity's records."""
    return f"{entity}-{content}.parquet"


def entry_of(judged: EntityRecords, content: str) -> EntityEntry:
    """Describe an entity of a roster. What is missing from a drop of unknown mode is not known to be gone."""
    mode: Mode = "bulk" if judged.mode == "bulk" else "unknown"
    return EntityEntry(
        content,
        judged.accepted.height,
        mode,
        judged.file,
        judged.blurred,
        judged.emptied,
        tuple(sorted(judged.said)),
        tuple(sorted(judged.partial)),
        dict(judged.fed),
    )


def _entry(said: dict[str, Any]) -> EntityEntry:
    fed = {
        name: tuple(ones) for name, ones in said.get("fed", {}).items()
    }  # a release before had none
    return EntityEntry(
        **said | {name: tuple(said[name]) for name in ("said", "partial")} | {"fed": fed}
    )


STANDING = "#standing"
ACCEPTED, REFUSED, WITHHELD = "accepted", "refused", "withheld"
CAUSE = "as it was in that run"


def write_content(judged: EntityRecords, file: IO[bytes]) -> None:
    """Write the records in the order of their ids; blank columns, row numbers and lifecycle are left out."""
    accepted = judged.accepted.drop(ROW, *LIFECYCLE, strict=False).sort("sourcedId")
    filled = [name for name in accepted.columns if name == "sourcedId" or accepted[name].count()]
    others = [(judged.refused, REFUSED), (judged.withheld, WITHHELD)]
    frames = [_standing(accepted.select(filled), ACCEPTED)]
    frames += [
        _standing(frame.select("sourcedId").sort("sourcedId"), name)
        for frame, name in others
        if frame.height
    ]
    pl.concat(frames, how="diagonal").write_parquet(file, compression="zstd", compression_level=1)


def read_content(path: Path, entity: Entity, entry: EntityEntry) -> EntityRecords:
    """Read the records as they were judged; they are numbered anew."""
    with reading(path):
        frame = pl.read_parquet(path)
        refused, withheld = (_ids(frame, name) for name in (REFUSED, WITHHELD))
        return EntityRecords(
            entity,
            accepted_of(frame).pipe(_whole, entity),
            entry.mode,
            entry.file,
            refused,
            withheld,
            blurred=entry.blurred,
            emptied=entry.emptied,
            said=frozenset(entry.said),
            partial=frozenset(entry.partial),
        )


def accepted_of(frame: pl.DataFrame) -> pl.DataFrame:
    """The records that were accepted, with the columns in which any of them has a value."""
    return frame.filter(pl.col(STANDING) == ACCEPTED).drop(STANDING)


def _standing(frame: pl.DataFrame, standing: str) -> pl.DataFrame:
    return frame.with_columns(pl.lit(standing).alias(STANDING))


def _ids(frame: pl.DataFrame, standing: str) -> pl.DataFrame:
    return frame.filter(pl.col(STANDING) == standing).select("sourcedId", cause=pl.lit(CAUSE))


def _whole(frame: pl.DataFrame, entity: Entity) -> pl.DataFrame:
    """Add the columns that were blank, since later stages expect them all."""
    blank = [column.name for column in entity.current if column.name not in frame.columns]
    return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in blank).with_row_index(
        ROW, 1
    )


FULL = (ENOSPC, EDQUOT, EFBIG)
# How polars tells what the system said while it wrote.
NUMBER = re.compile(r"os error (\d+)")


class ArchiveError(Exception):
    """A roster cannot be written to the archive, or read from it."""

    def __init__(self, path: Path, found: str, expected: str, next_step: str) -> None:
        super().__init__(
            f"The archived roster {path} cannot be used: found {found}, expected {expected}. {next_step}"
        )
        self.path = path


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the file system raises on writing into an `ArchiveError`."""
    try:
        yield
    except (OSError, pl.exceptions.ComputeError) as error:
        number = _number(error)
        next_step = "Free some space on its disk" if number in FULL else "Let this user write there"
        found = repr(os.strerror(number))
        raise ArchiveError(
            path, found, "a place to write to", f"{next_step}, and run again."
        ) from None


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what a file that is damaged, gone or not ours to read raises into an `ArchiveError`."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        found = "no file" if isinstance(error, FileNotFoundError) else "a file that cannot be read"
        next_step = (
            "Restore it from a copy, or delete its folder: the next full drop begins a new one."
        )
        raise ArchiveError(path, found, "a roster as it was written", next_step) from None


def _number(error: Exception) -> int:
    """The system's number of an error, also from polars' sentence; 5 (input or output) if none is told."""
    found = NUMBER.search(str(error))
    told = error.errno if isinstance(error, OSError) else found and int(found[1])
    return told or EIO
