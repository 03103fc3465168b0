"""A feed under another name: all that the ledger keeps of it goes along, in a file and on a server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from connectors.ledger import FeedKey, Ledger, Plan, Run
from connectors.ledger.salts import stored_salt
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL
from transforms.guard import PLANNED_COLUMNS, Hold
from transforms.moments import MOMENT, TIMESTAMP_COLUMNS

OLD, NEW = FeedKey("sandbox", "larkspur"), FeedKey("sandbox", "larkspur-hs")
NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLANNED = {"entity": "users", "sourcedId": "ana", "action": "delete", "hold": "vanished"}


def sent(ledger: Ledger, key: FeedKey, run: str, mark: int, *ids: str) -> None:
    """Let a feed have sent users."""
    rows = pl.DataFrame(
        {"sourcedId": ids, FINGERPRINT: [mark] * len(ids)}, schema_overrides={FINGERPRINT: pl.Int64}
    )
    rows = rows.with_columns(
        pl.lit(None, pl.String).alias(name) for name in (SCHOOL, PARENTS, LABEL, FIELDS)
    )
    ledger.record(key, "users", rows, {}, [], run)


def ran(ledger: Ledger, key: FeedKey, run: str, plan: str) -> None:
    """Let a feed have run, and hold something."""
    ledger.begin(Run(run, key, "sync", NOW))
    records = pl.DataFrame([PLANNED], schema=PLANNED_COLUMNS)
    ledger.propose(
        Plan(
            plan, key, run, NOW, NOW + timedelta(days=14), holds=(Hold("v", "users", "", 1, "."),)
        ),
        records,
    )


def known(ledger: Ledger, key: FeedKey) -> set[tuple[str, int, str]]:
    """Give what the ledger knows of a feed's users."""
    return set(ledger.known(key)["users"].select("sourcedId", "fingerprint", "status").iter_rows())


def test_all_that_is_kept_of_a_feed_goes_along(ledger: Ledger) -> None:
    """To a name that has nothing yet: records, intents, runs, plans, renamed ids, and the causes that people were notified of."""
    sent(ledger, OLD, "r1", 1, "ana", "bo")
    ledger.intend(OLD, "users", pl.DataFrame({"sourcedId": ["cy"], FINGERPRINT: [1]}), "r1")
    ledger.note_renamed(OLD, {("users", "new"): "ana"}, "r1")
    ledger.note_notified(OLD, ["cause"], over=(), run="r1", at=NOW)
    ran(ledger, OLD, "r1", "p1")

    with ledger.hold(OLD, "r2"), ledger.hold(NEW, "r2"):
        ledger.move(OLD, NEW)
    ledger.move(OLD, NEW)

    assert [NEW] == ledger.feeds()
    assert {("ana", 1, "active"), ("bo", 1, "active")} == known(ledger, NEW)
    assert {"users": frozenset({"cy"})} == ledger.intended(NEW)
    assert ({("users", "new"): "ana"}, frozenset({"cause"})) == (
        ledger.renamed(NEW),
        ledger.notified(NEW),
    )
    assert (["r1"], ["p1"]) == (
        [one.id for one in ledger.runs(NEW)],
        [one.id for one in ledger.plans(NEW, status="open")],
    )
    assert ["ana"] == ledger.planned("p1")["sourcedId"].to_list()


def test_the_salt_of_the_old_name_goes_along(ledger: Ledger) -> None:
    """By it the ids of the old name were made, which are in the target."""
    sent(ledger, OLD, "r1", 1, "ana")
    sent(ledger, NEW, "r2", 1, "bo")
    for key, text in ((OLD, "old"), (NEW, "new")):
        ledger.note_salt(key, stored_salt(text, secret=False), "r1")

    ledger.move(OLD, NEW)

    assert stored_salt("old", secret=False) == ledger.salt(NEW)


def test_how_new_records_are_goes_along(ledger: Ledger) -> None:
    """So that no older row goes over a newer one under the new name either."""
    sent(ledger, OLD, "r1", 1, "ana")
    ids = pl.Series("sourcedId", ["ana"])
    ledger.note_moments(
        OLD, {"users": pl.DataFrame([("ana", 5, None)], schema=TIMESTAMP_COLUMNS, orient="row")}
    )

    ledger.move(OLD, NEW)

    assert [5] == ledger.moments(NEW, "users", ids)[MOMENT].to_list()


def test_what_the_new_name_has_is_newer(ledger: Ledger) -> None:
    """But for what it kept only because the old name had sent it too; plans of both are replaced: neither knew the other's records."""
    sent(ledger, OLD, "r1", 1, "ana", "bo", "cy")
    ran(ledger, OLD, "r1", "p1")
    sent(ledger, NEW, "r2", 2, "ana", "bo", "di")
    ledger.mark(NEW, "users", "kept", ["bo"], "r2")
    ran(ledger, NEW, "r2", "p2")

    ledger.move(OLD, NEW)

    assert {
        ("ana", 2, "active"),
        ("bo", 2, "active"),
        ("cy", 1, "active"),
        ("di", 2, "active"),
    } == known(ledger, NEW)
    assert {"p1": "replaced", "p2": "replaced"} == {one.id: one.status for one in ledger.plans(NEW)}
