"""The ledger remembers by which salt ids were made, and which people have readable ids, in either database."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.salts import stored_salt
from tests.ledger.test_history import DAY, NIGHT, PLAN, RECORDS
from transforms.changes import FINGERPRINT

KEY, EVENING = FeedKey("sandbox", "elm"), FeedKey("sandbox", "elm/evening")
OTHER, ELSEWHERE = FeedKey("sandbox", "oak"), FeedKey("https://api.example.edu", "elm")


def test_the_first_salt_of_a_district_stays(ledger: Ledger) -> None:
    """For all of its feeds into the target; another district or target has none."""
    ledger.note_salt(KEY, stored_salt("elm", secret=False), "r1")
    ledger.note_salt(KEY, stored_salt("oak", secret=False), "r2")

    assert [stored_salt("elm", secret=False)] * 2 == [ledger.salt(key) for key in (KEY, EVENING)]
    assert [None, None] == [ledger.salt(key) for key in (OTHER, ELSEWHERE)]


def test_a_feed_has_its_own_salt_before_anothers(ledger: Ledger) -> None:
    """Whichever was there first."""
    ledger.note_salt(EVENING, stored_salt("evening", secret=False), "r1")
    ledger.note_salt(KEY, stored_salt("elm", secret=False), "r2")

    assert ("elm", "evening") == tuple(
        kept.text for key in (KEY, EVENING) if (kept := ledger.salt(key))
    )


def test_a_secret_is_known_again_and_not_kept() -> None:
    """A mark of it is."""
    kept = stored_salt("a secret", secret=True)

    assert "" == kept.text
    assert (
        kept.mark
        == stored_salt("a secret", secret=False).mark
        != stored_salt("another", secret=True).mark
    )


@pytest.mark.parametrize(
    ("status", "waits"), [("open", True), ("approved", True), ("discarded", False)]
)
def test_people_with_readable_ids_are_those_who_are_in_the_target_or_on_the_way(
    ledger: Ledger, status: str, waits: bool
) -> None:
    """Of any feed: what was about to be sent, too, and what is on hold."""
    planned = RECORDS.with_columns(sourcedId=pl.lit("contact/p-") + pl.col("sourcedId"))
    ledger.intend(
        KEY, "users", pl.DataFrame({"sourcedId": ["contact/i", "s1"], FINGERPRINT: [1, 2]}), "r1"
    )
    ledger.intend(
        ELSEWHERE, "users", pl.DataFrame({"sourcedId": ["contact/e"], FINGERPRINT: [1]}), "r1"
    )
    ledger.propose(replace(PLAN, key=OTHER), planned)
    if status != "open":
        ledger.decide(PLAN.id, status, by="kim", note="", at=NIGHT + DAY)  # type: ignore[arg-type]

    waiting = {"contact/p-u1", "contact/p-u2"} if waits else set()
    assert {"contact/i"} | waiting == ledger.readable(KEY)
