"""`roster verify`: says what the target holds otherwise than the ledger and the last roster do, and repairs it if asked to."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress

from connectors.archive import Archive
from connectors.ledger import Ledger
from flows import report
from flows.job import Job
from flows.make_job import Options, make_job
from flows.progress import Bars
from flows.repair import refuse_losses, repair
from flows.result import DONE, FAILED, Result
from flows.running import execute, finish
from flows.showing import Screen
from flows.verification import Verification, compared
from flows.verify_report import as_json, show, write_csv
from flows.watch import NOBODY, Watch


def verify(options: Options, environment: Mapping[str, str], outline: dict[str, object] | None = None, *, repair: bool,
           lost: bool = False) -> int:  # fmt: skip
    """Compare, repair if asked to, tell, and give the exit code: 1 if there are differences that nothing was done about.

    `outline` is told what is known before anything is compared.
    """
    started = time.monotonic()
    job = make_job(options, environment)
    if outline is not None:
        outline |= job.names
    console = Screen(stderr=options.json)
    found, result = _repaired(job, Bars(console), lost=lost) if repair else (compared_all(job, Bars(console)), None)
    write_csv(found, job)
    if result:
        finish(result, str(options.drop))
    with suppress(BrokenPipeError):
        show(console, found, job)
        if result:
            report.show(console, result, str(options.drop))
        if options.json:
            told = as_json(found, job, time.monotonic() - started)
            print(json.dumps(told | {"repair": result.as_json() if result else None}), flush=True)
    if result:
        return result.exit_code
    return FAILED if found.found else DONE


def compared_all(job: Job, watch: Watch = NOBODY) -> Verification:
    """Compare all that the ledger knows of a feed."""
    with Ledger.reading(job.ledger_at) as ledger, watch:
        return compared(job, ledger, Archive(job.run.state / "rosters", job.key), watch.advance)


def _repaired(job: Job, bars: Bars, *, lost: bool) -> tuple[Verification, Result]:
    """Compare and repair as one run: under the feed's lock, and kept in the ledger like any other."""
    found: list[Verification] = []

    def line(job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> Result:
        found.append(compared(job, ledger, archive, watch.advance))
        if not lost:
            refuse_losses(found[0], ledger.known(job.key), job.guard.limits)
        return repair(found[0], job, ledger, archive, watch)

    result = execute(job, bars, line)
    return found[0], result
