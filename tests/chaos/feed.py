"""A feed with its state and target, and everything that runs and people do with it.

All commands run in this process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.load_state import BatchResult, Sender
from connectors.oneroster.operations import Operation
from connectors.oneroster.sandbox import Sandbox
from connectors.roster_archive import Archive
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.restore_roster import restore_roster
from flows.result import RunResult
from flows.run import run_job
from flows.verify import compare_target, repair
from flows.watch import SILENT, Watch
from tests.running import roster

CREDENTIALS = {"LARKSPUR_ID": "sandbox", "LARKSPUR_SECRET": "sandbox"}
# With these limits, two missing or two new records of an entity are enough to be held.
FEED = """
district = "larkspur"
drop = "drop"
[target]
url = "{url}"
token_url = "{url}/oauth2/token"
client_id_env = "LARKSPUR_ID"
client_secret_env = "LARKSPUR_SECRET"
email_template = "{{sourcedId}}@example.edu"
batch_size = 4
concurrency = 1
[limits]
vanished_records = 1
school_records = 1
created_records = 1
created_percent = 20
week_percent = 100
"""
ACCEPTED = -1


class Killed(BaseException):
    """The process is killed: no code of ours catches this, and nothing more is written."""


class Deadly(Watch):
    """Kills a run right after its roster was accepted, or in the middle of a batch.

    The last answers of the batch are lost.
    """

    def __init__(self, after: int) -> None:
        """`after` is the number of records to send before that, or `ACCEPTED`."""
        self.left = after

    def stage(self, name: str, work: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        """Do the work of a stage, unless the run is killed before it."""
        if name == "guard" and self.left == ACCEPTED:
            raise Killed
        return work(*args, **more)

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], *_: object
    ) -> AsyncIterator[Sender]:
        """Yield a sender that is killed."""
        async with local as sender:
            yield Dying(sender, self)


class Dying:
    """Sends the records that are left before the kill, and then raises `Killed`."""

    def __init__(self, sender: Sender, watch: Deadly) -> None:
        self._sender, self._watch = sender, watch

    @property
    def requests(self) -> int:
        """The number of requests that were sent, retries included."""
        return self._sender.requests

    @property
    def retries(self) -> int:
        """The number of retries among the requests."""
        return self._sender.retries

    async def run(
        self, batch: str, errands: list[Operation], at_once: int, stop: Any
    ) -> BatchResult:
        """Run a batch, or its first records."""
        some = errands[: self._watch.left]
        self._watch.left -= len(some)
        done = await self._sender.run(batch, some, at_once, stop)
        if len(some) < len(errands):
            raise Killed
        return done


class Feed:
    """A feed whose file may be renamed."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox, self.names = folder, sandbox, 0
        self.drop, self.state = folder / "drop", folder / "state"
        self.configure()

    @property
    def file(self) -> Path:
        """The feed file."""
        return self.folder / f"feed{self.names}.toml"

    @property
    def key(self) -> FeedKey:
        """Its key in the ledger."""
        return FeedKey(self.sandbox.url, f"larkspur/{self.file.stem}")

    @property
    def archive(self) -> Archive:
        """The archive of its rosters."""
        return Archive(self.state / "rosters", self.key)

    def configure(self) -> None:
        """Write the feed file."""
        self.file.write_text(FEED.format(url=self.sandbox.url))

    def sync(self, approve: str = "", watch: Watch = SILENT) -> RunResult:
        """Load the drop, or approve a plan."""
        return run_job(self._job(approve=approve or None), watch)

    def restore(self, run: str) -> RunResult:
        """Restore the roster of a run."""
        return run_job(self._job(restore=run), SILENT, partial(restore_roster, run=run))

    def repair(self) -> RunResult:
        """Verify the target, and repair it."""

        def line(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> RunResult:
            return repair(
                compare_target(job, ledger, archive, watch.advance), job, ledger, archive, watch
            )

        return run_job(self._job(), SILENT, line)

    def discard(self, plan: str) -> int:
        """Discard a plan; return the exit code."""
        return roster("discard", plan, state=self.state).code

    def rename(self) -> None:
        """Rename the feed file."""
        self.file.rename(self.folder / f"feed{self.names + 1}.toml")
        self.names += 1

    def move(self) -> int:
        """Run `roster rename` after `rename`; return the exit code."""
        names = (f"larkspur/feed{self.names - 1}", f"larkspur/feed{self.names}")
        return roster("rename", *names, state=self.state).code

    def known(self) -> dict[str, pl.DataFrame]:
        """Return the ledger's records of this feed, by entity."""
        with Ledger(self.state / "ledger.db") as ledger:
            return ledger.known(self.key)

    def waiting(self) -> set[tuple[str, str]]:
        """Return the records in plans that can be approved."""
        with Ledger(self.state / "ledger.db") as ledger:
            plans = [plan for plan in ledger.plans(self.key) if plan.status in ("open", "approved")]
            return {
                one
                for plan in plans
                for one in ledger.planned(plan.id).select("entity", "sourcedId").iter_rows()
            }

    def planned(self, plan: str) -> set[tuple[str, str]]:
        """Return the records of a plan."""
        with Ledger(self.state / "ledger.db") as ledger:
            return set(ledger.planned(plan).select("entity", "sourcedId").iter_rows())

    def _job(self, **more: Any) -> Job:
        return make_job(Options.of("sync", self.file, state=self.state, **more), CREDENTIALS)
