"""The ledger keeps how new is what deltas said, and counts what runs removed, in either database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger, Run
from connectors.ledger.forget import FINGERPRINT_COLUMNS, Erasure
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL
from transforms.moments import MOMENT, TIMESTAMP_COLUMNS

KEY, OTHER = FeedKey("sandbox", "larkspur"), FeedKey("sandbox", "other")
NIGHT = datetime(2026, 9, 8, 2, 30, tzinfo=UTC)
DAY = timedelta(days=1)
RUN = Run("r", KEY, "sync", NIGHT)
RECORDS = dict.fromkeys(("sourcedId", SCHOOL, PARENTS, LABEL, FIELDS), pl.String) | {
    FINGERPRINT: pl.Int64
}


def moments(*rows: tuple[str, int, str | None]) -> pl.DataFrame:
    """Give moments: id, moment and owner."""
    return pl.DataFrame(rows, schema=TIMESTAMP_COLUMNS, orient="row")


def known(ledger: Ledger, entity: str, *ids: str, key: FeedKey = KEY) -> dict[str, int]:
    """The moments that the ledger knows of some ids."""
    return dict(
        ledger.moments(key, entity, pl.Series(ids, dtype=pl.String))
        .select("sourcedId", MOMENT)
        .iter_rows()
    )


def test_the_last_moment_is_kept_of_each_record(ledger: Ledger) -> None:
    """Feed by feed and entity by entity; of what was never said there is none."""
    before = known(ledger, "users", "ana")
    ledger.note_moments(
        KEY,
        {
            "users": moments(("ana", 5, None), ("bo", 2**60, None)),
            "roles": moments(("r1", 5, "ana")),
        },
    )
    ledger.note_moments(KEY, {"users": moments(("ana", 7, None))})
    ledger.note_moments(KEY, {})

    assert ({}, {"ana": 7, "bo": 2**60}) == (before, known(ledger, "users", "ana", "bo", "nobody"))
    assert ({"r1": 5}, {}) == (
        known(ledger, "roles", "r1"),
        known(ledger, "users", "ana", key=OTHER),
    )


def test_a_person_is_forgotten_with_the_parts(ledger: Ledger) -> None:
    """Roles have ids of their own, and are known by whose they are."""
    ledger.note_moments(
        KEY,
        {
            "users": moments(("ana", 5, None), ("bo", 5, None)),
            "roles": moments(("r1", 5, "ana"), ("r2", 5, "bo")),
        },
    )

    ledger.erase(
        KEY,
        Erasure({"users": ["ana", "nobody"]}, pl.DataFrame(schema=FINGERPRINT_COLUMNS), {}, str),
    )

    assert ({"bo": 5}, {"r2": 5}) == (
        known(ledger, "users", "ana", "bo"),
        known(ledger, "roles", "r1", "r2"),
    )


def test_what_runs_removed_is_counted_by_its_rows(ledger: Ledger) -> None:
    """Of runs since a moment, ended or not; what a person approved to remove, what came back and what is only kept does not count."""
    runs = [
        replace(RUN, id="killed"),
        replace(RUN, id="old", started=NIGHT - 8 * DAY),
        replace(RUN, id="own"),
        replace(RUN, id="approved", approved="p1"),
        replace(RUN, id="raised"),
        replace(RUN, id="theirs", key=OTHER),
    ]
    for run in runs:
        ledger.begin(run)
        users = pl.DataFrame(
            [(f"{run.id}{n}", None, None, None, None, 1) for n in range(5)],
            schema=RECORDS,
            orient="row",
        )
        ledger.record(run.key, "users", users, {}, [], "first")
        left = {
            "deleted": [f"{run.id}0"],
            "disabled": [f"{run.id}1"],
            "ended": [f"{run.id}2", f"{run.id}3"],
        }
        ledger.record(run.key, "users", users.clear(), left, [], run.id)
        ledger.mark(run.key, "users", "kept", [f"{run.id}4"], run.id)
    ledger.finish(replace(RUN, id="raised", raised="once"))
    ledger.record(
        KEY,
        "users",
        users[:0].vstack(
            pl.DataFrame([("killed3", None, None, None, None, 2)], schema=RECORDS, orient="row")
        ),
        {},
        [],
        "later",
    )

    assert {"users": 3} == ledger.left_since(KEY, NIGHT - 7 * DAY, but="own")
    assert {} == ledger.left_since(KEY, NIGHT + DAY, but="")
    assert {} == ledger.left_since(FeedKey("sandbox", "nobody"), NIGHT - DAY, but="")


def test_a_ledger_of_the_release_before_is_brought_up_to_date(path: Path) -> None:
    """It had no moments; all else stays as it was."""
    with Ledger(path) as ledger:
        ledger.begin(RUN)
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("DROP TABLE moments")
        old.execute("UPDATE ledger SET version = 4")

    with Ledger(path) as ledger:
        ledger.note_moments(KEY, {"users": moments(("ana", 5, None))})
        assert ({"ana": 5}, RUN) == (known(ledger, "users", "ana"), ledger.run("r"))


def test_a_ledger_that_is_not_there_knows_no_moments(path: Path) -> None:
    """Read, it has neither moments nor runs."""
    with Ledger.reading(path) as ledger:
        assert ({}, {}) == (known(ledger, "users", "ana"), ledger.left_since(KEY, NIGHT, but=""))
