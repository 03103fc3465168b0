"""The commands that read a drop, and load it or say what that would do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.application import app, guarded
from flows.cli.options import (
    AllOrNothing,
    Approve,
    By,
    District,
    Drop,
    FirstRun,
    Json,
    Note,
    State,
    Strict,
    TargetOption,
    Workers,
)

if TYPE_CHECKING:
    from flows.result import Command


@app.command()
def sync(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
         approve: Approve = None, strict: Strict = False, all_or_nothing: AllOrNothing = False,
         workers: Workers = None, json: Json = False, first_run: FirstRun = False, by: By = "", note: Note = "") -> None:  # fmt: skip
    """Extract, validate, compare and load a drop; or send a plan that was held."""
    _run("sync", drop, target, district, state, strict, json, approve=approve, all_or_nothing=all_or_nothing,
         workers=workers, first_run=first_run, by=by, note=note)  # fmt: skip


@app.command()
def plan(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
         approve: Approve = None, strict: Strict = False, all_or_nothing: AllOrNothing = False,
         workers: Workers = None, json: Json = False, first_run: FirstRun = False) -> None:  # fmt: skip
    """Say what `sync` would send, and send nothing."""
    _run("plan", drop, target, district, state, strict, json, approve=approve, all_or_nothing=all_or_nothing,
         workers=workers, first_run=first_run)  # fmt: skip


@app.command()
def restore(run: Annotated[str, typer.Argument(help="The run whose roster the target shall hold again.", show_default=False)],
            drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
            all_or_nothing: AllOrNothing = False, workers: Workers = None, json: Json = False,
            dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be sent, and send nothing.")] = False) -> None:  # fmt: skip
    """Bring the target back to the roster of an earlier run; DROP says which feed and target."""
    _run("plan" if dry_run else "sync", drop, target, district, state, False, json, all_or_nothing=all_or_nothing,
         workers=workers, restore=run)  # fmt: skip


@app.command()
def check(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
          strict: Strict = False, json: Json = False) -> None:  # fmt: skip
    """Validate a drop, and say whether it would load."""
    _run("check", drop, target, district, state, strict, json)


@app.command()
def verify(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
           repair: Annotated[bool, typer.Option("--repair", help="Send what differs, through the same guard as a sync.")] = False,
           lost: Annotated[bool, typer.Option("--lost", help="With --repair: send it all again, however much is missing.")] = False,
           workers: Workers = None, json: Json = False) -> None:  # fmt: skip
    """Compare what the target holds with the ledger and the last roster."""
    from flows.running import Options
    from flows.verifying import verify as compare

    options = Options("sync" if repair else "plan", drop, target, district, state, json=json, workers=workers)
    guarded(lambda: compare(options, os.environ, repair=repair, lost=lost))


@app.command()
def export(drop: Drop, out: Annotated[Path, typer.Argument(metavar="OUT.zip", help="The zip to write.", show_default=False)],
           district: District = None, state: State = Path(".roster"),
           strict: Annotated[bool, typer.Option("--strict", help="Leave out rows that are not as the standard has them: the zip is conformant.")] = False,
           force: Annotated[bool, typer.Option("--force", help="Replace the zip if it is there.")] = False, json: Json = False) -> None:  # fmt: skip
    """Write a drop of any layout as a OneRoster 1.2 bulk zip: the whole roster, whatever the feed shares with its target."""
    from flows.exporting import export as write
    from flows.running import Options

    options = Options("check", drop, district=district, state=state, json=json)
    guarded(lambda: write(options, out, os.environ, force=force, strict=strict))


def _run(command: Command, drop: Path, target: str | None, district: str | None, state: Path, strict: bool, json: bool,
         **more: Any) -> None:  # fmt: skip
    from flows.running import Options, run

    options = Options(command, drop, target, district, state, strict, json, **more)
    guarded(lambda: run(options, os.environ))
