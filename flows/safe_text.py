"""Text from drops and targets, made safe to print, to share and to open.

Such text must not control a terminal, run in a spreadsheet, or show a person's name inside an id.
"""

from __future__ import annotations

import json
import re
from typing import Any

from transforms.layouts.ids import redact_ids

# DEL and C1, line and paragraph separators, and characters that change the text direction.
_FAR = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
# The same and C0, except tabs and line breaks.
CONTROL_CHARACTERS = rf"\x00-\x08\x0b-\x1f{_FAR}"
# Lone surrogates occur in names of files that are not valid text.
STEERING = re.compile(rf"[{CONTROL_CHARACTERS}\ud800-\udfff]")
# JSON may leave these unescaped, but a terminal must not get them.
UNESCAPED = re.compile(rf"[{_FAR}\ud800-\udfff]")
# A spreadsheet reads a cell that begins with one of these as a formula.
FORMULA = r"^[=+\-@\t\r]"
DELETE, PICTURES = 0x7F, 0x2400


def plain_text(text: str) -> str:
    """Replace control characters with pictures of them (`␛`), or with `�` if there is none."""
    return STEERING.sub(lambda found: _picture(ord(found[0])), text)


def public_text(text: str) -> str:
    """Make text safe to share, as in a report or a notification: shorten names inside ids too."""
    return plain_text(redact_ids(text))


def one_line(text: str) -> str:
    """Make public text that stays on one line."""
    return public_text(text).replace("\n", "␊").replace("\t", "␉")


def spreadsheet_cell(text: str) -> str:
    """Quote a cell that a spreadsheet would run, and replace control characters."""
    return f"'{plain_text(text)}" if re.match(FORMULA, text) else plain_text(text)


def readable_json(value: Any) -> str:
    """Write JSON with letters as they are and control characters escaped."""
    written = json.dumps(value, ensure_ascii=False)
    return UNESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _picture(code: int) -> str:
    if code == DELETE:
        return "␡"
    return chr(PICTURES + code) if code < ord(" ") else "�"
