"""Store the accepted rosters of one feed, by run.

Each run has a manifest, `NUMBER-RUN.json`, which names a parquet file for each entity. A parquet
file is named after its content, so equal content is stored once: a night without changes writes
one small file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import IO, Self

import polars as pl

from connectors.ledger.tables import FeedKey
from connectors.private_files import UNFINISHED, make_private_folder, sync_folder, write_atomically
from connectors.roster_archive.manifest import (
    ArchiveError,
    EntityEntry,
    RosterManifest,
    accepted_rows,
    as_read_error,
    as_write_error,
    describe_entity,
    file_name,
    read_content,
    write_content,
)
from transforms.delta import overlay
from transforms.diff import Fingerprints, digest
from transforms.fingerprint import fingerprints
from transforms.forget import withhold_forgotten, without_forgotten_ids
from transforms.guard.context import NEAR
from transforms.records import EntityRecords, RosterState
from transforms.schemas import ENTITIES

# Prefix of manifests taken over from another archive. They sort first, in their old order.
TAKEN_OVER = f"{0:08}."


class Archive:
    """The rosters of one feed into one target, in a folder of their own below `folder`.

    Any method may raise `ArchiveError`. To write, the caller must hold the feed's lock. `forgotten`
    has digests of ids. Complete rosters are returned without these people, whom a restored copy of
    an archive may still contain.
    """

    def __init__(self, folder: Path, key: FeedKey, forgotten: frozenset[str] = frozenset()) -> None:
        self.folder = folder / folder_name(key)
        self._forgotten = forgotten

    @classmethod
    def at(cls, folder: Path, forgotten: frozenset[str] = frozenset()) -> Self:
        """Open an archive in a folder with any name, to read it."""
        archive = cls(folder, FeedKey("", ""), forgotten)
        archive.folder = folder
        return archive

    def keep(
        self, run: str, standing: RosterState, before: str = "", marks: Fingerprints | None = None
    ) -> str:
        """Store what a run accepted; return the digest of the complete roster (32 hex digits).

        Everything is on the disk when this returns.

        Args:
            run: The run.
            standing: What the run accepted, by entity.
            before: The run of the roster before this one. An entity that is missing from the drop
                stays as it was there. An entity that is not a full snapshot is laid over it. If
                that roster is not in the archive, the new one starts empty.
            marks: The fingerprints of each entity's accepted records, if known.
        """
        entries = dict(self._manifest(before).entities) if before in self.runs() else {}
        for name, records in standing.items():
            old = entries.get(name)
            entries[name] = self._store(records, old, (marks or {}).get(name))
        manifest = RosterManifest(run, before, entries)
        _write_manifest(self._path(run), manifest)
        return manifest.digest

    def standing(self, run: str) -> RosterState:
        """Return the complete roster as of a run, to compare with the ledger.

        Its mode is `bulk`, except for entities that never had a full snapshot: what is missing from
        those is unknown.
        """
        entries = self._manifest(run).entities
        roster = {name: self._read(name, entries[name]) for name in ENTITIES if name in entries}
        return withhold_forgotten(roster, self._forgotten)

    def judged(self, run: str, entity: str) -> EntityRecords | None:
        """Return one entity as of a run, without reading the others; None if not in the roster."""
        entry = self._manifest(run).entities.get(entity)
        return None if entry is None else self._read(entity, entry)

    def frame(self, run: str, entity: str) -> pl.DataFrame | None:
        """Return the accepted records of one entity as of a run, without reading the others.

        None if the roster does not have the entity.
        """
        entry = self._manifest(run).entities.get(entity)
        return None if entry is None else self._read_accepted(entity, entry)

    def sent(self, entity: str, known: pl.DataFrame, before: str) -> pl.DataFrame:
        """Return the records of `known` (`sourcedId`, `fingerprint`) as the target has them.

        Searches the roster of the run `before` and earlier ones for each fingerprint. If no roster
        has a record with its fingerprint, the newest version is returned, and `#near` is true. A
        record that is in no roster is left out. Only columns with values are returned.
        """
        runs = self.runs()
        entries = (
            [self._manifest(run).entities.get(entity) for run in runs[: runs.index(before) + 1]]
            if before in runs
            else []
        )
        by_content = {entry.content: entry for entry in entries if entry is not None}
        exact, other = [known.clear().select("sourcedId")], [known.clear().select("sourcedId")]
        for entry in reversed(list(by_content.values())):
            if known.is_empty():
                break
            records = self._read_accepted(entity, entry).join(known, on="sourcedId", how="inner")
            computed = fingerprints(ENTITIES[entity], records.drop("fingerprint"))
            same = computed == records["fingerprint"]
            exact.append(records.filter(same).drop("fingerprint"))
            other.append(records.filter(~same).drop("fingerprint"))
            known = known.join(exact[-1], on="sourcedId", how="anti")
        near = (
            pl.concat(other, how="diagonal")
            .unique("sourcedId", keep="first", maintain_order=True)
            .join(known, on="sourcedId", how="semi")
            .with_columns(pl.lit(value=True).alias(NEAR))
        )
        return pl.concat(
            [*(frame.with_columns(pl.lit(value=False).alias(NEAR)) for frame in exact), near],
            how="diagonal",
        )

    def _read_accepted(self, entity: str, entry: EntityEntry) -> pl.DataFrame:
        path = self.folder / file_name(entity, entry.content)
        with as_read_error(path):
            return accepted_rows(pl.read_parquet(path))

    def said(self, run: str) -> dict[str, frozenset[str]]:
        """Return the columns that the drops behind a run's roster contained, by entity."""
        return {name: frozenset(entry.said) for name, entry in self._manifest(run).entities.items()}

    def fed(self, run: str) -> dict[str, tuple[str, ...]]:
        """Return the files and columns behind each entity and kind of part of a run's roster.

        The names are those of `Table.fed`.
        """
        return {
            name: sources
            for entry in self._manifest(run).entities.values()
            for name, sources in entry.fed.items()
        }

    def digest(self, run: str) -> str:
        """Return the digest of a run's roster, as `keep` did."""
        return self._manifest(run).digest

    def runs(self) -> list[str]:
        """Return the runs whose rosters are stored, the oldest first."""
        return list(self._manifests())

    def contents(self, entity: str) -> Iterator[EntityRecords]:
        """Yield each distinct content of an entity in any roster, once."""
        entries = [self._manifest(run).entities.get(entity) for run in self.runs()]
        for entry in {entry.content: entry for entry in entries if entry is not None}.values():
            yield self._read(entity, entry)

    def rewrite(self, change: Callable[[EntityRecords], EntityRecords]) -> dict[str, str]:
        """Change the records of all rosters, each content once; return the new digests by run.

        `change` must return the same object if it changes nothing; unchanged rosters are not in the
        result. If the process is killed, each roster is either old or new. Files that no roster
        names any more are deleted at the end.
        """
        digests: dict[str, str] = {}
        done: dict[str, EntityEntry] = {}
        for run, path in self._manifests().items():
            manifest = RosterManifest.read(path)
            entries = {
                name: self._rewrite_entity(name, entry, change, done)
                for name, entry in manifest.entities.items()
            }
            if entries != manifest.entities:
                after = replace(manifest, entities=entries)
                _write_manifest(path, after)
                digests[run] = after.digest
        self.forget(len(self.runs()))
        return digests

    def take_over(self, other: Archive) -> None:
        """Move the rosters of another archive here, before all others.

        If the process is killed, the next call continues. Manifests move first: once they are here,
        nobody deletes the content files as unused.
        """
        if not other.folder.is_dir():
            return
        with as_write_error(self.folder):
            make_private_folder(self.folder)
            for path in other._manifests().values():
                path.rename(self.folder / f"{TAKEN_OVER}{path.name}")
            for path in other.folder.glob("*.parquet"):
                path.rename(self.folder / path.name)
            sync_folder(self.folder)
            for path in other.folder.iterdir():
                path.unlink()
            other.folder.rmdir()
            sync_folder(self.folder.parent)

    def forget(self, keep: int, spare: Collection[str] = ()) -> list[str]:
        """Delete old rosters; return their runs.

        Keeps the last `keep` rosters, at least one, and those of the runs in `spare`.
        """
        manifests = self._manifests()
        runs = list(manifests)
        deleted = [run for run in runs[: -max(keep, 1)] if run not in spare]
        kept = [run for run in runs if run not in deleted]
        files = {self._path(run).name for run in kept}
        files |= {file for run in kept for file in self._manifest(run).files}
        with as_write_error(self.folder):
            # Manifests first: a manifest without its files would be damage, but a file without a
            # manifest is deleted next time.
            for run in deleted:
                manifests[run].unlink()
            if self.folder.is_dir():
                sync_folder(self.folder)
            for path in self.folder.glob("*"):
                if path.name not in files and path.suffix in (".parquet", UNFINISHED):
                    path.unlink()
        return deleted

    def _store(
        self, records: EntityRecords, old: EntityEntry | None, marks: pl.Series | None
    ) -> EntityEntry:
        """Write an entity, laid over the old one if it is not a full snapshot; return its entry."""
        # The ids of forgotten people are never stored.
        records = without_forgotten_ids(records)
        if old and records.mode != "bulk":
            if not _has_content(records):
                return old
            records, marks = overlay(self._read(records.entity.name, old), records), None
        return describe_entity(records, self._write_content(records, marks))

    def _write_content(self, records: EntityRecords, marks: pl.Series | None = None) -> str:
        """Write an entity's file unless it exists; return the digest of its content."""
        content = digest(records, marks)
        path = self.folder / file_name(records.entity.name, content)
        if not path.exists():
            _write_file(path, lambda file: write_content(records, file))
        return content

    def _rewrite_entity(
        self,
        name: str,
        entry: EntityEntry,
        change: Callable[[EntityRecords], EntityRecords],
        done: dict[str, EntityEntry],
    ) -> EntityEntry:
        """Write an entity after a change, unless this content is `done`; return its new entry."""
        file = file_name(name, entry.content)
        if file not in done:
            before = self._read(name, entry)
            after = change(before)
            content = entry.content if after is before else self._write_content(after)
            done[file] = replace(entry, content=content, height=after.accepted.height)
        return replace(entry, content=done[file].content, height=done[file].height)

    def _read(self, name: str, entry: EntityEntry) -> EntityRecords:
        return read_content(self.folder / file_name(name, entry.content), ENTITIES[name], entry)

    def _manifest(self, run: str) -> RosterManifest:
        path = self._manifests().get(run)
        if path is None:
            last = ", ".join(self.runs()[-5:]) or "none"
            raise ArchiveError(
                self.folder,
                f"no roster of run {run!r}",
                f"one of the last runs: {last}",
                "Name one of those.",
            )
        return RosterManifest.read(path)

    def _manifests(self) -> dict[str, Path]:
        """Return the paths of the manifests by run, in the order in which they were written."""
        paths = sorted(self.folder.glob("*.json"))
        return {path.stem.partition("-")[2]: path for path in paths}

    def _path(self, run: str) -> Path:
        """Return the path of a run's manifest, which may not exist yet."""
        manifests = self._manifests()
        if run in manifests:
            return manifests[run]
        number = 1 + max(
            (int(re.split("[-.]", path.name)[0]) for path in manifests.values()), default=0
        )
        return self.folder / f"{number:08}-{run}.json"


def folder_name(key: FeedKey) -> str:
    """Return the name of a feed's folder: readable, and unique for any name of a feed."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key.feed).strip("-")[:40]
    return f"{readable or 'feed'}-{sha256(dumps([key.target, key.feed]).encode()).hexdigest()[:12]}"


def _write_manifest(path: Path, manifest: RosterManifest) -> None:
    _write_file(path, lambda file: file.write(manifest.as_bytes()))


def _write_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file, in a folder that is created if missing."""
    with as_write_error(path):
        make_private_folder(path.parent)
        write_atomically(path, write)


def _has_content(records: EntityRecords) -> bool:
    """Return whether a drop contains anything about an entity."""
    return bool(
        records.accepted.height
        or records.refused.height
        or records.withheld.height
        or records.gone.len()
        or records.blurred
    )
