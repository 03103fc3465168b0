"""The options and arguments of the command line that several commands have, each with its help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.errors import exit_with_error


def _closed(state: Path) -> Path:
    """Close a state folder to which everybody may write, before any command uses it."""
    # Imported here, so that `roster --help` answers at once.
    from flows.errors import SettingsError
    from flows.files import closed

    try:
        return closed(state)
    except SettingsError as error:
        exit_with_error(error)


Drop = Annotated[Path, typer.Argument(help="A folder, a zip, or a feed's file (*.toml).", show_default=False)]
TargetOption = Annotated[
    str | None, typer.Option("--target", help="URL, `sandbox`, or `env` ($TIMEBACK_API_URL).", show_default=False)
]
District = Annotated[str | None, typer.Option(help="Name of the district.", show_default="default, or the feed's file")]
State = Annotated[
    Path,
    typer.Option(
        file_okay=False, envvar="ROSTER_STATE", callback=_closed, help="Where ledger, sandbox and reports are kept."
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Turn lenient readings of a drop into errors.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Approve = Annotated[
    str | None, typer.Option(metavar="PLAN", help="Send exactly what this plan holds.", show_default=False)
]
FirstRun = Annotated[
    bool, typer.Option("--first-run", help="Load although the target holds some of these ids already.")
]
By = Annotated[str, typer.Option(help="Who approves.", show_default="you")]
Note = Annotated[str, typer.Option(help="Why.", show_default=False)]
AllOrNothing = Annotated[bool, typer.Option("--all-or-nothing", help="Send nothing if anything is held.")]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=10,
        help="Processes that send; they share the requests at once.",
        show_default="1, or the feed's file",
    ),
]
