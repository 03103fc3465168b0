"""How `roster export` tells what is in the zip and what is not: a table and a sentence for people, an object for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from flows.groups import groups
from flows.job import Job
from flows.report import show_group
from flows.result import DONE, FAILED, REFUSED
from transforms.findings import Findings
from transforms.judged import Standing

# A record that was read, or whose row says that it is gone, ends in exactly one of the others.
TERMS = ("read", "vanished", "merged", "rejected", "unshared", "left_out", "exported")


@dataclass(frozen=True)
class Export:
    """What an export came to; `refused` are the findings that refused it, else no rows, and `error` is why the zip was not written.

    `standing` are the records by what became of them, `tables` the rows of each file of the zip, by entity.
    """

    job: Job
    out: Path
    findings: Findings
    refused: pl.DataFrame
    standing: Standing = field(default_factory=dict)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    error: str = ""

    def failed(self, error: str) -> Export:
        """Say that the zip could not be written."""
        return replace(self, error=error)

    @property
    def status(self) -> str:
        """The export in one word."""
        return "refused" if self.refused.height else "failed" if self.error else "done"

    @property
    def exit_code(self) -> int:
        """The contract's exit code."""
        return {"refused": REFUSED, "failed": FAILED, "done": DONE}[self.status]

    @property
    def rejects(self) -> Path | None:
        """Where each error of each row is written, if there is any."""
        return self.job.folder / "rejects.csv" if self.findings.errors.height else None

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """What became of the records of each entity, by `TERMS`; what folds into a record is counted with it."""
        counts = {}
        for name, judged in self.standing.items():
            rows = self.tables[name].height if name in self.tables else 0
            gone = judged.gone.len()
            ended = {"vanished": gone, "left_out": gone + judged.accepted.height - rows, "exported": rows}
            known = {str(term): count for term, count in judged.counts.items()} | ended
            counts[name] = {term: known[term] for term in TERMS}
        return counts

    def total(self, term: str) -> int:
        """How many records of all entities ended in a term."""
        return sum(counts[term] for counts in self.counts.values())

    @property
    def breaches(self) -> int:
        """How many cells of the zip are not as the standard has them."""
        return self._told("export_breach")

    @property
    def outside(self) -> int:
        """How many references lead out of the zip."""
        return self._told("export_outside")

    def _told(self, rule: str) -> int:
        return sum(notice.count for notice in self.findings.notices if notice.rule == rule)

    def as_json(self) -> dict[str, Any]:
        """Give the object that `--json` prints."""
        return {
            "run": self.job.run.id,
            "district": self.job.run.district,
            "status": self.status,
            "zip": str(self.out) if self.status == "done" else None,
            "conformant": self.status == "done" and not self.breaches + self.outside,
            "entities": self.counts,
            "rows": {name: frame.height for name, frame in self.tables.items()},
            "rejects": str(self.rejects) if self.rejects else None,
        }


def show(console: Console, done: Export, drop: str) -> None:
    """Print the outcome of an export."""
    console.print(Text(f"Export of {drop} for {done.job.run.district} to {done.out}", style="bold"))
    if done.standing:
        console.print(_table(done))
    for group in groups(done.findings):
        show_group(console, group)
    for line in verdict(done):
        console.print(Text(line))


def _table(done: Export) -> Table:
    """Counts by entity; terms that no entity has are left out."""
    terms = [term for term in TERMS if term in ("read", "exported") or done.total(term)]
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for term in terms:
        table.add_column(term.replace("_", " "), justify="right")
    for name, counts in done.counts.items():
        table.add_row(name, *(f"{counts[term]:,}" if counts[term] else "·" for term in terms))
    return table


def verdict(done: Export) -> Iterator[str]:
    """Say what is in the zip, what is not and what that means, and whether it is conformant."""
    if done.status == "refused":
        yield "Refused: nothing was written. Correct what is marked fatal and run again."
    elif done.error:
        yield f"Not written: {done.out}: {done.error}. Free some space or let this user write there, or name another place, and run again."
    else:
        yield from _done(done)
    if done.rejects:
        yield f"Each rejected row: {done.rejects}"


def _done(done: Export) -> Iterator[str]:
    rows = sum(frame.height for frame in done.tables.values())
    yield f"Exported: {rows:,} rows in {len(done.tables):,} files to {done.out}, which only you can read."
    if missing := done.total("rejected") + done.total("left_out") - done.total("vanished"):
        yield f"Not in it: {missing:,} records, rejected or left out. Whoever takes the zip for the whole roster takes them for gone."
    if done.outside:
        yield "Not complete by itself, see export_outside: it names records that were loaded by other drops."
    if done.breaches:
        yield f"Not conformant to the letter, see export_breach: `roster check {done.out} --strict` names the rows."
