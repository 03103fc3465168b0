"""What a guess is made of: lines of a mapping file, each with the reason for it, in blocks, in files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from transforms.layouts.layout import plain

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
        return {
            name
            for block in self.blocks
            for line in block.lines
            if not line.open
            for name in line.reads
        }


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


HEAD = """\
# A first guess at a layout, with the reason for each line. Lines with TODO are for you to finish: fill them in, and delete the
# sign in front. Then name this file as `layout` in the feed's file, and run `roster check` with that.
"""
WIDEST = 60  # beyond this, comments are no longer in one column


def written(head: list[Line], sheets: list[Sheet]) -> str:
    """Write a mapping file."""
    names: dict[str, str] = {}
    parts = [
        HEAD,
        "[layout]",
        *_lines(head),
        *(line for sheet in sheets for line in _sheet(sheet, names)),
    ]
    return "\n".join(parts) + "\n"


def _sheet(sheet: Sheet, names: dict[str, str]) -> list[str]:
    """Describe a file; `names` are those of the files before, by how a mapping file tells them apart."""
    stem = PurePath(sheet.name).stem
    first = names.setdefault(plain(stem), sheet.name)
    if first != sheet.name:
        return [
            "",
            f"# {_said(f'{sheet.name}: to a mapping file this is the same file as {first}. Give it another name.')}",
        ]
    lines = ["", f"# {_said(f'{sheet.name}: {sheet.why}')}", "[[file]]", f"name = {quoted(stem)}"]
    if not sheet.blocks:
        return [*lines, 'ignored = ["*"]  # nothing of it is used; delete this when you map it']
    lines += _lines(sheet.settings)
    for block in sheet.blocks:
        lines += ["", f"[[file.{block.entity}]]", *_lines(block.lines)]
    return lines


def _lines(lines: Iterable[Line]) -> list[str]:
    texts = [(f"{'# ' if line.open else ''}{line.key} = {line.value}", line) for line in lines]
    width = max((len(text) for text, _ in texts if len(text) <= WIDEST), default=0)
    return [
        f"{text:<{width}}  # {'TODO: ' if line.open else ''}{_said(line.why)}"
        for text, line in texts
    ]


def _said(why: str) -> str:
    """A reason as a comment may have it: names of files may have signs that would end it."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", why)
