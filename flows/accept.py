"""Step 4 of the pipeline: what is accepted of a roster, once it is checked and limited to what the feed shares and the target takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from connectors.ledger import Ledger
from flows.job import Job
from flows.watch import Watch
from transforms.binding.upgrade import with_schools
from transforms.changes import DELETED, Changes
from transforms.checks import Checked, check
from transforms.checks.references import Elsewhere, Known, trees_to_know, wanted_elsewhere
from transforms.delta import with_lacking
from transforms.findings import Findings, gather, located, of_file
from transforms.forget import Frames, forgotten_in, left_out, untold
from transforms.guard import Rejections
from transforms.moments import Moments, accepted_moments, changes_in
from transforms.records import RosterState
from transforms.refuse import refusals, rejections_of
from transforms.renamed_ids import taken
from transforms.roster import Roster, Table
from transforms.share import share, unjudged, unknown
from transforms.target_values import carry, not_carried


@dataclass(frozen=True)
class CheckedDrop:
    """A drop after the check, before it is limited to what the feed shares."""

    roster: Roster
    known: Known
    checked: Checked
    findings: Findings  # says nothing of those who are forgotten
    refused: pl.DataFrame  # the findings that refuse the drop; without rows if nothing does
    gone: Frames  # the rows of those who are forgotten
    moments: Moments = field(default_factory=dict)  # how new the records of a delta were until now

    @property
    def standing(self) -> RosterState:
        """What stands, without those who are forgotten."""
        return left_out(self.checked.standing, self.gone)


@dataclass(frozen=True)
class Accepted:
    """What a drop came to."""

    known: Known
    findings: Findings
    refused: pl.DataFrame  # the findings that refused the drop; without rows if nothing did
    standing: RosterState = field(default_factory=dict)  # empty if the drop is refused
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    spelt: Mapping[tuple[str, str], str] = field(default_factory=dict)  # as in `Roster`
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)  # as in `Roster`
    # of the rows of a delta that are newer than any before
    moments: Moments = field(default_factory=dict)
    salted: bool = False  # as in `Roster`


def check_roster(
    roster: Roster, known: Known, job: Job, ledger: Ledger, watch: Watch
) -> CheckedDrop:
    """Check a roster beside what the ledger knows of the feed, and say what of it refuses the drop."""
    roster = with_lacking(
        _placed(roster, job, ledger), job.source.fed_before, job.as_written.without
    )
    known = {**known, **{name: ledger.details(job.key, name) for name in trees_to_know(roster)}}
    moments = _moments(roster, job, ledger)
    checked = watch.stage(
        "check", check, roster, known, job.source.strict, _elsewhere(roster, job, ledger), moments
    )
    gone = forgotten_in(roster, ledger.forgotten())
    found = gather([checked.findings, taken(roster, known, job.source.renamed)])
    findings = located(untold(found, gone))
    return CheckedDrop(
        roster, known, checked, findings, refusals(findings, job.source.strict), gone, moments
    )


def accept(drop: CheckedDrop, job: Job, ledger: Ledger) -> Accepted:
    """Leave out of a checked drop what the feed does not share, and map the rest to the target's vocabulary."""
    roster, known = drop.roster, drop.known
    if drop.refused.height:
        return Accepted(known, drop.findings, drop.refused, spelt=roster.spelt)
    shared = share(drop.standing, job.load.scope, known)
    collections = job.load.target.profile.collections
    carried = carry(shared, job.load.carrying, known, collections, _root(ledger, job))
    notes = [
        unknown(drop.checked.standing, job.load.scope),
        unjudged(shared),
        *not_carried(roster, job.load.carrying.vocabulary, collections),
    ]
    findings = located(gather([drop.findings, *notes, carried.findings]))
    return Accepted(
        known,
        findings,
        drop.refused,
        carried.standing,
        rejections_of(roster, findings),
        roster.spelt,
        roster.renamed,
        accepted_moments(roster, carried.standing, drop.moments),
        roster.salted,
    )


def _moments(roster: Roster, job: Job, ledger: Ledger) -> Moments:
    """How new what was accepted before is of the records of a delta; nobody asks if older truth is to go over newer."""
    if job.source.older:
        return {}
    return {
        name: ledger.moments(job.key, name, table.frame["sourcedId"])
        for name, table in changes_in(roster).items()
    }


def _placed(roster: Roster, job: Job, ledger: Ledger) -> Roster:
    """Find the schools of what belongs to a class in the ledger, where neither it nor the drop's classes say them.

    OneRoster 1.1 has no schools of line items, Canvas none of enrollments, and a drop of changes may lack the classes.
    """
    tables = [roster.tables[name] for name in ("lineItems", "enrollments") if name in roster.tables]
    astray = [table for table in tables if _names_no_school(table)]
    if not astray:
        return roster
    schools = ledger.schools_of(job.key, "classes")
    placed = {table.entity.name: with_schools(table, schools) for table in astray}
    return replace(roster, tables=roster.tables | placed)


def _names_no_school(table: Table) -> bool:
    """Whether the drop leaves to others which schools these rows belong to; a snapshot of a column is what it is."""
    left_open = table.mode != "bulk" or "schoolSourcedId" not in table.said
    return left_open and table.frame["schoolSourcedId"].null_count() > 0


def _elsewhere(roster: Roster, job: Job, ledger: Ledger) -> Elsewhere:
    """The records to which a drop may refer beside its own: of other feeds, of the target, and what waits for a person."""
    wanted = wanted_elsewhere(roster)
    others = ledger.of_others(job.key, wanted)
    for name, ids in ledger.awaited(job.key).items():
        if name in wanted:
            waiting = pl.Series("sourcedId", ids, dtype=pl.String)
            others[name] = pl.concat([others[name], waiting]) if name in others else waiting
    if asked := [
        name
        for name in wanted
        if name in job.guard.external and name in job.load.target.profile.collections
    ]:
        from flows.send import active_ids

        others |= active_ids(asked, job)
    return others


def _root(ledger: Ledger, job: Job) -> str | None:
    """The organisation above all others, as far as the ledger knows one; for drops without organisations."""
    orgs = ledger.details(job.key, "orgs").filter(
        (pl.col("status") != DELETED) & pl.col("parents").fill_null("").eq("")
    )
    return str(orgs["sourcedId"][0]) if orgs.height == 1 else None


FIRST = 3


def shared_ids(changes: Changes, job: Job, ledger: Ledger) -> Findings:
    """Name what is to be sent and what another feed has sent too: the target has one record for both."""
    return gather(
        _of_entity(name, changes[name].upserts["sourcedId"], job, ledger)
        for name in changes
        if changes[name].upserts.height
    )


def _of_entity(name: str, ids: pl.Series, job: Job, ledger: Ledger) -> Findings:
    claims = ledger.claims(job.key, name, ids)
    return gather(
        of_file("id_claimed", "", f"{name} of feed {feed}: {_first(rows)}", count=rows.height)
        for (feed,), rows in claims.group_by("feed", maintain_order=True)
    )


def _first(rows: pl.DataFrame) -> str:
    ids = rows["sourcedId"].head(FIRST).to_list()
    return ", ".join([*ids, *(["…"] if rows.height > FIRST else [])])
