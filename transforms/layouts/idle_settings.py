"""Which settings of `[source]` a layout has a use for, told by the layout itself: a setting that does nothing misleads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import PurePath
from typing import Any, cast

from transforms.layouts.expressions import Cell
from transforms.layouts.layout import Layout, plain
from transforms.layouts.options import Dialect

ONEROSTER = "oneroster"
# What is done for every layout, and what only for those that are declared.
ALL = frozenset({"prefix", "snapshot"})
DECLARED = frozenset({"school_year", "year_begins", "repair", "without"})
# Which cells ask for digests of what is personal, the settings of their salt are for.
SALTS = frozenset({"salt_env", "salt_file", "salt_block"})
DISTRICT = frozenset({"district.name", "district.id"})


class _Asked:
    """Stands in for a dialect, and notes what it is asked for."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name == "words":
            return self
        self.names.add(name)
        return getattr(Dialect(date.min), name)

    def get(self, vocabulary: str, default: Any) -> Any:
        """Give no words, and note of which vocabulary some were asked for."""
        self.names.add(f"words.{vocabulary}")
        return default


def asked_of(cell: Cell) -> set[str]:
    """Name the settings that a cell reads."""
    asked = _Asked()
    cell.of(cast(Dialect, asked))
    return asked.names


def settings_of(layout: Layout) -> frozenset[str]:
    """Name the settings that a declared layout has a use for."""
    gives = [one for file in layout.files for one in file.gives]
    cells = [
        cell
        for one in gives
        for cell in (*one.columns.values(), *([one.where] if one.where else []))
    ]
    asked = {name for cell in cells for name in asked_of(cell)}
    read = {name for name in asked if name == "date_order" or name.startswith("words.")}
    salts = SALTS if "digests" in asked else frozenset()
    kinds = {
        "class_type"
        for one in gives
        if one.entity == "classes" and _may_be_blank(one.columns.get("classType"))
    }
    return ALL | DECLARED | read | kinds | salts | (DISTRICT if layout.district else frozenset())


def _may_be_blank(cell: Cell | None) -> bool:
    return cell is None or bool(cell.reads)


def unused(layout: Layout | None, dialect: Dialect, layouts: Mapping[str, Layout]) -> Iterator[str]:
    """Say which settings a layout (None: OneRoster's own) has no use for, and which of the `layouts` have one."""
    own = ALL if layout is None else settings_of(layout)
    code = ONEROSTER if layout is None else layout.code
    for name in sorted(dialect.said - own):
        have = [one for one, other in layouts.items() if name in settings_of(other)]
        yield f"`{name}`, which layout {code} has no use for; these have: {', '.join(have)}. Remove it"
    if layout is not None and "without" in dialect.said:
        yield from _without(layout, dialect)


def _without(layout: Layout, dialect: Dialect) -> Iterator[str]:
    """Nothing can be missed of drops that are no snapshots; and what is named must be a file of the layout."""
    whole = layout.snapshot if dialect.snapshot is None else dialect.snapshot
    if not whole:
        yield "`without`, which is for drops that hold all there is. Remove it, or say `snapshot = true`"
    names = {plain(name) for file in layout.files for name in (file.name, *file.names)}
    for one in dialect.without:
        if plain(PurePath(one.partition(":")[0].strip()).stem) not in names:
            yield f"`without` of {one!r}, which is no file of layout {layout.code}. Correct its name"
