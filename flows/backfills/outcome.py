"""What a backfill was asked for, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from flows.backfills.steps import Span
from flows.job import Job
from flows.result import DONE, Result
from transforms.replay import Step


@dataclass(frozen=True)
class BackfillRequest:
    """What is to be replayed: a span of days; `force` puts older truth over newer, `every_step` replays each day."""

    span: Span
    force: bool = False
    dry_run: bool = False
    every_step: bool = False


@dataclass
class Backfill:
    """What came of each day that was replayed. `drop` is what the feed is known by.

    `left` are the days after one that was held or failed, `before` those that this backfill had loaded when it ended
    so, `skipped` those that later ones make needless, `undated` drops whose names say no day.
    """

    job: Job
    wish: BackfillRequest
    drop: str
    done: list[tuple[Step, Result]] = field(default_factory=list)
    left: list[Step] = field(default_factory=list)
    before: list[Step] = field(default_factory=list)
    skipped: list[Step] = field(default_factory=list)
    undated: list[str] = field(default_factory=list)

    @property
    def exit_code(self) -> int:
        """The exit code of the last day that was replayed."""
        return self.done[-1][1].exit_code if self.done else DONE
