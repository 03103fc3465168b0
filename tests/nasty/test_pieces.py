"""Frames in pieces, as files that were read one after the other leave them: words for faults can be made of any of them."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from transforms.findings import ROW, fault_location, row_location

PIECES = st.lists(
    st.lists(st.tuples(st.integers(1, 99), st.booleans()), max_size=3), min_size=1, max_size=4
)


@given(PIECES)
def test_places_are_named_whatever_pieces_are_left(pieces: list[list[tuple[int, bool]]]) -> None:
    """Also where every row of the first piece was filtered out."""
    frames = [
        pl.DataFrame(piece, schema={ROW: pl.UInt32, "#left": pl.Boolean}, orient="row")
        for piece in pieces
    ]
    left = (
        pl.concat(frames)
        .filter("#left")
        .with_columns(column=pl.lit("role"), rule=pl.lit("vocabulary"))
    )

    told = left.select(
        row_location("users.csv").alias("place"), fault_location("users.csv").alias("fault")
    ).rows()

    rows = [row for piece in pieces for row, stays in piece if stays]
    assert [
        (f"users.csv row {row}", f"users.csv row {row}, role: vocabulary") for row in rows
    ] == told
