"""The app, and the arguments and options that several commands share, each with its help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.cli.errors import exit_with_error
from flows.options import Option, takes_options


def _protect_state(state: Path) -> Path:
    """Remove other users' right to write to the state folder, before any command uses it."""
    # Imported here, so that `roster --help` answers at once.
    from flows.errors import SettingsError
    from flows.files import protect_state_folder

    try:
        return protect_state_folder(state)
    except SettingsError as error:
        exit_with_error(error)


def flag(name: str, help: str) -> Any:
    """Declare an option without a value."""
    return typer.Option(name, help=help, metavar="")


Drop = Annotated[
    Path,
    typer.Argument(
        metavar="DROP", help="A folder, a zip, or a feed file (*.toml).", show_default=False
    ),
]
TARGETS = "The API: a URL, `sandbox`, or `env` ($TIMEBACK_API_URL)."
TargetOption = Annotated[
    str | None,
    typer.Option("--target", metavar="TARGET", help=TARGETS, show_default=False),
]
District = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Name of the district. Default: the feed file's, or `default`.",
        show_default=False,
    ),
]
State = Annotated[
    Path,
    typer.Option(
        metavar="FOLDER",
        file_okay=False,
        envvar="ROSTER_STATE",
        callback=_protect_state,
        help="Folder of the ledger, the sandbox and the reports.",
    ),
]
Json = Annotated[bool, flag("--json", "Print one JSON object instead of text.")]
JsonLines = Annotated[bool, flag("--json", "Print one JSON object per line.")]
Csv = Annotated[bool, flag("--csv", "Print CSV.")]
By = Annotated[
    str,
    typer.Option(
        metavar="NAME", help="Who decides this. Default: your user name.", show_default=False
    ),
]
Note = Annotated[
    str, typer.Option(metavar="TEXT", help="Why; the ledger keeps it.", show_default=False)
]
FeedOption = Annotated[
    str | None,
    typer.Option(
        "--feed",
        "--district",
        metavar="FEED",
        help="A feed, by its name or its file. Default: all feeds.",
        show_default=False,
    ),
]


def with_run_options(command: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Add to a command the options that `flows/options.py` declares for it."""
    return takes_options(command, _as_typer)


def _as_typer(name: str, kind: type, default: Any, option: Option) -> tuple[Any, Any]:
    """Return the annotation and the default from which typer makes an option.

    An option that a feed file may set as well has the default None, which means not given.
    """
    parameter = typer.Option(
        f"--{name.replace('_', '-')}",
        help=option.help,
        metavar="" if kind is bool else option.metavar,
        min=option.least,
        max=option.most,
        show_default=default is not None and default != "",
    )
    if option.feed:
        return Annotated[kind | None, parameter], None
    return Annotated[kind, parameter], default


app = typer.Typer(
    name="roster",
    help="Carry a district's roster from its SIS export into a OneRoster v1.2 API, exactly.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
