"""`roster map`: looks at a drop, and writes a first mapping file for a person to finish."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connectors.drops import read
from flows.errors import SettingsError
from flows.files import write_private
from flows.result import DONE, REFUSED
from flows.showing import tell
from transforms.guessing import Guess, guess
from transforms.raw import Raw
from transforms.rules import RULES
from transforms.sources import AUTO, ONEROSTER, recognised
from transforms.sources.oneroster import says_so

FILE = ".toml"


@dataclass(frozen=True)
class Wish:
    """What is to be looked at, where the mapping goes, and whether one that is there may be replaced."""

    drop: Path
    out: Path
    force: bool = False


def map_drop(wish: Wish, *, as_json: bool = False) -> int:
    """Guess a mapping and write it, unless the drop's layout is known; say what was found, and give the exit code."""
    drop, encoding = _meant(wish.drop)
    raw = read(drop, encoding=encoding)
    if wrong := _refused(raw, drop):
        return _say({"status": "refused", "why": wrong}, [*wrong, "Nothing was written."], REFUSED, as_json)
    if layout := _known(raw, drop):
        told = f"The drop is written in {layout[0]}, which is known, and needs no mapping: {layout[1]}."
        answer = {"status": "known", "layout": layout[0], "why": layout[1]}
        return _say(answer, [told, "Nothing was written. Run `roster check` with it."], DONE, as_json)
    _refuse_place(wish)
    made = guess(raw, _code(drop))
    write_private(wish.out, made.text)
    return _guessed(made, wish, raw, as_json)


def _meant(drop: Path) -> tuple[Path, str | None]:
    """The drop itself, or the one that a feed's file names, with its encoding."""
    encoding = None
    if drop.suffix.lower() == FILE:
        from flows.feeds.settings import read_feed

        feed = read_feed(drop)
        if feed.rest:
            raise SettingsError(
                f"{drop} reads an API, which is OneRoster and needs no mapping. Run `roster check` with it."
            )
        if feed.address:
            raise SettingsError(f"{drop} has its drop elsewhere. Bring it to this machine, and name it itself.")
        drop, encoding = feed.drop_path, feed.encoding
    if not drop.exists():
        raise SettingsError(f"{drop} does not exist. Name a folder, a zip, or a feed's file (*{FILE}).")
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
        raise SettingsError(f"{drop}: {both} both fit. Name the one that is meant as `layout` in the feed's file.")
    return None


def _refuse_place(wish: Wish) -> None:
    """Raise `SettingsError` if the mapping cannot be meant to be written there."""
    out = wish.out
    if out.suffix.lower() != FILE:
        raise SettingsError(
            f"{out} does not end in {FILE}. Name the file that is to be written, such as mapping{FILE}."
        )
    if not out.parent.is_dir():
        raise SettingsError(f"The folder {out.parent} does not exist. Make it first, or name another place.")
    if out.is_dir():
        raise SettingsError(f"{out} is a folder. Name a file.")
    if out.exists() and (not wish.force or out.resolve() == wish.drop.resolve()):
        raise SettingsError(
            f"{out} exists already, and may hold your work. Name another file with --out, or say --force to replace it."
        )


def _code(drop: Path) -> str:
    """A short name after the drop's."""
    return re.sub(r"[^a-z0-9]+", "_", drop.resolve().stem.casefold()).strip("_") or "own"


def _guessed(made: Guess, wish: Wish, raw: Raw, as_json: bool) -> int:
    answer = {
        "status": "guessed",
        "mapping": str(wish.out),
        "lines": made.lines,
        "todo": made.open,
        "files": made.files,
    }
    told = [f"{name}: {subject or 'nothing says what it holds'}" for name, subject in made.files.items()]
    told += [f"{file} was left out: {says}" for file, says in _wrong(raw)]
    todo = f"{made.open} lines are for you to finish: look for TODO." if made.open else "Read it through."
    told += [
        f"Wrote {wish.out}: {made.lines} lines, each with its reason. {todo}",
        f'Then write `layout = "{wish.out.name}"` into the feed\'s file beside it, and run `roster check` with that.',
    ]
    return _say(answer, told, DONE, as_json)


def _say(answer: Mapping[str, object], told: list[str], code: int, as_json: bool) -> int:
    tell(json.dumps(answer) if as_json else "\n".join(told))
    return code
