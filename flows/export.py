"""`roster export`: writes a roster, in whatever layout it came, as a OneRoster 1.2 bulk zip.

The zip is the district's own file, on this machine: it has the whole roster, whatever `[share]` of the feed's file says;
what leaves is limited when the zip is loaded. Passwords are in it only if the feed shares them, and those who are forgotten never.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from connectors.drops.write import write_zip
from connectors.ledger import Ledger
from connectors.oneroster.source import read_source
from flows.accept import CheckedDrop
from flows.errors import SettingsError
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from flows.pipeline import ReadRoster, check_drop
from flows.result import DONE, FAILED, REFUSED
from flows.send import open_target
from flows.watch import NOBODY, Watch
from transforms.export import bulk
from transforms.findings import Findings, gather, located
from transforms.records import RosterState
from transforms.refuse import refusals
from transforms.roster import Raw, Roster
from transforms.sources import normalize
from transforms.target_values import uncarried

# A record that was read, or whose row says that it is gone, ends in exactly one of the others.
TERMS = ("read", "vanished", "merged", "rejected", "unshared", "left_out", "exported")


@dataclass(frozen=True)
class ExportResult:
    """What an export came to."""

    job: Job
    origin: str  # the drop or the target whose roster it is
    out: Path
    findings: Findings
    refused: pl.DataFrame  # the findings that refused it, else no rows
    standing: RosterState = field(default_factory=dict)  # the records by what became of them
    # the rows of each file of the zip, by entity
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    error: str = ""  # why the zip was not written

    def failed(self, error: str) -> ExportResult:
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
            ended = {
                "vanished": gone,
                "left_out": gone + judged.accepted.height - rows,
                "exported": rows,
            }
            known = {str(term): count for term, count in judged.counts.items()} | ended
            counts[name] = {term: known[term] for term in TERMS}
        return counts

    def total(self, term: str) -> int:
        """How many records of all entities ended in a term."""
        return sum(counts[term] for counts in self.counts.values())

    @property
    def breaches(self) -> int:
        """How many cells of the zip are not as the standard has them."""
        return self._noticed("export_breach")

    @property
    def outside(self) -> int:
        """How many references lead out of the zip."""
        return self._noticed("export_outside")

    def _noticed(self, rule: str) -> int:
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


def export(
    options: Options,
    out: Path,
    environment: Mapping[str, str],
    *,
    force: bool = False,
    strict: bool = False,
    from_api: bool = False,
) -> ExportResult:
    """Export what a check accepts of a roster, if `strict` only what is conformant.

    The roster is that of a drop or, `from_api`, what the target holds. Raises `TargetError` if that cannot be used at all.
    """
    job = make_job(options, environment)
    nowhere = from_api and options.drop == Path()
    refuse_place(out, None if nowhere else job.source.drop, force=force)
    if from_api:
        return exported(job, job.load.target.name, out, _source_of_api(), strict=strict)
    return exported(job, str(options.drop), out, strict=strict)


def _source_of_api() -> ReadRoster:
    # What talks to an API takes a while to import, and exports of drops do not need it.

    return roster_of_api


def exported(
    job: Job, origin: str, out: Path, source: ReadRoster | None = None, *, strict: bool = False
) -> ExportResult:
    """Write what a check accepts of a roster, unless it is refused; neither ledger nor target is changed."""
    with Ledger.reading(job.ledger_at) as ledger:
        drop = check_drop(job, ledger, NOBODY, source)
    if drop.refused.height:
        return ExportResult(job, origin, out, drop.findings, drop.refused)
    return _written(job, origin, out, drop, strict)


def refuse_place(out: Path, drop: Path | None, *, force: bool) -> None:
    """Raise `SettingsError` if the zip cannot be meant to be written there; `drop` is what is read, if that is on the disk."""
    if out.suffix.lower() != ".zip":
        raise SettingsError(
            f"{out} does not end in .zip. Name the zip that is to be written, such as roster.zip."
        )
    if not out.parent.is_dir():
        raise SettingsError(
            f"The folder {out.parent} does not exist. Make it first, or name another place."
        )
    if drop and drop.resolve() in (out.resolve(), *out.resolve().parents):
        raise SettingsError(
            f"{out} lies in the drop, and would be read as a part of it. Name another place."
        )
    if out.is_dir():
        raise SettingsError(f"{out} is a folder. Name a file.")
    if out.exists() and not force:
        raise SettingsError(
            f"{out} exists already. Name another file, or say --force to replace it."
        )


def _written(job: Job, origin: str, out: Path, drop: CheckedDrop, strict: bool) -> ExportResult:
    made = bulk(drop.standing, drop.checked.parts, strict=strict, today=job.run.today)
    findings = located(gather([drop.findings, made.findings]))
    refused = refusals(made.findings, strict=False)
    done = ExportResult(job, origin, out, findings, refused, drop.standing, made.tables)
    if not refused.height:
        try:
            write_zip(out, made.files(job.run.district))
        except OSError as error:
            return done.failed(error.strerror or str(error))
    return done


def roster_of_api(job: Job, watch: Watch) -> Roster:
    """Read all collections of a job's target as a roster. Raises `TargetError` if it cannot be used at all."""
    raw = watch.stage("extract", read_target, job)
    return uncarried(
        watch.stage("normalise", normalize, "oneroster", raw, job.as_written),
        job.load.carrying.vocabulary,
    )


def read_target(job: Job) -> Raw:
    """Read a target as a drop; what of it cannot be read is told, and refuses the export if every roster needs it."""
    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
        return asyncio.run(
            read_source(
                address, "1.2", tuple(address.profile.collections), zone=job.load.carrying.zone
            )
        )
