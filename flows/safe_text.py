"""Text from drops and targets, made safe to print, to share and to open.

Nothing in such text may steer a terminal, run in a spreadsheet, or show somebody's name inside an id.
"""

from __future__ import annotations

import json
import re
from typing import Any

from transforms.layouts.ids import discreet

# DEL and C1, line and paragraph separators, and what embeds, overrides or isolates directions.
_FAR = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
# These, and C0 except tabs and line breaks.
CONTROL_CHARACTERS = rf"\x00-\x08\x0b-\x1f{_FAR}"
# Lone surrogates occur in names of files that are not valid text.
STEERING = re.compile(rf"[{CONTROL_CHARACTERS}\ud800-\udfff]")
# What JSON may leave unescaped and a terminal must not see.
UNESCAPED = re.compile(rf"[{_FAR}\ud800-\udfff]")
# A spreadsheet takes a cell that begins with one of these for a formula.
FORMULA = r"^[=+\-@\t\r]"
DELETE, PICTURES = 0x7F, 0x2400


def plain_text(text: str) -> str:
    """Replace characters that steer a terminal by pictures of them (`␛`), or by `�` where there is none."""
    return STEERING.sub(lambda found: _picture(ord(found[0])), text)


def public_text(text: str) -> str:
    """Make text fit for many readers, as in a report or a notification: names inside ids are shortened too."""
    return plain_text(discreet(text))


def one_line(text: str) -> str:
    """Make public text that cannot end the line it stands in."""
    return public_text(text).replace("\n", "␊").replace("\t", "␉")


def spreadsheet_cell(text: str) -> str:
    """Quote a cell that a spreadsheet would run, and replace characters that steer a terminal."""
    return f"'{plain_text(text)}" if re.match(FORMULA, text) else plain_text(text)


def readable_json(value: Any) -> str:
    """Write JSON with letters as they are, and with everything that steers a terminal escaped."""
    written = json.dumps(value, ensure_ascii=False)
    return UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _picture(code: int) -> str:
    if code == DELETE:
        return "␡"
    return chr(PICTURES + code) if code < ord(" ") else "�"
