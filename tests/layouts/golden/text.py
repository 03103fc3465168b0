"""A drop in any layout as text: its records, what was rejected, and what was reported.

`python -m tests.layouts.golden.text` writes the text of each sample again; read the difference before you commit it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from tests.layouts.normalizing import judged, normalized
from transforms.sources import LAYOUTS

HERE = Path(__file__).parent
SAMPLES = Path(__file__).parents[3] / "sample_data"


def text_of(code: str) -> str:
    """Give the sample of a layout as OneRoster."""
    roster = normalized(SAMPLES / code, district="larkspur")
    checked = judged(roster)
    parts = [*_records({name: judged.accepted for name, judged in checked.standing.items()})]
    errors = checked.findings.errors
    rejected = (
        f"{row['file']} row {row['row']}, {row['column']}: {row['rule']} {row['value'] or ''}".rstrip()
        for row in errors.iter_rows(named=True)
    )
    told = (
        f"{notice.file or 'drop'}{', ' if notice.column else ''}{notice.column}: {notice.rule} ({notice.count}) {notice.detail}".rstrip()
        for notice in checked.findings.notices
    )
    counts = (f"{name}: {judged.counts}" for name, judged in checked.standing.items())
    return (
        "\n\n".join(
            [
                *parts,
                *(
                    "\n".join([f"# {title}", *lines])
                    for title, lines in (("rejected", rejected), ("told", told), ("counts", counts))
                ),
            ]
        )
        + "\n"
    )


def _records(frames: dict[str, pl.DataFrame]) -> Iterator[str]:
    for name, frame in frames.items():
        filled = [
            column
            for column in frame.columns
            if not column.startswith("#") and frame[column].null_count() < frame.height
        ]
        # Parts of a user are separated by signs that nobody can read.
        texts = frame.select(pl.col(filled).str.replace_all("[\\x00-\\x1f]", "|")).sort("sourcedId")
        yield f"# {name}\n{texts.write_csv().rstrip()}"


def file_of(code: str) -> Path:
    """Where the text of a layout's sample is kept."""
    return HERE / f"{code}.txt"


if __name__ == "__main__":
    for layout in LAYOUTS:
        file_of(layout).write_text(text_of(layout), "utf-8")
