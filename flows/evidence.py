"""What the guard is shown of the records that are to change: as the target has them, out of the archived rosters."""

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
from transforms.checks.references import Known, ids_in
from transforms.diff import school_of
from transforms.findings import Findings, files_of
from transforms.guard import Rejections
from transforms.guard.context import (
    GROUPED,
    NAME,
    ColumnHistory,
    no_groups,
    no_sizes,
    with_columns_of,
)
from transforms.guard.harm import taking
from transforms.guard.holds import grouped
from transforms.guard.new_ids import MADE_OF
from transforms.removals import what_is_over
from transforms.schemas import ENTITIES

Sent = Mapping[str, pl.DataFrame]
# Reads the records of one entity of a roster.
Before = Callable[[str], pl.DataFrame | None]
NAMED = {"orgs": "name", "classes": "title"}
# By whose changes some records are asked for.
OF = {"demographics": ("users", "demographics")}


def reading(run: str, archive: Archive) -> Before:
    """Give what reads the roster of a run, each entity once; none has any if the roster is not kept."""
    there = run in archive.runs()
    return cache(lambda entity: archive.frame(run, entity) if there else None)


def sent_before(changes: Changes, known: Known, job: Job, ledger: Ledger, archive: Archive) -> Sent:
    """Give the records that are to change as they were sent, and those that new ones may be under other ids, by entity."""
    found = {}
    for name in changes.keys() | (
        {"demographics"} if "users" in changes and "demographics" in known else set()
    ):
        ids = _wanted(name, changes, known)
        if ids.len():
            wanted = (
                known[name]
                .filter(pl.col("sourcedId").is_in(ids.implode()))
                .select("sourcedId", "fingerprint")
            )
            found[name] = archive.sent(name, wanted, job.source.before)
    if "users" in found:
        found["users"] = _with_names(found["users"], changes["users"], job, ledger)
    return found


def _wanted(name: str, changes: Changes, known: Known) -> pl.Series:
    """The ids of the records to show: what changes or vanished; all that are there where new ones may be the same."""
    part = next(
        (
            changes[one]
            for one in OF.get(name, (name,))
            if one in changes and _changes(changes[one])
        ),
        None,
    )
    if part is None or name not in known:
        return pl.Series("sourcedId", dtype=pl.String)
    there = known[name].filter(pl.col("status") == ACTIVE)["sourcedId"]
    if name == "demographics":
        return there
    changed = pl.concat(
        [part.upserts.filter(pl.col(ACTION) != "create")["sourcedId"], part.removals["sourcedId"]]
    )
    new = (part.upserts[ACTION] == "create").any()
    return (
        pl.concat([there, changed]).unique()
        if name == "users" or (new and name in MADE_OF)
        else changed
    )


def _changes(part: EntityChanges) -> bool:
    return bool(part.upserts.height or part.removals.height)


def _with_names(users: pl.DataFrame, part: EntityChanges, job: Job, ledger: Ledger) -> pl.DataFrame:
    """Add people of whom no roster is kept, by the name that the ledger has."""
    ids = pl.concat(
        [part.upserts.filter(pl.col(ACTION) != "create")["sourcedId"], part.removals["sourcedId"]]
    )
    unseen = ids.filter(~ids.is_in(users["sourcedId"].implode()))
    if not unseen.len():
        return users
    named = ledger.details(job.key, "users", unseen).select(
        "sourcedId", pl.col("label").alias(NAME)
    )
    return pl.concat([users, named], how="diagonal")


def groups_of(there: Sent) -> pl.DataFrame:
    """Count the active users and enrollments by group and school (columns of `GROUPED`)."""
    found = [no_groups()]
    for name, records in there.items():
        placed = records.select(
            grouped(name, records).alias("group"),
            school_of(ENTITIES[name], records).alias("school"),
        )
        counted = placed.drop_nulls("group").group_by("group", "school").len("records")
        found.append(
            counted.select(pl.lit(name).alias("entity"), "group", "school", "records").cast(GROUPED)
        )  # type: ignore[arg-type]
    return pl.concat(found)


def sizes_of(there: Sent) -> pl.DataFrame:
    """Count the people (`records`) of each `class`."""
    if "enrollments" not in there:
        return no_sizes()
    classes = with_columns_of(there["enrollments"], ["classSourcedId"])
    return (
        classes.group_by(pl.col("classSourcedId").alias("class"))
        .len("records")
        .cast({"records": pl.Int64})
    )


@dataclass(frozen=True)
class Terms:
    """What the ledger knows of sessions: the ids of classes that are `over`, the last days (`ends`), and how many classes are `taught` in each."""

    over: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.String))
    ends: Mapping[str, str | None] = field(default_factory=dict)
    taught: Mapping[str, int] = field(default_factory=dict)


def terms_of(changes: Changes, job: Job, ledger: Ledger) -> Terms:
    """Ask for the sessions, if they, classes or enrollments are to change."""
    if not any(
        name in changes and changes[name].upserts.height
        for name in ("academicSessions", "classes", "enrollments")
    ):
        return Terms()
    details = {name: ledger.details(job.key, name) for name in ("academicSessions", "classes")}
    taught = (
        details["classes"]
        .filter(status=ACTIVE)
        .select(term=ids_in(pl.col("parents"), "academicSessions"))
        .explode("term")
    )
    return Terms(
        what_is_over(details, job.run.today).get("classes", pl.Series(dtype=pl.String)),
        dict(details["academicSessions"].select("sourcedId", "ends").iter_rows()),
        dict(taught.drop_nulls().group_by("term").len().iter_rows()),
    )


def taken_since(
    run: str,
    changes: Changes,
    sent: Sent,
    there: Sent,
    terms: Terms,
    job: Job,
    ledger: Ledger,
    archive: Archive,
) -> dict[str, int]:
    """Count by entity who was locked out and what was ended since the roster of a run, where more of that is to come.

    What a person approved is decided, and left out.
    """
    found = {}
    for name, records in there.items():
        if taking(
            name, changes[name].upserts, sent[name], job.run.today, terms.over, terms.ends
        ).count():
            old, now = (
                archive.frame(run, name),
                records.with_columns(pl.lit("update").alias(ACTION)),
            )
            taken = now.filter(
                taking(name, now, old, job.run.today, terms.over, terms.ends).is_not_null()
            )["sourcedId"]
            approved = [one.id for one in ledger.runs(job.key) if one.approved]
            found[name] = (
                ledger.details(job.key, name, taken).filter(~pl.col("run").is_in(approved)).height
            )
    return found


def there_of(sent: Sent, known: Known, before: Before) -> Sent:
    """The active users and enrollments, if any of them is to change: those as they were sent, the others as the last roster has them."""
    return {
        name: _there(sent[name], known[name], before(name))
        for name in ("users", "enrollments")
        if name in sent
    }


def _there(sent: pl.DataFrame, known: pl.DataFrame, before: pl.DataFrame | None) -> pl.DataFrame:
    active = known.filter(pl.col("status") == ACTIVE).select("sourcedId")
    frames = [frame for frame in (sent, before) if frame is not None]
    there = pl.concat(frames, how="diagonal").unique("sourcedId", keep="first", maintain_order=True)
    return there.join(active, on="sourcedId", how="semi")


def columns_of(
    changes: Changes,
    sent: Sent,
    before: Before,
    rejections: Mapping[str, Rejections],
    findings: Findings,
) -> dict[str, dict[str, ColumnHistory]]:
    """Say which columns of the entities that have updates were filled before, and whether the drop has them."""
    found = {}
    for name, part in changes.items():
        if name in sent and (part.upserts[ACTION] == "update").any():
            file = rejections[name].file if name in rejections else ""
            found[name] = _columns(part, sent[name], before(name), file, _strange(file, findings))
    return found


def _columns(
    part: EntityChanges,
    sent: pl.DataFrame,
    before: pl.DataFrame | None,
    file: str,
    strange: tuple[str, ...],
) -> dict[str, ColumnHistory]:
    entity = ENTITIES[part.entity]
    frames = [frame for frame in (sent, before) if frame is not None]
    filled = {
        name: max(frame[name].count() for frame in frames if name in frame.columns)
        for name in sent.columns
        if name in entity.by_name and name != "sourcedId"
    }
    return {
        name: ColumnHistory(count, name not in part.said, file, strange)
        for name, count in filled.items()
        if count
    }


def _strange(file: str, findings: Findings) -> tuple[str, ...]:
    """The columns of some files that nothing reads."""
    files = files_of(file)
    return tuple(
        one.column for one in findings.notices if one.rule == "header_unknown" and one.file in files
    )


def settled_in(runs: Sequence[Run], job: Job, archive: Archive) -> dict[str, pl.Series] | None:
    """Give the ids of users and classes by the roster of the last of `runs`, the newest first, that sent all that it was to send; None if none did."""
    kept = archive.runs()
    last = next(
        (
            run.id
            for run in runs
            if run.id in kept and run.id != job.run.id and _came_to_its_end(run)
        ),
        None,
    )
    if last is None:
        return None
    frames = {name: archive.frame(last, name) for name in ("users", "classes")}
    return {name: frame["sourcedId"] for name, frame in frames.items() if frame is not None}


def _came_to_its_end(run: Run) -> bool:
    waiting = any(counts.get("waiting", 0) for counts in run.counts.values())
    return run.ended is not None and run.status not in ("", "refused") and not waiting


def names_in(sent: Sent, before: Before) -> dict[str, str]:
    """Give the names of schools, and those of classes if enrollments are to change, by `entity:sourcedId`."""
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
