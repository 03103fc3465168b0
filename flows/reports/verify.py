"""The report of `roster verify`: counts and the first ids; all ids in verify.csv and the JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from connectors.oneroster.reconcile import DIFFERENCE_COLUMNS, KINDS, Verified
from flows.reports.counts import count_text
from flows.reports.run import print_run, write_run_files
from flows.run_files import write_run_file
from flows.safe_text import public_text, spreadsheet_cell
from flows.verify import Verification, VerifyResult
from transforms.findings import EXAMPLES

COLUMNS = ("as sent", "not compared", *KINDS, "others'")
NO_LEDGER = (
    "The ledger has no records of this feed in this target: there is nothing to compare. `roster "
    "adopt` builds one."
)
NO_ROSTER = "No roster of this feed is kept yet: only their ids were compared, not their values."


def print_verify(console: Console, result: VerifyResult, drop: str) -> None:
    """Print counts, the first ids of each kind of difference, and the report of a repair."""
    _print_differences(console, result)
    if result.repair:
        print_run(console, result.repair, drop)


def _print_differences(console: Console, result: VerifyResult) -> None:
    job, found = result.job, result.found
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
        console.print(Text(f"Records that differ: {found.found:,}. All of them: {_file(result)}"))


def _table(found: Verification) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for one in found.entities.values():
        counts = (one.equal, one.unchecked, *(one.of(kind).len() for kind in KINDS), one.others)
        table.add_row(one.entity, *map(count_text, counts))
    return table


def _examples(one: Verified, kind: str) -> list[str]:
    rows = one.found.filter(pl.col("kind") == kind)
    if rows.is_empty():
        return []
    first = ", ".join(
        f"{public_text(sourced_id)} ({detail})"
        for sourced_id, _, detail in rows.head(EXAMPLES).iter_rows()
    )
    more = ", …" if rows.height > EXAMPLES else ""
    return [f"{kind} {one.entity}, {rows.height:,}: {first}{more}"]


def verify_json(result: VerifyResult) -> dict[str, Any]:
    """Return the object that `--json` prints."""
    job, found = result.job, result.found
    return {
        "run": job.run.id,
        "district": job.run.district,
        "target": job.load.target.name,
        "status": "different" if found.found else "equal",
        "roster": found.roster or None,
        "entities": {name: _entity_json(one) for name, one in found.entities.items()},
        "requests": found.requests,
        "seconds": round(result.seconds, 3),
        "verify": str(_file(result)),
        "repair": result.repair.as_json() if result.repair else None,
    }


def _entity_json(one: Verified) -> dict[str, Any]:
    counts = {"equal": one.equal, "unchecked": one.unchecked, "others": one.others}
    return counts | {kind: one.of(kind).to_list() for kind in KINDS}


def _file(result: VerifyResult) -> Path:
    return result.job.folder / "verify.csv"


def write_verify_files(result: VerifyResult, drop: str) -> None:
    """Write verify.csv: the id and the differing properties of each record. Write a repair's files.

    Values are not written.
    """
    empty = pl.DataFrame(schema={"entity": pl.String, **DIFFERENCE_COLUMNS})
    each = result.found.entities.values()
    frames = [
        one.found.select(pl.lit(one.entity).alias("entity"), *DIFFERENCE_COLUMNS) for one in each
    ]
    ids = pl.col("sourcedId").map_elements(spreadsheet_cell, return_dtype=pl.String)
    write_run_file(
        result.job.folder, "verify.csv", pl.concat([empty, *frames]).with_columns(ids).write_csv()
    )
    if result.repair:
        write_run_files(result.repair, drop)
