"""What lies in a folder, as each file system of fsspec tells it in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from posixpath import basename
from typing import Any

from connectors.drops.members import is_noise

FOLDER, FILE, LINK = "directory", "file", "link"
# Under which names they say when a file was changed: SFTP and this machine, S3, HTTP, Microsoft's, Google's, and memory.
MOMENTS = ("mtime", "LastModified", "Last-Modified", "last_modified", "updated", "created")
VERSIONS = ("ETag", "etag")


@dataclass(frozen=True)
class Entry:
    """A file or folder: its size in bytes, when it was `changed` and which `version` it is, as far as its file system says so."""

    kind: str
    size: int | None = None
    changed: datetime | None = None
    version: str = ""


def listed(system: Any, path: str) -> dict[str, Entry]:
    """List a folder anew, but for what an operating system left there; some systems list the folder itself too."""
    system.invalidate_cache()
    there = [(str(one["name"]).rstrip("/"), one) for one in system.ls(path, detail=True)]
    named = {basename(place): one for place, one in there if place.strip("/") != path.strip("/")}
    wanted = {name: one for name, one in named.items() if name and not is_noise(name)}
    return {name: entry_of(_followed(system, one)) for name, one in wanted.items()}


def entry_of(said: dict[str, Any]) -> Entry:
    """Read what a file system says of one file or folder."""
    size = said.get("size")
    version = next((str(said[name]) for name in VERSIONS if said.get(name)), "")
    return Entry(str(said["type"]), None if size is None else int(size), _changed(said), version)


def _followed(system: Any, said: dict[str, Any]) -> dict[str, Any]:
    """Give what a link leads to in its place."""
    return dict(system.info(said["name"])) if said["type"] == LINK else said


def _changed(said: dict[str, Any]) -> datetime | None:
    moment = next((said[name] for name in MOMENTS if said.get(name)), None)
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, str):
        return parsedate_to_datetime(moment) if "," in moment else datetime.fromisoformat(moment)
    return moment
