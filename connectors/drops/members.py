"""The members of a drop: CSV files, noise, unknown files, and names that occur twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from transforms.findings import Findings, file_finding


@dataclass(frozen=True)
class Member:
    """One CSV file of a drop."""

    name: str
    load: Callable[[], bytes]  # reads the bytes, or raises `Refused`


@dataclass(frozen=True)
class Members:
    """The CSV files of a drop, in order of their names, and the findings about its members."""

    files: tuple[Member, ...]
    findings: tuple[Findings, ...] = ()


def is_csv(name: str) -> bool:
    """Return whether a member is to be read."""
    return name.lower().endswith(".csv")


def is_noise(path: str) -> bool:
    """Return whether an operating system left a member there, such as `__MACOSX/._users.csv`."""
    parts = path.split("/")
    return "__MACOSX" in parts or parts[-1].startswith(".") or parts[-1].lower() == "thumbs.db"


def unknown_files(names: Iterable[str], strict: bool) -> tuple[Findings, ...]:
    """Report members that are not read."""
    return tuple(
        file_finding("unknown_file", printable(name), strict=strict) for name in sorted(names)
    )


def duplicate_names(
    names: Iterable[str], zips: Mapping[str, Iterable[str]] = MappingProxyType({})
) -> dict[str, Findings]:
    """Report names that occur more than once, letter case ignored: a finding for each spelling.

    `zips` holds the names in each zip beside the files. A finding says which files are in which
    zip.
    """
    spellings: dict[str, list[tuple[str, str]]] = {}
    in_zips = [(name, f"{name} in {zipped}") for zipped, held in zips.items() for name in held]
    for name, place in [*((name, name) for name in names), *in_zips]:
        spellings.setdefault(name.casefold(), []).append((name, place))
    return {
        name: file_finding("file_twice", name, ", ".join(sorted(place for _, place in same)))
        for same in spellings.values()
        if len(same) > 1
        for name in sorted({name for name, _ in same})
    }


class Refused(Exception):
    """A file or the whole drop is refused; `findings` say why."""

    def __init__(self, rule: str, file: str = "", detail: str = "", row: int | None = None) -> None:
        super().__init__(rule)
        self.findings: Findings = file_finding(rule, file, printable(detail), row=row)


def printable(text: str) -> str:
    r"""Replace characters that cannot be printed or encoded by their codes, such as `\x00`.

    File names may hold bytes that are not UTF-8 (PEP 383); cells may hold control characters.
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in text
    )
