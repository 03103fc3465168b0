"""A feed, its state and its target, and all that a night, a person or another program does to them, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.load_state import Sender, Sent
from connectors.oneroster.operations import Errand
from connectors.oneroster.sandbox import Sandbox
from connectors.roster_archive import Archive
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.restore_roster import restore_roster
from flows.result import RunResult
from flows.run import run_job
from flows.verify import compare_target, repair
from flows.watch import NOBODY, Watch
from tests.running import roster

CREDENTIALS = {"LARKSPUR_ID": "sandbox", "LARKSPUR_SECRET": "sandbox"}
# A person is asked for the second of a kind that goes, or comes anew.
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
    """The process is no more: nothing of ours catches this, and whatever would still be written is not."""


class Deadly(Watch):
    """Kills a run right after its roster was accepted, or when so many records were sent: in the midst of a batch, whose last answers are lost."""

    def __init__(self, after: int) -> None:
        self.left = after

    def stage(self, name: str, work: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        """Do the work of a stage, if it is lived to see."""
        if name == "guard" and self.left == ACCEPTED:
            raise Killed
        return work(*args, **more)

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], *_: object
    ) -> AsyncIterator[Sender]:
        """Let one send who will die."""
        async with local as sender:
            yield Dying(sender, self)


class Dying:
    """Sends what is left to be sent, and ends."""

    def __init__(self, sender: Sender, watch: Deadly) -> None:
        self._sender, self._watch = sender, watch

    @property
    def requests(self) -> int:
        """How many requests were sent."""
        return self._sender.requests

    @property
    def retries(self) -> int:
        """How many of them were sent again."""
        return self._sender.retries

    async def run(self, batch: str, errands: list[Errand], at_once: int, stop: Any) -> Sent:
        """Run a batch, or the beginning of it."""
        some = errands[: self._watch.left]
        self._watch.left -= len(some)
        done = await self._sender.run(batch, some, at_once, stop)
        if len(some) < len(errands):
            raise Killed
        return done


class Feed:
    """A feed whose file may get another name."""

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder, self.sandbox, self.names = folder, sandbox, 0
        self.drop, self.state = folder / "drop", folder / "state"
        self.configure()

    @property
    def file(self) -> Path:
        """The feed's file."""
        return self.folder / f"feed{self.names}.toml"

    @property
    def key(self) -> FeedKey:
        """What the ledger calls it."""
        return FeedKey(self.sandbox.url, f"larkspur/{self.file.stem}")

    @property
    def archive(self) -> Archive:
        """Its rosters."""
        return Archive(self.state / "rosters", self.key)

    def configure(self) -> None:
        """Write the feed's file."""
        self.file.write_text(FEED.format(url=self.sandbox.url))

    def sync(self, approve: str = "", watch: Watch = NOBODY) -> RunResult:
        """Load what lies there, or send a plan."""
        return run_job(self._job(approve=approve or None), watch)

    def restore(self, run: str) -> RunResult:
        """Bring back the roster of a run."""
        return run_job(self._job(restore=run), NOBODY, partial(restore_roster, run=run))

    def repair(self) -> RunResult:
        """Verify, and repair."""

        def line(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> RunResult:
            return repair(
                compare_target(job, ledger, archive, watch.advance), job, ledger, archive, watch
            )

        return run_job(self._job(), NOBODY, line)

    def discard(self, plan: str) -> int:
        """Let a plan go."""
        return roster("discard", plan, state=self.state).code

    def rename(self) -> None:
        """Give the feed's file another name."""
        self.file.rename(self.folder / f"feed{self.names + 1}.toml")
        self.names += 1

    def move(self) -> int:
        """Say so."""
        names = (f"larkspur/feed{self.names - 1}", f"larkspur/feed{self.names}")
        return roster("rename", *names, state=self.state).code

    def known(self) -> dict[str, pl.DataFrame]:
        """What the ledger says that the target holds of this feed."""
        with Ledger(self.state / "ledger.db") as ledger:
            return ledger.known(self.key)

    def waiting(self) -> set[tuple[str, str]]:
        """Whatever plans hold that can be approved."""
        with Ledger(self.state / "ledger.db") as ledger:
            plans = [plan for plan in ledger.plans(self.key) if plan.status in ("open", "approved")]
            return {
                one
                for plan in plans
                for one in ledger.planned(plan.id).select("entity", "sourcedId").iter_rows()
            }

    def planned(self, plan: str) -> set[tuple[str, str]]:
        """What a plan is to do."""
        with Ledger(self.state / "ledger.db") as ledger:
            return set(ledger.planned(plan).select("entity", "sourcedId").iter_rows())

    def _job(self, **more: Any) -> Job:
        return make_job(Options.of("sync", self.file, state=self.state, **more), CREDENTIALS)
