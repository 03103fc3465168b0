"""`roster map`: examines a drop, and writes a first mapping file for a person to finish."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connectors.drops import read
from connectors.private_files import write_private
from flows.errors import SettingsError
from flows.result import DONE, REFUSED
from transforms.infer_mapping import InferredMapping, infer_mapping, infer_near_standard
from transforms.roster import Raw
from transforms.rules import RULES
from transforms.sources import AUTO, ONEROSTER, recognize
from transforms.sources.oneroster import has_sourced_ids, is_certain

FILE = ".toml"


@dataclass(frozen=True)
class MapRequest:
    """The drop to examine, and the mapping file to write."""

    drop: Path
    out: Path  # the mapping file to write
    force: bool = False  # replace an existing mapping file


@dataclass(frozen=True)
class MapResult:
    """The result for a drop."""

    status: Literal["refused", "known", "guessed"]
    out: Path
    problems: tuple[str, ...] = ()  # why the drop cannot be examined, in sentences
    layout: str = ""  # the recognized layout, which needs no mapping
    reason: str = ""  # why it is that layout
    guess: InferredMapping | None = None  # the mapping that was written
    left_out: tuple[
        tuple[str, str], ...
    ] = ()  # files that could not be examined, each with the reason

    @property
    def exit_code(self) -> int:
        """4 if the drop was refused."""
        return REFUSED if self.status == "refused" else DONE


def map_drop(request: MapRequest) -> MapResult:
    """Infer a mapping and write it, unless the drop's layout is recognized.

    Raises `SettingsError` for a drop or a mapping file that cannot be used.
    """
    drop, encoding = _drop_and_encoding(request.drop)
    raw = read(drop, encoding=encoding)
    if wrong := _why_refused(raw, drop):
        return MapResult("refused", request.out, tuple(wrong))
    near = infer_near_standard(raw, _code(drop)) if _is_almost_oneroster(raw) else None
    if near is None and (known := _recognized_layout(raw, drop)):
        layout, reason = known
        return MapResult("known", request.out, layout=layout, reason=reason)
    _refuse_place(request)
    mapping = near or infer_mapping(raw, _code(drop))
    write_private(request.out.resolve(), mapping.text)
    return MapResult("guessed", request.out, guess=mapping, left_out=tuple(_refused_files(raw)))


def _drop_and_encoding(drop: Path) -> tuple[Path, str | None]:
    """Return the drop itself, or the one that a feed file names, with its encoding."""
    encoding = None
    if drop.suffix.lower() == FILE:
        # The models of feed files take a while to build, and a bare drop does not need them.
        from flows.feeds.feed import read_feed

        feed = read_feed(drop)
        if feed.rest:
            raise SettingsError(
                f"{drop} reads an API, which is OneRoster and needs no mapping. Run `roster "
                "check` with it."
            )
        if feed.address:
            raise SettingsError(
                f"{drop} has its drop elsewhere. Bring it to this machine, and name it itself."
            )
        drop, encoding = feed.drop_path, feed.encoding
    if not drop.exists():
        raise SettingsError(
            f"{drop} does not exist. Name a folder, a zip, or a feed file (*{FILE})."
        )
    return drop, encoding


def _why_refused(raw: Raw, drop: Path) -> list[str]:
    """Return why the drop cannot be examined, in sentences; empty if it can be."""
    refused = _refused_files(raw)
    if raw.files:
        return [f"{drop}: {says}" for file, says in refused if not file]
    reasons = [f"{file or drop}: {says}" for file, says in refused]
    return reasons or [f"{drop}: there are no CSV files in it. Name the folder that has them."]


def _refused_files(raw: Raw) -> list[tuple[str, str]]:
    """Return each file that is refused, blank for the drop itself, with the reason."""
    found = raw.findings.fatal.select("file", "rule").unique(maintain_order=True)
    return [(file, f"{RULES[rule].says}. {RULES[rule].fix}") for file, rule in found.rows()]


def _is_almost_oneroster(raw: Raw) -> bool:
    """Whether files have OneRoster's ids, and no other layout fits."""
    found = recognize(AUTO, raw).layout
    return found == ONEROSTER and (is_certain(raw) or has_sourced_ids(raw))


def _recognized_layout(raw: Raw, drop: Path) -> tuple[str, str] | None:
    """Return the layout that a drop certainly has, and the reason; None if there is none.

    Raises `SettingsError` if two layouts fit.
    """
    found = recognize(AUTO, raw)
    if found.layout == ONEROSTER and is_certain(raw):
        return ONEROSTER, "its manifest, or its files' first columns, are the standard's"
    for notice in found.findings.notices:
        return str(found.layout), notice.detail.partition(": ")[2]
    for both in found.findings.fatal.filter(rule="layout_unclear")["value"]:
        raise SettingsError(
            f"{drop}: {both} both fit. Name the right one as `layout` in the feed file."
        )
    return None


def _refuse_place(request: MapRequest) -> None:
    """Raise `SettingsError` if the mapping file cannot be written, or must not be replaced."""
    out = request.out
    if out.suffix.lower() != FILE:
        raise SettingsError(
            f"{out} does not end in {FILE}. Name the file that is to be written, such as "
            f"mapping{FILE}."
        )
    if not out.parent.is_dir():
        raise SettingsError(
            f"The folder {out.parent} does not exist. Make it first, or name another place."
        )
    if out.is_dir():
        raise SettingsError(f"{out} is a folder. Name a file.")
    if out.exists() and (not request.force or out.resolve() == request.drop.resolve()):
        raise SettingsError(
            f"{out} exists already, and may hold your work. Name another file with --out, or say "
            "--force to replace it."
        )


def _code(drop: Path) -> str:
    """Return a code for the layout, from the drop's name."""
    return re.sub(r"[^a-z0-9]+", "_", drop.resolve().stem.casefold()).strip("_") or "own"
