"""The reference of the layouts, made from the layouts themselves: each file, each column that is read, and what becomes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from transforms.layouts.layout import File, Layout

HEAD = """# Layouts

What is read of each layout's files. This page is made from `transforms/sources/` by `make dictionary`. Names of files and columns are matched
without case, spaces, `_` and `-`. A column that is in neither list of its file is reported as unknown.

**Needed** files are in every drop, and *required* columns in every such file; by them a layout is recognised. A layout that is a snapshot holds all
there is: what is absent has vanished. Of any other nothing vanishes but what its rows say, unless the feed's file says `snapshot = true`.
"""


def reference(layouts: Iterable[Layout]) -> str:
    """Give the whole page, as Markdown."""
    return "\n".join([HEAD, *(line for layout in layouts for line in _layout(layout))])


def _layout(layout: Layout) -> Iterator[str]:
    whole = "A drop is a snapshot." if layout.snapshot else "A drop is no snapshot."
    yield f"## {layout.code}\n\n{layout.title}. {whole}\n"
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
    return f"| `{name}`{required} | {aliases} | {', '.join(_becomes(name, file, layout)) or 'leads to other files'} |"


def _becomes(name: str, file: File, layout: Layout) -> dict[str, None]:
    """The columns of the roster that are made of a column, and whether it says which records there are."""
    joined = f"{file.name}.{name}"
    found: dict[str, None] = {}
    for other in layout.files:
        word = name if other is file else joined
        for one in other.gives:
            columns = [column for column, cell in one.columns.items() if word in cell.reads]
            found |= dict.fromkeys(f"{one.entity}.{column}" for column in columns)
            if word in (one.given, one.each) or (one.where is not None and word in one.where.reads):
                found |= {f"whether there are {one.entity}": None}
    return found
