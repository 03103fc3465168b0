"""A plan for people: in the ledger, so that it can be approved tomorrow, and as two files that say what waits.

`plan.md` says how much of what waits, where and why, with ids and nothing else of anybody. `plan.csv`
has the names as well, for who must judge.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import polars as pl

from connectors.archive import Archive
from connectors.ledger import Ledger
from connectors.ledger.history import Plan
from flows.files import write_private
from flows.job import Job
from flows.rejects import harmless
from flows.result import Result
from transforms.guard import plan_id
from transforms.schemas import ENTITIES

WORDS = {"create": "created", "update": "updated", "revive": "brought back", "delete": "deleted",
         "disable": "disabled", "end": "ended", "keep": "kept, as vanished"}  # fmt: skip
MOST_IDS = 2000


def propose(result: Result, job: Job, ledger: Ledger, archive: Archive) -> tuple[str, datetime | None]:
    """Keep what a sync holds as a plan, with its files; give its id and when it expires."""
    if result.records.is_empty():
        return "", None
    plan = plan_id(result.records, f"{job.key.target} {job.key.feed}")
    if job.command != "sync":
        return plan, None
    made = datetime.now(UTC)
    expires = made + timedelta(days=job.plan_days)
    ledger.propose(Plan(plan, job.key, job.run, made, expires, holds=result.holds), result.records)
    write_private(job.folder / "plan.md", "\n".join(_told(plan, result, expires)))
    write_private(job.folder / "plan.csv", _named(result.records, job, ledger, archive))
    return plan, expires


def _told(plan: str, result: Result, expires: datetime) -> Iterator[str]:
    yield from (f"# Plan {plan} of run {result.run}", "")
    yield from (
        f"Feed {result.district} into {result.target}. It can be approved until {expires:%Y-%m-%d %H:%M} UTC.",
        "",
    )
    yield from ("## Why it waits", "", *(f"- {hold.sentence}" for hold in result.holds), "")
    yield from ("## What would be done", "", "| entity | what | school | grade | records |", "|---|---|---|---|---:|")
    groups = result.records.group_by("entity", "action", "school", "grade", maintain_order=True).len()
    for entity, action, school, grade, count in groups.sort("entity", "action", "school", "grade").iter_rows():
        yield f"| {entity} | {WORDS[action]} | {school or ''} | {grade or ''} | {count:,} |"
    yield from ("", "## Ids", "")
    for (entity, action), rows in result.records.group_by("entity", "action", maintain_order=True):
        ids = rows["sourcedId"].to_list()
        more = f" and {len(ids) - MOST_IDS:,} more (all of them are in plan.csv)" if len(ids) > MOST_IDS else ""
        yield from (f"{entity}, {WORDS[str(action)]}: {', '.join(ids[:MOST_IDS])}{more}", "")


def _named(records: pl.DataFrame, job: Job, ledger: Ledger, archive: Archive) -> str:
    """Write the records with their names: as the drop has them, or as the ledger does if the drop lacks them."""
    frames = []
    for name in records["entity"].unique(maintain_order=True):
        rows = records.filter(entity=name)
        ledgers = ledger.details(job.key, name, rows["sourcedId"]).select("sourcedId", known="label")
        frames.append(
            rows.join(ledgers, on="sourcedId", how="left", maintain_order="left")
            .join(_labels(archive.frame(job.run, name), name), on="sourcedId", how="left", maintain_order="left")
            .select(
                "entity", "sourcedId", pl.coalesce("now", "known").alias("name"), "action", "school", "grade", "hold"
            )
        )
    texts = pl.concat(frames).with_columns(pl.all().map_elements(harmless, return_dtype=pl.String))
    return texts.write_csv()


def _labels(frame: pl.DataFrame | None, name: str) -> pl.DataFrame:
    if frame is None:
        return pl.DataFrame(schema={"sourcedId": pl.String, "now": pl.String})
    columns = [column for column in ENTITIES[name].label if column in frame.columns]
    label = pl.concat_str(columns, separator=" ", ignore_nulls=True) if columns else pl.lit(None, pl.String)
    return frame.select("sourcedId", now=label)
