"""Plans: the held changes of a run, stored in the ledger so that a person can approve them later.

Two files in the folder of the run show a plan to people. `plan.md` says what waits, how much of it,
where and why. It has ids but no other personal data, and shortens ids that contain a name.
`plan.csv` has the names too, for the person who must decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl

from connectors.ledger import Ledger
from connectors.ledger.history import Plan
from connectors.roster_archive import Archive
from flows.job import Job
from flows.result import RunResult
from flows.run_files import RunFile, write_run_file
from flows.safe_text import public_text, spreadsheet_cell
from transforms.checks.references import LedgerFrames
from transforms.grammar import agree
from transforms.guard import Hold, changed_since, fill_grades, plan_id, unsent_records
from transforms.guard.plan import ENTITIES_WITH_GRADES, by_entity
from transforms.schemas import ENTITIES

ACTION_WORDS = {
    "create": "created",
    "update": "updated",
    "revive": "brought back",
    "delete": "deleted",
    "disable": "disabled",
    "end": "ended",
    "leave": "left to the other feeds that have them",
    "keep": "kept, as vanished",
}
# How many ids of one kind `plan.md` lists.
MOST_IDS = 2000
# The rule of changes that a plan has taken over from an older plan.
WAITS = "waits"


def store_plan(result: RunResult, job: Job, ledger: Ledger, archive: Archive) -> RunResult:
    """Store the held changes of a sync as a plan, and write its files.

    Returns the result with the plan's id and the time at which it expires. Other commands get the
    id only.
    """
    if job.run.command == "sync" and result.content:
        close_expired_plans(job, ledger)
        result = _with_older_plans(result, job, ledger)
    if result.records.is_empty():
        return result
    result = replace(result, records=fill_grades(result.records, _rosters(job, archive)))
    plan = plan_id(result.records, _feed(job))
    if job.run.command != "sync":
        return replace(result, plan=plan)
    made = datetime.now(UTC)
    expires = result.expires or made + timedelta(days=job.run.plan_days)
    source = result.source or job.run.id
    ledger.propose(Plan(plan, job.key, source, made, expires, holds=result.holds), result.records)
    page = public_text("\n".join(_page_lines(plan, source, result, expires)))
    table = _table_with_names(result.records, source, job, ledger, archive)
    # People also look in the folder of the run whose roster the changes come from.
    for folder in dict.fromkeys((job.folder, job.folder.with_name(source))):
        write_run_file(folder, "plan.md", page)
        write_run_file(folder, "plan.csv", table)
        pair_files: dict[RunFile, bool] = {"ids.csv": True, "ids_in_doubt.csv": False}
        for name, certain in pair_files.items():
            if (pairs := result.pairs.filter(certain=certain)).height:
                write_run_file(folder, name, pairs.select("old", "new", "entity").write_csv())
    return replace(result, plan=plan, expires=expires)


def close_expired_plans(job: Job, ledger: Ledger) -> None:
    """Close the open plans of a feed that have expired."""
    now = datetime.now(UTC)
    for plan in ledger.plans(job.key, status="open"):
        if plan.expires < now:
            ledger.decide(plan.id, "expired", by="", note="", at=now)


def page_title(plan: str, run: str) -> str:
    """Return the first line of `plan.md`."""
    return f"# Plan {plan} of run {run}"


def _with_older_plans(result: RunResult, job: Job, ledger: Ledger) -> RunResult:
    """Take over the changes of older plans that this drop says nothing about.

    A full snapshot says something about every record of an entity. So does any drop about the
    records that it has.
    """
    key = ["entity", "sourcedId"]
    own = plan_id(result.records, _feed(job))
    plans = [plan for plan in ledger.plans(job.key) if plan.status in ("open", "approved")]
    for older in (plan for plan in plans if plan.id != own):
        records = ledger.planned(older.id).filter(~pl.col("entity").is_in(list(result.whole)))
        known = ledger.known(job.key)
        waits = unsent_records(records, known).join(
            changed_since(records, known), on=key, how="anti"
        )
        waits = waits.join(result.records, on=key, how="anti", maintain_order="left")
        unmentioned = [
            rows.filter(~pl.col("sourcedId").is_in(result.spoken[name].implode()))
            if name in result.spoken
            else rows
            for name, rows in by_entity(waits)
        ]
        waits = pl.concat([waits.clear(), *unmentioned])
        if result.records.is_empty() and waits.height == ledger.planned(older.id).height:
            return replace(result, plan=older.id, waits=older.run, expires=older.expires)
        if waits.is_empty():
            note = f"by run {job.run.id}"
            ledger.decide(older.id, "replaced", by="", note=note, at=datetime.now(UTC))
            continue
        have = agree(waits.height, "have")
        sentence = f"{waits.height:,} of these changes {have} been on hold since run {older.run}."
        earlier = [hold for hold in older.holds if hold.rule != WAITS and hold not in result.holds]
        result = replace(
            result,
            records=pl.concat([result.records, waits]),
            holds=(*result.holds, *earlier, Hold(WAITS, "", "", waits.height, sentence)),
        )
    return result


def _rosters(job: Job, archive: Archive) -> list[LedgerFrames]:
    """Return the entities that have grades, from the roster of this run and from the one before."""
    runs = [run for run in (job.run.id, job.source.before) if run in archive.runs()]
    frames = [{name: archive.frame(run, name) for name in ENTITIES_WITH_GRADES} for run in runs]
    return [{name: frame for name, frame in one.items() if frame is not None} for one in frames]


def _feed(job: Job) -> str:
    return f"{job.key.target} {job.key.feed}"


def _page_lines(plan: str, run: str, result: RunResult, expires: datetime) -> Iterator[str]:
    yield from (page_title(plan, run), "")
    yield (
        f"Feed {result.district} into {result.target}. "
        f"It can be approved until {expires:%Y-%m-%d %H:%M} UTC."
    )
    yield from ("", "## Why it waits", "", *(f"- {hold.sentence}" for hold in result.holds), "")
    yield from ("## What would be done", "", "| entity | what | school | grade | records |")
    yield "|---|---|---|---|---:|"
    columns = ["entity", "action", "school", "grade"]
    groups = result.records.group_by(columns, maintain_order=True).len().sort(columns)
    for entity, action, school, grade, count in groups.iter_rows():
        yield f"| {entity} | {ACTION_WORDS[action]} | {school or ''} | {grade or ''} | {count:,} |"
    yield from ("", "## Ids", "")
    for (entity, action), rows in result.records.group_by("entity", "action", maintain_order=True):
        ids = rows["sourcedId"].to_list()
        more = (
            f" and {len(ids) - MOST_IDS:,} more (all of them are in plan.csv)"
            if len(ids) > MOST_IDS
            else ""
        )
        yield from (f"{entity}, {ACTION_WORDS[str(action)]}: {', '.join(ids[:MOST_IDS])}{more}", "")


def _table_with_names(
    records: pl.DataFrame, run: str, job: Job, ledger: Ledger, archive: Archive
) -> str:
    """Return the records as CSV, with names from the drop, or else from the ledger."""
    frames = []
    for name, rows in by_entity(records):
        labels = _labels(archive.frame(run, name), name)
        details = ledger.details(job.key, name, rows["sourcedId"])
        known = details.select("sourcedId", known="label")
        frames.append(
            rows.join(known, on="sourcedId", how="left", maintain_order="left")
            .join(labels, on="sourcedId", how="left", maintain_order="left")
            .select(
                "entity",
                "sourcedId",
                pl.coalesce("now", "known").alias("name"),
                "action",
                "school",
                "grade",
                "hold",
            )
        )
    texts = pl.concat(frames).with_columns(
        pl.all().map_elements(spreadsheet_cell, return_dtype=pl.String)
    )
    return texts.write_csv()


def _labels(frame: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """Return the name of each record of an entity in a roster (`sourcedId`, `now`)."""
    if frame is None:
        return pl.DataFrame(schema={"sourcedId": pl.String, "now": pl.String})
    columns = [column for column in ENTITIES[name].label if column in frame.columns]
    label = (
        pl.concat_str(columns, separator=" ", ignore_nulls=True)
        if columns
        else pl.lit(None, pl.String)
    )
    return frame.select("sourcedId", now=label)
