"""`roster status`: of each feed its last runs, who is running, what is held and what is stale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from connectors.ledger import Ledger
from flows.feeds.keys import key_of
from flows.feeds.status import FeedStatus, status_of
from flows.ledgers import ledger_of
from flows.result import DONE, FAILED, HELD

# How many runs of a feed are shown, and how many with `--all`.
FEW, MANY = 3, 20


@dataclass(frozen=True)
class StatusResult:
    """How feeds stand."""

    feeds: tuple[FeedStatus, ...]
    state: Path
    now: datetime
    most: int  # how many runs of each feed are shown

    @property
    def exit_code(self) -> int:
        """1 if any feed failed, else 3 if anything is held."""
        codes = {feed.exit_code for feed in self.feeds}
        return next((code for code in (FAILED, HELD) if code in codes), DONE)


def status(drops: Sequence[Path], state: Path, environment: Mapping[str, str], *, every: bool) -> StatusResult:
    """Look how feeds stand, those named or all; `every` shows more runs.

    Raises `SettingsError` for a drop or a feed's file that cannot be read.
    """
    now = datetime.now(UTC)
    named = {key_of(drop, environment): str(drop) for drop in drops}
    with Ledger.reading(ledger_of(state, environment)) as ledger:
        feeds = tuple(status_of(key, named.get(key, ""), ledger, now) for key in named or ledger.feeds())
    return StatusResult(feeds, state, now, MANY if every else FEW)
