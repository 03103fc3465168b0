"""The commands that look after feeds and their targets."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.application import app, guarded
from flows.cli.options import (
    District,
    Drop,
    Json,
    Note,
    State,
    Strict,
    TargetOption,
    Workers,
)


@app.command()
def adopt(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
          again: Annotated[bool, typer.Option("--again", help="Adopt although the ledger has records of this feed.")] = False,
          strict: Strict = False, workers: Workers = None, json: Json = False) -> None:  # fmt: skip
    """Enter in the ledger what the target holds of a drop already, and send nothing."""
    from flows.adopting import run_adopt
    from flows.make_job import Options

    options = Options("sync", drop, target, district, state, strict, json, workers=workers)
    guarded(lambda: run_adopt(options, os.environ, again=again), {} if json else None)


@app.command()
def discard(plan: Annotated[str, typer.Argument(help="The plan that nobody is to approve.", show_default=False)],
            by: Annotated[str, typer.Option(help="Who discards it.", show_default="you")] = "", note: Note = "",
            state: State = Path(".roster")) -> None:  # fmt: skip
    """Let go of a plan that was held."""
    from flows.discarding import discard as let_go

    guarded(lambda: let_go(plan, state, os.environ, by, note))


@app.command()
def forget(person: Annotated[str, typer.Argument(metavar="ID", help="The sourcedId of a user.", show_default=False)],
           feed: Annotated[str | None, typer.Option("--feed", "--district", help="Name of a feed, a district, or a feed's file.", show_default="all feeds")] = None,
           target: TargetOption = None, here: Annotated[bool, typer.Option("--here", help="Leave the targets as they are.")] = False,
           by: Annotated[str, typer.Option(help="Who asks for it.", show_default="you")] = "", note: Note = "",
           state: State = Path(".roster"), json: Json = False) -> None:  # fmt: skip
    """Remove one person here and in the target, for good."""
    from flows.forgetting.forgetting import Asked
    from flows.forgetting.forgetting import forget as remove

    asked = Asked(person, feed, target, by, note, here)
    guarded(lambda: remove(asked, state, os.environ, as_json=json), {} if json else None)


@app.command()
def rename(feed: Annotated[str, typer.Argument(metavar="FEED", help="Name of the feed until now.", show_default=False)],
           name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name, or its file.", show_default=False)],
           target: TargetOption = None, state: State = Path(".roster"), json: Json = False) -> None:  # fmt: skip
    """Move a feed to another name, after its file or district was renamed."""
    from flows.renaming import rename as move

    guarded(lambda: move(feed, name, target, state, os.environ, as_json=json))


@app.command()
def preflight(drop: Drop, target: TargetOption = None, district: District = None, state: State = Path(".roster"),
              json: Json = False) -> None:  # fmt: skip
    """Say what stands in the way of a first load, and send nothing."""
    from flows.make_job import Options
    from flows.preflights.preflight import run_preflight

    options = Options("plan", drop, target, district, state, json=json)
    guarded(lambda: run_preflight(options, os.environ), {} if json else None)


@app.command()
def probe(drop: Drop, target: TargetOption = None, state: State = Path(".roster"), json: Json = False) -> None:
    """Find out with throw-away records what a staging target does."""
    from flows.make_job import Options
    from flows.preflights.probing import run_probe

    options = Options("sync", drop, target, state=state, json=json)
    guarded(lambda: run_probe(options, os.environ), {} if json else None)


@app.command()
def backfill(drop: Drop, start: Annotated[str, typer.Argument(help="The first day, such as 2026-09-01.", show_default=False)],
             end: Annotated[str, typer.Argument(help="The last day.", show_default=False)],
             drops: Annotated[str, typer.Option(help="A folder of dated drops or archived rosters, at any address.", show_default="the feed's archive")] = "",
             force: Annotated[bool, typer.Option("--force", help="Put older truth over newer.")] = False,
             every_step: Annotated[bool, typer.Option("--every-step", help="Replay each day, also where a later one has it all.")] = False,
             dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what each day would send, and send nothing.")] = False,
             target: TargetOption = None, district: District = None, state: State = Path(".roster"), json: Json = False) -> None:  # fmt: skip
    """Replay dated drops, or archived rosters, of a span of days."""
    from flows.backfills.backfilling import run_backfill, wish_of
    from flows.make_job import Options

    options = Options("sync", drop, target, district, state, json=json, replays=True)

    def replay() -> int:
        wish = wish_of(options, start, end, drops, force=force, dry_run=dry_run, every_step=every_step)
        return run_backfill(options, wish, os.environ, outline)

    outline: dict[str, object] | None = {} if json else None
    guarded(replay, outline)


@app.command("map")
def map_command(drop: Drop, out: Annotated[Path, typer.Option(metavar="MAPPING.toml", help="The mapping file to write.")] = Path("mapping.toml"),
                force: Annotated[bool, typer.Option("--force", help="Replace the mapping file if it is there.")] = False,
                json: Json = False) -> None:  # fmt: skip
    """Guess a mapping file for a drop in an unknown layout, with a reason for each line."""
    from flows.guessing import Wish, map_drop

    guarded(lambda: map_drop(Wish(drop, out, force), as_json=json), {} if json else None)


@app.command()
def deploy(feeds: Annotated[Path, typer.Argument(help="The folder of the feeds' files (*.toml).", show_default=False)],
           pool: Annotated[str, typer.Option(help="The work pool of feeds whose file names none.")] = "roster",
           dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be deployed.")] = False,
           state: State = Path(".roster"), json: Json = False) -> None:  # fmt: skip
    """Give each feed of a folder its nightly deployment in Prefect."""
    from flows.orchestration.deploying import deploy as give

    guarded(lambda: give(feeds, state, os.environ, pool=pool, dry_run=dry_run, as_json=json), {} if json else None)


@app.command()
def sandbox(state: State = Path(".roster"), port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8765,
            seed: Annotated[bool, typer.Option("--seed", help="Put in the ids that the API's documentation uses.")] = False) -> None:  # fmt: skip
    """Serve a local OneRoster API until it is interrupted."""
    from flows.serving import serve

    guarded(lambda: serve(state, port, seed))
