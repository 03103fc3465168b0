"""The command line. What a command needs is imported when it runs, so that `--help` answers at once."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flows.cli_options import (
    AllOrNothing,
    Approve,
    By,
    Csv,
    District,
    Drop,
    FirstRun,
    Json,
    JsonLines,
    Note,
    State,
    Strict,
    TargetOption,
    Workers,
)

if TYPE_CHECKING:
    from flows.result import Command

app = typer.Typer(
    name="roster",
    help="Carry a district's roster from its SIS export into a OneRoster v1.2 API, exactly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def sync(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
         approve: Approve = None, strict: Strict = False, all_or_nothing: AllOrNothing = False,
         workers: Workers = 1, json: Json = False, first_run: FirstRun = False, by: By = "", note: Note = "") -> None:  # fmt: skip
    """Extract, validate, compare and load a drop; or send a plan that was held."""
    _run("sync", drop, target, district, state, strict, json, approve=approve, all_or_nothing=all_or_nothing,
         workers=workers, first_run=first_run, by=by, note=note)  # fmt: skip


@app.command()
def plan(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
         approve: Approve = None, strict: Strict = False, all_or_nothing: AllOrNothing = False,
         workers: Workers = 1, json: Json = False, first_run: FirstRun = False) -> None:  # fmt: skip
    """Say what `sync` would send, and send nothing."""
    _run("plan", drop, target, district, state, strict, json, approve=approve, all_or_nothing=all_or_nothing,
         workers=workers, first_run=first_run)  # fmt: skip


@app.command()
def restore(run: Annotated[str, typer.Argument(help="The run whose roster the target shall hold again.", show_default=False)],
            drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
            all_or_nothing: AllOrNothing = False, workers: Workers = 1, json: Json = False,
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
           workers: Workers = 1, json: Json = False) -> None:  # fmt: skip
    """Compare what the target holds with the ledger and the last roster."""
    from flows.running import Options
    from flows.verifying import verify as compare

    options = Options("sync" if repair else "plan", drop, target, district, state, json=json, workers=workers)
    _guarded(lambda: compare(options, os.environ, repair=repair, lost=lost))


@app.command()
def adopt(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
          again: Annotated[bool, typer.Option("--again", help="Adopt although the ledger has records of this feed.")] = False,
          strict: Strict = False, workers: Workers = 1, json: Json = False) -> None:  # fmt: skip
    """Enter in the ledger what the target holds of a drop already, and send nothing."""
    from flows.adopting import run_adopt
    from flows.running import Options

    options = Options("sync", drop, target, district, state, strict, json, workers=workers)
    _guarded(lambda: run_adopt(options, os.environ, again=again))


@app.command()
def status(drops: Annotated[list[Path] | None, typer.Argument(help="Drops or feeds' files (*.toml).", show_default="all feeds")] = None,
           every: Annotated[bool, typer.Option("--all", help="Show the last 20 runs of each feed.")] = False,
           state: State = Path(".roster"), json: Json = False) -> None:  # fmt: skip
    """Say how feeds stand: their last runs, what is held, what is stale."""
    from flows.status import status as tell

    _guarded(lambda: tell(drops or [], state, os.environ, every=every, as_json=json))


@app.command()
def why(sourced_id: Annotated[str, typer.Argument(metavar="ID", help="A sourcedId.", show_default=False)],
        feed: Annotated[str | None, typer.Option("--feed", "--district", help="Name of a feed, a district, or a feed's file.", show_default="all feeds")] = None,
        target: TargetOption = None,
        entity: Annotated[str | None, typer.Option(help="Such as users, classes or enrollments.", show_default="all")] = None,
        offline: Annotated[bool, typer.Option("--offline", help="Do not ask the target.")] = False,
        state: State = Path(".roster"), json: Json = False) -> None:  # fmt: skip
    """Tell one record's story: its row, findings, ledger, target and plan."""
    from flows.why import Asked
    from flows.why import why as tell

    _guarded(lambda: tell(Asked(sourced_id, feed, target, entity, offline), state, os.environ, as_json=json))


@app.command()
def discard(plan: Annotated[str, typer.Argument(help="The plan that nobody is to approve.", show_default=False)],
            by: Annotated[str, typer.Option(help="Who discards it.", show_default="you")] = "", note: Note = "",
            state: State = Path(".roster")) -> None:  # fmt: skip
    """Let go of a plan that was held."""
    from flows.discarding import discard as let_go

    _guarded(lambda: let_go(plan, state, os.environ, by, note))


@app.command()
def sandbox(state: State = Path(".roster"), port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8765,
            seed: Annotated[bool, typer.Option("--seed", help="Put in the ids that the API's documentation uses.")] = False) -> None:  # fmt: skip
    """Serve a local OneRoster API until it is interrupted."""
    from flows.serving import serve

    _guarded(lambda: serve(state, port, seed))


@app.command("get")
def get_command(
    collection: Annotated[
        str, typer.Argument(help="Such as users, students, classes or enrollments.", show_default=False)
    ],
    target: Annotated[str, typer.Option(help="URL, `sandbox`, or `env` ($TIMEBACK_API_URL).", show_default=False)],
    state: State = Path(".roster"),
    filter: Annotated[str, typer.Option(help="Such as \"familyName='Diaz'\".")] = "",
    sort: Annotated[str, typer.Option(help="Property to sort by.")] = "sourcedId",
    fields: Annotated[str, typer.Option(help="Properties to show, joined by commas.")] = "",
    limit: Annotated[int | None, typer.Option(min=1, help="Records at most.", show_default="all")] = None,
    json: JsonLines = False,
    csv: Csv = False,
) -> None:
    """Read a collection of the API."""
    from flows.asking import Question, ask

    question = Question(collection, filter, sort, fields, limit)
    _guarded(lambda: ask(question, target, state, os.environ, _form(json, csv)))


@app.command()
def enrollments(
    student: Annotated[str, typer.Argument(help="The sourcedId of a person.", show_default=False)],
    target: Annotated[str, typer.Option(help="URL, `sandbox`, or `env` ($TIMEBACK_API_URL).", show_default=False)],
    state: State = Path(".roster"),
    json: JsonLines = False,
    csv: Csv = False,
) -> None:
    """Say in which courses a person is, through which class, in which role and when."""
    from datetime import datetime

    from flows.asking import enrollments as tell

    _guarded(lambda: tell(student, target, state, os.environ, datetime.now().astimezone().date(), _form(json, csv)))


def _form(json: bool, csv: bool) -> Literal["", "json", "csv"]:
    if json and csv:
        raise typer.BadParameter("choose one of --json and --csv")
    return "json" if json else "csv" if csv else ""


def _run(command: Command, drop: Path, target: str | None, district: str | None, state: Path, strict: bool, json: bool,
         **more: Any) -> None:  # fmt: skip
    from flows.running import Options, run

    options = Options(command, drop, target, district, state, strict, json, **more)
    _guarded(lambda: run(options, os.environ))


def _guarded(action: object) -> None:
    """Run an action that gives an exit code; what it cannot go on for is told in a sentence."""
    from flows.faults import told

    sys.exit(told(action))  # type: ignore[arg-type]


# What the command line's library makes of an interruption that nobody has told of yet.
INTERRUPTED = 130


def main() -> None:
    """Run the command line."""
    # Modules and frames live until the end: looking for garbage among them takes a tenth of a night that sends nothing.
    gc.set_threshold(100_000)
    # Whoever ends a command politely is told how far it came, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        app()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
        if code == INTERRUPTED:
            code = 1
            sys.stderr.write("roster: Interrupted before anything was sent; run again.\n")
    else:
        code = 0
    # What is to be kept is on the disk by now; taking frames and modules apart one by one would take longer than many a run.
    with suppress(BrokenPipeError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(code)
