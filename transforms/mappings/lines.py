"""On which line of a TOML text each key stands, so that what is wrong can be found there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from transforms.mappings.problems import Path

# Strings and comments are passed over whole, so that brackets and line ends within them count for nothing.
_TOKEN = re.compile(r'"""[\s\S]*?"{3,5}|\'\'\'[\s\S]*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[][{}]|\n')
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
