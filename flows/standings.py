"""How every feed of a folder stands: which succeeded, were held, are stale, failed or did not run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from connectors.ledger import Ledger
from flows.errors import SettingsError
from flows.feeds.keys import key_of
from flows.feeds.schedules import last_due
from flows.feeds.settings import Feed, read_feed
from flows.feeds.status import FeedStatus, status_of
from flows.ledgers import ledger_of
from flows.result import FAILED, HELD

Word = Literal["succeeded", "held", "stale", "failed", "did not run", "running", "paused", "not due"]
WORST: tuple[Word, ...] = ("failed", "did not run", "stale", "held", "running", "paused", "not due", "succeeded")
# A run may begin so much later than it is due: workers are busy, or were away for a while.
GRACE = timedelta(hours=2)


@dataclass(frozen=True)
class Standing:
    """How a feed stands, in one word, and in a sentence if there is something to do."""

    feed: str
    word: Word
    sentence: str
    status: FeedStatus | None = None


def standings(folder: Path, state: Path, environment: Mapping[str, str], now: datetime) -> list[Standing]:
    """Say how each feed stands whose file is in a folder, the worst first. Raises `SettingsError` if there is none."""
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise SettingsError(f"{folder} has no feed's file (*.toml). Name the folder of the feeds' files.")
    with Ledger.reading(ledger_of(state, environment)) as ledger:
        found = [_standing(file, ledger, environment, now) for file in files]
    return sorted(found, key=lambda one: WORST.index(one.word))


def _standing(file: Path, ledger: Ledger, environment: Mapping[str, str], now: datetime) -> Standing:
    try:
        feed, key = read_feed(file), key_of(file, environment)
    except SettingsError as error:
        return Standing(file.stem, "failed", " ".join(error.problems))
    status = status_of(key, str(file), ledger, now)
    word, sentence = _word(feed, status, now)
    return Standing(file.stem, word, sentence, status)


def _word(feed: Feed, status: FeedStatus, now: datetime) -> tuple[Word, str]:
    missed = _missed(feed, status, now)
    if status.holder:
        return "running", f"Run {status.holder.run} is under way since {status.holder.since}."
    if missed:
        return "did not run", missed
    if status.last is None:
        return _never(feed)
    if status.exit_code == FAILED:
        return "failed", f"Its last run {status.last.status or 'broke off'}: roster status {status.drop}"
    if status.stale:
        return "stale", status.stale
    if status.exit_code == HELD:
        return "held", f"Changes wait for a person: roster status {status.drop}"
    return "succeeded", ""


def _never(feed: Feed) -> tuple[Word, str]:
    if feed.schedule.paused:
        return "paused", "Its schedule is paused."
    return ("did not run" if feed.schedule.cron else "not due"), "It has never run."


def _missed(feed: Feed, status: FeedStatus, now: datetime) -> str:
    """Say which night the feed missed; blank if it missed none, or has no schedule."""
    if not feed.schedule.cron or feed.schedule.paused:
        return ""
    due = last_due(feed.schedule.cron, feed.time_zone, now - GRACE)
    if due is None or any(run.started >= due for run in status.runs):
        return ""
    return f"It was due at {due:%Y-%m-%d %H:%M %Z}, and did not run. Is the worker up?"
