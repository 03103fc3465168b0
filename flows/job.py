"""What one run of the straight line needs to know, from wherever it was told."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from connectors.ledger import FeedKey
from flows.result import Command
from flows.targets import Target
from transforms.carrying import Carrying
from transforms.scope import Scope


@dataclass(frozen=True)
class Job:
    """One run; `approve` is the plan that a person agreed to. `batch_size` is in records.

    `external` are the entities whose records others put into the target, and to which this feed's may refer;
    `kept` are those of which nothing is ever removed.
    """

    command: Command
    drop: Path
    target: Target
    state: Path
    scope: Scope
    carrying: Carrying
    district: str = "default"
    feed: str = "default"
    layout: str = "oneroster"
    encoding: str | None = None
    external: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    strict: bool = False
    approve: str | None = None
    all_or_nothing: bool = False
    batch_size: int = 1000
    concurrency: int = 10
    today: date = field(default_factory=date.today)
    run: str = field(default_factory=lambda: f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}")

    @property
    def key(self) -> FeedKey:
        """Under which the ledger keeps what this feed sent to this target."""
        return FeedKey(self.target.name, self.feed)

    @property
    def folder(self) -> Path:
        """Where this run writes its report and its rejects."""
        return self.state / "runs" / self.run
