"""A law of backfills: the steps that are needed end with the same records in the ledger as every step does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from connectors.ledger import Ledger
from connectors.oneroster.profile import TIMEBACK
from flows.backfills.steps import Span, Steps, find_steps
from flows.job import Job, JobGuard, JobLoad, JobRun, JobSource
from flows.rehearse import rehearsal
from flows.run import run_job
from flows.target import Target
from flows.watch import SILENT
from tests.laws.conftest import REMOVED
from tests.rosters import Rows, changed, delta, district, drop, manifest, without
from tests.strength import expensive
from transforms.guard import GuardLimits
from transforms.replay import Step, needed_steps
from transforms.share import SharingScope
from transforms.target_vocabulary import feed_vocabulary

FIRST = date(2026, 9, 1)
ALL = 100.0
OPEN = GuardLimits(
    vanished_percent=ALL,
    week_percent=ALL,
    school_percent=ALL,
    updated_percent=ALL,
    rejected_percent=ALL,
)
NAMES = st.sampled_from(["Bo", "Zoe", "Mia"])


@dataclass(frozen=True)
class Day:
    """A drop: whether it is a full export, what it calls Bo and Tia, and whether it has a demographics file and an enrollment."""

    bulk: bool
    bo: str
    tia: str
    demographics: bool
    enrolled: bool

    def write(self, folder: Path) -> None:
        """Write it; a delta has Bo's row only, and perhaps says that the enrollment is gone."""
        rows = changed(changed(district(), "bo", givenName=self.bo), "tia", givenName=self.tia)
        rows = rows if self.enrolled else without(rows, "e1")
        if self.bulk:
            drop(folder, rows if self.demographics else rows | {"demographics": []})
            return
        gone = delta(
            {"enrollments": [row for row in district()["enrollments"] if row["sourcedId"] == "e1"]},
            "tobedeleted",
        )
        some: Rows = delta(
            {
                "users": [row for row in rows["users"] if row["sourcedId"] == "bo"],
                "roles": [row for row in rows["roles"] if row["userSourcedId"] == "bo"],
            }
        ) | ({} if self.enrolled else gone)
        drop(folder, some)
        (folder / "manifest.csv").write_text(manifest(dict.fromkeys(some, "delta")))


DAYS = st.lists(
    st.builds(Day, st.booleans(), NAMES, NAMES, st.booleans(), st.booleans()),
    min_size=1,
    max_size=4,
)


@contextmanager
def place() -> Iterator[Path]:
    """Give a folder that is gone afterwards."""
    folder = Path(tempfile.mkdtemp())
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def holds(found: Steps, steps: Sequence[Step], job: Job) -> dict[str, set[tuple[str, int]]]:
    """What a ledger has as active once some steps are replayed, with fingerprints."""
    with rehearsal(job) as own:
        for step in steps:
            run, line = found.run_of(step, own)
            assert 0 == run_job(run, SILENT, line).exit_code
        with Ledger.reading(own.ledger_at) as ledger:
            known = ledger.known(job.key)
    active = {
        name: frame.filter(status="active").select("sourcedId", "fingerprint")
        for name, frame in known.items()
    }
    return {name: set(frame.iter_rows()) for name, frame in active.items() if frame.height}


@expensive(8)
@given(DAYS)
def test_the_needed_steps_end_as_every_step_does(days: list[Day]) -> None:
    """Full exports and deltas in any order; the first drop of a feed is a full export."""
    days[0] = replace(days[0], bulk=True)
    with place() as folder:
        for number, day in enumerate(days):
            day.write(folder / "drops" / f"drop_{FIRST + timedelta(number)}")
        job = Job(
            JobSource(folder),
            JobGuard(OPEN, removed=REMOVED),
            JobLoad(
                Target("sandbox", profile=TIMEBACK),
                SharingScope(demographics=True, contacts=True),
                feed_vocabulary(TIMEBACK.vocabulary),
            ),
            JobRun("sync", folder / "state"),
        )
        span = Span(FIRST, FIRST + timedelta(len(days)), str(folder / "drops"))
        with Ledger.reading(job.ledger_at) as ledger, find_steps(span, job, ledger) as found:
            every, few = (
                holds(found, steps, job) for steps in (found.steps, needed_steps(found.steps))
            )

    assert every == few
