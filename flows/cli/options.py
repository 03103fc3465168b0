"""The options and arguments of the command line that several commands have, each with its help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.errors import exit_with_error
from flows.options import Option, takes_options


def _closed(state: Path) -> Path:
    """Close a state folder to which everybody may write, before any command uses it."""
    # Imported here, so that `roster --help` answers at once.
    from flows.errors import SettingsError
    from flows.files import closed

    try:
        return closed(state)
    except SettingsError as error:
        exit_with_error(error)


Drop = Annotated[
    Path, typer.Argument(help="A folder, a zip, or a feed's file (*.toml).", show_default=False)
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", help="URL, `sandbox`, or `env` ($TIMEBACK_API_URL).", show_default=False
    ),
]
District = Annotated[
    str | None,
    typer.Option(help="Name of the district.", show_default="default, or the feed's file"),
]
State = Annotated[
    Path,
    typer.Option(
        file_okay=False,
        envvar="ROSTER_STATE",
        callback=_closed,
        help="Where ledger, sandbox and reports are kept.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Note = Annotated[str, typer.Option(help="Why.", show_default=False)]


def with_run_options(command: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options that `flows/options.py` declares for it."""
    return takes_options(command, _as_typer)


def _as_typer(name: str, kind: type, default: Any, told: Option) -> tuple[Any, Any]:
    """Give the annotation and the default with which typer makes an option; None stands for what was not said."""
    flag = f"--{name.replace('_', '-')}"
    shown = told.unsaid or (default is not None and default != "")
    made = typer.Option(
        flag,
        help=told.help,
        metavar=told.metavar,
        min=told.least,
        max=told.most,
        show_default=shown,
    )
    if told.feed:
        return Annotated[kind | None, made], None
    return Annotated[kind, made], default


app = typer.Typer(
    name="roster",
    help="Carry a district's roster from its SIS export into a OneRoster v1.2 API, exactly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
