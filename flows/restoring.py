"""Undo: brings the target back to the roster of an earlier run, through the same guard as any drop."""

from __future__ import annotations

import time
from dataclasses import replace

from connectors.archive import Archive
from connectors.ledger import Ledger
from flows.errors import SettingsError
from flows.job import Job
from flows.line import result_of, send, with_policies
from flows.past import past_of
from flows.recovering import in_doubt, recovered
from flows.result import Result
from flows.watch import NOBODY, Watch
from transforms.diff import diff
from transforms.guard import guard, planned
from transforms.part_ends import taken_back


def restored_line(job: Job, run: str, ledger: Ledger, archive: Archive, watch: Watch = NOBODY,
                  rosters: Archive | None = None) -> Result:  # fmt: skip
    """Send what makes the target hold the roster that `run` accepted; what a person must see is held, as always.

    The roster is in the feed's archive, or in another one (`rosters`).

    Raises `SettingsError` if no roster of that run is kept, `TargetError` if a killed run may have left records and the target cannot be used.
    """
    started = time.monotonic()
    if run not in (runs := (rosters or archive).runs()):
        last = f"There are those of {', '.join(runs[-5:])}." if runs else "None is kept of this feed."
        raise SettingsError(f"No roster of run {run!r} is kept. {last}")
    standing = (rosters or archive).standing(run)
    if job.before in archive.runs() and (newest := archive.judged(job.before, "users")):
        standing = taken_back(standing, newest)
    content = archive.keep(job.run, standing, run) if job.command == "sync" else ""
    known = recovered(standing, ledger.known(job.key), job, ledger, archive)
    difference = watch.stage("compare", diff, standing, in_doubt(known, job, ledger))
    changes = with_policies(difference.changes, job, ledger)
    # That this roster is older is the point, and no reason to hold it.
    past = replace(past_of(changes, {}, known, job, ledger, archive), dated=None, twin=None)
    guarded = watch.stage("guard", guard, changes, past, job.limits, job.raised)
    records = planned(guarded.changes, known)
    loaded = watch.stage("load", send, guarded, job, ledger, watch)
    result = result_of(job, started, [difference.findings], guarded=guarded, loaded=loaded)
    return replace(result, records=records, content=content, restored=run)
