"""Cells after parsing: blank -> null, apostrophes around a whole column removed, damaged text named."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

from transforms.findings import ROW, Findings, of_rows

# UTF-8 read as Windows-1252 (a lead byte as Â, Ã or â€, then a second one), or a character lost already.
MOJIBAKE = "\ufffd|â€|[ÂÃ][\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹Œ\u017d‘’“”•–—˜™š›œ\u017eŸ]"
MOJIBAKE_BYTES = (b"\xef\xbf\xbd", "â€".encode(), "Ã".encode(), "Â".encode())


def blanks_to_null(frame: pl.DataFrame, ascii_only: bool) -> pl.DataFrame:
    """Make cells null that hold nothing but whitespace."""
    # "!" is the first visible character, so that one comparison finds "" and whatever begins with a space.
    blank = pl.all() < "!" if ascii_only else pl.all().str.strip_chars() == ""
    suspects = frame.select(blank.any()).row(0) if frame.height else ()
    columns = [column for column, suspect in zip(frame.columns, suspects, strict=False) if suspect]
    return frame.with_columns(
        pl.when(pl.col(column).str.strip_chars() != "").then(pl.col(column)).alias(column) for column in columns
    )


def without_apostrophes(frame: pl.DataFrame, name: str, strict: bool) -> tuple[pl.DataFrame, list[Findings]]:
    """Remove the apostrophes around the values of a column, if every value of it has them."""
    found = []
    for column in _begun_by_apostrophes(frame):
        if not _wrapped(frame[column]):
            continue
        rows = told(frame.filter(pl.col(column).is_not_null()), column)
        found.append(of_rows("apostrophes", rows, file=name, entity="", column=column, value="value", strict=strict))
        inner = pl.col(column).str.slice(1).str.head(-1)
        frame = frame.with_columns(pl.when(inner.str.strip_chars() != "").then(inner).alias(column))
    return frame, found


def mojibake(frame: pl.DataFrame, name: str, data: bytes) -> list[Findings]:
    """Report cells that look damaged by a wrong conversion."""
    if not any(mark in data for mark in MOJIBAKE_BYTES):
        return []
    columns = [column for column in frame.columns if column != ROW]
    return [
        of_rows("mojibake", told(rows, column), file=name, entity="", column=column, value="value")
        for column in columns
        if (rows := frame.filter(pl.col(column).str.contains(MOJIBAKE))).height
    ]


def told(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Give the rows as `of_rows` wants them; whose they are, the layout knows."""
    return rows.select(ROW, pl.lit(None, pl.String).alias("sourcedId"), pl.col(column).alias("value"))


def _begun_by_apostrophes(frame: pl.DataFrame) -> list[str]:
    """Name the columns whose first value has an apostrophe before it: the others need no closer look."""
    columns = [column for column in frame.columns if column != ROW] if frame.height else []
    firsts = frame.select(cs.by_name(columns).is_not_null().arg_max()).row(0, named=True) if columns else {}
    return [column for column, first in firsts.items() if str(frame[column][first] or "").startswith("'")]


def _wrapped(values: pl.Series) -> bool:
    sound = values.str.starts_with("'") & values.str.ends_with("'") & (values.str.len_chars() > 1)
    return bool(sound.all())  # nulls are left out
