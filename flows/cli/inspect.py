"""The commands that read the ledger or the API, and change nothing.

The docstring of a command is its help text.
"""

from __future__ import annotations

# Each command imports what it runs, so that `roster --help` answers at once.
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.cli.errors import run_guarded
from flows.cli.options import (
    TARGETS,
    Csv,
    FeedOption,
    Json,
    JsonLines,
    State,
    TargetOption,
    app,
    flag,
)

if TYPE_CHECKING:
    from flows.query import QueryResult


@app.command()
def status(
    drops: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DROP",
            help="Drops or feed files (*.toml). Default: all feeds.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[bool, flag("--all", "Show the last 20 runs of each feed.")] = False,
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Show the status of feeds: their last runs, what is held, what is stale."""
    from flows.reports.screen import Screen, print_json
    from flows.reports.status import print_status, status_json
    from flows.status import StatusResult
    from flows.status import status as read_status

    def report(result: StatusResult) -> None:
        if json:
            print_json(status_json(result))
        else:
            print_status(Screen(), result, os.environ)

    outline = {"state": str(state), "feeds": []} if json else None
    run_guarded(lambda: read_status(drops or [], state, os.environ, every=every), report, outline)


@app.command()
def why(
    sourced_id: Annotated[
        str, typer.Argument(metavar="ID", help="A sourcedId.", show_default=False)
    ],
    feed: FeedOption = None,
    target: TargetOption = None,
    entity: Annotated[
        str | None,
        typer.Option(
            metavar="ENTITY",
            help="Such as users, classes or enrollments. Default: all.",
            show_default=False,
        ),
    ] = None,
    offline: Annotated[bool, flag("--offline", "Do not ask the target.")] = False,
    state: State = Path(".roster"),
    json: Json = False,
) -> None:
    """Explain one record: its row, findings, ledger, target and plan."""
    from flows.reports.screen import Screen, print_json
    from flows.reports.why import print_why, why_json
    from flows.why.explain import WhyRequest, WhyResult, explain

    def report(result: WhyResult) -> None:
        if json:
            print_json(why_json(result))
        else:
            print_why(Screen(), result)

    request = WhyRequest(sourced_id, feed, target, entity, offline)
    outline = {"sourcedId": sourced_id, "records": []} if json else None
    run_guarded(lambda: explain(request, state, os.environ), report, outline)


@app.command("get")
def get_command(
    collection: Annotated[
        str,
        typer.Argument(
            metavar="COLLECTION",
            help="Such as users, students, classes or enrollments.",
            show_default=False,
        ),
    ],
    target: Annotated[str, typer.Option(metavar="TARGET", help=TARGETS, show_default=False)],
    state: State = Path(".roster"),
    filter: Annotated[
        str, typer.Option(metavar="TEXT", help="Such as \"familyName='Diaz'\".")
    ] = "",
    sort: Annotated[str, typer.Option(metavar="NAME", help="Property to sort by.")] = "sourcedId",
    fields: Annotated[
        str, typer.Option(metavar="NAMES", help="Properties to show, separated by commas.")
    ] = "",
    limit: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Show at most N records. Default: all.", show_default=False
        ),
    ] = None,
    json: JsonLines = False,
    csv: Csv = False,
) -> None:
    """Read a collection of the API."""
    from flows.query import Query, run_query

    query = Query(collection, filter, sort, fields, limit)
    _print_answer(lambda: run_query(query, target, state, os.environ), _form(json, csv))


@app.command()
def enrollments(
    student: Annotated[
        str, typer.Argument(metavar="ID", help="The sourcedId of a person.", show_default=False)
    ],
    target: Annotated[str, typer.Option(metavar="TARGET", help=TARGETS, show_default=False)],
    state: State = Path(".roster"),
    json: JsonLines = False,
    csv: Csv = False,
) -> None:
    """Show a person's courses: through which class, in which role, and when."""
    from datetime import datetime

    from flows.query import find_enrollments as read

    today = datetime.now().astimezone().date()
    _print_answer(lambda: read(student, target, state, os.environ, today), _form(json, csv))


def _print_answer(read: Callable[[], QueryResult], form: Literal["", "json", "csv"]) -> None:
    """Read from the API, and print the answer.

    Printing belongs to the work: if the reader stops early, not everything was delivered.
    """
    from flows.reports.query import print_query

    def work() -> QueryResult:
        result = read()
        print_query(result, form)
        return result

    run_guarded(work)


def _form(json: bool, csv: bool) -> Literal["", "json", "csv"]:
    if json and csv:
        raise typer.BadParameter("choose one of --json and --csv")
    return "json" if json else "csv" if csv else ""
