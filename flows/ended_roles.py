"""The roster until now, by which a drop that does not name every role says which roles have ended."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from connectors.ledger import Ledger
from connectors.roster_archive import Archive
from flows.job import Job
from flows.run_history import decided_on, turned_down
from transforms.checks.references import Known
from transforms.guard.context import NEAR
from transforms.records import EntityRecords, RosterState
from transforms.role_ends import is_silent


def roster_until_now(
    standing: RosterState, known: Known, job: Job, ledger: Ledger, archive: Archive
) -> RosterState:
    """What of the roster until now says which roles have ended, where a drop does not say all roles.

    Of what people have decided not to send, it is what was sent before; so it is of what waits, where a drop tells of everybody
    again. What a delta said and what waits is not said again.
    """
    if not is_silent(standing) or job.source.before not in archive.runs():
        return {}
    found = {name: archive.judged(job.source.before, name) for name in ("users", "enrollments")}
    down = turned_down(job, ledger)
    if any(judged.mode == "unknown" for judged in standing.values()):
        down = down.vstack(decided_on(job, ledger).drop_nulls("fingerprint"))
    return {
        name: _as_sent(judged, down.filter(entity=name)["sourcedId"], known, job, archive)
        for name, judged in found.items()
        if judged is not None
    }


def _as_sent(
    judged: EntityRecords, ids: pl.Series, known: Known, job: Job, archive: Archive
) -> EntityRecords:
    """Give a roster's records, some of them as the target has them; those that it lacks are left out."""
    name = judged.entity.name
    if not ids.len() or name not in known:
        return judged
    there = (
        known[name]
        .filter(pl.col("sourcedId").is_in(ids.implode()))
        .select("sourcedId", "fingerprint")
    )
    others = judged.accepted.filter(~pl.col("sourcedId").is_in(ids.implode()))
    return replace(
        judged,
        accepted=pl.concat(
            [others, archive.sent(name, there, job.source.before).drop(NEAR)], how="diagonal"
        ),
    )
