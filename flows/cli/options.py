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


Drop = Annotated[
    Path, typer.Argument(help="A folder, a zip, or a feed file (*.toml).", show_default=False)
]
TargetOption = Annotated[
    str | None,
    typer.Option(
        "--target", help="URL, `sandbox`, or `env` ($TIMEBACK_API_URL).", show_default=False
    ),
]
District = Annotated[
    str | None,
    typer.Option(help="Name of the district.", show_default="default, or the feed file"),
]
State = Annotated[
    Path,
    typer.Option(
        file_okay=False,
        envvar="ROSTER_STATE",
        callback=_protect_state,
        help="Where ledger, sandbox and reports are kept.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
Csv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Note = Annotated[str, typer.Option(help="Why.", show_default=False)]


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
        metavar=option.metavar,
        min=option.least,
        max=option.most,
        show_default=option.unsaid or (default is not None and default != ""),
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
