"""The rim at which text reaches a terminal: nothing that a drop or a target says can move the cursor, hide or paint.

Text is printed as text: no markup, no emoji, and signs that steer a terminal or turn lines around are shown, not sent.
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

from transforms.layouts.digests import discreet

# DEL and C1, line and paragraph separators, and what embeds, overrides or isolates directions.
_FAR = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
# These, and C0 but for tabs and line breaks.
SIGNS = rf"\x00-\x08\x0b-\x1f{_FAR}"
# Half characters stand in names of files that are not text.
STEERING = re.compile(rf"[{SIGNS}\ud800-\udfff]")
# What JSON need not escape, and must be here.
UNESCAPED = re.compile(rf"[{_FAR}\ud800-\udfff]")
DELETE, PICTURES = 0x7F, 0x2400


def plain(text: str) -> str:
    """Show signs that steer a terminal as pictures of them (`␛`), or as `�` where there is none."""
    return STEERING.sub(lambda sign: _picture(ord(sign[0])), text)


def shown(text: str) -> str:
    """The same for what many may read, such as a report or a notice: nor are names read in ids there."""
    return plain(discreet(text))


def one_line(text: str) -> str:
    """The same for what stands in a line, which it cannot end."""
    return shown(text).replace("\n", "␊").replace("\t", "␉")


def as_json(value: Any) -> str:
    """Write JSON that reads well: letters as they are, and nothing that steers a terminal."""
    return UNESCAPED.sub(lambda sign: f"\\u{ord(sign[0]):04x}", json.dumps(value, ensure_ascii=False))


def tell(text: str, *, error: bool = False) -> None:
    """Print a text as it is."""
    print(plain(text), file=sys.stderr if error else sys.stdout, flush=error)


class Screen(Console):
    """A console that prints text as text, whatever it holds."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=False)

    def render_str(self, text: str, **more: Any) -> Text:
        """Make a text of a string, such as a cell of a table."""
        return super().render_str(plain(text), **more)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Give the pieces of what is printed; only the console's own steer the terminal."""
        if isinstance(renderable, Text):
            renderable = renderable.copy()
            renderable.plain = plain(renderable.plain)
        for piece in super().render(renderable, options):
            yield piece if piece.control else piece._replace(text=plain(piece.text))


def _picture(code: int) -> str:
    if code == DELETE:
        return "␡"
    return chr(PICTURES + code) if code < ord(" ") else "�"
