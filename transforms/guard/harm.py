"""Updates that take from a record what it is for: somebody is locked out; an enrollment, a class or a session ends, or is put off."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl

from transforms.changes import ACTION
from transforms.guard.context import with_columns_of

LOCKED_OUT, ENDED, PUT_OFF = "locked out", "ended", "put off"
# Where it stands when an enrollment or a session begins.
BEGINS = {"enrollments": "beginDate", "academicSessions": "startDate"}
# The last day of each session, by id.
Ends = Mapping[str, str | None]


def taking(
    entity: str,
    upserts: pl.DataFrame,
    sent: pl.DataFrame | None,
    today: date | None,
    over: pl.Series,
    ends: Ends,
) -> pl.Series:
    """Say of each update what it takes, `locked out`, `ended` or `put off`; null of all others.

    `sent` are the records as the target has them, `over` the ids of classes whose terms are over. What was locked out or over
    before, or had not begun, loses nothing.
    """
    day = today.isoformat() if today else ""
    match entity:
        case "users" if "enabledUser" in upserts.columns:
            was = _met(upserts, sent, "enabledUser")
            return _said(
                was,
                (was["enabledUser"] == "false") & was["#enabledUser"].ne_missing("false"),
                LOCKED_OUT,
            )
        case "enrollments" | "academicSessions" if day:
            return _ended(entity, upserts, sent, day, over).fill_null(
                _put_off(entity, upserts, sent, day)
            )
        case "classes" if "termSourcedIds" in upserts.columns and day:
            was = _met(upserts, sent, "termSourcedIds")
            return _said(
                was,
                all_over(was["termSourcedIds"], ends, day)
                & ~all_over(was["#termSourcedIds"], ends, day),
                ENDED,
            )
    return _nothing(upserts)


def _ended(
    entity: str, upserts: pl.DataFrame, sent: pl.DataFrame | None, day: str, over: pl.Series
) -> pl.Series:
    if "endDate" not in upserts.columns:
        return _nothing(upserts)
    was = _met(upserts, sent, "endDate")
    takes = (was["endDate"] <= day) & (was["#endDate"].is_null() | (was["#endDate"] > day))
    if entity == "enrollments" and "classSourcedId" in upserts.columns:
        takes &= ~upserts["classSourcedId"].is_in(over.implode()).fill_null(value=False)
    return _said(was, takes, ENDED)


def _put_off(entity: str, upserts: pl.DataFrame, sent: pl.DataFrame | None, day: str) -> pl.Series:
    column = BEGINS[entity]
    if column not in upserts.columns:
        return _nothing(upserts)
    was = _met(upserts, sent, column)
    return _said(was, (was[column] > day) & (was[f"#{column}"] <= day), PUT_OFF)


def _nothing(upserts: pl.DataFrame) -> pl.Series:
    return pl.Series([None] * upserts.height, dtype=pl.String)


def all_over(terms: pl.Series, ends: Ends, day: str) -> pl.Series:
    """Whether all terms in a cell are over on a day."""
    gone = [one for one, end in ends.items() if end and end <= day]
    return terms.str.split(",").list.eval(pl.element().is_in(gone)).list.all()


def _said(was: pl.DataFrame, takes: pl.Series, word: str) -> pl.Series:
    chosen = (
        takes.fill_null(value=False)
        & (was[ACTION] == "update")
        & was["#known"].fill_null(value=False)
    )
    return was.select(pl.when(chosen.alias("#takes")).then(pl.lit(word)).alias(word))[word]


def _met(upserts: pl.DataFrame, sent: pl.DataFrame | None, column: str) -> pl.DataFrame:
    """Put what was sent (`#column`; `#known` if anything was) beside what is to be sent, in that order."""
    was = with_columns_of(sent, [column]).select(
        "sourcedId", pl.col(column).alias(f"#{column}"), pl.lit(value=True).alias("#known")
    )
    return upserts.select("sourcedId", ACTION, column).join(
        was, on="sourcedId", how="left", maintain_order="left"
    )
