"""Any text in a form that is readable in a diff."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from hashlib import sha256
from typing import Any

# Of a longer text, only the first lines and a digest are kept.
MOST_LINES = 400
# The depth to which an object is spread over lines.
DEPTH = 2


def escaped(text: str) -> str:
    """Escape the characters that are not printable."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def lines(text: str) -> Iterator[str]:
    """Yield the lines of a text, without the trailing spaces that pad a table."""
    whole = text.removesuffix("\n").split("\n") if text else []
    yield from (escaped(line).rstrip() for line in whole[:MOST_LINES])
    if len(whole) > MOST_LINES:
        yield f"... {len(whole) - MOST_LINES} more lines, {sha256(text.encode()).hexdigest()}"


def printed(text: str) -> Iterator[str]:
    """Yield the lines of an output. A JSON object on one line is spread over several."""
    for line in lines(text):
        if line.startswith("{") and line.endswith("}"):
            yield from spread(json.loads(line))
        else:
            yield line


def spread(value: Any, depth: int = DEPTH, indent: str = "") -> Iterator[str]:
    """Yield an object or a list as several lines, to some depth. Deeper values are on one line."""
    if not value or depth == 0 or not isinstance(value, dict | list):
        yield json.dumps(value, ensure_ascii=False)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    names = (
        [f"{json.dumps(name, ensure_ascii=False)}: " for name in value]
        if isinstance(value, dict)
        else [""] * len(value)
    )
    inner = list(value.values()) if isinstance(value, dict) else value
    yield opening
    for place, (name, one) in enumerate(zip(names, inner, strict=True)):
        first, *rest = spread(one, depth - 1, indent + " ")
        comma = "," if place < len(inner) - 1 else ""
        body = [f" {name}{first}", *(f" {line}" for line in rest)]
        yield from (*body[:-1], body[-1] + comma)
    yield closing


def against(before: Sequence[str], now: Sequence[str]) -> Iterator[str]:
    """Yield the difference of lines from earlier ones, if that is much shorter, or else the lines.

    Nothing is lost: the lines follow from the earlier ones and the difference.
    """
    steps = [
        step
        for step in SequenceMatcher(None, before, now, autojunk=False).get_opcodes()
        if step[0] != "equal"
    ]
    parts = [line for step in steps for line in _step(before, now, *step[1:])]
    if not before or 2 * len(parts) > len(now):
        yield from now
    else:
        yield "(as before, but for)" if parts else "(as before)"
        yield from parts


def _step(
    before: Sequence[str], now: Sequence[str], first: int, last: int, start: int, end: int
) -> Iterator[str]:
    yield f"@ line {first + 1}"
    yield from (f"- {line}" for line in before[first:last])
    yield from (f"+ {line}" for line in now[start:end])
