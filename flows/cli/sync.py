"""The commands about the records of one feed: load, plan, restore, check, verify and export them.

The docstring of a command is its help text.
"""

from __future__ import annotations

# Each command imports what it runs, so that `roster --help` answers at once.
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.errors import run_guarded
from flows.cli.options import District, Drop, Json, State, TargetOption, app, flag, with_run_options

if TYPE_CHECKING:
    from flows.options import Command
    from flows.result import RunResult


def _register(command: Command, help: str) -> None:
    """Add `sync`, or one of the two commands that do a part of it and send nothing."""

    @app.command(command, help=help)
    @with_run_options(command)
    def run(
        drop: Drop,
        target: TargetOption = None,
        district: District = None,
        state: State = Path(".roster"),
        json: Json = False,
        **told: Any,
    ) -> None:
        values = told | {"target": target, "district": district, "state": state, "json": json}
        run_guarded(*_prepare_run(command, drop, **values))

    run.__doc__ = help


_register("sync", "Extract, validate, compare and load a drop; or send an approved plan.")
_register("plan", "Show what `sync` would send, and send nothing.")


@app.command()
@with_run_options("restore")
def restore(
    run: Annotated[
        str,
        typer.Argument(metavar="RUN", help="The run to go back to.", show_default=False),
    ],
    drop: Drop,
    target: TargetOption = None,
    district: District = None,
    state: State = Path(".roster"),
    json: Json = False,
    dry_run: Annotated[
        bool, flag("--dry-run", "Show what would be sent, and send nothing.")
    ] = False,
    **told: Any,
) -> None:
    """Bring the target back to the roster of an earlier run; DROP says which feed and target."""
    command: Command = "plan" if dry_run else "sync"
    run_guarded(
        *_prepare_run(
            command,
            drop,
            target=target,
            district=district,
            state=state,
            json=json,
            restore=run,
            **told,
        )
    )


_register("check", "Validate a drop, and say whether it would load.")


def _prepare_run(
    command: Command, drop: Path, **values: Any
) -> tuple[Callable[[], RunResult], Callable[[RunResult], None], dict[str, object] | None]:
    """Return how a job is made of the options and run, how its result is shown, and its outline."""
    from flows.make_job import make_job
    from flows.options import Options
    from flows.reports.progress import Bars
    from flows.reports.run import print_run, write_run_files
    from flows.reports.screen import Screen, print_json
    from flows.result import empty_json
    from flows.run import pipeline_of, run_job

    options = Options.of(command, drop, **values)
    outline = empty_json(options.district)
    screen = Screen(stderr=options.json)

    def work() -> RunResult:
        job = make_job(options, os.environ)
        outline.update(job.names)
        result = run_job(job, Bars(screen), pipeline_of(options))
        write_run_files(result, str(drop))
        return result

    def report(result: RunResult) -> None:
        print_run(screen, result, str(drop))
        if options.json:
            print_json(result.as_json())

    return work, report, outline if options.json else None


@app.command()
@with_run_options("verify")
def verify(
    drop: Drop,
    target: TargetOption = None,
    district: District = None,
    state: State = Path(".roster"),
    repair: Annotated[
        bool, flag("--repair", "Send what differs, through the same guard as a sync.")
    ] = False,
    lost: Annotated[
        bool,
        flag("--lost", "With --repair: send it all again, however much is missing."),
    ] = False,
    json: Json = False,
    **told: Any,
) -> None:
    """Compare what the target holds with the ledger and the last roster."""
    from flows.options import Options
    from flows.reports.progress import Bars
    from flows.reports.screen import Screen, print_json
    from flows.reports.verify import print_verify, verify_json, write_verify_files
    from flows.verify import VerifyResult
    from flows.verify import verify as verify_target

    command: Command = "sync" if repair else "plan"
    options = Options(command, drop, target, district, state, json, told=told)
    outline: dict[str, object] = {"entities": {}}
    screen = Screen(stderr=json)

    def work() -> VerifyResult:
        result = verify_target(
            options,
            os.environ,
            Bars(screen),
            lambda job: outline.update(job.names),
            repair=repair,
            lost=lost,
        )
        write_verify_files(result, str(drop))
        return result

    def report(result: VerifyResult) -> None:
        print_verify(screen, result, str(drop))
        if json:
            print_json(verify_json(result))

    run_guarded(work, report, outline if json else None)


@app.command(
    help="Write a drop of any layout, or what an API holds, as a OneRoster 1.2 bulk zip: "
    "the whole roster, whatever the feed shares."
)
def export(
    drop: Drop,
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT.zip", help="The zip to write.", show_default=False)
    ] = None,
    from_api: Annotated[
        bool, flag("--from-api", "Write what the target holds, instead of a drop.")
    ] = False,
    target: TargetOption = None,
    district: District = None,
    state: State = Path(".roster"),
    strict: Annotated[
        bool,
        flag(
            "--strict",
            "Leave out rows that do not conform to the standard.",
        ),
    ] = False,
    force: Annotated[bool, flag("--force", "Replace the zip if it is there.")] = False,
    json: Json = False,
) -> None:
    """Write the bulk zip of a drop or an API."""
    from flows.export import ExportResult
    from flows.export import export as export_roster
    from flows.options import Options
    from flows.reports.export import print_export
    from flows.reports.run import write_rejects
    from flows.reports.screen import Screen, print_json

    source, destination = _export_arguments(drop, out, target, from_api=from_api)
    options = Options("check", source, target, district, state, json=json, replays=from_api)

    def work() -> ExportResult:
        result = export_roster(
            options, destination, os.environ, force=force, strict=strict, from_api=from_api
        )
        if result.rejects:
            write_rejects(result.job.folder, result.findings)
        return result

    def report(result: ExportResult) -> None:
        print_export(Screen(stderr=json), result)
        if json:
            print_json(result.as_json())

    run_guarded(work, report, {} if json else None)


def _export_arguments(
    drop: Path, out: Path | None, target: str | None, *, from_api: bool
) -> tuple[Path, Path]:
    """Return the source of an export, and the zip to write.

    With `--from-api` the source is a feed file, or nothing if `--target` names the API. Then the
    command has one argument, the zip.
    """
    if not from_api and target:
        raise typer.BadParameter(
            "--target says which API is read. Say --from-api too, or leave it out."
        )
    if out is not None and (not from_api or drop.suffix.lower() == ".toml"):
        return drop, out
    if not from_api:
        raise typer.BadParameter("name the drop, and then the zip to write (or say --from-api).")
    if out is not None:
        raise typer.BadParameter(
            f"--from-api reads no drop: leave {drop} out, or name a feed file (*.toml)."
        )
    if not target:
        raise typer.BadParameter(
            "--from-api needs --target, or a feed file that says which API is read."
        )
    return Path(), drop
