"""Updates that take from a record what it is for: somebody is locked out, an enrollment or a session ends."""

from __future__ import annotations

from datetime import date

import polars as pl

from transforms.changes import ACTION
from transforms.guard.past import with_columns_of

LOCKED_OUT, ENDED = "locked out", "ended"


def taking(
    entity: str, upserts: pl.DataFrame, sent: pl.DataFrame | None, today: date | None, over: pl.Series
) -> pl.Series:
    """Say of each update what it takes, `locked out` or `ended`; null of all others.

    `sent` are the records as the target has them, `over` the ids of classes whose terms are over. What was locked out or over before loses nothing.
    """
    match entity:
        case "users" if "enabledUser" in upserts.columns:
            was = _met(upserts, sent, "enabledUser")
            word, takes = LOCKED_OUT, (was["enabledUser"] == "false") & was["#enabledUser"].ne_missing("false")
        case "enrollments" | "academicSessions" if "endDate" in upserts.columns and today:
            was, day = _met(upserts, sent, "endDate"), today.isoformat()
            word, takes = ENDED, (was["endDate"] <= day) & (was["#endDate"].is_null() | (was["#endDate"] > day))
            if "classSourcedId" in upserts.columns:
                takes &= ~upserts["classSourcedId"].is_in(over.implode()).fill_null(value=False)
        case _:
            return pl.Series([None] * upserts.height, dtype=pl.String)
    chosen = takes.fill_null(value=False) & (upserts[ACTION] == "update") & was["#known"].fill_null(value=False)
    return was.select(pl.when(chosen.alias("#takes")).then(pl.lit(word)).alias(word))[word]


def _met(upserts: pl.DataFrame, sent: pl.DataFrame | None, column: str) -> pl.DataFrame:
    """Put what was sent (`#column`; `#known` if anything was) beside what is to be sent, in that order."""
    was = with_columns_of(sent, [column]).select("sourcedId", pl.col(column).alias(f"#{column}"), pl.lit(value=True).alias("#known"))  # fmt: skip
    return upserts.select("sourcedId", column).join(was, on="sourcedId", how="left", maintain_order="left")
