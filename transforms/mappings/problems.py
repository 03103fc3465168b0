"""What is wrong in a mapping file: the keys that lead there, and a sentence about what they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

Path = tuple[str | int, ...]


@dataclass(frozen=True)
class MappingProblem:
    """One thing that is wrong; `says` goes on where the key leaves off."""

    path: Path
    says: str

    def __str__(self) -> str:
        """The sentence: the key, as it is written in the file, and what is wrong with it."""
        key = ".".join(part for part in self.path if isinstance(part, str))
        return f"`{key}` {self.says}" if key else f"The file {self.says}"


@dataclass(frozen=True)
class DocumentLocation:
    """A place in the document, and the list on which everything wrong is put."""

    path: Path = ()
    problems: list[MappingProblem] = field(default_factory=list)

    def at(self, *keys: str | int) -> DocumentLocation:
        """A place within this one."""
        return DocumentLocation((*self.path, *keys), self.problems)

    def wrong(self, says: str) -> None:
        """Note that something is wrong here."""
        self.problems.append(MappingProblem(self.path, says))


def meant(word: str, words: Iterable[str]) -> str:
    """Say what may have been meant, or what there is."""
    words = list(words)
    lowered = {one.casefold(): one for one in words}
    close = get_close_matches(word.casefold(), lowered, 1)
    return (
        f"did you mean {lowered[close[0]]!r}?" if close else f"expected one of {', '.join(words)}."
    )


def shown(value: object) -> str:
    """A value as a person wrote it, cut if it is long."""
    text = (
        str(value).lower()
        if isinstance(value, bool)
        else str(value)
        if isinstance(value, date)
        else repr(value)
    )
    return text if len(text) <= 40 else f"{text[:40]}..."


def texts(value: Any) -> list[Any]:
    """What a list has, or the keys of a table; a single text is a list of one."""
    return [value] if isinstance(value, str) else list(value)


# Strings and comments are passed over whole, so that brackets and line ends within them count for nothing.
_TOKEN = re.compile(
    r'"""[\s\S]*?"{3,5}|\'\'\'[\s\S]*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[][{}]|\n'
)
_KEY = re.compile(r'"((?:\\.|[^"\\\n])*)"|\'([^\'\n]*)\'|([A-Za-z0-9_-]+)')
_DOTTED = re.compile(rf"\s*(?:{_KEY.pattern})(?:\s*\.\s*(?:{_KEY.pattern}))*")


def line_of(text: str, path: Path) -> int | None:
    """The line of a key, or of the nearest one around it; None if there is none."""
    known = lines_of(text)
    while path and path not in known:
        path = path[:-1]
    return known.get(path)


def lines_of(text: str) -> dict[Path, int]:
    """The line of each table and key, by the keys and the places in lists that lead to it."""
    lines: dict[Path, int] = {}
    lists: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            table = _table(statement, lists)
            path = table
        else:
            path = (*table, *_keys(statement))
        # `a.b.c = 1` is also where `a.b` is begun, and the first `[[a]]` where `a` is.
        for end in range(1, len(path) + 1):
            lines.setdefault(path[:end], line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each key with its value, and each header of a table, with its line; a value may go on over several."""
    start = depth = 0
    for token in _TOKEN.finditer(f"{text}\n"):
        sign = token[0]
        depth += (sign in ("[", "{")) - (sign in ("]", "}"))
        if sign == "\n" and depth <= 0:
            statement = text[start : token.start()]
            if statement.strip() and not statement.lstrip().startswith("#"):
                yield text.count("\n", 0, start) + 1, statement.strip()
            start, depth = token.end(), 0


def _table(header: str, lists: dict[Path, int]) -> Path:
    """Where a header leads; each header in double brackets begins one more table of a list."""
    *above, last = _keys(header.lstrip("["))
    path: Path = ()
    for key in above:
        path = (*path, key)
        path = (*path, lists[path]) if path in lists else path
    path = (*path, last)
    if not header.startswith("[["):
        return path
    lists[path] = lists.get(path, -1) + 1
    return (*path, lists[path])


def _keys(text: str) -> list[str]:
    dotted = _DOTTED.match(text)
    return [next(filter(None, found), "") for found in _KEY.findall(dotted[0])] if dotted else [""]
