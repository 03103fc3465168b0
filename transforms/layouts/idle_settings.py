"""Which settings of `[source]` a layout uses; a setting without effect is reported as an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import PurePath
from typing import Any, cast

from transforms.binding.names import comparable_name
from transforms.layouts.expressions import Cell
from transforms.layouts.layout import Layout
from transforms.layouts.options import ReadingOptions
from transforms.layouts.ranges import range_keys

ONEROSTER = "oneroster"
# Settings that every layout uses, and settings that all declared layouts use.
ALWAYS_USED = frozenset({"prefix", "snapshot"})
# Settings that OneRoster's own files use.
OF_ONEROSTER = ALWAYS_USED | {"columns", "date_order", "escape_ids"}
DECLARED = frozenset({"school_year", "year_begins", "repair", "without"})
# Settings of layouts that make digests from personal data.
SALTS = frozenset({"salt_env", "salt_file", "salt_block"})
# Settings of layouts that add a district.
DISTRICT = frozenset({"district.name", "district.id"})

_YEARS = "The academic sessions have the school years. Remove it"
_OWN_ORGS = (
    "The orgs have the one above the schools. Remove it. `target.session_org` chooses one of "
    "several for the terms"
)
_OWN_IDS = "No id of this layout is made from personal data. Remove it"
_TARGET_WORDS = "Remove it. [target.{}] says what the target gets for a word"
_NO_WORDS = "Correct the words at the source, and remove it"
# What to do instead of a setting that does nothing: in OneRoster's own files, and elsewhere.
IN_ONEROSTER = {
    "school_year": _YEARS,
    "year_begins": _YEARS,
    "class_type": "Fill in `classType` of the classes at the source, and remove it",
    "repair": "Export again, don't open the files in Excel first, and remove it",
    "without": (
        "Remove it. If a file will not come again, say `absent` in the manifest; "
        "`snapshot = false` says that no file has all there is"
    ),
}
ELSEWHERE = {
    "columns": (
        "A mapping file says what other columns are: begin one with `roster map DROP`, and name "
        "it as `layout`"
    ),
    "escape_ids": "Remove it: such ids are always escaped there",
    "date_order": "Its files have no such dates. Remove it",
    "class_type": "The layout has the type of each class. Remove it",
    "district.name": _OWN_ORGS,
    "district.id": _OWN_ORGS,
    **dict.fromkeys(("salt_env", "salt_file", "salt_block"), _OWN_IDS),
    "words.races": _NO_WORDS,
    "words.states": _NO_WORDS,
}


def unused_settings(
    layout: Layout | None, dialect: ReadingOptions, layouts: Mapping[str, Layout]
) -> Iterator[str]:
    """Yield a sentence for each setting of the feed file that a layout does not use.

    It also names those of the `layouts` that use the setting. `None` is OneRoster's own layout.
    """
    used = OF_ONEROSTER if layout is None else settings_used(layout)
    code = ONEROSTER if layout is None else layout.code
    for name in sorted(dialect.said - used):
        users = ", ".join(
            [
                *([ONEROSTER] if name in OF_ONEROSTER else []),
                *(one for one, other in layouts.items() if name in settings_used(other)),
            ]
        )
        instead = _instead(name, standard=layout is None)
        yield f"`{name}`, which layout {code} has no use for; these have: {users}. {instead}"
    if layout is not None:
        yield from _wrong_without(layout, dialect)
        yield from _unknown_files("without", dialect.without, layout)
        yield from _unknown_files("set_apart", dialect.set_apart, layout)


def _instead(setting: str, *, standard: bool) -> str:
    """Say what to do instead of a setting that does nothing."""
    if standard and setting in IN_ONEROSTER:
        return IN_ONEROSTER[setting]
    if setting in ELSEWHERE:
        return ELSEWHERE[setting]
    return _TARGET_WORDS.format(setting.removeprefix("words."))


def settings_used(layout: Layout) -> frozenset[str]:
    """Return the settings that a declared layout uses."""
    gives = [rows for file in layout.files for rows in file.gives]
    cells = [
        cell
        for rows in gives
        for cell in (*rows.columns.values(), *([rows.where] if rows.where else []))
    ]
    asked = {name for cell in cells for name in settings_read_by(cell)}
    settings = {name for name in asked if name == "date_order" or name.startswith("words.")}
    if "digests" in asked:
        settings |= SALTS
    if layout.district:
        settings |= DISTRICT
    class_types = [rows.columns.get("classType") for rows in gives if rows.entity == "classes"]
    if any(cell is None or cell.reads for cell in class_types):
        settings.add("class_type")
    if len(range_keys(layout)) > 1:
        settings.add("set_apart")
    return ALWAYS_USED | DECLARED | settings


def settings_read_by(cell: Cell) -> set[str]:
    """Return the settings that a cell reads."""
    recorder = _Recorder()
    cell.of(cast(ReadingOptions, recorder))
    return recorder.names


class _Recorder:
    """Stands in for a `ReadingOptions`, and records the names of the settings that are read."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        if name in ("words", "zoneless"):
            return self
        self.names.add(name)
        return getattr(ReadingOptions(date.min), name)

    def get(self, vocabulary: str, default: Any) -> Any:
        """Stand in for `Dialect.words`."""
        self.names.add(f"words.{vocabulary}")
        return default


def _wrong_without(layout: Layout, dialect: ReadingOptions) -> Iterator[str]:
    """Files can only be missing from full snapshots."""
    snapshot = layout.snapshot if dialect.snapshot is None else dialect.snapshot
    if dialect.without and not snapshot:
        yield (
            "`without`, which is for drops that hold all there is. "
            "Remove it, or say `snapshot = true`"
        )


def _unknown_files(setting: str, files: tuple[str, ...], layout: Layout) -> Iterator[str]:
    names = {comparable_name(name) for file in layout.files for name in (file.name, *file.names)}
    for one in files:
        if comparable_name(PurePath(one.partition(":")[0].strip()).stem) not in names:
            yield (
                f"`{setting}` of {one!r}, which is no file of layout {layout.code}. "
                "Correct its name"
            )
