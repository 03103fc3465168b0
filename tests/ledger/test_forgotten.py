"""The ledger removes a person, in either database, and knows who is forgotten by digests alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from connectors.ledger import FeedKey, Ledger, LedgerError, Plan
from connectors.ledger.forget import FINGERPRINT_COLUMNS, Erasure
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL
from transforms.forget import id_digest
from transforms.guard import PLANNED_COLUMNS, Hold

KEY, OTHER = FeedKey("sandbox", "larkspur"), FeedKey("sandbox", "other")
NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)
NO_MARKS = pl.DataFrame(schema=FINGERPRINT_COLUMNS)
ROWS = {
    "users": [("ana", ""), ("ana 2", ""), ("an%", "")],
    "demographics": [("ana", "users:ana")],
    "enrollments": [
        ("e1", "classes:c1 orgs:s1 users:ana"),
        ("e2", "classes:c1 users:ana 2"),
        ("e3", "users:ana2"),
    ],
}


def fill(ledger: Ledger, key: FeedKey) -> None:
    """Enter records as acknowledged."""
    for name, rows in ROWS.items():
        frame = pl.DataFrame(
            [
                (sourced_id, 1, None, parents, f"Label {sourced_id}", None)
                for sourced_id, parents in rows
            ],
            schema={
                "sourcedId": pl.String,
                FINGERPRINT: pl.Int64,
                SCHOOL: pl.String,
                PARENTS: pl.String,
                LABEL: pl.String,
                FIELDS: pl.String,
            },
            orient="row",
        )
        ledger.record(key, name, frame, {}, [], "r1")


def plan(plan_id: str, *ids: str, made: datetime = NOW) -> tuple[Plan, pl.DataFrame]:
    """A plan that would update users."""
    holds = (Hold("foreign", "users", "", 1, "Of users 1 waits (ana)."),)
    rows = [("users", one, "update", 2, 1, "active", None, None, "foreign") for one in ids]
    records = pl.DataFrame(rows, schema=PLANNED_COLUMNS, orient="row")
    return Plan(plan_id, KEY, "r1", made, made + timedelta(days=14), holds=holds), records


def test_who_is_forgotten_is_known_by_digest(ledger: Ledger) -> None:
    """Noted twice is noted once, as it was first."""
    for by in ("kim", "lou"):
        ledger.note_forgotten(id_digest("ana"), at=NOW, by=by, note="")

    assert {id_digest("ana")} == ledger.forgotten()


@pytest.mark.parametrize(
    ("person", "found"),
    [
        ("ana", {"users": ["ana"], "demographics": ["ana"], "enrollments": ["e1"]}),
        ("ana 2", {"users": ["ana 2"], "enrollments": ["e2"]}),
        ("an%", {"users": ["an%"]}),
        ("nobody", {}),
    ],
)
def test_the_rows_of_a_person_are_found(
    ledger: Ledger, person: str, found: dict[str, list[str]]
) -> None:
    """Similar ids, and ids with spaces or signs, are distinguished."""
    fill(ledger, KEY)

    assert (found, {}) == (ledger.of_person(KEY, person), ledger.of_person(OTHER, person))


def test_a_person_is_taken_out_of_one_feed(ledger: Ledger) -> None:
    """Rows, intents and planned changes go; other people and other feeds stay."""
    fill(ledger, KEY)
    fill(ledger, OTHER)
    ledger.intend(KEY, "users", pl.DataFrame({"sourcedId": ["ana"], FINGERPRINT: [1]}), "r1")
    ledger.propose(*plan("p1", "ana", "ana 2"))
    assert ledger.awaits(KEY, "ana")

    empty = ledger.erase(
        KEY,
        Erasure(ledger.of_person(KEY, "ana"), NO_MARKS, {}, lambda text: text.replace("ana", "…")),
    )
    ledger.compact()

    assert ([], False, {}) == (empty, ledger.awaits(KEY, "ana"), ledger.of_person(KEY, "ana"))
    assert ["ana 2"] == ledger.planned("p1")["sourcedId"].to_list()
    assert {"users": 2, "enrollments": 2} == {
        name: rows.height for name, rows in ledger.known(KEY).items()
    }
    assert ["ana"] == ledger.of_person(OTHER, "ana")["users"]
    assert ("Of users 1 waits (…).",) == tuple(
        hold.sentence for hold in next(iter(ledger.plans(KEY))).holds
    )


def test_a_plan_of_which_nothing_is_left_is_named(ledger: Ledger) -> None:
    """Nobody is to approve it."""
    ledger.propose(*plan("p1", "ana"))

    assert ["p1"] == ledger.erase(KEY, Erasure({"users": ["ana"]}, NO_MARKS, {}, str))


def test_who_says_less_gets_another_fingerprint_where_the_old_one_was(ledger: Ledger) -> None:
    """Records, and what plans found of them; another fingerprint stays."""
    fill(ledger, KEY)
    ledger.propose(*plan("p1", "ana", "ana 2"))
    marks = pl.DataFrame([("ana", 1, 7), ("ana 2", 5, 8)], schema=FINGERPRINT_COLUMNS, orient="row")

    ledger.erase(KEY, Erasure({}, marks, {}, str))

    assert {"ana": 7, "ana 2": 1, "an%": 1} == dict(
        ledger.known(KEY)["users"].select("sourcedId", "fingerprint").iter_rows()
    )
    assert {"ana": 7, "ana 2": 1} == dict(
        ledger.planned("p1").select("sourcedId", "was").iter_rows()
    )


def test_nothing_of_it_is_left_in_the_file(ledger: Ledger, place: object) -> None:
    """Neither in free pages nor in the journal; on a server that is the server's."""
    fill(ledger, KEY)
    ledger.erase(KEY, Erasure(ledger.of_person(KEY, "an%"), NO_MARKS, {}, str))
    ledger.compact()

    left = (
        b"".join(path.read_bytes() for path in place.parent.iterdir() if path.is_file())
        if hasattr(place, "parent")
        else b""
    )
    assert b"Label an%" not in left


def test_records_of_plans_that_are_long_closed_go(ledger: Ledger) -> None:
    """What waits stays however old it is; of the rest that there was a plan, and who decided, is known."""
    old = NOW - timedelta(days=100)
    for name in ("closed", "waits"):
        one, records = plan(name, "ana", made=old)
        ledger.propose(replace(one, key=KEY if name == "closed" else OTHER), records)
    ledger.decide("closed", "discarded", by="kim", note="", at=old)

    ledger.prune(KEY, NOW - timedelta(days=90))
    ledger.prune(OTHER, NOW - timedelta(days=90))

    assert (0, 1, "kim") == (
        ledger.planned("closed").height,
        ledger.planned("waits").height,
        ledger.decisions("closed")[0].by,
    )


def test_records_of_plans_that_were_closed_lately_stay(ledger: Ledger) -> None:
    """They say what a person has decided."""
    ledger.propose(*plan("p1", "ana"))
    ledger.decide("p1", "discarded", by="kim", note="", at=NOW)

    ledger.prune(KEY, NOW - timedelta(days=90))

    assert 1 == ledger.planned("p1").height


def test_a_ledger_that_is_not_there_forgets_nobody(tmp_path: Path) -> None:
    """Read, it knows nobody; it is not made for that."""
    with Ledger.reading(tmp_path / "ledger.db") as ledger:
        assert (frozenset(), {}, False) == (
            ledger.forgotten(),
            ledger.of_person(KEY, "ana"),
            ledger.awaits(KEY, "ana"),
        )
        with pytest.raises(LedgerError, match="no ledger"):
            ledger.compact()


def test_nothing_to_erase_erases_nothing(ledger: Ledger) -> None:
    """An entity of which the person has no record stays as it is."""
    fill(ledger, KEY)

    ledger.erase(KEY, Erasure({"users": [], "classes": []}, NO_MARKS, {}, str))

    assert {"users": 3, "demographics": 1, "enrollments": 3} == {
        name: rows.height for name, rows in ledger.known(KEY).items()
    }
