"""The table of counts of a run or an export: a row for each entity, a column for each term."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeVar

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

Term = TypeVar("Term", bound=str)
INDENT = 8
UNLIMITED = 10_000


def terms_to_show(
    counts: Mapping[str, Mapping[Term, int]], terms: Sequence[Term], always: Collection[str]
) -> list[Term]:
    """Select the terms to show: those in `always`, and those that any entity has a count for."""
    return [
        term for term in terms if term in always or any(each.get(term) for each in counts.values())
    ]


def print_counts(
    console: Console, counts: Mapping[str, Mapping[Term, int]], terms: Sequence[Term]
) -> None:
    """Print the table, or a line for each entity if the table would be cut off."""
    table = _table(counts, terms)
    if fits_console(console, table):
        console.print(table)
        return
    for name, each in counts.items():
        text = ", ".join(f"{count:,} {_title(term)}" for term, count in each.items() if count)
        console.print(Text(name, style="bold"))
        console.print(Padding(Text(text or "nothing"), (0, 0, 0, INDENT)))


def markdown_counts(counts: Mapping[str, Mapping[Term, int]], terms: Sequence[Term]) -> list[str]:
    """Return the same table as lines of Markdown."""
    head = [f"| entity | {' | '.join(terms)} |", f"|---|{'---:|' * len(terms)}"]
    rows = [
        f"| {name} | {' | '.join(str(each.get(term, 0)) for term in terms)} |"
        for name, each in counts.items()
    ]
    return [*head, *rows]


def fits_console(console: Console, table: RenderableType) -> bool:
    """Return whether a table can be printed on a console without being cut off."""
    width = console.measure(table, options=console.options.update(max_width=UNLIMITED)).maximum
    return width <= console.width


def count_text(count: int) -> str:
    """Write a count for a table; 0 is a dot."""
    return f"{count:,}" if count else "·"


def _table(counts: Mapping[str, Mapping[Term, int]], terms: Sequence[Term]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for term in terms:
        table.add_column(_title(term), justify="right", no_wrap=True)
    for name, each in counts.items():
        table.add_row(name, *(count_text(each.get(term, 0)) for term in terms))
    return table


def _title(term: str) -> str:
    return term.replace("_", " ")
