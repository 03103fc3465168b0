"""The draft of a mapping file, lines with their reasons in blocks in files, and its TOML text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from transforms.binding.names import comparable_name

BARE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class DraftLine:
    """One key with its value."""

    key: str
    value: str  # as TOML
    why: str
    reads: tuple[str, ...] = ()  # columns
    open: bool = False  # for a person to finish


@dataclass(frozen=True)
class EntityDraft:
    """The lines of one entity that the rows of a file describe, or of a join."""

    entity: str
    lines: tuple[DraftLine, ...]


@dataclass(frozen=True)
class FileDraft:
    """One file of the drop."""

    name: str
    why: str  # what it contains, and the reason to think so
    settings: tuple[DraftLine, ...] = ()
    blocks: tuple[EntityDraft, ...] = ()

    @property
    def reads(self) -> set[str]:
        """The columns that are read by lines which are not open."""
        return {
            name
            for block in self.blocks
            for line in block.lines
            if not line.open
            for name in line.reads
        }


def toml_string(text: str) -> str:
    """Return a text as a TOML string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def toml_key(text: str) -> str:
    """Return a text as a TOML key."""
    return text if BARE.fullmatch(text) else toml_string(text)


def cell_of(name: str, column: str) -> str:
    """Return a cell: a function of `layouts.expressions` with the column that it reads."""
    return f"{{{name} = {toml_string(column)}}}"


def constant(text: str) -> str:
    """Return a cell with the same text in each row."""
    return cell_of("constant", text)


def derived(kind: str, *columns: str, way: str = "derived") -> str:
    """Return a cell with an id made from columns, by the function `way`."""
    parts = ", ".join(map(toml_string, columns))
    return (
        f"{{{way} = {toml_string(kind)}, parts = {parts if len(columns) == 1 else f'[{parts}]'}}}"
    )


HEAD = (
    "# A first guess at a layout, with the reason for each line. Lines with TODO are for you to "
    "finish: fill them in, and delete the\n"
    "# sign in front. Then name this file as `layout` in the feed file, and run `roster check` "
    "with that.\n"
)
WIDEST = 60  # comments after longer lines are not aligned


def mapping_text(head: list[DraftLine], sheets: list[FileDraft]) -> str:
    """Return the text of a mapping file."""
    names: dict[str, str] = {}
    parts = [
        HEAD,
        "[layout]",
        *_lines(head),
        *(line for sheet in sheets for line in _sheet(sheet, names)),
    ]
    return "\n".join(parts) + "\n"


def _sheet(sheet: FileDraft, names: dict[str, str]) -> list[str]:
    """Write one file; `names` are the earlier files, by the name that a mapping file compares."""
    stem = PurePath(sheet.name).stem
    first = names.setdefault(comparable_name(stem), sheet.name)
    if first != sheet.name:
        why = f"to a mapping file this is the same file as {first}. Give it another name."
        return ["", f"# {_comment(f'{sheet.name}: {why}')}"]
    title = _comment(f"{sheet.name}: {sheet.why}")
    lines = ["", f"# {title}", "[[file]]", f"name = {toml_string(stem)}"]
    if not sheet.blocks and not sheet.settings:
        return [*lines, 'ignored = ["*"]  # nothing of it is used; delete this when you map it']
    lines += _lines(sheet.settings)
    for block in sheet.blocks:
        lines += ["", f"[[file.{block.entity}]]", *_lines(block.lines)]
    return lines


def _lines(lines: Iterable[DraftLine]) -> list[str]:
    texts = [(f"{'# ' if line.open else ''}{line.key} = {line.value}", line) for line in lines]
    width = max((len(text) for text, _ in texts if len(text) <= WIDEST), default=0)
    return [
        f"{text:<{width}}  # {'TODO: ' if line.open else ''}{_comment(line.why)}"
        for text, line in texts
    ]


def _comment(why: str) -> str:
    """Replace control characters, which names of files may have and TOML comments must not."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", why)
