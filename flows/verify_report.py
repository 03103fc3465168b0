"""How `roster verify` tells what it found: a table and the first ids for people, all ids in a file and as JSON."""

from __future__ import annotations

from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.oneroster.verifying import FOUND, KINDS, Verified
from flows.files import write_private
from flows.job import Job
from flows.rejects import harmless
from flows.showing import shown
from flows.verification import Verification
from transforms.findings import EXAMPLES

COLUMNS = ("as sent", "not compared", *KINDS, "others'")
NO_LEDGER = (
    "The ledger has no records of this feed in this target: there is nothing to compare. `roster adopt` builds one."
)
NO_ROSTER = "No roster of this feed is kept yet: whether records are there was compared, and not what they say."


def show(console: Console, found: Verification, job: Job) -> None:
    """Print counts, the first ids of each kind, and the next step."""
    console.print(Text(f"Verify {job.load.target.name} for {job.run.feed}", style="bold"))
    if not found.entities:
        console.print(NO_LEDGER)
        return
    console.print(_table(found))
    for one in found.entities.values():
        for kind in KINDS:
            for line in _examples(one, kind):
                console.print(Text(line))
    console.print(f"Compared with the roster of run {found.roster}." if found.roster else NO_ROSTER)
    if found.found:
        console.print(Text(f"Records that differ: {found.found:,}. All of them: {job.folder / 'verify.csv'}"))


def _table(found: Verification) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for one in found.entities.values():
        counts = (one.equal, one.unchecked, *(one.of(kind).len() for kind in KINDS), one.others)
        table.add_row(one.entity, *(f"{count:,}" if count else "·" for count in counts))
    return table


def _examples(one: Verified, kind: str) -> list[str]:
    rows = one.found.filter(pl.col("kind") == kind)
    if rows.is_empty():
        return []
    first = ", ".join(f"{shown(sourced_id)} ({detail})" for sourced_id, _, detail in rows.head(EXAMPLES).iter_rows())
    more = ", …" if rows.height > EXAMPLES else ""
    return [f"{kind} {one.entity}, {rows.height:,}: {first}{more}"]


def write_csv(found: Verification, job: Job) -> None:
    """Write each record that differs; ids and names of properties, for their owner only."""
    empty = pl.DataFrame(schema={"entity": pl.String, **FOUND})
    frames = [one.found.select(pl.lit(one.entity).alias("entity"), *FOUND) for one in found.entities.values()]
    rows = pl.concat([empty, *frames]).with_columns(pl.col("sourcedId").map_elements(harmless, return_dtype=pl.String))
    write_private(job.folder / "verify.csv", rows.write_csv())


def as_json(found: Verification, job: Job, seconds: float) -> dict[str, Any]:
    """Give the object that `--json` prints, without what became of a repair."""
    return {
        "run": job.run.id,
        "district": job.run.district,
        "target": job.load.target.name,
        "status": "different" if found.found else "equal",
        "roster": found.roster or None,
        "entities": {name: _entity(one) for name, one in found.entities.items()},
        "requests": found.requests,
        "seconds": round(seconds, 3),
        "verify": str(job.folder / "verify.csv"),
    }


def _entity(one: Verified) -> dict[str, Any]:
    counts = {"equal": one.equal, "unchecked": one.unchecked, "others": one.others}
    return counts | {kind: one.of(kind).to_list() for kind in KINDS}
