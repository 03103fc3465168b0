"""Which changes of an approved plan are still valid, after newer rosters have come.

Newer rosters are those that runs have accepted since, and the drop that is there now.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import Plan
from connectors.roster_archive import Archive
from flows.accept import accept
from flows.errors import SettingsError
from flows.extract import find_drop
from flows.job import Job
from flows.ledger_view import LedgerView
from flows.pipeline import check_drop
from flows.result import RESTORED
from flows.watch import Watch
from transforms.delta import overlay
from transforms.findings import EXAMPLES
from transforms.grammar import count_of
from transforms.guard import contradicted_records, unsent_records
from transforms.guard.plan import IS_REMOVAL
from transforms.records import RosterState

KEYS = ["entity", "sourcedId"]


@dataclass(frozen=True)
class ValidRecords:
    """The records of a plan that are still to be sent."""

    records: pl.DataFrame  # columns of a plan
    told: tuple[str, ...] = ()  # sentences about the others, for people

    def without(self, gone: pl.DataFrame, why: str) -> ValidRecords:
        """Remove some records (`entity`, `sourcedId`), and add a sentence with the reason."""
        if gone.is_empty():
            return self
        words = [f"{entity}:{one}" for entity, one in gone.head(EXAMPLES).iter_rows()]
        more = ", …" if gone.height > EXAMPLES else ""
        sentence = (
            f"Left out: {count_of(gone.height, 'changes')} of the plan "
            f"({', '.join(words)}{more}), for {why}"
        )
        records = self.records.join(gone, on=KEYS, how="anti", maintain_order="left")
        return ValidRecords(records, (*self.told, sentence))


def valid_records(
    plan: Plan, job: Job, ledger: Ledger, archive: Archive, watch: Watch
) -> ValidRecords:
    """Return the unsent records of a plan that newer rosters do not contradict.

    A roster contradicts a removal if it has the record, and an update if it has other values. The
    newest accepted roster counts, however its run ended. The drop counts too, unless the plan
    restores an earlier roster: such a plan is meant to differ from the drop.

    Raises `SettingsError` if newer rosters contradict the whole plan.
    """
    valid = ValidRecords(unsent_records(ledger.planned(plan.id), ledger.known(job.key)))
    names = valid.records["entity"].unique().to_list()
    source, newest = _roster(archive, plan.run, names), next(reversed(archive.runs()), plan.run)
    accepted = source if newest == plan.run else _roster(archive, newest, names)
    contradicted = contradicted_records(valid.records, source, accepted)
    valid = valid.without(
        contradicted,
        f"run {newest} has accepted a newer roster, which has these records, or has them "
        "with other values.",
    )
    if contradicted.height and valid.records.is_empty():
        if job.run.command == "sync":
            ledger.decide(plan.id, "replaced", by="", note=f"by run {newest}", at=datetime.now(UTC))
        raise SettingsError(
            f"Plan {plan.id} was replaced: nothing of it is left. {' '.join(valid.told)}"
        )
    run = ledger.run(plan.run)
    if valid.records.is_empty() or (run and run.note == RESTORED):
        return valid
    return _compare_with_drop(valid, plan, source, accepted, job, ledger, watch)


def _roster(archive: Archive, run: str, names: Collection[str]) -> RosterState:
    found = {name: archive.judged(run, name) for name in names}
    return {name: records for name, records in found.items() if records is not None}


def _compare_with_drop(
    valid: ValidRecords,
    plan: Plan,
    source: RosterState,
    accepted: RosterState,
    job: Job,
    ledger: Ledger,
    watch: Watch,
) -> ValidRecords:
    """Remove the records that the drop contradicts. A remote drop is not fetched for this."""
    if job.source.rest or job.source.pickup.address:
        sentence = (
            f"{_place(job)} was not read for this approval. "
            "If there is something newer, `roster sync` replaces the plan."
        )
        return replace(valid, told=(*valid.told, sentence))
    drop = _roster_of_drop(accepted, job, ledger, watch)
    if drop is None:
        sentence = (
            f"{job.source.drop} is missing or cannot be read: "
            f"the roster of run {plan.run} has decided alone."
        )
        return replace(valid, told=(*valid.told, sentence))
    roster, is_sound = drop
    # The values of a drop that would be refused are not reliable, but the records in it are there.
    records = valid.records if is_sound else valid.records.filter(IS_REMOVAL)
    valid = valid.without(
        contradicted_records(records, source, roster),
        f"what lies in {job.source.drop} now has these records, or has them with other values. "
        "`roster sync` loads it.",
    )
    if valid.records.is_empty():
        raise SettingsError(f"Nothing of plan {plan.id} is left to send. {' '.join(valid.told)}")
    return valid


def _place(job: Job) -> str:
    if job.source.rest:
        return job.source.rest.name
    # Remote stores take a while to import, and most feeds do not need them.
    from connectors.fetch import without_secrets

    return without_secrets(job.source.pickup.address)


def _roster_of_drop(
    accepted: RosterState, job: Job, ledger: Ledger, watch: Watch
) -> tuple[RosterState, bool] | None:
    """Return the roster as it would be after this drop, and whether the drop would be accepted.

    None if there is nothing to read.
    """
    known = LedgerView(ledger, job.key)
    try:
        drop = check_drop(
            find_drop(replace(job, source=replace(job.source, pickup=job.source.pickup.over))),
            known,
            watch,
        )
    except (SettingsError, OSError):
        return None
    is_sound = not drop.refused.height
    standing = accept(drop, known, job).standing if is_sound else drop.standing
    if not any(records.counts["read"] or records.gone.len() for records in standing.values()):
        return None
    roster = {
        name: overlay(accepted[name], records)
        if records.mode != "bulk" and name in accepted
        else records
        for name, records in standing.items()
    }
    return roster, is_sound
