"""The commands that manage feeds, plans and targets, from `adopt` to `sandbox`.

The docstring of a command is its help text.
"""

from __future__ import annotations

# Each command imports what it runs, so that `roster --help` answers at once.
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.errors import run_guarded
from flows.cli.options import (
    By,
    District,
    Drop,
    FeedOption,
    Json,
    Note,
    State,
    TargetOption,
    app,
    flag,
    with_run_options,
)

if TYPE_CHECKING:
    from flows.job import Job
    from flows.pipeline import Pipeline
    from flows.result import RunResult


@app.command()
@with_run_options("adopt")
def adopt(
    drop: Drop,
    target: TargetOption = None,
    district: District = None,
    state: State = Path(".roster"),
    again: Annotated[
        bool, flag("--again", "Adopt even if the ledger already has records of this feed.")
    ] = False,
    json: Json = False,
    **told: Any,
) -> None:
    """Record in the ledger what the target already has of a drop, and send nothing."""
    from flows.adopt import AdoptResult, run_adopt
    from flows.options import Options
    from flows.reports.adopt import adopt_json, print_adopt
    from flows.reports.progress import Bars
    from flows.reports.run import write_run_files
    from flows.reports.screen import Screen, print_json

    options = Options("sync", drop, target, district, state, json, told=told)
    screen = Screen(stderr=json)

    def work() -> AdoptResult:
        result = run_adopt(options, os.environ, Bars(screen), again=again)
        if result.refused:
            write_run_files(result.refused, str(drop))
        return result

    def report(result: AdoptResult) -> None:
        print_adopt(screen, result, str(drop))
        if json:
            print_json(adopt_json(result))

    run_guarded(work, report, {} if json else None)


@app.command()
def discard(
    plan: Annotated[
        str, typer.Argument(metavar="PLAN", help="The plan to discard.", show_default=False)
    ],
    by: By = "",
    note: Note = "",
    state: State = Path(".roster"),
) -> None:
    """Discard a plan that is on hold."""
    from flows.decide import discard as discard_plan
    from flows.reports.discard import print_discard

    run_guarded(lambda: discard_plan(plan, state, os.environ, by, note), print_discard)


@app.command()
def forget(
    person: Annotated[
        str, typer.Argument(metavar="ID", help="The sourcedId of a user.", show_default=False)
    ],
    feed: FeedOption = None,
    target: TargetOption = None,
    here: Annotated[bool, flag("--here", "Leave the targets unchanged.")] = False,
    by: By = "",
    note: Note = "",
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Remove one person, here and in the target, permanently."""
    from flows.forget.run import ForgetRequest, ForgetResult
    from flows.forget.run import forget as forget_person
    from flows.reports.forget import forget_json, print_forget
    from flows.reports.screen import print_json

    def report(result: ForgetResult) -> None:
        if json:
            print_json(forget_json(result))
        else:
            print_forget(result)

    request = ForgetRequest(person, feed, target, by, note, here)
    run_guarded(lambda: forget_person(request, state, os.environ), report, {} if json else None)


@app.command()
def rename(
    feed: Annotated[
        str,
        typer.Argument(metavar="FEED", help="The current name of the feed.", show_default=False),
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its new name, or its file.", show_default=False)
    ],
    target: TargetOption = None,
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Move a feed to another name, after its file or district was renamed."""
    from flows.rename import RenameResult
    from flows.rename import rename as rename_feed
    from flows.reports.rename import print_rename, rename_json
    from flows.reports.screen import print_json

    def report(result: RenameResult) -> None:
        if json:
            for renamed in result.feeds:
                print_json(rename_json(renamed))
        else:
            print_rename(result)

    run_guarded(lambda: rename_feed(feed, name, target, state, os.environ), report)


@app.command()
def preflight(
    drop: Drop,
    target: TargetOption = None,
    district: District = None,
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Check whether a feed is ready for its first load, and send nothing."""
    from flows.options import Options
    from flows.preflight.check import Preflight
    from flows.preflight.run import preflight as run_preflight
    from flows.reports.preflight import print_preflight
    from flows.reports.screen import Screen, print_json

    def report(result: Preflight) -> None:
        print_preflight(Screen(stderr=json), result)
        if json:
            print_json(result.as_json())

    options = Options("plan", drop, target, district, state, json=json)
    run_guarded(lambda: run_preflight(options, os.environ), report, {} if json else None)


@app.command()
def probe(
    drop: Drop, target: TargetOption = None, state: State = Path(".roster"), json: Json = False
) -> None:
    """Find out how a staging target behaves, with throw-away records."""
    from flows.options import Options
    from flows.preflight.probe import StoredProbe
    from flows.preflight.probe import probe as probe_target
    from flows.reports.probe import print_probe
    from flows.reports.screen import Screen, print_json

    options = Options("sync", drop, target, state=state, json=json)
    screen = Screen(stderr=json)

    def report(result: StoredProbe) -> None:
        print_probe(screen, result)
        if json:
            print_json(result.as_json())

    run_guarded(
        lambda: probe_target(options, os.environ, say=screen.print), report, {} if json else None
    )


@app.command()
def backfill(
    drop: Drop,
    start: Annotated[
        str,
        typer.Argument(
            metavar="START", help="The first day, such as 2026-09-01.", show_default=False
        ),
    ],
    end: Annotated[str, typer.Argument(metavar="END", help="The last day.", show_default=False)],
    drops: Annotated[
        str,
        typer.Option(
            metavar="FOLDER",
            help="A folder of dated drops or archived rosters, at any address. "
            "Default: the feed's archive.",
            show_default=False,
        ),
    ] = "",
    force: Annotated[bool, flag("--force", "Replace newer data with older data.")] = False,
    every_step: Annotated[
        bool,
        flag("--every-step", "Replay each day, even if a later one has everything."),
    ] = False,
    dry_run: Annotated[
        bool, flag("--dry-run", "Show what each day would send, and send nothing.")
    ] = False,
    target: TargetOption = None,
    district: District = None,
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Replay dated drops, or archived rosters, of a span of days."""
    from flows.backfills.run import Backfill, backfill_request, run_backfill
    from flows.options import Options
    from flows.reported_errors import REPORTED_ERRORS
    from flows.reports.backfill import backfill_json, print_backfill
    from flows.reports.progress import Bars
    from flows.reports.run import write_run_files
    from flows.reports.screen import Screen, print_json
    from flows.run import run_job

    options = Options("sync", drop, target, district, state, json=json, replays=True)
    outline: dict[str, object] = {}
    screen = Screen(stderr=json)

    def perform(job: Job, pipeline: Pipeline | None) -> RunResult:
        result = run_job(job, Bars(screen), pipeline)
        if not job.rehearsal:
            write_run_files(result, str(drop))
        return result

    def work() -> Backfill:
        begun: list[Backfill] = []
        try:
            request = backfill_request(
                options, start, end, drops, force=force, dry_run=dry_run, every_step=every_step
            )
            return run_backfill(options, request, os.environ, perform, begun.append)
        except REPORTED_ERRORS:  # the days before the error are reported too
            for result in begun:
                outline.update(backfill_json(result))
                if result.done:
                    print_backfill(screen, result)
            raise

    def report(result: Backfill) -> None:
        print_backfill(screen, result)
        if json:
            print_json(backfill_json(result))

    run_guarded(work, report, outline if json else None)


@app.command("map")
def map_command(
    drop: Drop,
    out: Annotated[
        Path, typer.Option(metavar="MAPPING.toml", help="The mapping file to write.")
    ] = Path("mapping.toml"),
    force: Annotated[bool, flag("--force", "Replace the mapping file if it is there.")] = False,
    json: Json = False,
) -> None:
    """Guess a mapping file for a drop in an unknown layout, with a reason for each line."""
    from flows.map_layout import MapRequest, MapResult, map_drop
    from flows.reports.map_layout import map_json, print_map
    from flows.reports.screen import print_json

    def report(result: MapResult) -> None:
        if json:
            print_json(map_json(result))
        else:
            print_map(result)

    run_guarded(lambda: map_drop(MapRequest(drop, out, force)), report, {} if json else None)


@app.command()
def deploy(
    feeds: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="The folder of the feed files (*.toml).", show_default=False
        ),
    ],
    pool: Annotated[
        str, typer.Option(help="The work pool for feeds whose file does not name one.")
    ] = "roster",
    dry_run: Annotated[bool, flag("--dry-run", "Show what would be deployed.")] = False,
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Give each feed of a folder its nightly deployment in Prefect."""
    from flows.orchestration.deploy import DeployResult, deployment_text
    from flows.orchestration.deploy import deploy as deploy_feeds
    from flows.reports.screen import print_json, print_line

    def report(result: DeployResult) -> None:
        if result.error:
            print_line(f"roster: {result.error}", error=True)
        elif json:
            print_json(result.outcome)
        else:
            print_line(deployment_text(result.outcome))

    run_guarded(
        lambda: deploy_feeds(feeds, state, os.environ, pool=pool, dry_run=dry_run),
        report,
        {} if json else None,
    )


@app.command()
def sandbox(
    state: State = Path(".roster"),
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8765,
    seed: Annotated[
        bool, flag("--seed", "Put in the ids that the API's documentation uses.")
    ] = False,
) -> None:
    """Serve a local OneRoster API until it is interrupted."""
    from flows.reports.sandbox import print_sandbox
    from flows.serve import serve_sandbox

    run_guarded(lambda: serve_sandbox(state, port, seed, print_sandbox))
