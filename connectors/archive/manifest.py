"""What a run's roster consists of: one small JSON file that names the file of each entity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from connectors.archive.errors import reading
from transforms.judged import Judged
from transforms.roster import Mode

VERSION = 1


@dataclass(frozen=True)
class Entry:
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
class Manifest:
    """One roster; `before` is the run of the one that it follows, blank if there is none."""

    run: str
    before: str = ""
    entities: dict[str, Entry] = field(default_factory=dict)

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
    def read(cls, path: Path) -> Manifest:
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


def entry_of(judged: Judged, content: str) -> Entry:
    """Describe an entity of a roster. What is missing from a drop of unknown mode is not known to be gone."""
    mode: Mode = "bulk" if judged.mode == "bulk" else "unknown"
    return Entry(content, judged.accepted.height, mode, judged.file, judged.blurred, judged.emptied,
                 tuple(sorted(judged.said)), tuple(sorted(judged.partial)), dict(judged.fed))  # fmt: skip


def _entry(said: dict[str, Any]) -> Entry:
    fed = {name: tuple(ones) for name, ones in said.get("fed", {}).items()}  # a release before had none
    return Entry(**said | {name: tuple(said[name]) for name in ("said", "partial")} | {"fed": fed})
