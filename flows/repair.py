"""The repair of what `roster verify` found: the ledger learns what the target really holds, and the rest is an ordinary load.

A run that is killed after the ledger was corrected leaves nothing to remember: the next sync sends the rest.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

import polars as pl

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.oneroster.agents import unfinished
from connectors.oneroster.verifying import DIFFERENT, EXTRA, MISSING, Verified
from flows.errors import SettingsError
from flows.guard_context import guard_context
from flows.job import Job
from flows.pipeline import Delivery, deliver
from flows.policies import with_policies
from flows.result import Result
from flows.verification import Verification
from flows.watch import Watch
from transforms.changes import (
    ACTION,
    ACTIVE,
    DELETED,
    DISABLED,
    ENDS,
    FIELDS,
    FINGERPRINT,
    IN_TARGET,
    LABEL,
    PARENTS,
    SCHOOL,
    Changes,
    Counts,
    EntityChanges,
)
from transforms.checks.references import Known
from transforms.diff import diff
from transforms.guard import Limits, guard
from transforms.guard.limits import allows, told
from transforms.judged import Standing

LEDGERS = {
    FINGERPRINT: "fingerprint",
    SCHOOL: "school",
    PARENTS: "parents",
    LABEL: "label",
    FIELDS: "fields",
    ENDS: "ends",
}


def repair(found: Verification, job: Job, ledger: Ledger, archive: Archive, watch: Watch) -> Result:
    """Create what is missing, update what differs and remove what came back, as the feed's policy says, all through the guard.

    Without a roster of which to take the records, only the ledger is corrected: the next sync sends them.
    """
    begun = time.monotonic()
    for one in found.entities.values():
        _correct(one, job, ledger)
    known = ledger.known(job.key)
    standing = archive.standing(found.roster) if found.roster else {}
    content = archive.keep(job.run.id, {}, found.roster) if found.roster else ""
    changes = with_policies(_changes(found, standing, known), job, ledger)
    # The content is that of the last roster, whatever its age.
    context = replace(guard_context(changes, {}, known, job, ledger, archive), dated=None, twin=None)
    judge = partial(guard, past=context, limits=job.guard.limits, raised=job.guard.raised)
    result = deliver(Delivery(begun, changes, known, judge, content=content), job, ledger, watch)
    # It looks at what differs, and at nothing else: what plans hold besides goes on waiting.
    return replace(result, repaired=True, whole=frozenset())


def refuse_losses(found: Verification, known: Known, limits: Limits) -> None:
    """Raise `SettingsError` if so much is missing that this may be another target, or one that shows only a part."""
    for name, one in found.entities.items():
        count, total, percent = one.of(MISSING).len(), _held(known[name]), limits.vanished(name)
        if not allows(count, total, percent, limits.vanished_records):
            raise SettingsError(
                f"{count:,} of {total:,} {name} are missing in the target, more than {told(percent, limits.vanished_records)}. "
                "Nothing was done. Find out whether it is the right target, and shows everything. To send them all again: "
                "roster verify --repair --lost"
            )


def _held(known: pl.DataFrame) -> int:
    return known.filter(pl.col("status").is_in(IN_TARGET)).height


def _correct(one: Verified, job: Job, ledger: Ledger) -> None:
    """Note in the ledger what the target said: who is not there, who is there again, and who is not as we sent them."""
    details = ledger.details(job.key, one.entity, one.of(DIFFERENT))
    enabled = details.filter(pl.col("status") == DISABLED)["sourcedId"]
    for status, ids in ((DELETED, one.of(MISSING)), (ACTIVE, one.of(EXTRA)), (ACTIVE, enabled)):
        if ids.len():
            ledger.mark(job.key, one.entity, status, ids.to_list(), job.run.id)
    rows = details.filter(pl.col("status") != DISABLED)
    if rows.height:
        rows = rows.select("sourcedId", **{name: pl.col(column) for name, column in LEDGERS.items()})
        ledger.record(job.key, one.entity, rows.with_columns(unfinished(pl.col(FINGERPRINT))), {}, [], job.run.id)


def _changes(found: Verification, standing: Standing, known: Known) -> Changes:
    """The changes that repair what was found, and no others: what else waits is another run's."""
    changes = diff(standing, known).changes
    return {name: _repair(changes[name], one) for name, one in found.entities.items() if name in changes}


def _repair(part: EntityChanges, one: Verified) -> EntityChanges:
    found = pl.col("sourcedId").is_in(one.found["sourcedId"].implode())
    upserts = part.upserts.filter(found)
    removals = part.removals.filter((pl.col(ACTION) == "delete") & found)
    # The guard must see how much of the roster there is, and each record is counted once.
    others = part.upserts.height - upserts.height
    counts: Counts = {**part.counts, "vanished": removals.height, "waiting": others}
    return replace(part, upserts=upserts, removals=removals, returned=part.returned.clear(), counts=counts)
