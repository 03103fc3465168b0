"""The only ways to print on a terminal.

Text is printed as text: no markup, no emoji, and no control characters.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from flows.safe_text import plain_text

# The spaces and the dash with which a line may begin.
START = re.compile(r" *(?:- )?")


class Screen(Console):
    """A console that prints text as it is, without the control characters in it."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False)

    def render_str(self, text: str, **more: Any) -> Text:
        """Turn a string, such as a cell of a table, into text."""
        return super().render_str(plain_text(text), **more)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments to print. Only the console's own may control the terminal."""
        if isinstance(renderable, Text):
            renderable = renderable.copy()
            renderable.plain = plain_text(renderable.plain)
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain_text(segment.text))


def print_indented(console: Console, line: str) -> None:
    """Print a line. If it is too long, its other lines begin under its first word.

    Spaces and a dash (`- `) may precede the first word.
    """
    text = START.sub("", line, count=1)
    start = line.removesuffix(text)
    wrapped = Text(text).wrap(console, max(1, console.width - len(start)))
    lines = [part.plain.rstrip() for part in wrapped]
    console.print(Text(start + f"\n{' ' * len(start)}".join(lines)), soft_wrap=True)


def print_line(text: str, *, error: bool = False) -> None:
    """Print text on standard output or standard error, without wrapping it."""
    print(plain_text(text), file=sys.stderr if error else sys.stdout, flush=error)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON."""
    print(json.dumps(value), flush=True)
