"""Runs the files of a night through the pipeline, into a target in memory.

Ledger and state are in a folder that can be copied.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path

import time_machine

from connectors.ledger import Ledger
from connectors.oneroster.profile import TIMEBACK
from flows.job import Job, JobGuard, JobLoad, JobRun, JobSource
from flows.result import RunResult
from flows.run import run_job
from flows.target import Target
from tests.year.district import District
from tests.year.exports import CODES, Form, tables_of
from tests.year.files import write
from tests.year.sending import sent
from tests.year.target import Memory, Records
from tests.year.truth import View, held
from transforms.rules import RULES
from transforms.share import SharingScope
from transforms.target_vocabulary import feed_vocabulary

# No request goes there: the watch sends to memory instead.
NOWHERE = Target("https://nowhere.invalid", "https://nowhere.invalid", profile=TIMEBACK)
CARRYING = feed_vocabulary(
    TIMEBACK.vocabulary, email_template="{sourcedId}@example.edu", session_org=None
)


@dataclass
class Feed:
    """A feed in one layout."""

    form: Form
    folder: Path
    records: Records = field(default_factory=dict)  # of the target
    last: District | None = None  # the district on the last night

    def night(self, district: District, files: dict[str, str] | None = None) -> RunResult:
        """Load the files of a night; by default those of a correct export."""
        if files is None:
            files = sent(
                self.form, tables_of(self.form, district), self.last, district, district.day
            ).written()
        result = self._run(district.day, write(files, self.folder / "drop"))
        self.last = district
        return result

    def again(self, day: date) -> RunResult:
        """Load the files of the last night again, later that day."""
        return self._run(day, self.folder / "drop", at=12)

    def approve(self, plan: str, day: date) -> RunResult:
        """Approve a plan, some hours later."""
        return self._run(day, self.folder / "drop", plan, at=9)

    def discard(self, plan: str) -> None:
        """Discard a plan, if there is one."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            ledger.decide(plan, "discarded", by="Data Office", note="", at=datetime.now(UTC))

    def view(self, day: date) -> View:
        """Return what the target holds."""
        return held(self.form, self.records, str(day))

    def copy(self, folder: Path) -> Feed:
        """Return a copy of the feed and its state, in another folder."""
        shutil.copytree(self.folder, folder)
        return Feed(self.form, folder, dict(self.records), self.last)

    def _run(self, day: date, drop: Path, approve: str | None = None, at: int = 2) -> RunResult:
        memory = Memory(self.records)
        with time_machine.travel(datetime.combine(day, time(at), UTC), tick=False):
            result = run_job(self._job(day, drop, approve), memory)
        self.records = memory.records
        return result

    def _job(self, day: date, drop: Path, approve: str | None) -> Job:
        return Job(
            JobSource(drop, layout=CODES[self.form]),
            JobGuard(first_run=True),
            JobLoad(
                NOWHERE, SharingScope(demographics=self.form == "bulk", contacts=True), CARRYING
            ),
            JobRun(
                "sync",
                self.folder / "state",
                today=day,
                district="larkspur",
                feed="larkspur",
                approve=approve,
            ),
        )


def told(result: RunResult) -> str:
    """Return why a run was held or refused, or ended early, as it is reported to people."""
    fatal = [
        f"{row['file']} {row['column'] or ''} {row['value'] or ''} {RULES[row['rule']].says}"
        for row in result.refused.iter_rows(named=True)
    ]
    return "\n".join(
        [*(hold.sentence for hold in result.holds), *fatal, *filter(None, [result.error])]
    )
