"""`roster map`: looks at a drop, and writes a first mapping file for a person to finish."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from connectors.drops import read
from connectors.private_files import write_private
from flows.errors import SettingsError
from flows.result import DONE, REFUSED
from transforms.infer_mapping import Guess, guess
from transforms.roster import Raw
from transforms.rules import RULES
from transforms.sources import AUTO, ONEROSTER, recognised
from transforms.sources.oneroster import says_so

FILE = ".toml"


@dataclass(frozen=True)
class MapRequest:
    """What is to be looked at."""

    drop: Path
    out: Path  # where the mapping file goes
    force: bool = False  # replace a mapping file that is there


@dataclass(frozen=True)
class MapResult:
    """What was found in a drop."""

    status: Literal["refused", "known", "guessed"]
    out: Path
    problems: tuple[str, ...] = ()  # why there is nothing to look at, in sentences
    layout: str = ""  # the layout that the drop is certainly written in, which needs no mapping
    reason: str = ""  # why it is that layout
    guess: Guess | None = None  # the mapping that was written
    left_out: tuple[
        tuple[str, str], ...
    ] = ()  # files that could not be looked at, each with what is wrong

    @property
    def exit_code(self) -> int:
        """4 if the drop was refused."""
        return REFUSED if self.status == "refused" else DONE


def map_drop(wish: MapRequest) -> MapResult:
    """Guess a mapping and write it, unless the drop's layout is known."""
    drop, encoding = _meant(wish.drop)
    raw = read(drop, encoding=encoding)
    if wrong := _refused(raw, drop):
        return MapResult("refused", wish.out, tuple(wrong))
    if known := _known(raw, drop):
        layout, reason = known
        return MapResult("known", wish.out, layout=layout, reason=reason)
    _refuse_place(wish)
    made = guess(raw, _code(drop))
    write_private(wish.out.resolve(), made.text)
    return MapResult("guessed", wish.out, guess=made, left_out=tuple(_wrong(raw)))


def _meant(drop: Path) -> tuple[Path, str | None]:
    """The drop itself, or the one that a feed's file names, with its encoding."""
    encoding = None
    if drop.suffix.lower() == FILE:
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
            f"{drop} does not exist. Name a folder, a zip, or a feed's file (*{FILE})."
        )
    return drop, encoding


def _refused(raw: Raw, drop: Path) -> list[str]:
    """Why there is nothing in the drop to look at, in sentences; empty if there is."""
    wrong = _wrong(raw)
    if raw.files:
        return [f"{drop}: {says}" for file, says in wrong if not file]
    told = [f"{file or drop}: {says}" for file, says in wrong]
    return told or [f"{drop}: there are no CSV files in it. Name the folder that has them."]


def _wrong(raw: Raw) -> list[tuple[str, str]]:
    """What refuses the drop, or a file of it: the file, and what is wrong with it."""
    found = raw.findings.fatal.select("file", "rule").unique(maintain_order=True)
    return [(file, f"{RULES[rule].says}. {RULES[rule].fix}") for file, rule in found.rows()]


def _known(raw: Raw, drop: Path) -> tuple[str, str] | None:
    """The layout in which a drop certainly is, and why. Raises `SettingsError` if two fit."""
    found = recognised(AUTO, raw)
    if found.layout == ONEROSTER and says_so(raw):
        return ONEROSTER, "its manifest, or its files' first columns, are the standard's"
    for notice in found.findings.notices:
        return str(found.layout), notice.detail.partition(": ")[2]
    for both in found.findings.fatal.filter(rule="layout_unclear")["value"]:
        raise SettingsError(
            f"{drop}: {both} both fit. Name the one that is meant as `layout` in the feed's file."
        )
    return None


def _refuse_place(wish: MapRequest) -> None:
    """Raise `SettingsError` if the mapping cannot be meant to be written there."""
    out = wish.out
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
    if out.exists() and (not wish.force or out.resolve() == wish.drop.resolve()):
        raise SettingsError(
            f"{out} exists already, and may hold your work. Name another file with --out, or say "
            "--force to replace it."
        )


def _code(drop: Path) -> str:
    """A short name after the drop's."""
    return re.sub(r"[^a-z0-9]+", "_", drop.resolve().stem.casefold()).strip("_") or "own"
