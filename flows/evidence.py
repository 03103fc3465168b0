"""What the archived rosters and the ledger say about the records that a run changes.

The guard compares the changes with it. Archived rosters have the records as the target has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import Run
from connectors.roster_archive import Archive
from flows.job import Job
from transforms.changes import ACTION, ACTIVE, Changes, EntityChanges
from transforms.checks.references import LedgerFrames, parent_ids
from transforms.diff import school_of
from transforms.findings import Findings, files_of
from transforms.guard import Rejections
from transforms.guard.context import (
    GROUPS,
    NAME,
    ColumnHistory,
    no_groups,
    no_sizes,
    with_columns_of,
)
from transforms.guard.harm import losses_by_update
from transforms.guard.holds import groups_of_records
from transforms.guard.new_ids import MADE_OF
from transforms.removals import ended_records
from transforms.schemas import ENTITIES

# By entity, records as they were sent.
SentRecords = Mapping[str, pl.DataFrame]
# Reads the records of one entity of a roster.
ReadEntity = Callable[[str], pl.DataFrame | None]
NAMED = {"orgs": "name", "classes": "title"}
# Entities whose changes need another entity's records.
OF = {"demographics": ("users", "demographics")}


def roster_reader(run: str, archive: Archive) -> ReadEntity:
    """Return a function that reads the roster of a run, each entity once.

    It returns None if the roster is not in the archive, or does not have the entity.
    """
    there = run in archive.runs()
    return cache(lambda entity: archive.frame(run, entity) if there else None)


def records_as_sent(
    changes: Changes, known: LedgerFrames, job: Job, ledger: Ledger, archive: Archive
) -> SentRecords:
    """Return the records that change or that new records may duplicate, as they were sent."""
    names = set(changes)
    if "users" in changes and "demographics" in known:
        names.add("demographics")
    found = {}
    for name in names:
        ids = _ids_to_look_up(name, changes, known)
        if ids.len():
            rows = known[name].filter(pl.col("sourcedId").is_in(ids.implode()))
            fingerprints = rows.select("sourcedId", "fingerprint")
            found[name] = archive.sent(name, fingerprints, job.source.before)
    if "users" in found:
        found["users"] = _with_names(found["users"], changes["users"], job, ledger)
    return found


def _ids_to_look_up(name: str, changes: Changes, known: LedgerFrames) -> pl.Series:
    """Return the ids that change, and all active ids if new records may duplicate others."""
    parts = [changes[one] for one in OF.get(name, (name,)) if one in changes]
    part = next((one for one in parts if one.upserts.height or one.removals.height), None)
    if part is None or name not in known:
        return pl.Series("sourcedId", dtype=pl.String)
    active = known[name].filter(pl.col("status") == ACTIVE)["sourcedId"]
    if name == "demographics":
        return active
    changed = _changed_ids(part)
    new = (part.upserts[ACTION] == "create").any()
    if name == "users" or (new and name in MADE_OF):
        return pl.concat([active, changed]).unique()
    return changed


def _changed_ids(part: EntityChanges) -> pl.Series:
    """Return the ids of earlier records that change or are missing from the drop."""
    updated = part.upserts.filter(pl.col(ACTION) != "create")["sourcedId"]
    return pl.concat([updated, part.removals["sourcedId"]])


def _with_names(users: pl.DataFrame, part: EntityChanges, job: Job, ledger: Ledger) -> pl.DataFrame:
    """Add people who are in no archived roster, with the name that the ledger has."""
    ids = _changed_ids(part)
    unseen = ids.filter(~ids.is_in(users["sourcedId"].implode()))
    if not unseen.len():
        return users
    labels = ledger.details(job.key, "users", unseen).select(
        "sourcedId", pl.col("label").alias(NAME)
    )
    return pl.concat([users, labels], how="diagonal")


def active_people(sent: SentRecords, known: LedgerFrames, before: ReadEntity) -> SentRecords:
    """Return all active users and enrollments, if any of them changes.

    Those that change are as they were sent, and the others as the last roster has them.
    """
    return {
        name: _active(sent[name], known[name], before(name))
        for name in ("users", "enrollments")
        if name in sent
    }


def _active(sent: pl.DataFrame, known: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    active = known.filter(pl.col("status") == ACTIVE).select("sourcedId")
    frames = [frame for frame in (sent, before) if frame is not None]
    records = pl.concat(frames, how="diagonal")
    records = records.unique("sourcedId", keep="first", maintain_order=True)
    return records.join(active, on="sourcedId", how="semi")


def group_totals(there: SentRecords) -> pl.DataFrame:
    """Count the active users and enrollments by group and school (columns of `GROUPS`)."""
    found = [no_groups()]
    for name, records in there.items():
        placed = records.select(
            groups_of_records(name, records).alias("group"),
            school_of(ENTITIES[name], records).alias("school"),
        )
        counts = placed.drop_nulls("group").group_by("group", "school").len("records")
        counts = counts.select(pl.lit(name).alias("entity"), "group", "school", "records")
        found.append(counts.cast(GROUPS))  # type: ignore[arg-type]
    return pl.concat(found)


def class_sizes(there: SentRecords) -> pl.DataFrame:
    """Count the people (`records`) of each `class` (columns of `SIZES`)."""
    if "enrollments" not in there:
        return no_sizes()
    classes = with_columns_of(there["enrollments"], ["classSourcedId"])
    return (
        classes.group_by(pl.col("classSourcedId").alias("class"))
        .len("records")
        .cast({"records": pl.Int64})
    )


@dataclass(frozen=True)
class SessionFacts:
    """What the ledger knows about sessions."""

    # Classes whose terms are over, each with the day on which the last one ended.
    over: Mapping[str, str] = field(default_factory=dict)
    # The last day of each session.
    ends: Mapping[str, str | None] = field(default_factory=dict)
    # The number of active classes in each session.
    taught: Mapping[str, int] = field(default_factory=dict)


def session_facts(changes: Changes, job: Job, ledger: Ledger) -> SessionFacts:
    """Read the sessions from the ledger, if sessions, classes or enrollments are to be sent."""
    if not any(
        name in changes and changes[name].upserts.height
        for name in ("academicSessions", "classes", "enrollments")
    ):
        return SessionFacts()
    details = {name: ledger.details(job.key, name) for name in ("academicSessions", "classes")}
    terms = details["classes"].select(
        "sourcedId", "status", term=parent_ids(pl.col("parents"), "academicSessions")
    )
    terms = terms.explode("term").drop_nulls("term")
    ended = ended_records(details, job.run.today).get("classes", pl.Series(dtype=pl.String))
    over = (
        terms.filter(pl.col("sourcedId").is_in(ended.implode()))
        .join(details["academicSessions"], left_on="term", right_on="sourcedId")
        .group_by("sourcedId")
        .agg(pl.col("ends").max())
    )
    return SessionFacts(
        dict(over.drop_nulls().iter_rows()),
        dict(details["academicSessions"].select("sourcedId", "ends").iter_rows()),
        dict(terms.filter(status=ACTIVE).group_by("term").len().iter_rows()),
    )


def losses_since(
    run: str,
    changes: Changes,
    sent: SentRecords,
    there: SentRecords,
    terms: SessionFacts,
    job: Job,
    ledger: Ledger,
    archive: Archive,
) -> dict[str, int]:
    """Count what updates took away since the roster of a run, for entities where more is to come.

    These are users who were locked out, and records that ended or were postponed. What a person
    approved does not count.
    """
    day, found = job.run.today, {}
    for name, records in there.items():
        losses = losses_by_update(
            name, changes[name].upserts, sent[name], day, terms.over, terms.ends
        )
        if not losses.count():
            continue
        old, now = archive.frame(run, name), records.with_columns(pl.lit("update").alias(ACTION))
        losses = losses_by_update(name, now, old, day, terms.over, terms.ends)
        ids = now.filter(losses.is_not_null())["sourcedId"]
        approved = [one.id for one in ledger.runs(job.key) if one.approved]
        details = ledger.details(job.key, name, ids)
        found[name] = details.filter(~pl.col("run").is_in(approved)).height
    return found


def column_histories(
    changes: Changes,
    sent: SentRecords,
    before: ReadEntity,
    rejections: Mapping[str, Rejections],
    findings: Findings,
) -> dict[str, dict[str, ColumnHistory]]:
    """Return the columns that had values before, of each entity that has updates."""
    found = {}
    for name, part in changes.items():
        if name in sent and (part.upserts[ACTION] == "update").any():
            file = rejections[name].file if name in rejections else ""
            unread = tuple(
                notice.column
                for notice in findings.notices
                if notice.rule == "header_unknown" and notice.file in files_of(file)
            )
            found[name] = _column_histories(part, sent[name], before(name), file, unread)
    return found


def _column_histories(
    part: EntityChanges,
    sent: pl.DataFrame,
    before: pl.DataFrame | None,
    file: str,
    unread: tuple[str, ...],
) -> dict[str, ColumnHistory]:
    entity = ENTITIES[part.entity]
    frames = [frame for frame in (sent, before) if frame is not None]
    filled = {
        name: max(frame[name].count() for frame in frames if name in frame.columns)
        for name in sent.columns
        if name in entity.by_name and name != "sourcedId"
    }
    return {
        name: ColumnHistory(count, name not in part.said, file, unread)
        for name, count in filled.items()
        if count
    }


def settled_ids(runs: Sequence[Run], job: Job, archive: Archive) -> dict[str, pl.Series] | None:
    """Return the ids of users and classes in the roster of the last run that left nothing unsent.

    None if there is no such run. `runs` has the newest first.
    """
    kept = archive.runs()
    settled = (
        run.id for run in runs if run.id in kept and run.id != job.run.id and _is_settled(run)
    )
    last = next(settled, None)
    if last is None:
        return None
    frames = {name: archive.frame(last, name) for name in ("users", "classes")}
    return {name: frame["sourcedId"] for name, frame in frames.items() if frame is not None}


def _is_settled(run: Run) -> bool:
    waiting = any(counts.get("waiting", 0) for counts in run.counts.values())
    return run.ended is not None and run.status not in ("", "refused") and not waiting


def names_in(sent: SentRecords, before: ReadEntity) -> dict[str, str]:
    """Return names by `entity:sourcedId`: of schools, and of classes if enrollments change."""
    wanted = {
        entity: column
        for entity, column in NAMED.items()
        if entity == "orgs" or "enrollments" in sent
    }
    return {
        f"{entity}:{sourced_id}": name
        for entity, column in wanted.items()
        for sourced_id, name in with_columns_of(before(entity), [column]).drop_nulls().iter_rows()
    }
