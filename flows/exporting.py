"""`roster export`: writes a roster, in whatever layout it came, as a OneRoster 1.2 bulk zip.

The zip is the district's own file, on this machine: it has the whole roster, whatever `[share]` of the feed's file says;
what leaves is limited when the zip is loaded. Passwords are in it only if the feed shares them, and those who are forgotten never.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from connectors.drops.writing import write_zip
from connectors.ledger import Ledger
from flows.accept import CheckedDrop
from flows.errors import SettingsError
from flows.export_report import Export, show
from flows.job import Job
from flows.make_job import Options, make_job
from flows.pipeline import ReadRoster, check_drop
from flows.rejects import write_rejects
from flows.showing import Screen
from flows.watch import NOBODY
from transforms.bulk import bulk
from transforms.findings import gather, located
from transforms.verdict import refusals


def export(options: Options, out: Path, environment: Mapping[str, str], *, force: bool = False, strict: bool = False,
           from_api: bool = False) -> int:  # fmt: skip
    """Export what a check accepts of a roster, if `strict` only what is conformant; tell what is not in the zip; give the exit code.

    The roster is that of a drop or, `from_api`, what the target holds. Raises `TargetError` if that cannot be used at all.
    """
    job = make_job(options, environment)
    nowhere = from_api and options.drop == Path()
    refuse_place(out, None if nowhere else job.source.drop, force=force)
    source, origin = (_source_of_api(), job.load.target.name) if from_api else (None, str(options.drop))
    done = exported(job, out, source, strict=strict)
    if done.rejects:
        write_rejects(done.rejects, done.findings)
    console = Screen(stderr=options.json)
    with suppress(BrokenPipeError):
        show(console, done, origin)
        if options.json:
            print(json.dumps(done.as_json()), flush=True)
    return done.exit_code


def _source_of_api() -> ReadRoster:
    # What talks to an API takes a while to import, and exports of drops do not need it.
    from flows.api_exporting import roster_of_api

    return roster_of_api


def exported(job: Job, out: Path, source: ReadRoster | None = None, *, strict: bool = False) -> Export:
    """Write what a check accepts of a roster, unless it is refused; neither ledger nor target is changed."""
    with Ledger.reading(job.ledger_at) as ledger:
        drop = check_drop(job, ledger, NOBODY, source)
    if drop.refused.height:
        return Export(job, out, drop.findings, drop.refused)
    return _written(job, out, drop, strict)


def refuse_place(out: Path, drop: Path | None, *, force: bool) -> None:
    """Raise `SettingsError` if the zip cannot be meant to be written there; `drop` is what is read, if that is on the disk."""
    if out.suffix.lower() != ".zip":
        raise SettingsError(f"{out} does not end in .zip. Name the zip that is to be written, such as roster.zip.")
    if not out.parent.is_dir():
        raise SettingsError(f"The folder {out.parent} does not exist. Make it first, or name another place.")
    if drop and drop.resolve() in (out.resolve(), *out.resolve().parents):
        raise SettingsError(f"{out} lies in the drop, and would be read as a part of it. Name another place.")
    if out.is_dir():
        raise SettingsError(f"{out} is a folder. Name a file.")
    if out.exists() and not force:
        raise SettingsError(f"{out} exists already. Name another file, or say --force to replace it.")


def _written(job: Job, out: Path, drop: CheckedDrop, strict: bool) -> Export:
    made = bulk(drop.standing, drop.checked.parts, strict=strict)
    findings = located(gather([drop.findings, made.findings]))
    refused = refusals(made.findings, strict=False)
    done = Export(job, out, findings, refused, drop.standing, made.tables)
    if not refused.height:
        try:
            write_zip(out, made.files(job.run.district))
        except OSError as error:
            return done.failed(error.strerror or str(error))
    return done
