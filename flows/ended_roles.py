"""The roster before a drop that does not list everything.

It shows which roles ended, and who is the main teacher of a class.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from connectors.ledger import Ledger
from connectors.roster_archive import Archive
from flows.job import Job
from flows.run_history import decided_on, records_not_to_send
from transforms.checks.references import LedgerFrames
from transforms.guard.context import NEAR
from transforms.main_teachers import may_add_main_teachers
from transforms.records import EntityRecords, RosterState
from transforms.role_ends import may_omit_roles


def roster_before_drop(
    standing: RosterState, known: LedgerFrames, job: Job, ledger: Ledger, archive: Archive
) -> RosterState:
    """Return the users and enrollments before this drop. Empty if the drop lists every role.

    Records that a person decided not to send are given as they were sent before. So are records
    that wait in a plan, unless the drop is a delta: a delta does not repeat what waits.
    """
    if not may_omit_roles(standing) or job.source.before not in archive.runs():
        return {}
    unsent = records_not_to_send(job, ledger)
    if any(records.mode == "unknown" for records in standing.values()):
        unsent = unsent.vstack(decided_on(job, ledger).drop_nulls("fingerprint"))
    found = {name: archive.judged(job.source.before, name) for name in ("users", "enrollments")}
    return {
        name: _as_sent(records, unsent.filter(entity=name)["sourcedId"], known, job, archive)
        for name, records in found.items()
        if records is not None
    }


def enrollments_before_drop(
    standing: RosterState, job: Job, archive: Archive
) -> EntityRecords | None:
    """Return the enrollments before this drop, if it may give classes a second main teacher."""
    if not may_add_main_teachers(standing) or job.source.before not in archive.runs():
        return None
    return archive.judged(job.source.before, "enrollments")


def _as_sent(
    records: EntityRecords, ids: pl.Series, known: LedgerFrames, job: Job, archive: Archive
) -> EntityRecords:
    """Return records, those with these `ids` as they were sent. Records never sent are left out."""
    name = records.entity.name
    if not ids.len() or name not in known:
        return records
    rows = known[name].filter(pl.col("sourcedId").is_in(ids.implode()))
    sent = archive.sent(name, rows.select("sourcedId", "fingerprint"), job.source.before)
    others = records.accepted.filter(~pl.col("sourcedId").is_in(ids.implode()))
    return replace(records, accepted=pl.concat([others, sent.drop(NEAR)], how="diagonal"))
