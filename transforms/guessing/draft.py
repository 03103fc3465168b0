"""What a guess is made of: lines of a mapping file, each with the reason for it, in blocks, in files."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Line:
    """One key with its value, as TOML, and why; `reads` are columns. An `open` line is for a person to finish."""

    key: str
    value: str
    why: str
    reads: tuple[str, ...] = ()
    open: bool = False


@dataclass(frozen=True)
class Block:
    """The rows that a file gives of one entity."""

    entity: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Sheet:
    """One file: what it holds and why that is thought, its settings, and what its rows give."""

    name: str
    why: str
    settings: tuple[Line, ...] = ()
    blocks: tuple[Block, ...] = ()

    @property
    def reads(self) -> set[str]:
        """The columns that lines take which are not open."""
        return {name for block in self.blocks for line in block.lines if not line.open for name in line.reads}


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_of(text: str) -> str:
    """A key as TOML writes it."""
    return text if BARE.fullmatch(text) else quoted(text)


def word(name: str, column: str) -> str:
    """A word of the vocabulary and the column that it reads."""
    return f"{{{name} = {quoted(column)}}}"


def constant(text: str) -> str:
    """The same text in each row."""
    return word("constant", text)


def derived(kind: str, *columns: str, way: str = "derived") -> str:
    """An id made of columns; `way` is the word for it."""
    parts = ", ".join(map(quoted, columns))
    return f"{{{way} = {quoted(kind)}, parts = {parts if len(columns) == 1 else f'[{parts}]'}}}"
