"""What step 6, the guard, needs to know about earlier runs and about the target.

Most questions are asked only if the changes need an answer, so a night without changes is fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.history import Run
from connectors.roster_archive import Archive
from flows.evidence import (
    SentRecords,
    SessionFacts,
    active_people,
    class_sizes,
    column_histories,
    group_totals,
    losses_since,
    names_in,
    records_as_sent,
    roster_reader,
    session_facts,
    settled_ids,
)
from flows.job import Job
from flows.ownership import has_most, idle_since
from flows.result import COUNTED, DONE
from flows.run_history import day_of, has_loaded
from transforms.changes import ACTION, ACTIVE, Changes
from transforms.checks.references import LedgerFrames, parent_ids
from transforms.findings import Findings
from transforms.guard import GuardContext, Rejections
from transforms.guard.context import CHILDREN, CLAIMED, LEFT_BEHIND, no_children, no_totals
from transforms.guard.holds import REMOVAL_ACTIONS
from transforms.removals import Details
from transforms.schemas import ENTITIES

WEEK = timedelta(days=7)
# A drop with no more changes than this may equal an older one by chance.
FEW = 10
# Entities of which a few records are looked up in the target.
SAMPLED_ENTITIES = ("orgs", "users", "courses", "classes")


def guard_context(
    changes: Changes,
    rejections: Mapping[str, Rejections],
    known: LedgerFrames,
    job: Job,
    ledger: Ledger,
    archive: Archive,
    findings: Findings | None = None,
) -> GuardContext:
    """Return what the guard needs for these changes. `findings` are those of the drop.

    If nothing changed, the ledger is read only if rows were rejected.
    """
    if not any(part.upserts.height or part.removals.height for part in changes.values()):
        faulty = any(one.faults for one in rejections.values())
        return GuardContext(
            rejections=rejections, totals=ledger.totals(job.key) if faulty else no_totals()
        )
    begun = [run for run in ledger.runs(job.key) if run.command == "sync" and run.id != job.run.id]
    runs = [run for run in begun if run.ended]
    newest = None
    if not job.source.older:
        newest = next((run.drop_date for run in runs if run.drop_date and has_loaded(run)), None)
    there = any(frame.height for frame in known.values())
    sent = records_as_sent(changes, known, job, ledger, archive)
    before = roster_reader(job.source.before, archive)
    people, terms = active_people(sent, known, before), session_facts(changes, job, ledger)
    return GuardContext(
        totals=ledger.totals(job.key) if there else no_totals(),
        week=_losses_of_week(begun, changes, sent, people, terms, known, job, ledger, archive),
        children=children_of(changes, job, ledger),
        rejections=rejections,
        newest=newest,
        dated=job.source.dated,
        today=job.run.today,
        twin=_twin(changes, runs, job, ledger, archive),
        strangers=0 if there else _count_strangers(changes, job, ledger),
        blackout=job.guard.blackout,
        adds_only=job.guard.adds_only,
        ask_first=job.guard.ask_first,
        sent=sent,
        groups=group_totals(people),
        sizes=class_sizes(people),
        over=terms.over,
        ends=terms.ends,
        taught=terms.taught,
        read=_read_last_time(runs),
        settled=settled_ids(runs, job, archive),
        names=names_in(sent, before),
        columns=column_histories(changes, sent, before, rejections, findings or Findings()),
        left_behind=left_behind_records(changes, job, ledger),
        claimed=_claimed_ids(changes, job, ledger),
    )


def _losses_of_week(
    runs: Sequence[Run],
    changes: Changes,
    sent: SentRecords,
    there: SentRecords,
    terms: SessionFacts,
    known: LedgerFrames,
    job: Job,
    ledger: Ledger,
    archive: Archive,
) -> dict[str, int] | None:
    """Return how many records of each entity were lost in the last seven days.

    None if there are records but no `runs`. Losses that a person approved do not count.
    """
    if not runs:
        return None if any(frame.height for frame in known.values()) else {}
    since = datetime.now(UTC) - WEEK
    # Removals are in the rows of the ledger, even those of a killed run.
    lost = Counter(ledger.left_since(job.key, since, but=job.run.id))
    # Rows do not tell why a record was kept, so records kept by policy come from the runs. A killed
    # run has kept nothing yet.
    for run in runs:
        if run.started >= since and not run.approved and not run.raised:
            lost.update({name: _kept_by_policy(counts) for name, counts in run.counts.items()})
    # For people who were locked out, and records that ended, compare with a roster of a week ago.
    kept = archive.runs()
    old = next(
        (run.id for run in runs if run.started < since and run.id in kept), next(iter(kept), "")
    )
    if old:
        lost.update(losses_since(old, changes, sent, there, terms, job, ledger, archive))
    return dict(lost)


def _kept_by_policy(counts: Mapping[str, int]) -> int:
    return max(0, counts.get(COUNTED, 0) - counts.get("deleted", 0) - counts.get("disabled", 0))


def _twin(
    changes: Changes, runs: list[Run], job: Job, ledger: Ledger, archive: Archive
) -> date | None:
    """Return the day of a roster, more than a week old, that this one equals.

    None if the last roster equals it too, or if the drop changes so little that this may be chance:
    perhaps a new student has left again.
    """
    changed = sum(part.upserts.height + part.removals.height for part in changes.values())
    if job.source.older or changed <= FEW:
        return None
    content = archive.digest(job.run.id) if job.run.id in archive.runs() else ""
    digests = [(run, _content(run, runs, ledger)) for run in runs if has_loaded(run)]
    digests = [(run, digest) for run, digest in digests if digest]
    if not content or not digests or digests[0][1] == content:
        return None
    since = datetime.now(UTC) - WEEK
    return next(
        (day_of(run) for run, digest in digests if digest == content and run.started < since), None
    )


def _content(run: Run, runs: list[Run], ledger: Ledger) -> str:
    """Return the digest of the roster that a run loaded. An approval loads that of its plan."""
    plan = ledger.plan(run.approved) if run.approved else None
    return next((one.content for one in runs if one.id == plan.run), "") if plan else run.content


def _read_last_time(runs: list[Run]) -> dict[str, int]:
    """Return how many records of each entity the last good drop had."""
    good = next(
        (run for run in runs if run.exit_code == DONE and has_loaded(run) and not run.approved),
        None,
    )
    return {name: counts.get("read", 0) for name, counts in good.counts.items()} if good else {}


def _count_strangers(changes: Changes, job: Job, ledger: Ledger) -> int:
    """Return how many of a few ids of the drop the target holds, if the ledger is empty."""
    if job.guard.first_run or ledger.intended(job.key) or job.nothing_there:
        return 0
    others = ledger.of_others(job.key, SAMPLED_ENTITIES)
    wanted = {}
    for name in SAMPLED_ENTITIES:
        part = changes.get(name)
        if part is None:
            continue
        new = part.upserts.filter(pl.col(ACTION) == "create")["sourcedId"]
        if name in others:
            new = new.filter(~new.is_in(others[name].implode()))
        places = (0, new.len() // 2, new.len() - 1) if new.len() else ()
        wanted[name] = list(dict.fromkeys(new[place] for place in places))
    if not any(wanted.values()):
        return 0
    # The HTTP client takes time to import, and only a first load asks the target.
    from flows.send import count_active

    return count_active(wanted, job)


def left_behind_records(changes: Changes, job: Job, ledger: Ledger) -> pl.DataFrame:
    """Return the records missing from the drop that only feeds which no longer run have sent too.

    Such a feed may be this one under an earlier name. So it counts only if it has at least half of
    the records that this one has of the entity. Columns are those of `LEFT_BEHIND`.
    """
    claims = [
        _claims(name, part.of(*REMOVAL_ACTIONS)["sourcedId"], job, ledger)
        for name, part in changes.items()
    ]
    found = pl.concat([pl.DataFrame(schema=LEFT_BEHIND).drop("last", "now"), *claims])
    feeds = found["feed"].unique(maintain_order=True).to_list()
    last = {feed: idle_since(FeedKey(job.key.target, feed), job, ledger) for feed in feeds}
    last_run = (
        pl.col("feed").replace_strict(last, default=None, return_dtype=pl.String)
        if last
        else pl.lit(None, pl.String)
    )
    found = found.with_columns(last=last_run, now=pl.lit(job.run.feed))
    of_running_feeds = found.filter(pl.col("last").is_null()).select("entity", "sourcedId")
    idle = found.drop_nulls("last").join(
        of_running_feeds, on=["entity", "sourcedId"], how="anti", maintain_order="left"
    )
    alike = [
        (feed, name)
        for feed, name in idle.select("feed", "entity").unique(maintain_order=True).iter_rows()
        if has_most(feed, name, job, ledger)
    ]
    pairs = pl.DataFrame(alike, schema={"feed": pl.String, "entity": pl.String}, orient="row")
    return idle.join(pairs, on=["feed", "entity"], how="semi", maintain_order="left").select(
        *LEFT_BEHIND
    )


def _claimed_ids(changes: Changes, job: Job, ledger: Ledger) -> pl.DataFrame:
    """Return the new records that other feeds have sent (columns of `CLAIMED`)."""
    found = [pl.DataFrame(schema=CLAIMED)]
    if ledger.other_feeds(job.key):
        for name, part in changes.items():
            new = part.upserts.filter(pl.col(ACTION) == "create")["sourcedId"]
            if new.len():
                rows = ledger.claims(job.key, name, new)
                found.append(rows.select(pl.lit(name).alias("entity"), *rows.columns))
    return pl.concat(found)


def _claims(name: str, gone: pl.Series, job: Job, ledger: Ledger) -> pl.DataFrame:
    """Return the other feeds that have sent records, which are active: entity, id, feed."""
    rows = (
        ledger.claims(job.key, name, gone, (ACTIVE,))
        if gone.len()
        else pl.DataFrame(schema={"sourcedId": pl.String, "feed": pl.String})
    )
    return rows.select(entity=pl.lit(name), sourcedId="sourcedId", feed="feed")


def details_of_removals(changes: Changes, job: Job, ledger: Ledger) -> Details:
    """Return the ledger's details of records that are missing from the drop, by entity.

    If enrollments or classes are among them, the details of all sessions (and classes) come too.
    These tell which terms are over.
    """
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


def children_of(
    changes: Changes, job: Job, ledger: Ledger, sent_by: Collection[str] | None = None
) -> pl.DataFrame:
    """Return the active records that name a record to be deleted (columns `CHILDREN`).

    With `sent_by`, only the records that these runs have sent.
    """
    found = [no_children()]
    for name, part in changes.items():
        going = part.of("delete")["sourcedId"]
        for child in _referring(name, job.load.target.profile.collections) if going.len() else ():
            details = ledger.details(job.key, child).filter(pl.col("status") == "active")
            if sent_by is not None:
                details = details.filter(pl.col("run").is_in(list(sent_by)))
            parents = details.select("sourcedId", parent=parent_ids(pl.col("parents"), name))
            named = parents.explode("parent").filter(pl.col("parent").is_in(going.implode()))
            found.append(
                named.select(
                    entity=pl.lit(child), sourcedId="sourcedId", of=pl.lit(name), parent="parent"
                )
            )
    return pl.concat(found).select(*CHILDREN)


def _referring(name: str, collections: Collection[str]) -> list[str]:
    """Return the entities that may refer to this one.

    Demographics are not among them. They are part of their user, and follow it.
    """
    return [
        other.name
        for other in ENTITIES.values()
        if not other.folds_into and other.name in collections and other.name != "demographics"
        if any(column.refers == name for column in other.references)
    ]
