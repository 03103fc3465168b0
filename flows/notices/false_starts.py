"""Tells people of a run that could not even begin: a secret or a drop is not where the feed's file says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from connectors.ledger import FeedKey, Ledger, LedgerError
from flows.errors import SettingsError
from flows.feeds.keys import target_name
from flows.feeds.settings import Feed
from flows.ledgers import ledger_of
from flows.notices.addressees import addressees
from flows.notices.message import Occasion
from flows.notices.notifying import tell_of_error


def tell_of_start(error: Exception, feed: Feed, key_name: str, target: str | None, drop: Path, state: Path,
                  environment: Mapping[str, str]) -> None:  # fmt: skip
    """Tell people of it, if it can be known which feed of which target it is: a cause is kept under that.

    Who could not be told is added to the error as notes.
    """
    who = addressees(feed, str(drop), environment)
    if who is None:
        return
    try:
        key = FeedKey(target_name(target or feed.target.url, environment), key_name)
        with Ledger(ledger_of(state, environment)) as ledger:
            untold = tell_of_error(error, who, Occasion(key), ledger)
    except (LedgerError, SettingsError, OSError) as other:
        untold = [f"Not told: {other}"]
    for line in untold:
        error.add_note(line)
