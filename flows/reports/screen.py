"""The only ways to a terminal. Text is printed as text: no markup, no emoji, nothing that steers the terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.text import Text

from flows.safe_text import plain_text


class Screen(Console):
    """A console that prints text as text, whatever it holds."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False)

    def render_str(self, text: str, **more: Any) -> Text:
        """Make a text of a string, such as a cell of a table."""
        return super().render_str(plain_text(text), **more)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Give the segments to print; only the console's own may steer the terminal."""
        if isinstance(renderable, Text):
            renderable = renderable.copy()
            renderable.plain = plain_text(renderable.plain)
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain_text(segment.text))


def print_line(text: str, *, error: bool = False) -> None:
    """Print text, without wrapping it, on standard output or on standard error."""
    print(plain_text(text), file=sys.stderr if error else sys.stdout, flush=error)


def print_json(value: Any) -> None:
    """Print one object for programs, on a line of its own."""
    print(json.dumps(value), flush=True)
