"""The report of `roster preflight`."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from flows.preflight.check import Preflight

INDENT = 2
READY = "Ready. `roster plan` says what a load would send."
NOT_READY = "Not ready. Fix the items marked `not ok` and run preflight again."
STYLES = {"ok": "green", "warning": "yellow", "not ok": "bold red", "not looked at": "dim"}


def print_preflight(console: Console, found: Preflight) -> None:
    """Print the result of each check, and whether a load can begin."""
    into = f" into {found.target}" if found.target else ""
    console.print(Text(f"Preflight of {found.feed}{into}", style="bold"))
    for check in found.checks:
        standing = (f"{check.standing}", STYLES[check.standing])
        console.print(Text.assemble(standing, f"  {check.name}"))
        console.print(Padding.indent(Text(check.says), INDENT))
    console.print(Text(READY if found.ok else NOT_READY, style="bold"))
