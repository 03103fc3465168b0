"""Quotes and line breaks that are escaped by a sign before them, as Apple School Manager has it, against RFC 4180.

While a file is parsed, an escaped sign stands aside as a character that no text may have (Unicode, noncharacters).
"""

from __future__ import annotations

import re

import polars as pl

_ASIDE: dict[bytes, str] = {b'"': "\ufdd0", b"\\": "\ufdd1"}
_BACK: dict[str, str] = {aside: sign.decode() for sign, aside in _ASIDE.items()}
_TRANSLATED = str.maketrans({aside: sign.decode() for sign, aside in _ASIDE.items()})


def set_aside(text: bytes, escape: str) -> bytes:
    """Put escaped signs out of the parser's way; an escaped line break becomes a space."""
    if not escape or escape.encode() not in text:
        return text
    mark = re.escape(escape.encode())
    return re.sub(mark + rb'(\\|"|\r?\n)', lambda found: _ASIDE.get(found[1], " ").encode(), text)


def put_back(frame: pl.DataFrame, escape: str) -> pl.DataFrame:
    """Write escaped signs as what they are."""
    return frame.with_columns(pl.col(pl.String).str.replace_many(_BACK)) if escape else frame


def put_back_in(cells: tuple[str, ...], escape: str) -> tuple[str, ...]:
    """Write escaped signs of a row as what they are."""
    return tuple(cell.translate(_TRANSLATED) for cell in cells) if escape else cells
