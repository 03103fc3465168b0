"""Step 4 of the pipeline: checks a roster, and accepts what the feed shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import polars as pl

from connectors.ledger import Ledger
from flows.job import Job
from flows.ledger_view import LedgerView
from flows.watch import Watch
from transforms.binding.upgrade import fill_in_schools
from transforms.changes import DELETED, Changes
from transforms.checks import Checked, check
from transforms.checks.references import (
    LedgerFrames,
    OtherFeedsIds,
    entities_needed_from_ledger,
    partial_trees,
)
from transforms.delta import find_missing_sources
from transforms.findings import Findings, file_finding, merge_findings, with_real_files
from transforms.forget import Frames, forgotten_rows_of_drop, withhold_rows, without_their_errors
from transforms.guard import Rejections
from transforms.moments import Timestamps, accepted_timestamps, deltas_with_timestamps
from transforms.records import RosterState
from transforms.refuse import refusing_findings, rejections_by_entity
from transforms.renamed_ids import taken_ids
from transforms.roster import Roster, Table
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.share import report_unknown_people, share, unknown_scope_names
from transforms.target_values import files_without_place, map_to_target


@dataclass(frozen=True)
class CheckedDrop:
    """A drop after the check, before it is limited to what the feed shares."""

    roster: Roster
    known: LedgerFrames
    checked: Checked
    findings: Findings  # without those about forgotten people
    refused: pl.DataFrame  # the findings that refuse the drop; empty if it is not refused
    gone: Frames  # the rows of forgotten people
    moments: Timestamps = field(
        default_factory=dict
    )  # of a delta: how new each record was until now

    @property
    def standing(self) -> RosterState:
        """The checked roster, without forgotten people."""
        return withhold_rows(self.checked.standing, self.gone)


@dataclass(frozen=True)
class Accepted:
    """What is accepted of a drop, after sharing and mapping to the target."""

    known: LedgerFrames
    findings: Findings
    refused: pl.DataFrame  # the findings that refused the drop; empty if it was not refused
    standing: RosterState = field(default_factory=dict)  # empty if the drop is refused
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    spelt: Mapping[tuple[str, str, str], str] = field(default_factory=dict)  # as in `Roster`
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)  # as in `Roster`
    cross_listed: Mapping[str, str] = field(default_factory=dict)  # as in `Roster`
    # of a delta: how new each newer row is
    moments: Timestamps = field(default_factory=dict)
    salted: bool = False  # as in `Roster`


def check_roster(roster: Roster, known: LedgerView, job: Job, watch: Watch) -> CheckedDrop:
    """Check a roster against what the ledger knows of the feed, and find what refuses the drop."""
    roster = find_missing_sources(
        _with_schools_of_classes(roster, known), job.source.fed_before, job.as_written.without
    )
    records = {**known.records, **{name: known.details(name) for name in partial_trees(roster)}}
    moments = _moments(roster, known, job)
    wanted = entities_needed_from_ledger(roster)
    elsewhere = ids_elsewhere(wanted, known, job)
    for name in (name for name in wanted if name in job.source.arrears):
        unsent = _ids_still_to_send(job.source.arrears[name], roster.tables.get(name))
        elsewhere[name] = pl.concat([elsewhere.get(name, unsent.clear()), unsent])
    checked = watch.stage("check", check, roster, records, job.source.strict, elsewhere, moments)
    gone = forgotten_rows_of_drop(roster, known.forgotten)
    found = merge_findings([checked.findings, taken_ids(roster, records, job.source.renamed)])
    findings = with_real_files(without_their_errors(found, gone))
    return CheckedDrop(
        roster,
        records,
        checked,
        findings,
        refusing_findings(findings, job.source.strict),
        gone,
        moments,
    )


def accept(drop: CheckedDrop, known: LedgerView, job: Job) -> Accepted:
    """Remove what the feed does not share, and map the rest to the target's vocabulary."""
    roster = drop.roster
    if drop.refused.height:
        return Accepted(drop.known, drop.findings, drop.refused, spelt=roster.spelt)
    shared = share(drop.standing, job.load.scope, drop.known)
    collections = job.load.target.profile.collections
    carried = map_to_target(
        shared,
        job.load.carrying,
        drop.known,
        collections,
        _root_org(known.details("orgs")),
        roster.spelt,
    )
    notes = [
        unknown_scope_names(drop.checked.standing, job.load.scope),
        report_unknown_people(shared),
        *files_without_place(roster, job.load.carrying.vocabulary, collections),
    ]
    findings = with_real_files(merge_findings([drop.findings, *notes, carried.findings]))
    return Accepted(
        drop.known,
        findings,
        drop.refused,
        carried.standing,
        rejections_by_entity(roster, findings),
        roster.spelt,
        roster.renamed,
        roster.cross_listed,
        accepted_timestamps(roster, carried.standing, drop.moments),
        roster.salted,
    )


def _ids_still_to_send(unsent: frozenset[str], table: Table | None) -> pl.Series:
    """Return the unsent ids that a drop does not delete."""
    deleted = table.frame.filter(status=TOBEDELETED)["sourcedId"] if table else ()
    return pl.Series("sourcedId", sorted(unsent.difference(deleted)), dtype=pl.String)


def _moments(roster: Roster, known: LedgerView, job: Job) -> Timestamps:
    """Return how new the known records of a delta are.

    Nothing is returned if the job lets older data overwrite newer data.
    """
    if job.source.older:
        return {}
    return {
        name: known.moments(name, table.frame["sourcedId"])
        for name, table in deltas_with_timestamps(roster).items()
    }


def _with_schools_of_classes(roster: Roster, known: LedgerView) -> Roster:
    """Add schools from the ledger's classes to line items and enrollments that name none.

    OneRoster 1.1 has no schools of line items, Canvas has none of enrollments, and a delta may not
    contain the classes.
    """
    tables = [roster.tables[name] for name in ("lineItems", "enrollments") if name in roster.tables]
    open_tables = [table for table in tables if _school_is_open(table)]
    if not open_tables:
        return roster
    completed = {
        table.entity.name: fill_in_schools(table, known.schools_of_classes) for table in open_tables
    }
    return replace(roster, tables=roster.tables | completed)


def _school_is_open(table: Table) -> bool:
    """Whether some rows have no school, and the drop does not mean them to have none.

    In a full snapshot that has the column, a blank school is meant.
    """
    left_open = table.mode != "bulk" or "schoolSourcedId" not in table.said
    return left_open and table.frame["schoolSourcedId"].null_count() > 0


def ids_elsewhere(wanted: Sequence[str], known: LedgerView, job: Job) -> OtherFeedsIds:
    """Return the ids of some entities outside the drop to which its rows may refer.

    These are records of other feeds, external records in the target, and records that wait for
    approval.
    """
    others = known.elsewhere(wanted)
    for name, ids in known.awaited.items():
        if name in wanted:
            waiting = pl.Series("sourcedId", ids, dtype=pl.String)
            others[name] = pl.concat([others[name], waiting]) if name in others else waiting
    if external := [
        name
        for name in wanted
        if name in job.guard.external and name in job.load.target.profile.collections
    ]:
        # The client takes a while to import, and most feeds refer to no external records.
        from flows.send import read_active_ids

        others |= read_active_ids(external, job)
    return others


def _root_org(orgs: pl.DataFrame) -> str | None:
    """Return the root organization that the ledger knows, for drops without organizations.

    None if the ledger knows none or several.
    """
    roots = orgs.filter((pl.col("status") != DELETED) & pl.col("parents").fill_null("").eq(""))
    return str(roots["sourcedId"][0]) if roots.height == 1 else None


MOST_IDS = 3


def shared_ids(changes: Changes, job: Job, ledger: Ledger) -> Findings:
    """Report the ids to send that another feed has sent too: the target has one record for both."""
    return merge_findings(
        _shared_ids_of_entity(name, changes[name].upserts["sourcedId"], job, ledger)
        for name in changes
        if changes[name].upserts.height
    )


def _shared_ids_of_entity(name: str, ids: pl.Series, job: Job, ledger: Ledger) -> Findings:
    claims = ledger.claims(job.key, name, ids)
    return merge_findings(
        file_finding(
            "id_claimed", "", f"{name} of feed {feed}: {_first_ids(rows)}", count=rows.height
        )
        for (feed,), rows in claims.group_by("feed", maintain_order=True)
    )


def _first_ids(rows: pl.DataFrame) -> str:
    ids = rows["sourcedId"].head(MOST_IDS).to_list()
    return ", ".join([*ids, *(["…"] if rows.height > MOST_IDS else [])])
