"""The rosters of one feed, by run. Content is stored once: a night without changes writes one small file.

Each run has a manifest, `NUMBER-RUN.json`; it names a parquet file for each entity, after its content.
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
from connectors.private_files import UNFINISHED, make_private_folder, sync_folder, write_whole
from connectors.roster_archive.manifest import (
    ArchiveError,
    EntityEntry,
    RosterManifest,
    accepted_of,
    entry_of,
    file_of,
    read_content,
    reading,
    write_content,
    writing,
)
from transforms.delta import overlay
from transforms.diff import Marks, digest
from transforms.fingerprint import fingerprints
from transforms.forget import nameless, without_forgotten
from transforms.guard.context import NEAR
from transforms.records import EntityRecords, RosterState
from transforms.schemas import ENTITIES

# Before the numbers of rosters that were taken over: they come first, in the order that they had.
TAKEN = f"{0:08}."


class Archive:
    """The rosters of one feed into one target, in a folder of its own below `folder`. Raises `ArchiveError`.

    Whoever writes holds the feed's lock. Whole rosters are given without the `forgotten` (digests of ids), whom a
    copy of an archive may still have.
    """

    def __init__(self, folder: Path, key: FeedKey, forgotten: frozenset[str] = frozenset()) -> None:
        self.folder = folder / folder_of(key)
        self._forgotten = forgotten

    @classmethod
    def at(cls, folder: Path, forgotten: frozenset[str] = frozenset()) -> Self:
        """Open an archive that somebody has put into a folder of another name, to read it."""
        archive = cls(folder, FeedKey("", ""), forgotten)
        archive.folder = folder
        return archive

    def keep(
        self, run: str, standing: RosterState, before: str = "", marks: Marks | None = None
    ) -> str:
        """Keep what a run accepted, and give the digest of the whole roster (32 hex digits).

        `before` is the run of the roster that this one follows: an entity that the drop lacks is as it
        was, one that is no snapshot is laid over what was. If that roster is not kept, nothing was. `marks` are the fingerprints of each
        entity's accepted records, if they are computed already. Everything is on the disk when this returns.
        """
        entries = dict(self._manifest(before).entities) if before in self.runs() else {}
        for name, judged in standing.items():
            old = entries.get(name)
            entries[name] = self._kept(judged, old, (marks or {}).get(name))
        manifest = RosterManifest(run, before, entries)
        _write_manifest(self._path(run), manifest)
        return manifest.digest

    def standing(self, run: str) -> RosterState:
        """Give the whole roster as of a run, to be compared with the ledger.

        Its mode is `bulk`, except for entities of which no snapshot ever came: of those no one can say what is gone.
        """
        entries = self._manifest(run).entities
        standing = {name: self._read(name, entries[name]) for name in ENTITIES if name in entries}
        return without_forgotten(standing, self._forgotten)

    def judged(self, run: str, entity: str) -> EntityRecords | None:
        """Give one entity as of a run, without reading the others; None if the roster has none."""
        entry = self._manifest(run).entities.get(entity)
        return None if entry is None else self._read(entity, entry)

    def frame(self, run: str, entity: str) -> pl.DataFrame | None:
        """Give the accepted records of one entity as of a run, without reading the others; None if it has none."""
        entry = self._manifest(run).entities.get(entity)
        return None if entry is None else self._accepted(entity, entry)

    def sent(self, entity: str, known: pl.DataFrame, before: str) -> pl.DataFrame:
        """Give the records of `known` (`sourcedId`, `fingerprint`) as the target has them, with the columns in which any has a value.

        They are sought in the roster of the run `before` and in those before it, by their fingerprints. Of a record of which
        no roster has that one, the newest one is given, and marked as `#near`; of one that no roster has, none.
        """
        runs = self.runs()
        contents = (
            [self._manifest(run).entities.get(entity) for run in runs[: runs.index(before) + 1]]
            if before in runs
            else []
        )
        found, other = [known.clear().select("sourcedId")], [known.clear().select("sourcedId")]
        for entry in reversed(
            list({one.content: one for one in contents if one is not None}.values())
        ):
            if known.is_empty():
                break
            mine = self._accepted(entity, entry).join(known, on="sourcedId", how="inner")
            same = fingerprints(ENTITIES[entity], mine.drop("fingerprint")) == mine["fingerprint"]
            found.append(mine.filter(same).drop("fingerprint"))
            other.append(mine.filter(~same).drop("fingerprint"))
            known = known.join(found[-1], on="sourcedId", how="anti")
        near = pl.concat(other, how="diagonal").unique(
            "sourcedId", keep="first", maintain_order=True
        )
        near = near.join(known, on="sourcedId", how="semi").with_columns(
            pl.lit(value=True).alias(NEAR)
        )
        return pl.concat(
            [*(one.with_columns(pl.lit(value=False).alias(NEAR)) for one in found), near],
            how="diagonal",
        )

    def _accepted(self, entity: str, entry: EntityEntry) -> pl.DataFrame:
        path = self.folder / file_of(entity, entry.content)
        with reading(path):
            return accepted_of(pl.read_parquet(path))

    def said(self, run: str) -> dict[str, frozenset[str]]:
        """Name the columns of which the drops that made a run's roster spoke, by entity."""
        return {name: frozenset(entry.said) for name, entry in self._manifest(run).entities.items()}

    def fed(self, run: str) -> dict[str, tuple[str, ...]]:
        """Name the files and columns that fed each entity and kind of part of a run's roster, as in `Table.fed`."""
        return {
            name: ones
            for entry in self._manifest(run).entities.values()
            for name, ones in entry.fed.items()
        }

    def digest(self, run: str) -> str:
        """Give the digest of a run's roster, as `keep` did."""
        return self._manifest(run).digest

    def runs(self) -> list[str]:
        """Name the runs whose rosters are kept, the oldest first."""
        return list(self._manifests())

    def contents(self, entity: str) -> Iterator[EntityRecords]:
        """Give each content of an entity that any roster has, once."""
        entries = [self._manifest(run).entities.get(entity) for run in self.runs()]
        for entry in {entry.content: entry for entry in entries if entry is not None}.values():
            yield self._read(entity, entry)

    def rewrite(self, change: Callable[[EntityRecords], EntityRecords]) -> dict[str, str]:
        """Change the records of all rosters, each content once; give the new digests of those that changed, by run.

        `change` gives the same object if nothing is to be changed. Killed at any instant, each roster is as it
        was or as it is to be; the files that no roster names any more are deleted at the end.
        """
        digests: dict[str, str] = {}
        changed: dict[str, EntityEntry] = {}
        for run, path in self._manifests().items():
            manifest = RosterManifest.read(path)
            entries = {
                name: self._rewritten(name, entry, change, changed)
                for name, entry in manifest.entities.items()
            }
            if entries != manifest.entities:
                after = replace(manifest, entities=entries)
                _write_manifest(path, after)
                digests[run] = after.digest
        self.forget(len(self.runs()))
        return digests

    def take_over(self, other: Archive) -> None:
        """Take the rosters of another archive, as those before all that are here. Killed midway, it goes on when called again.

        The files that rosters name come last: until they are here, nobody takes them for left over.
        """
        if not other.folder.is_dir():
            return
        with writing(self.folder):
            make_private_folder(self.folder)
            for path in other._manifests().values():
                path.rename(self.folder / f"{TAKEN}{path.name}")
            for path in other.folder.glob("*.parquet"):
                path.rename(self.folder / path.name)
            sync_folder(self.folder)
            for path in other.folder.iterdir():
                path.unlink()
            other.folder.rmdir()
            sync_folder(self.folder.parent)

    def forget(self, keep: int, spare: Collection[str] = ()) -> list[str]:
        """Delete all rosters but the last `keep` (at least one) and those to `spare`; name the runs that went."""
        manifests = self._manifests()
        runs = list(manifests)
        gone = [run for run in runs[: -max(keep, 1)] if run not in spare]
        left = {self._path(run).name for run in runs if run not in gone}
        left |= {file for run in runs if run not in gone for file in self._manifest(run).files}
        with writing(self.folder):
            # Manifests first: a manifest whose files are gone would be damage, a file without one is swept up next time.
            for run in gone:
                manifests[run].unlink()
            if self.folder.is_dir():
                sync_folder(self.folder)
            for path in self.folder.glob("*"):
                if path.name not in left and path.suffix in (".parquet", UNFINISHED):
                    path.unlink()
        return gone

    def _kept(
        self, judged: EntityRecords, old: EntityEntry | None, marks: pl.Series | None
    ) -> EntityEntry:
        """Write an entity, unless there is a file of the same content; whoever is forgotten leaves no id."""
        judged = nameless(judged)
        if old and judged.mode != "bulk":
            if not _speaks(judged):
                return old
            judged, marks = overlay(self._read(judged.entity.name, old), judged), None
        return entry_of(judged, self._written(judged, marks))

    def _written(self, judged: EntityRecords, marks: pl.Series | None = None) -> str:
        content = digest(judged, marks)
        path = self.folder / file_of(judged.entity.name, content)
        if not path.exists():
            _write_file(path, lambda file: write_content(judged, file))
        return content

    def _rewritten(
        self,
        name: str,
        entry: EntityEntry,
        change: Callable[[EntityRecords], EntityRecords],
        done: dict[str, EntityEntry],
    ) -> EntityEntry:
        """Write an entity as it is after a change, unless that content is `done` already."""
        file = file_of(name, entry.content)
        if file not in done:
            before = self._read(name, entry)
            after = change(before)
            content = entry.content if after is before else self._written(after)
            done[file] = replace(entry, content=content, height=after.accepted.height)
        return replace(entry, content=done[file].content, height=done[file].height)

    def _read(self, name: str, entry: EntityEntry) -> EntityRecords:
        return read_content(self.folder / file_of(name, entry.content), ENTITIES[name], entry)

    def _manifest(self, run: str) -> RosterManifest:
        path = self._manifests().get(run)
        if path is None:
            there = ", ".join(self.runs()[-5:]) or "none"
            raise ArchiveError(
                self.folder,
                f"no roster of run {run!r}",
                f"one of the last runs: {there}",
                "Name one of those.",
            )
        return RosterManifest.read(path)

    def _manifests(self) -> dict[str, Path]:
        """The manifests by run, in the order in which they were written."""
        paths = sorted(self.folder.glob("*.json"))
        return {path.stem.partition("-")[2]: path for path in paths}

    def _path(self, run: str) -> Path:
        """Where the manifest of a run is, or will be."""
        manifests = self._manifests()
        if run in manifests:
            return manifests[run]
        number = 1 + max(
            (int(re.split("[-.]", path.name)[0]) for path in manifests.values()), default=0
        )
        return self.folder / f"{number:08}-{run}.json"


def folder_of(key: FeedKey) -> str:
    """Name the folder of a feed: readable, and its own whatever signs the feed's name has."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", key.feed).strip("-")[:40]
    return f"{readable or 'feed'}-{sha256(dumps([key.target, key.feed]).encode()).hexdigest()[:12]}"


def _write_manifest(path: Path, manifest: RosterManifest) -> None:
    _write_file(path, lambda file: file.write(manifest.as_bytes()))


def _write_file(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Let `write` fill a file, and make its folder if it is missing. Raises `ArchiveError` if the file system refuses."""
    with writing(path):
        make_private_folder(path.parent)
        write_whole(path, write)


def _speaks(judged: EntityRecords) -> bool:
    """Whether a drop says anything of an entity."""
    return bool(
        judged.accepted.height
        or judged.refused.height
        or judged.withheld.height
        or judged.gone.len()
        or judged.blurred
    )
