"""A feed with its state and its target, which are emptied for each example of a law."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from flows.feeds.targets import choose_target
from flows.job import Job, JobGuard, JobLoad, JobRun, JobSource
from flows.result import RunResult
from flows.run import run_job
from flows.watch import Watch
from tests.rosters import Rows, drop
from transforms.changes import IN_TARGET
from transforms.guard import GuardLimits
from transforms.removals import Policy
from transforms.schemas import ENTITIES
from transforms.share import SharingScope
from transforms.target_vocabulary import feed_vocabulary

# In the laws, every record that is missing from a drop is deleted once a person approves it.
REMOVED: dict[str, Policy] = dict.fromkeys(ENTITIES, "delete")
STRICT = GuardLimits(
    vanished_percent=0, vanished_records=0, week_percent=100, school_percent=0, rejected_percent=100
)
WRITES = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class World:
    """A feed with its state and its target."""

    folder: Path
    sandbox: Sandbox

    def sync(
        self,
        rows: Rows,
        approve: str | None = None,
        mode: str = "bulk",
        damage: Callable[[Path], object] = lambda _: None,
    ) -> RunResult:
        """Load rows as a drop. `damage` may change the drop first."""
        damage(folder := drop(self.folder / "drop", rows, mode))
        target = choose_target(
            self.sandbox.url,
            None,
            {
                "TIMEBACK_API_URL": self.sandbox.url,
                "TIMEBACK_TOKEN_URL": self.sandbox.token_url,
                "TIMEBACK_CLIENT_ID": "sandbox",
                "TIMEBACK_CLIENT_SECRET": "sandbox",
            },
        )
        job = Job(
            JobSource(folder),
            JobGuard(STRICT, removed=REMOVED),
            JobLoad(
                target,
                SharingScope(demographics=True, contacts=True),
                feed_vocabulary(TIMEBACK.vocabulary, email_template="{sourcedId}@example.edu"),
            ),
            JobRun("sync", self.folder / "state", approve=approve),
        )
        return run_job(job, Watch())

    def approved(self, rows: Rows) -> RunResult:
        """Load rows, and approve everything that is held."""
        result = self.sync(rows)
        return self.sync(rows, result.plan) if result.plan else result

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The write requests since the start, or since the last `forget`."""
        return [request for request in self.sandbox.requests if request[0] in WRITES]

    def forget(self) -> None:
        """Forget the requests so far."""
        self.sandbox.requests.clear()

    def known(self) -> dict[str, set[str]]:
        """Return the ids that the target holds according to the ledger."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            tables = ledger.known(
                FeedKey(
                    choose_target(self.sandbox.url, None, _credentials(self.sandbox)).name,
                    "default",
                )
            )
        held = pl.col("status").is_in(IN_TARGET)
        return {name: set(frame.filter(held)["sourcedId"]) for name, frame in tables.items()}


def _credentials(sandbox: Sandbox) -> dict[str, str]:
    return {"TIMEBACK_API_URL": sandbox.url, "TIMEBACK_ACCESS_TOKEN": "x"}


@contextmanager
def world(sandbox: Sandbox) -> Iterator[World]:
    """Start again with an empty target and an empty state."""
    sandbox.store.clear()
    sandbox.requests.clear()
    folder = Path(tempfile.mkdtemp())
    try:
        yield World(folder, sandbox)
    finally:
        shutil.rmtree(folder)
