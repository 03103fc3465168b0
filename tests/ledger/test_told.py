"""The ledger remembers which causes people were notified of, in either database."""

from __future__ import annotations

from datetime import UTC, datetime

from connectors.ledger import FeedKey, Ledger

KEY, OTHER = FeedKey("sandbox", "larkspur"), FeedKey("sandbox", "other")
NOW = datetime(2026, 11, 24, 2, 30, tzinfo=UTC)


def test_a_feed_of_which_nobody_heard_has_no_causes(ledger: Ledger) -> None:
    """And asking, or noting nothing, enters no feed."""
    ledger.note_notified(KEY, [], over=[], run="r1", at=NOW)

    assert frozenset() == ledger.notified(KEY)
    assert [] == ledger.feeds()


def test_what_was_told_stays_until_it_is_over(ledger: Ledger) -> None:
    """Each feed has its own causes, and one that is notified twice is kept once."""
    ledger.note_notified(KEY, ["held a", "stale b"], over=[], run="r1", at=NOW)
    ledger.note_notified(OTHER, ["held a"], over=[], run="r2", at=NOW)
    ledger.note_notified(KEY, ["held a", "failed c"], over=["stale b", "unknown"], run="r3", at=NOW)

    assert {"held a", "failed c"} == ledger.notified(KEY)
    assert {"held a"} == ledger.notified(OTHER)
