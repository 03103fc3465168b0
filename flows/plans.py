"""A plan for people: in the ledger, so that it can be approved tomorrow, and as two files that say what waits.

`plan.md` says how much of what waits, where and why, with ids and nothing else of anybody; an id in which a name can be
read is shortened there. `plan.csv`
has the names as well, for who must judge.
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
from transforms.checks.references import Known
from transforms.guard import Hold, moved, plan_id, undone, with_grades
from transforms.guard.plan import GRADED, by_entity
from transforms.schemas import ENTITIES

WORDS = {"create": "created", "update": "updated", "revive": "brought back", "delete": "deleted",
         "disable": "disabled", "end": "ended", "keep": "kept, as vanished"}  # fmt: skip
MOST_IDS = 2000
# The rule of what a plan has taken over from an older one.
WAITS = "waits"


def propose(result: RunResult, job: Job, ledger: Ledger, archive: Archive) -> RunResult:
    """Keep what a sync holds as a plan, with its files; give the result with the plan's id and when it expires."""
    if job.run.command == "sync" and result.content:
        expire(job, ledger)
        result = _with_what_waits(result, job, ledger)
    if not result.records.is_empty():
        result = replace(result, records=with_grades(result.records, _rosters(job, archive)))
    if result.records.is_empty():
        return result
    plan = plan_id(result.records, _feed(job))
    if job.run.command != "sync":
        return replace(result, plan=plan)
    made = datetime.now(UTC)
    expires = result.expires or made + timedelta(days=job.run.plan_days)
    source = result.source or job.run.id
    ledger.propose(Plan(plan, job.key, source, made, expires, holds=result.holds), result.records)
    page, names = (
        public_text("\n".join(_told(plan, source, result, expires))),
        _named(result.records, source, job, ledger, archive),
    )
    # People look for it in the folder of the run that it is of, too.
    for folder in dict.fromkeys((job.folder, job.folder.with_name(source))):
        write_run_file(folder, "plan.md", page)
        write_run_file(folder, "plan.csv", names)
        pair_files: dict[RunFile, bool] = {"ids.csv": True, "ids_in_doubt.csv": False}
        for name, certain in pair_files.items():
            if (pairs := result.pairs.filter(certain=certain)).height:
                write_run_file(folder, name, pairs.select("old", "new", "entity").write_csv())
    return replace(result, plan=plan, expires=expires)


def _rosters(job: Job, archive: Archive) -> list[Known]:
    """The roster of this run and the one before it, as far as they tell grades."""
    runs = [run for run in (job.run.id, job.source.before) if run in archive.runs()]
    frames = [{name: archive.frame(run, name) for name in GRADED} for run in runs]
    return [{name: frame for name, frame in one.items() if frame is not None} for one in frames]


def _with_what_waits(result: RunResult, job: Job, ledger: Ledger) -> RunResult:
    """Take over what an older plan holds and this drop, which is no full snapshot of it, does not speak of.

    Of a full snapshot this run knows better: whatever it does not hold does not wait any more.
    """
    own = plan_id(result.records, _feed(job))
    for older in (
        one for one in ledger.plans(job.key) if one.status in ("open", "approved") and one.id != own
    ):
        records = ledger.planned(older.id).filter(~pl.col("entity").is_in(list(result.whole)))
        known = ledger.known(job.key)
        waits = undone(records, known).join(
            moved(records, known), on=["entity", "sourcedId"], how="anti"
        )
        waits = waits.join(
            result.records, on=["entity", "sourcedId"], how="anti", maintain_order="left"
        )
        waits = pl.concat(
            [
                waits.clear(),
                *(rows.filter(~_spoken(name, result)) for name, rows in by_entity(waits)),
            ]
        )
        if result.records.is_empty() and waits.height == ledger.planned(older.id).height:
            return replace(result, plan=older.id, waits=older.run, expires=older.expires)
        if waits.is_empty():
            ledger.decide(
                older.id, "replaced", by="", note=f"by run {job.run.id}", at=datetime.now(UTC)
            )
            continue
        told = [hold for hold in older.holds if hold.rule != WAITS and hold not in result.holds]
        hold = Hold(
            WAITS,
            "",
            "",
            waits.height,
            f"{waits.height:,} of these changes wait since run {older.run}.",
        )
        result = replace(
            result, records=pl.concat([result.records, waits]), holds=(*result.holds, *told, hold)
        )
    return result


def _spoken(entity: str, result: RunResult) -> pl.Expr:
    """Of which records a drop says itself how they are to be."""
    return pl.col("sourcedId").is_in(
        result.spoken.get(entity, pl.Series(dtype=pl.String)).implode()
    )


def expire(job: Job, ledger: Ledger) -> None:
    """Close the plans of a feed whose time is over."""
    now = datetime.now(UTC)
    for plan in ledger.plans(job.key, status="open"):
        if plan.expires < now:
            ledger.decide(plan.id, "expired", by="", note="", at=now)


def _feed(job: Job) -> str:
    return f"{job.key.target} {job.key.feed}"


def title(plan: str, run: str) -> str:
    """The first line of a plan's page."""
    return f"# Plan {plan} of run {run}"


def _told(plan: str, run: str, result: RunResult, expires: datetime) -> Iterator[str]:
    yield from (title(plan, run), "")
    yield from (
        f"Feed {result.district} into {result.target}. It can be approved until {expires:%Y-%m-%d %H:%M} UTC.",
        "",
    )
    yield from ("## Why it waits", "", *(f"- {hold.sentence}" for hold in result.holds), "")
    yield from (
        "## What would be done",
        "",
        "| entity | what | school | grade | records |",
        "|---|---|---|---|---:|",
    )
    groups = result.records.group_by(
        "entity", "action", "school", "grade", maintain_order=True
    ).len()
    for entity, action, school, grade, count in groups.sort(
        "entity", "action", "school", "grade"
    ).iter_rows():
        yield f"| {entity} | {WORDS[action]} | {school or ''} | {grade or ''} | {count:,} |"
    yield from ("", "## Ids", "")
    for (entity, action), rows in result.records.group_by("entity", "action", maintain_order=True):
        ids = rows["sourcedId"].to_list()
        more = (
            f" and {len(ids) - MOST_IDS:,} more (all of them are in plan.csv)"
            if len(ids) > MOST_IDS
            else ""
        )
        yield from (f"{entity}, {WORDS[str(action)]}: {', '.join(ids[:MOST_IDS])}{more}", "")


def _named(records: pl.DataFrame, run: str, job: Job, ledger: Ledger, archive: Archive) -> str:
    """Write the records with their names: as the drop has them, or as the ledger does if the drop lacks them."""
    frames = []
    for name in records["entity"].unique(maintain_order=True):
        rows = records.filter(entity=name)
        ledgers = ledger.details(job.key, name, rows["sourcedId"]).select(
            "sourcedId", known="label"
        )
        frames.append(
            rows.join(ledgers, on="sourcedId", how="left", maintain_order="left")
            .join(
                _labels(archive.frame(run, name), name),
                on="sourcedId",
                how="left",
                maintain_order="left",
            )
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
    if frame is None:
        return pl.DataFrame(schema={"sourcedId": pl.String, "now": pl.String})
    columns = [column for column in ENTITIES[name].label if column in frame.columns]
    label = (
        pl.concat_str(columns, separator=" ", ignore_nulls=True)
        if columns
        else pl.lit(None, pl.String)
    )
    return frame.select("sourcedId", now=label)
