"""Whether a feed's drop is too old: an export that stopped coming looks like a night on which nothing changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import takewhile

from connectors.ledger import Run


def stale(run: Run, runs: Sequence[Run], now: datetime) -> str:
    """Say since when a run's drop is older than its feed allows; blank if it is not, or the feed sets no age.

    `runs` are those of the feed, the newest first. A drop is as old as the day that it says it is of; one that
    does not say is as old as the first of the latest runs that saw this same content.
    """
    if run.max_age_hours is None or not run.content:
        return ""
    since = _since(run, runs)
    if now - since <= timedelta(hours=run.max_age_hours):
        return ""
    how = f"of {run.drop_date}" if run.drop_date else f"the same since {since:%Y-%m-%d %H:%M} UTC"
    return f"the drop {run.drop} is {how}, and may be {run.max_age_hours:g} hours old. Find out why no newer one comes."


def _since(run: Run, runs: Sequence[Run]) -> datetime:
    if run.drop_date:
        return datetime.combine(run.drop_date, time.max, UTC)
    earlier = [one for one in runs if one.content and one.id != run.id and one.started <= run.started]
    same = takewhile(lambda one: one.content == run.content, earlier)
    return min((one.started for one in (run, *same)), default=run.started)
