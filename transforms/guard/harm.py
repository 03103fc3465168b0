"""Updates that take something away: a user is locked out, or a record ends or starts later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

import polars as pl

from transforms.changes import ACTION
from transforms.guard.context import with_columns_of

LOCKED_OUT, ENDED, PUT_OFF = "locked out", "ended", "put off"
# The column with the first day of an enrollment or a session.
FIRST_DAY = {"enrollments": "beginDate", "academicSessions": "startDate"}
# The last day of each session, by id.
Ends = Mapping[str, str | None]
# So long before its term may an enrollment end because of the term: on the last day of class.
BEFORE_TERM_ENDS = timedelta(days=14)


def losses_by_update(
    entity: str,
    upserts: pl.DataFrame,
    sent: pl.DataFrame | None,
    today: date | None,
    over: Mapping[str, str],
    ends: Ends,
) -> pl.Series:
    """Return what each update takes away: `locked out`, `ended`, `put off`, or null.

    Users are locked out. Enrollments, sessions and classes end; enrollments and sessions are also
    put off. A record loses nothing if it was locked out, over, or not yet begun before. Nor does an
    enrollment that ends with the term of its class, once that term is over.

    `sent` are the records as the target has them. `over` are the classes whose terms are over, each
    with the day on which the last one ended.
    """
    day = today.isoformat() if today else ""
    match entity:
        case "users" if "enabledUser" in upserts.columns:
            was = _beside_sent(upserts, sent, "enabledUser")
            locked = (was["enabledUser"] == "false") & was["#enabledUser"].ne_missing("false")
            return _losses(was, locked, LOCKED_OUT)
        case "enrollments" | "academicSessions" if day:
            return _endings(entity, upserts, sent, day, over).fill_null(
                _postponements(entity, upserts, sent, day)
            )
        case "classes" if "termSourcedIds" in upserts.columns and day:
            was = _beside_sent(upserts, sent, "termSourcedIds")
            ended = are_terms_over(was["termSourcedIds"], ends, day) & ~are_terms_over(
                was["#termSourcedIds"], ends, day
            )
            return _losses(was, ended, ENDED)
    return _no_losses(upserts)


def are_terms_over(terms: pl.Series, ends: Ends, day: str) -> pl.Series:
    """Return whether all terms of a cell are over on a day."""
    over = [term for term, end in ends.items() if end and end <= day]
    return terms.str.split(",").list.eval(pl.element().is_in(over)).list.all()


def _endings(
    entity: str,
    upserts: pl.DataFrame,
    sent: pl.DataFrame | None,
    day: str,
    over: Mapping[str, str],
) -> pl.Series:
    if "endDate" not in upserts.columns:
        return _no_losses(upserts)
    was = _beside_sent(upserts, sent, "endDate")
    ended = (was["endDate"] <= day) & (was["#endDate"].is_null() | (was["#endDate"] > day))
    if entity == "enrollments" and "classSourcedId" in upserts.columns:
        since = {
            one: (date.fromisoformat(end) - BEFORE_TERM_ENDS).isoformat()
            for one, end in over.items()
        }
        earliest = upserts["classSourcedId"].replace_strict(
            since, default=None, return_dtype=pl.String
        )
        ended &= ~(was["endDate"] >= earliest).fill_null(value=False)
    return _losses(was, ended, ENDED)


def _postponements(
    entity: str, upserts: pl.DataFrame, sent: pl.DataFrame | None, day: str
) -> pl.Series:
    column = FIRST_DAY[entity]
    if column not in upserts.columns:
        return _no_losses(upserts)
    was = _beside_sent(upserts, sent, column)
    return _losses(was, (was[column] > day) & (was[f"#{column}"] <= day), PUT_OFF)


def _no_losses(upserts: pl.DataFrame) -> pl.Series:
    return pl.Series([None] * upserts.height, dtype=pl.String)


def _losses(was: pl.DataFrame, harmed: pl.Series, word: str) -> pl.Series:
    """Return a word for the harmed records, if they are updates of records that were sent."""
    chosen = (
        harmed.fill_null(value=False)
        & (was[ACTION] == "update")
        & was["#known"].fill_null(value=False)
    )
    return was.select(pl.when(chosen.alias("#takes")).then(pl.lit(word)).alias(word))[word]


def _beside_sent(upserts: pl.DataFrame, sent: pl.DataFrame | None, column: str) -> pl.DataFrame:
    """Add the value that was sent (`#` and the column's name). `#known`: the record was sent."""
    was = with_columns_of(sent, [column]).select(
        "sourcedId", pl.col(column).alias(f"#{column}"), pl.lit(value=True).alias("#known")
    )
    return upserts.select("sourcedId", ACTION, column).join(
        was, on="sourcedId", how="left", maintain_order="left"
    )
