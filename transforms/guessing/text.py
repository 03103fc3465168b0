"""A guess as the text of a mapping file: what is known as lines, what is not as comments to be completed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

from transforms.guessing.draft import Line, Sheet, quoted
from transforms.layouts.layout import plain

HEAD = """\
# A first guess at a layout, with the reason for each line. Lines with TODO are for you to finish: fill them in, and delete the
# sign in front. Then name this file as `layout` in the feed's file, and run `roster check` with that.
"""
WIDEST = 60  # beyond this, comments are no longer in one column


def written(head: list[Line], sheets: list[Sheet]) -> str:
    """Write a mapping file."""
    names: dict[str, str] = {}
    parts = [HEAD, "[layout]", *_lines(head), *(line for sheet in sheets for line in _sheet(sheet, names))]
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
    return [f"{text:<{width}}  # {'TODO: ' if line.open else ''}{_said(line.why)}" for text, line in texts]


def _said(why: str) -> str:
    """A reason as a comment may have it: names of files may have signs that would end it."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", why)
