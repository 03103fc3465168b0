"""The page docs/layouts.md, written from the layouts: every file and column, and its use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from transforms.layouts.layout import File, Layout

HEAD = (
    "# Layouts\n"
    "\n"
    "This page says which exports roster can read, and what it does with each file and column. "
    "`make dictionary` writes it from `transforms/sources/`.\n"
    "\n"
    "| layout | exports | an export is |\n"
    "|---|---|---|\n"
    "| `oneroster` | OneRoster 1.1 and 1.2 CSV; the [data dictionary](data_dictionary.md) has "
    "its files | what its manifest says: full (`bulk`) or changes only (`delta`) |\n"
    "| [`clever`](#clever) | Clever's SFTP files | full |\n"
    "| [`sds_v1`](#sds_v1) | Microsoft School Data Sync V1, in American or British spelling, "
    "with guardians | partial |\n"
    "| [`sds_v2`](#sds_v2) | School Data Sync V2 | partial |\n"
    "| [`sds_v2_1`](#sds_v2_1) | School Data Sync V2.1 | full |\n"
    "| [`canvas`](#canvas) | Canvas SIS import. The changes of one night work too, if the "
    "accounts, courses and sections that they belong to are in the export | partial |\n"
    "| [`apple_school_manager`](#apple_school_manager) | Apple School Manager | full |\n"
    "| a mapping file | [a layout of your own](own_layout.md) | what the mapping file says |\n"
    "\n"
    "A **full** export (a *snapshot*) has every record, so an absent record is "
    "[missing](feed_file.md#removed). In a **partial** export, only rows that say so remove a "
    "record. `snapshot` under [`[source]`](feed_file.md#source) changes this.\n"
    "If a file or a column with records is absent from a full export, such as `staff.csv`, "
    "everything that goes missing with it is held. Approve it, or list the file under "
    "`without`.\n"
    "\n"
    "roster recognizes a layout by the names of files and columns. The run says which layout "
    "it is and why. It names the nearest one if none fits, and refuses the export if two fit. "
    "To choose a layout yourself, set `layout` in the feed file.\n"
    "\n"
    "Case, spaces, `_` and `-` in the names of files and columns do not matter. **Needed** "
    "files are in every export, and *required* columns are in every such file. A column that "
    "is in neither list of its file is reported as unknown.\n"
)


def layouts_page(layouts: Iterable[Layout]) -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD, *(line for layout in layouts for line in _layout(layout))])


def _layout(layout: Layout) -> Iterator[str]:
    kind = "full" if layout.snapshot else "partial"
    yield f"## {layout.code}\n\n{layout.title}. An export is {kind}.\n"
    for file in layout.files:
        yield from _file(file, layout)


def _file(file: File, layout: Layout) -> Iterator[str]:
    names = ", ".join(f"`{name}.csv`" for name in (file.name, *file.names))
    yield f"### {names}{' (needed)' if file.needed else ''}\n"
    if columns := [name for name in layout.columns_of(file) if not name.startswith("#")]:
        yield "| column | also written | becomes |\n|---|---|---|"
        yield from (_column(name, file, layout) for name in columns)
        yield ""
    if file.ignored:
        yield f"Not read on purpose: {', '.join(f'`{name}`' for name in file.ignored)}.\n"


def _column(name: str, file: File, layout: Layout) -> str:
    aliases = ", ".join(f"`{one}`" for one in file.aliases.get(name, ()))
    required = " *required*" if name in file.required else ""
    becomes = ", ".join(_uses(name, file, layout)) or "leads to other files"
    return f"| `{name}`{required} | {aliases} | {becomes} |"


def _uses(name: str, file: File, layout: Layout) -> dict[str, None]:
    """What a column is used for: columns of the roster, or which records there are."""
    uses: dict[str, None] = {}
    for other in layout.files:
        column = name if other is file else f"{file.name}.{name}"
        for rows in other.gives:
            made = [name for name, cell in rows.columns.items() if column in cell.reads]
            uses |= dict.fromkeys(f"{rows.entity}.{name}" for name in made)
            deciding = {rows.given, rows.each, *(rows.where.reads if rows.where else ())}
            if column in deciding:
                uses |= {f"whether there are {rows.entity}": None}
    return uses
