"""Step 6 of the pipeline: what the guard must know about earlier runs and about the target, asked only where the changes give it something to judge."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.history import Run
from connectors.roster_archive import Archive
from flows.evidence import (
    Sent,
    Terms,
    columns_of,
    groups_of,
    names_in,
    reading,
    sent_before,
    settled_in,
    sizes_of,
    taken_since,
    terms_of,
    there_of,
)
from flows.job import Job
from flows.result import COUNTED, DONE
from flows.run_history import day_of, loaded
from transforms.changes import ACTION, ACTIVE, IN_TARGET, Changes
from transforms.checks.references import Known, ids_in
from transforms.findings import Findings
from transforms.guard import GuardContext, Rejections
from transforms.guard.context import CHILDREN, LEFT_BEHIND, no_children, no_totals
from transforms.guard.holds import VANISHED
from transforms.removals import Details
from transforms.schemas import ENTITIES

WEEK = timedelta(days=7)
FEW = 10
SAMPLED = ("orgs", "users", "courses", "classes")


def details_of(changes: Changes, job: Job, ledger: Ledger) -> Details:
    """What the ledger keeps of the records that vanished, and of the sessions and classes by which some have ended."""
    gone = {
        name: part.removals["sourcedId"] for name, part in changes.items() if part.removals.height
    }
    if not gone:
        return {}
    details = {name: ledger.details(job.key, name, ids) for name, ids in gone.items()}
    if gone.keys() & {"classes", "enrollments"} or "academicSessions" in gone:
        details["academicSessions"] = ledger.details(job.key, "academicSessions")
    if "enrollments" in gone:
        details["classes"] = ledger.details(job.key, "classes")
    return details


def guard_context(
    changes: Changes,
    rejections: Mapping[str, Rejections],
    known: Known,
    job: Job,
    ledger: Ledger,
    archive: Archive,
    findings: Findings | None = None,
) -> GuardContext:
    """Ask for what these changes need; a night on which nothing changed asks for the runs before it, and no more.

    `findings` are those of the drop.
    """
    quiet = not any(part.upserts.height or part.removals.height for part in changes.values())
    begun = [run for run in ledger.runs(job.key) if run.command == "sync" and run.id != job.run.id]
    runs = [run for run in begun if run.ended]
    newest = (
        None
        if job.source.older
        else next((run.drop_date for run in runs if run.drop_date and loaded(run)), None)
    )
    if quiet:
        faulty = any(one.faults for one in rejections.values())
        return GuardContext(
            rejections=rejections, totals=ledger.totals(job.key) if faulty else no_totals()
        )
    there = any(frame.height for frame in known.values())
    sent, before = (
        sent_before(changes, known, job, ledger, archive),
        reading(job.source.before, archive),
    )
    people, terms = there_of(sent, known, before), terms_of(changes, job, ledger)
    return GuardContext(
        totals=ledger.totals(job.key) if there else no_totals(),
        week=_week(begun, changes, sent, people, terms, known, job, ledger, archive),
        children=children_of(changes, job, ledger),
        rejections=rejections,
        newest=newest,
        dated=job.source.dated,
        today=job.run.today,
        twin=None if job.source.older or _few(changes) else _twin(runs, job, ledger, archive),
        strangers=0 if there else _strangers(changes, job, ledger),
        blackout=job.guard.blackout,
        adds_only=job.guard.adds_only,
        ask_first=job.guard.ask_first,
        sent=sent,
        groups=groups_of(people),
        sizes=sizes_of(people),
        over=terms.over,
        ends=terms.ends,
        taught=terms.taught,
        read=_read(runs),
        settled=settled_in(runs, job, archive),
        names=names_in(sent, before),
        columns=columns_of(changes, sent, before, rejections, findings or Findings()),
        left_behind=left_behind(changes, job, ledger),
    )


def _week(
    runs: Sequence[Run],
    changes: Changes,
    sent: Sent,
    there: Sent,
    terms: Terms,
    known: Known,
    job: Job,
    ledger: Ledger,
    archive: Archive,
) -> dict[str, int] | None:
    """How many records of each entity were let go in the last seven days; None if there were no `runs` at all.

    Who was locked out, and what was ended, the rosters of a week ago and of now say. What was removed, its rows say, also of runs that were killed. What was kept by the feed's policy, runs tell: rows do
    not say why they were kept, and a killed run kept nothing yet. What a person has let go is decided; the sum is
    there for what nobody saw.
    """
    if not runs:
        return None if any(frame.height for frame in known.values()) else {}
    since = datetime.now(UTC) - WEEK
    let_go = Counter(ledger.left_since(job.key, since, but=job.run.id))
    for run in runs:
        if run.started >= since and not run.approved and not run.raised:
            let_go.update({name: _kept(counts) for name, counts in run.counts.items()})
    kept = archive.runs()
    old = next(
        (run.id for run in runs if run.started < since and run.id in kept), next(iter(kept), "")
    )
    if old:
        let_go.update(taken_since(old, changes, sent, there, terms, job, ledger, archive))
    return dict(let_go)


def _few(changes: Changes) -> bool:
    """Whether a drop changes so little that it may well say by chance what an older one said: a newcomer has left again."""
    return sum(part.upserts.height + part.removals.height for part in changes.values()) <= FEW


def _twin(runs: list[Run], job: Job, ledger: Ledger, archive: Archive) -> date | None:
    """The day of a roster of more than a week ago that this one repeats, although another one was loaded last."""
    content = archive.digest(job.run.id) if job.run.id in archive.runs() else ""
    contents = [(run, _content(run, runs, ledger)) for run in runs if loaded(run)]
    came = [(run, one) for run, one in contents if one]
    if not content or not came or came[0][1] == content:
        return None
    since = datetime.now(UTC) - WEEK
    return next((day_of(run) for run, one in came if one == content and run.started < since), None)


def _content(run: Run, runs: list[Run], ledger: Ledger) -> str:
    """The digest of the roster that a run loaded; an approval loads that of its plan."""
    plan = ledger.plan(run.approved) if run.approved else None
    return next((one.content for one in runs if one.id == plan.run), "") if plan else run.content


def _read(runs: list[Run]) -> dict[str, int]:
    """How many records of each entity the last good drop had."""
    good = next(
        (run for run in runs if run.exit_code == DONE and loaded(run) and not run.approved), None
    )
    return {name: counts.get("read", 0) for name, counts in good.counts.items()} if good else {}


def _kept(counts: Mapping[str, int]) -> int:
    """How much of what a run let go it kept, by the feed's policy."""
    return max(0, counts.get(COUNTED, 0) - counts.get("deleted", 0) - counts.get("disabled", 0))


def children_of(
    changes: Changes, job: Job, ledger: Ledger, sent_by: Collection[str] | None = None
) -> pl.DataFrame:
    """The active records that name one that is to be deleted: all, or those that some runs have sent."""
    found = [no_children()]
    for name, part in changes.items():
        going = part.of("delete")["sourcedId"]
        for child in _referring(name, job.load.target.profile.collections) if going.len() else ():
            details = ledger.details(job.key, child).filter(pl.col("status") == "active")
            if sent_by is not None:
                details = details.filter(pl.col("run").is_in(list(sent_by)))
            named = details.select("sourcedId", parent=ids_in(pl.col("parents"), name)).explode(
                "parent"
            )
            named = named.filter(pl.col("parent").is_in(going.implode()))
            found.append(
                named.select(
                    entity=pl.lit(child), sourcedId="sourcedId", of=pl.lit(name), parent="parent"
                )
            )
    return pl.concat(found).select(*CHILDREN)


def _referring(name: str, collections: Collection[str]) -> list[str]:
    """The entities whose records may name one of this entity; demographics are a part of their user, and follow it."""
    return [
        other.name
        for other in ENTITIES.values()
        if not other.folds_into and other.name in collections and other.name != "demographics"
        if any(column.refers == name for column in other.references)
    ]


def _strangers(changes: Changes, job: Job, ledger: Ledger) -> int:
    """Look up a few of the drop's ids in a target of which this feed's ledger knows nothing."""
    if job.guard.first_run or ledger.intended(job.key) or job.nothing_there:
        return 0
    others = ledger.of_others(job.key, SAMPLED)
    wanted = {}
    for name in SAMPLED:
        part = changes.get(name)
        if part is None:
            continue
        new = part.upserts.filter(pl.col(ACTION) == "create")["sourcedId"]
        if name in others:
            new = new.filter(~new.is_in(others[name].implode()))
        wanted[name] = (
            list(dict.fromkeys(new[place] for place in (0, new.len() // 2, new.len() - 1)))
            if new.len()
            else []
        )
    if not any(wanted.values()):
        return 0
    from flows.send import count_active

    return count_active(wanted, job)


# A feed that has not run for so long, and twice as long as it ever has between two of its last runs, is taken to be given up.
QUIET = timedelta(days=14)
LAST = 10


def left_behind(changes: Changes, job: Job, ledger: Ledger) -> pl.DataFrame:
    """The records that vanished from this feed, and that of all others only feeds have sent that no longer run (columns of `LEFT_BEHIND`).

    Such a feed has sent most of what this one has of an entity: a few records in common are no sign of a new name.
    """
    claims = [
        _claims(name, part.of(*VANISHED)["sourcedId"], job, ledger)
        for name, part in changes.items()
    ]
    found = pl.concat([pl.DataFrame(schema=LEFT_BEHIND).drop("last", "now"), *claims])
    feeds = found["feed"].unique(maintain_order=True).to_list()
    last = {feed: _idle_since(FeedKey(job.key.target, feed), job, ledger) for feed in feeds}
    said = (
        pl.col("feed").replace_strict(last, default=None, return_dtype=pl.String)
        if last
        else pl.lit(None, pl.String)
    )
    found = found.with_columns(last=said, now=pl.lit(job.run.feed))
    living = found.filter(pl.col("last").is_null()).select("entity", "sourcedId")
    idle = found.drop_nulls("last").join(
        living, on=["entity", "sourcedId"], how="anti", maintain_order="left"
    )
    same = [
        (feed, name)
        for feed, name in idle.select("feed", "entity").unique(maintain_order=True).iter_rows()
        if _has_most(feed, name, job, ledger)
    ]
    pairs = pl.DataFrame(same, schema={"feed": pl.String, "entity": pl.String}, orient="row")
    return idle.join(pairs, on=["feed", "entity"], how="semi", maintain_order="left").select(
        *LEFT_BEHIND
    )


def _claims(name: str, gone: pl.Series, job: Job, ledger: Ledger) -> pl.DataFrame:
    rows = (
        ledger.claims(job.key, name, gone, (ACTIVE,))
        if gone.len()
        else pl.DataFrame(schema={"sourcedId": pl.String, "feed": pl.String})
    )
    return rows.select(entity=pl.lit(name), sourcedId="sourcedId", feed="feed")


def _has_most(feed: str, name: str, job: Job, ledger: Ledger) -> bool:
    """Whether another feed has at least half of this one's records of an entity."""
    ours, theirs = (ledger.known(key).get(name) for key in (job.key, FeedKey(job.key.target, feed)))
    if ours is None or theirs is None:
        return False
    held = [
        frame.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"] for frame in (ours, theirs)
    ]
    return 2 * held[0].is_in(held[1].implode()).sum() >= held[0].len()


def _idle_since(other: FeedKey, job: Job, ledger: Ledger) -> str | None:
    """When a feed last ran, if it no longer does: for much longer than it is used to, or since this one began to read its drops."""
    runs = [run for run in ledger.runs(other) if run.command == "sync"]
    ours = [run for run in ledger.runs(job.key) if run.command == "sync" and run.id != job.run.id]
    if not runs:
        return "never"
    said = f"on {runs[0].started:%Y-%m-%d}"
    if ours and runs[0].started < ours[-1].started and _source(runs[0]) in map(_source, ours):
        return said
    return (
        said
        if datetime.now(UTC) - runs[0].started > max(QUIET, 2 * _longest(runs[:LAST]))
        else None
    )


def _source(run: Run) -> str:
    """What a run's drop is called, whatever its day."""
    # That module asks for the runs before, which ask for this one.
    from flows.rest_source import CHANGES

    return re.sub(r"\d", "", run.drop.partition(CHANGES)[0])


def _longest(runs: list[Run]) -> timedelta:
    """The longest time between two runs, which are given the newest first."""
    return max(
        (later.started - earlier.started for later, earlier in pairwise(runs)), default=timedelta()
    )
