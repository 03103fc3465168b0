"""Problems of a mapping file: where they are, and what is wrong there."""

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
    """One problem of a mapping file."""

    path: Path  # keys and positions in lists
    says: str  # the rest of a sentence that begins with the key

    def __str__(self) -> str:
        """The sentence: the key as it is in the file, and what is wrong with it."""
        key = ".".join(part for part in self.path if isinstance(part, str))
        return f"`{key}` {self.says}" if key else f"The file {self.says}"


@dataclass(frozen=True)
class DocumentLocation:
    """A location in the document."""

    path: Path = ()
    problems: list[MappingProblem] = field(default_factory=list)  # of the whole document

    def at(self, *keys: str | int) -> DocumentLocation:
        """Return a location within this one."""
        return DocumentLocation((*self.path, *keys), self.problems)

    def wrong(self, says: str) -> None:
        """Add a problem at this location."""
        self.problems.append(MappingProblem(self.path, says))


def suggest(word: str, words: Iterable[str]) -> str:
    """Suggest the most similar of some words, or list them all."""
    words = list(words)
    lowered = {one.casefold(): one for one in words}
    close = get_close_matches(word.casefold(), lowered, 1)
    return (
        f"did you mean {lowered[close[0]]!r}?" if close else f"expected one of {', '.join(words)}."
    )


def toml_text(value: object) -> str:
    """Return a value as it is written in TOML, shortened if it is long."""
    text = (
        str(value).lower()
        if isinstance(value, bool)
        else str(value)
        if isinstance(value, date)
        else repr(value)
    )
    return text if len(text) <= 40 else f"{text[:40]}..."


def as_list(value: Any) -> list[Any]:
    """Return the items of a list, the keys of a table, or a single text as a list."""
    return [value] if isinstance(value, str) else list(value)


# Strings and comments are one token each, so that brackets and line ends inside them do not count.
_TOKEN = re.compile(
    r'"""[\s\S]*?"{3,5}|\'\'\'[\s\S]*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[][{}]|\n'
)
_KEY = re.compile(r'"((?:\\.|[^"\\\n])*)"|\'([^\'\n]*)\'|([A-Za-z0-9_-]+)')
_DOTTED = re.compile(rf"\s*(?:{_KEY.pattern})(?:\s*\.\s*(?:{_KEY.pattern}))*")


def line_of(text: str, path: Path) -> int | None:
    """Return the line of a key, or of the nearest table around it; None if there is none."""
    lines = lines_of(text)
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path)


def lines_of(text: str) -> dict[Path, int]:
    """Return the line of each table and key, by its path."""
    lines: dict[Path, int] = {}
    lists: dict[Path, int] = {}
    table: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            table = _table(statement, lists)
            path = table
        else:
            path = (*table, *_keys(statement))
        # `a.b.c = 1` is also the first line of `a.b`, and the first `[[a]]` that of `a`.
        for end in range(1, len(path) + 1):
            lines.setdefault(path[:end], line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each key with its value, and of each header of a table.

    A value may span several lines.
    """
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
    """The path of the table that a header begins; double brackets add a table to a list."""
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
    if dotted is None:
        return [""]
    return [next(filter(None, groups), "") for groups in _KEY.findall(dotted[0])]
