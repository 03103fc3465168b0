"""Whose records the ledger keeps, and where they are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FeedKey:
    """One feed into one target; `target` is `sandbox` or a normalised address, `feed` names the feed."""

    target: str
    feed: str
