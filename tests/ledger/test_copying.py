"""A copy of a ledger: it knows the same, and what is written there, the ledger never learns of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from connectors.ledger import FeedKey, Ledger, Run
from connectors.ledger.database import AT_ONCE
from tests.ledger.test_ledger import KEY, known, records

OTHER = FeedKey(KEY.target, "juniper")
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_a_copy_knows_the_same_and_goes_its_own_way(ledger: Ledger, tmp_path: Path) -> None:
    """Of all feeds, since one may refer to what another has sent; more rows than are read at once."""
    many = [f"u{number:05}" for number in range(AT_ONCE + 1)]
    ledger.record(KEY, "users", records(*many), {}, [], "r1")
    ledger.record(OTHER, "orgs", records("o"), {}, [], "r1")
    ledger.begin(Run("r1", KEY, "sync", NOW))
    with Ledger(tmp_path / "copy" / "ledger.db") as copy:
        ledger.copy_into(copy)
        same = known(copy) == known(ledger) and known(copy, OTHER) == known(ledger, OTHER)
        runs = copy.runs()
        copy.record(KEY, "users", records("new"), {}, [], "r2")
        copy.begin(Run("r2", KEY, "sync", NOW))

    assert (True, ledger.runs()) == (same, runs)
    assert ("new" in {one for one, _, _ in known(ledger)["users"]}, ["r1"]) == (
        False,
        [run.id for run in ledger.runs()],
    )


def test_a_ledger_that_is_not_there_has_an_empty_copy(tmp_path: Path) -> None:
    """It is not made by that."""
    with Ledger.reading(tmp_path / "ledger.db") as nothing, Ledger(tmp_path / "copy.db") as copy:
        nothing.copy_into(copy)
        feeds = copy.feeds()

    assert ([], False) == (feeds, (tmp_path / "ledger.db").exists())
