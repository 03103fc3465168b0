"""`roster export`: writes a roster of any layout as a OneRoster 1.2 bulk zip.

The zip is the district's own file, on this machine. It has the complete roster, whatever `[share]`
in the feed file says; sharing is limited when the zip is loaded. It has passwords only if the
feed shares them, and never has forgotten people.
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
from flows.ledger_view import LedgerView
from flows.make_job import make_job
from flows.options import Options
from flows.pipeline import ReadRoster, check_drop
from flows.result import DONE, FAILED, refusal_code
from flows.send import open_target
from flows.watch import SILENT, Watch
from transforms.export import export_roster
from transforms.findings import Findings, merge_findings, with_real_files
from transforms.records import RosterState
from transforms.refuse import refusing_findings
from transforms.roster import Raw, Roster
from transforms.sources import normalize
from transforms.target_values import map_from_target

# A record that is read or vanished ends in exactly one of the other terms.
EXPORT_TERMS = ("read", "vanished", "merged", "rejected", "unshared", "left_out", "exported")


@dataclass(frozen=True)
class ExportResult:
    """The result of an export."""

    job: Job
    origin: str  # the drop or the target that the roster is from
    out: Path
    findings: Findings
    refused: pl.DataFrame  # the findings that refused it; empty if it was not refused
    # the accepted, refused and withheld records
    standing: RosterState = field(default_factory=dict)
    # the rows of the zip's files, by entity
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    error: str = ""  # why the zip could not be written; blank if it was

    def failed(self, error: str) -> ExportResult:
        """Return the result for a zip that could not be written."""
        return replace(self, error=error)

    @property
    def status(self) -> str:
        """The status in one word."""
        return "refused" if self.refused.height else "failed" if self.error else "done"

    @property
    def exit_code(self) -> int:
        if self.refused.height:
            return refusal_code(self.refused)
        return FAILED if self.error else DONE

    @property
    def rejects(self) -> Path | None:
        """The file with all errors of rows; None if there are none."""
        return self.job.folder / "rejects.csv" if self.findings.errors.height else None

    @property
    def counts(self) -> dict[str, dict[str, int]]:
        """The records of each entity, counted by `EXPORT_TERMS`.

        A part is counted with its record.
        """
        counts = {}
        for name, judged in self.standing.items():
            exported_rows = self.tables[name].height if name in self.tables else 0
            gone = judged.gone.len()
            ended = {
                "vanished": gone,
                "left_out": gone + judged.accepted.height - exported_rows,
                "exported": exported_rows,
            }
            known_counts = {str(term): count for term, count in judged.counts.items()} | ended
            counts[name] = {term: known_counts[term] for term in EXPORT_TERMS}
        return counts

    def total(self, term: str) -> int:
        """Count the records of all entities by a term."""
        return sum(counts[term] for counts in self.counts.values())

    @property
    def breaches(self) -> int:
        """How many cells of the zip break a rule of the standard."""
        return self._count_notices("export_breach")

    @property
    def outside(self) -> int:
        """How many references in the zip point to records outside it."""
        return self._count_notices("export_outside")

    def _count_notices(self, rule: str) -> int:
        return sum(notice.count for notice in self.findings.notices if notice.rule == rule)

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
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
    """Export the accepted records of a roster; if `strict`, only conformant ones.

    The roster is that of a drop or, with `from_api`, of the target. Raises `TargetError` if the
    target cannot be used at all, and `SettingsError` if the zip cannot be written there.
    """
    job = make_job(options, environment)
    without_drop = from_api and options.drop == Path()
    refuse_output(out, None if without_drop else job.source.drop, force=force)
    if from_api:
        return exported(job, job.load.target.name, out, roster_of_api, strict=strict)
    return exported(job, str(options.drop), out, strict=strict)


def exported(
    job: Job, origin: str, out: Path, source: ReadRoster | None = None, *, strict: bool = False
) -> ExportResult:
    """Write the accepted records of a roster, unless it is refused.

    Neither the ledger nor the target is changed.
    """
    with Ledger.reading(job.ledger_at) as ledger:
        drop = check_drop(job, LedgerView(ledger, job.key), SILENT, source)
    if drop.refused.height:
        return ExportResult(job, origin, out, drop.findings, drop.refused)
    return _write(job, origin, out, drop, strict)


def refuse_output(out: Path, drop: Path | None, *, force: bool) -> None:
    """Raise `SettingsError` if the zip must not be written there.

    `drop` is the drop that is read, if it is on the disk.
    """
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


def _write(job: Job, origin: str, out: Path, drop: CheckedDrop, strict: bool) -> ExportResult:
    bulk_export = export_roster(
        drop.standing, drop.checked.parts, strict=strict, today=job.run.today
    )
    findings = with_real_files(merge_findings([drop.findings, bulk_export.findings]))
    refused = refusing_findings(bulk_export.findings, strict=False)
    result = ExportResult(job, origin, out, findings, refused, drop.standing, bulk_export.tables)
    if not refused.height:
        try:
            write_zip(out, bulk_export.files(job.run.district))
        except OSError as error:
            return result.failed(error.strerror or str(error))
    return result


def roster_of_api(job: Job, watch: Watch) -> Roster:
    """Read all collections of a job's target as a roster.

    Raises `TargetError` if the target cannot be used at all.
    """
    raw = watch.stage("extract", read_target, job)
    return map_from_target(
        watch.stage("normalise", normalize, "oneroster", raw, job.as_written),
        job.load.carrying.vocabulary,
    )


def read_target(job: Job) -> Raw:
    """Read a target as a drop.

    Collections that cannot be read become findings. They refuse the export if every roster needs
    them.
    """
    with open_target(
        job.load.target, job.run.state, job.load.concurrency, job.load.patience_seconds
    ) as address:
        return asyncio.run(
            read_source(
                address, "1.2", tuple(address.profile.collections), zone=job.load.carrying.zone
            )
        )
