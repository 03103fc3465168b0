"""`roster verify`: finds what the target holds otherwise than the ledger and the last roster do, and repairs it if asked to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from connectors.archive import Archive
from connectors.ledger import Ledger
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.repair import refuse_losses, repair
from flows.result import DONE, FAILED, Result
from flows.running import run_job
from flows.verification import Verification, compared
from flows.watch import NOBODY, Watch


@dataclass(frozen=True)
class VerifyResult:
    """What a verification came to."""

    job: Job
    found: Verification
    repair: Result | None  # the run that repaired the target, if that was asked for
    seconds: float

    @property
    def exit_code(self) -> int:
        """1 for differences that nothing was done about; else how the repair ended."""
        if self.repair:
            return self.repair.exit_code
        return FAILED if self.found.found else DONE


def verify(
    options: Options,
    environment: Mapping[str, str],
    watch: Watch,
    begun: Callable[[Job], object] = lambda _: None,
    *,
    repair: bool,
    lost: bool = False,
) -> VerifyResult:
    """Compare, and repair if asked to; `begun` is given the job before anything is compared."""
    started = time.monotonic()
    job = make_job(options, environment)
    begun(job)
    found, result = _repaired(job, watch, lost=lost) if repair else (compared_all(job, watch), None)
    return VerifyResult(job, found, result, time.monotonic() - started)


def compared_all(job: Job, watch: Watch = NOBODY) -> Verification:
    """Compare all that the ledger knows of a feed."""
    with Ledger.reading(job.ledger_at) as ledger, watch:
        return compared(job, ledger, Archive(job.run.state / "rosters", job.key), watch.advance)


def _repaired(job: Job, watch: Watch, *, lost: bool) -> tuple[Verification, Result]:
    """Compare and repair as one run: under the feed's lock, and kept in the ledger like any other."""
    found: list[Verification] = []

    def pipeline(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> Result:
        found.append(compared(job, ledger, archive, watch.advance))
        if not lost:
            refuse_losses(found[0], ledger.known(job.key), job.guard.limits)
        return repair(found[0], job, ledger, archive, watch)

    result = run_job(job, watch, pipeline)
    return found[0], result
