"""Restore the roster of an earlier run, through the same guard as any drop."""

from __future__ import annotations

import time
from dataclasses import replace

from connectors.ledger import Ledger
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.guard_context import guard_context
from flows.job import Job
from flows.ownership import mark_shared_records
from flows.pipeline import Delivery, deliver
from flows.policies import with_policies
from flows.recover import mark_unsure_records, recover
from flows.result import RunResult
from flows.watch import SILENT, Watch
from transforms.diff import diff
from transforms.role_ends import mark_restored_roles


def restore_roster(
    job: Job,
    ledger: Ledger,
    archive: Archive,
    watch: Watch = SILENT,
    *,
    run: str,
    rosters: Archive | None = None,
) -> RunResult:
    """Send the changes that bring the target back to the roster that `run` accepted.

    The roster is in the feed's archive, or in another one (`rosters`).

    Raises `SettingsError` if the roster of that run is not in the archive. Raises `TargetError` if
    the target cannot be used and a killed run may have left records there.
    """
    begun = time.monotonic()
    runs = (rosters or archive).runs()
    if run not in runs:
        last = (
            f"There are those of {', '.join(runs[-5:])}." if runs else "None is kept of this feed."
        )
        raise SettingsError(f"No roster of run {run!r} is kept. {last}")
    standing = (rosters or archive).standing(run)
    before = job.source.before
    newest = archive.judged(before, "users") if before in archive.runs() else None
    if newest:
        standing = mark_restored_roles(standing, newest)
    content = archive.keep(job.run.id, standing, run) if job.run.command == "sync" else ""
    known = recover(standing, ledger.known(job.key), job, ledger, archive)
    doubted = mark_shared_records(standing, mark_unsure_records(known, job, ledger), job, ledger)
    difference = watch.stage("compare", diff, standing, doubted)
    changes = with_policies(difference.changes, job, ledger)
    # An old roster is the point of a restore, and no reason to hold it.
    context = replace(
        guard_context(changes, {}, known, job, ledger, archive), dated=None, twin=None
    )
    delivery = Delivery(
        begun, changes, known, context, findings=(difference.findings,), content=content
    )
    return replace(deliver(delivery, job, ledger, watch), restored=run)
