"""The head of the straight line: from a drop to what is accepted of it, before it is compared with what was sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import polars as pl

from connectors.drops import read_file
from connectors.ledger import Ledger
from connectors.oneroster.collections import COLLECTIONS
from flows.extracting import extracted
from flows.job import Job
from flows.salts import digests_of
from flows.watch import NOBODY, Watch
from transforms.binding.lifting import with_schools
from transforms.carry import carry, not_carried
from transforms.changes import DELETED
from transforms.checks import Checked, check, prepare
from transforms.checks.references import Elsewhere, Known, trees_to_know, wanted_elsewhere
from transforms.findings import Findings, gather, located
from transforms.forgetting import Frames, forgotten_in, left_out, untold
from transforms.guard import Rejections
from transforms.judged import Standing
from transforms.lacking import with_lacking
from transforms.moments import Moments, accepted_moments, changes_in
from transforms.raw import Raw, RawFile
from transforms.rejections import rejections_of
from transforms.renaming import file_of_ids, readable_in, renamed
from transforms.roster import Roster, Table
from transforms.share import share, unjudged, unknown
from transforms.sources import normalise
from transforms.taken import taken
from transforms.verdict import refusals

Source = Callable[[Job, Watch], Roster]


@dataclass(frozen=True)
class Judgement:
    """A drop after the check.

    `refused` are the findings that refuse it, else no rows. `gone` are the rows of those who are forgotten: `findings`
    say nothing of them. `moments` say how new what was accepted before is, of the records of a delta.
    """

    roster: Roster
    known: Known
    checked: Checked
    findings: Findings
    refused: pl.DataFrame
    gone: Frames
    moments: Moments = field(default_factory=dict)

    @property
    def standing(self) -> Standing:
        """What stands, without those who are forgotten."""
        return left_out(self.checked.standing, self.gone)


@dataclass(frozen=True)
class Accepted:
    """What a drop came to; a drop that is `refused` (the findings that refused it, else no rows) has no `standing`.

    `spelt`, `renamed` and `salted` are as in `Roster`. `moments` are those of a delta's rows that are newer than any before.
    """

    known: Known
    findings: Findings
    refused: pl.DataFrame
    standing: Standing = field(default_factory=dict)
    rejections: Mapping[str, Rejections] = field(default_factory=dict)
    spelt: Mapping[tuple[str, str], str] = field(default_factory=dict)
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    moments: Moments = field(default_factory=dict)
    salted: bool = False


def accept(job: Job, ledger: Ledger, watch: Watch = NOBODY) -> Accepted:
    """Take the line's steps 1 to 4, and leave out what the feed does not share and the target cannot carry."""
    return accepted_of(judge(job, ledger, watch), job, ledger)


def accepted_of(judgement: Judgement, job: Job, ledger: Ledger) -> Accepted:
    """Leave out of a drop what the feed does not share and the target cannot carry."""
    roster, known, found = judgement.roster, judgement.known, judgement.findings
    if judgement.refused.height:
        return Accepted(known, found, judgement.refused, spelt=roster.spelt)
    shared = share(judgement.standing, job.scope, known)
    carried = carry(shared, job.carrying, known, COLLECTIONS, _root(ledger, job))
    parts = gather(
        [
            found,
            unknown(judgement.checked.standing, job.scope),
            unjudged(shared),
            *not_carried(roster, COLLECTIONS),
            carried.findings,
        ]
    )
    findings = located(parts)
    rejections = rejections_of(roster, findings)
    moments = accepted_moments(roster, carried.standing, judgement.moments)
    return Accepted(
        known,
        findings,
        judgement.refused,
        carried.standing,
        rejections,
        roster.spelt,
        roster.renamed,
        moments,
        roster.salted,
    )


def roster_of(job: Job, watch: Watch = NOBODY) -> Roster:
    """Read the drop of a job as a roster, whose records have the ids that they had before."""
    raw = watch.stage("extract", extracted, job)  # 1
    ids, found = _ids(raw, job)
    # Whoever a person has named by a readable id keeps it: a file of ids, or what is never to be shared.
    named = readable_in(ids) | frozenset(one for one in job.scope.exclude if "/" in one)
    job = replace(job, digests=replace(job.digests, sent=job.digests.sent | named))
    roster = watch.stage("normalise", normalise, job.layout, raw, job.as_written)  # 2
    return renamed(roster, ids, found)


def judge(job: Job, ledger: Ledger, watch: Watch = NOBODY, source: Source = roster_of) -> Judgement:
    """Take the line's steps 1 to 4; the roster may come from another `source` than the job's drop."""
    with ThreadPoolExecutor(2) as aside:
        aside.submit(prepare)
        knowing = aside.submit(ledger.known, job.key)  # 3 needs nothing of 1 and 2
        earlier = ledger.renamed(job.key)
        digests = digests_of(job.salt, job.as_written.prefix, job.key, ledger, job.unsent)
        roster = source(replace(job, renamed=earlier, digests=digests), watch)  # 1, 2
        known = knowing.result()
    roster = with_lacking(_placed(roster, job, ledger), job.fed_before, job.as_written.without)
    known |= {name: ledger.details(job.key, name) for name in trees_to_know(roster)}
    moments = _moments(roster, job, ledger)
    checked = watch.stage("check", check, roster, known, job.strict, _elsewhere(roster, job, ledger), moments)  # 4
    gone = forgotten_in(roster, ledger.forgotten())
    found = located(untold(gather([checked.findings, taken(roster, known, earlier)]), gone))
    return Judgement(roster, known, checked, found, refusals(found, job.strict), gone, moments)


def _moments(roster: Roster, job: Job, ledger: Ledger) -> Moments:
    """How new what was accepted before is of the records of a delta; nobody asks if older truth is to go over newer."""
    if job.older:
        return {}
    return {name: ledger.moments(job.key, name, table.frame["sourcedId"]) for name, table in changes_in(roster).items()}


def _ids(raw: Raw, job: Job) -> tuple[RawFile | None, Findings]:
    """The file of old and new ids: the drop's own, or the one that the feed's file names."""
    if (file := file_of_ids(raw.files)) is not None or job.ids is None:
        return file, Findings()
    other = read_file(job.ids)
    return next(iter(other.files.values()), None), other.findings


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
    if asked := [name for name in wanted if name in job.external and name in COLLECTIONS]:
        from flows.loading import active_ids

        others |= active_ids(asked, job)
    return others


def _root(ledger: Ledger, job: Job) -> str | None:
    """The organisation above all others, as far as the ledger knows one; for drops without organisations."""
    orgs = ledger.details(job.key, "orgs").filter(
        (pl.col("status") != DELETED) & pl.col("parents").fill_null("").eq("")
    )
    return str(orgs["sourcedId"][0]) if orgs.height == 1 else None
