"""Names as people compare them: without accents, case, spaces and hyphens."""

from __future__ import annotations

import unicodedata
from typing import Literal

import polars as pl

# Only marks of Latin, Greek and Cyrillic letters. In other scripts, a mark makes another letter.
_MARKS = "[\u0300-\u036f]"
_LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"}
_BESIDES_LETTERS = r"[^\p{L}\p{M}\p{N}]"


def comparable(cell: pl.Expr) -> pl.Expr:
    """Return what the spellings of one name share; blank for a blank name.

    A name without any letter or digit stays as it is.
    """
    letters = _bare(cell, "NFKD").str.replace_all(_BESIDES_LETTERS, "")
    return pl.when(letters == "").then(cell).otherwise(letters).fill_null("")


def without_accents_each(cell: pl.Expr) -> pl.Expr:
    """Return each text in lower case, without accents, and with single spaces; blank: null."""
    plain = _bare(cell, "NFD").str.replace_all(r"\s+", " ").str.strip_chars()
    return pl.when(plain != "").then(plain)


def _bare(cell: pl.Expr, form: Literal["NFD", "NFKD"]) -> pl.Expr:
    """Return each text in lower case and without accents."""
    plain = cell.str.normalize(form).str.replace_all(_MARKS, "").str.to_lowercase()
    return plain.str.normalize("NFC").str.replace_many(_LETTERS)


def without_accents(text: str) -> str:
    """Return a text in lower case without the accents of its letters."""
    decomposed = unicodedata.normalize("NFD", text.lower())
    bare = "".join(sign for sign in decomposed if not "\u0300" <= sign <= "\u036f")
    composed = unicodedata.normalize("NFC", bare)
    return "".join(_LETTERS.get(sign, sign) for sign in composed)
