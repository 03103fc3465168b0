"""What of a plan still holds when a person approves it: newer rosters may have come, accepted or just lying in the drop."""

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
from flows.pipeline import check_drop
from flows.result import RESTORED
from flows.watch import Watch
from transforms.delta import overlay
from transforms.findings import EXAMPLES
from transforms.guard import overtaken, undone
from transforms.guard.plan import REMOVAL
from transforms.records import RosterState

KEYS = ["entity", "sourcedId"]


@dataclass(frozen=True)
class ValidRecords:
    """The records of a plan (columns of a plan) that are to be sent, and what people are to know of the others."""

    records: pl.DataFrame
    told: tuple[str, ...] = ()

    def without(self, gone: pl.DataFrame, why: str) -> ValidRecords:
        """Leave some records out, and say why."""
        if gone.is_empty():
            return self
        words = [f"{entity}:{one}" for entity, one in gone.head(EXAMPLES).iter_rows()]
        more = ", …" if gone.height > EXAMPLES else ""
        said = (
            f"Left out: {gone.height:,} changes of the plan ({', '.join(words)}{more}), for {why}"
        )
        return ValidRecords(
            self.records.join(gone, on=KEYS, how="anti", maintain_order="left"), (*self.told, said)
        )


def still_valid(
    plan: Plan, job: Job, ledger: Ledger, archive: Archive, watch: Watch
) -> ValidRecords:
    """Leave out of a plan whom newer rosters still have, and what they have otherwise. Raises `SettingsError` if all of it is.

    The newest accepted roster counts however its run ended. A plan that brings an earlier roster back is meant to contradict the drop.
    """
    valid = ValidRecords(undone(ledger.planned(plan.id), ledger.known(job.key)))
    names = valid.records["entity"].unique().to_list()
    source, newest = _roster(archive, plan.run, names), next(reversed(archive.runs()), plan.run)
    rosters = source if newest == plan.run else _roster(archive, newest, names)
    since = overtaken(valid.records, source, rosters)
    valid = valid.without(
        since,
        f"run {newest} has accepted a newer roster, which has these records, or has them otherwise.",
    )
    if since.height and valid.records.is_empty():
        if job.run.command == "sync":
            ledger.decide(plan.id, "replaced", by="", note=f"by run {newest}", at=datetime.now(UTC))
        raise SettingsError(
            f"Plan {plan.id} was replaced: nothing of it is left. {' '.join(valid.told)}"
        )
    run = ledger.run(plan.run)
    if valid.records.is_empty() or (run and run.note == RESTORED):
        return valid
    return _beside_the_drop(valid, plan, source, rosters, job, ledger, watch)


def _roster(archive: Archive, run: str, names: Collection[str]) -> RosterState:
    found = {name: archive.judged(run, name) for name in names}
    return {name: judged for name, judged in found.items() if judged is not None}


def _beside_the_drop(
    valid: ValidRecords,
    plan: Plan,
    source: RosterState,
    rosters: RosterState,
    job: Job,
    ledger: Ledger,
    watch: Watch,
) -> ValidRecords:
    """Leave out whom the drop has that lies there now, and what it has otherwise, if it can be read at once."""
    if job.source.rest or job.source.pickup.address:
        said = f"{_place(job)} was not read for this approval. If there is something newer, `roster sync` replaces the plan."
        return replace(valid, told=(*valid.told, said))
    lying = _lying(rosters, job, ledger, watch)
    if lying is None:
        said = f"{job.source.drop} is missing or cannot be read: the roster of run {plan.run} has decided alone."
        return replace(valid, told=(*valid.told, said))
    standing, sound = lying
    # What a drop says that would be refused is not to be relied on; but whoever is in it is there.
    records = valid.records if sound else valid.records.filter(REMOVAL)
    found = overtaken(records, source, standing)
    valid = valid.without(
        found,
        f"what lies in {job.source.drop} now has these records, or has them otherwise. `roster sync` loads it.",
    )
    if valid.records.is_empty():
        raise SettingsError(f"Nothing of plan {plan.id} is left to send. {' '.join(valid.told)}")
    return valid


def _place(job: Job) -> str:
    if job.source.rest:
        return job.source.rest.name
    # What reads stores takes a while to import, and most feeds need it not.
    from connectors.fetch import shown

    return shown(job.source.pickup.address)


def _lying(
    rosters: RosterState, job: Job, ledger: Ledger, watch: Watch
) -> tuple[RosterState, bool] | None:
    """The roster as it would be after the drop as it lies there, and whether that would be accepted; None if there is nothing to read."""
    try:
        drop = check_drop(
            find_drop(replace(job, source=replace(job.source, pickup=job.source.pickup.over))),
            ledger,
            watch,
        )
    except (SettingsError, OSError):
        return None
    sound = not drop.refused.height
    standing = accept(drop, job, ledger).standing if sound else drop.standing
    if not any(judged.counts["read"] or judged.gone.len() for judged in standing.values()):
        return None
    return {
        name: overlay(rosters[name], judged)
        if judged.mode != "bulk" and name in rosters
        else judged
        for name, judged in standing.items()
    }, sound
