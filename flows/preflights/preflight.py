"""`roster preflight`: all that can be known before a first load, without writing to the target. What a person can mend is told, never raised."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from flows.make_job import Options
from flows.preflights.check import Check, Preflight
from flows.preflights.drop import dropped, found
from flows.preflights.probing import is_staging
from flows.preflights.settings import settings
from flows.preflights.state import probed, state
from flows.preflights.target import first_load, target
from flows.showing import Screen

INDENT = 2
READY = "Ready. `roster plan` says what a load would send."
NOT_READY = "Not ready: mend what is not ok, and look again."
STYLES = {"ok": "green", "warning": "yellow", "not ok": "bold red", "not looked at": "dim"}


def run_preflight(options: Options, environment: Mapping[str, str]) -> int:
    """Look, tell, and give the exit code."""
    found = preflight(options, environment)
    with suppress(BrokenPipeError):
        _show(Screen(stderr=options.json), found)
        if options.json:
            print(json.dumps(found.as_json()), flush=True)
    return found.exit_code


def preflight(options: Options, environment: Mapping[str, str]) -> Preflight:
    """Look at settings, secrets, target, drop and state; nothing is sent but questions."""
    meant, job = settings(options, environment)
    if job is None:
        return Preflight(str(options.drop), "", tuple(meant))
    job, drop = found(job)
    there = target(job, drop.touched)
    usable = not any(check.standing == "not ok" for check in there)
    here = state(job)
    # Records of others in a target that cannot be read are not asked for once more.
    alone = replace(job, guard=replace(job.guard, external=frozenset()))
    judged, accepted = dropped(job if usable else alone, drop)
    checks = [*meant, *there, *judged, *here, first_load(job, accepted, usable)]
    staging = is_staging(options, environment)
    return Preflight(job.run.feed, job.load.target.name, (*checks, probed(job, staging)))


def _show(console: Console, found: Preflight) -> None:
    into = f" into {found.target}" if found.target else ""
    console.print(Text(f"Preflight of {found.feed}{into}", style="bold"))
    for check in found.checks:
        _show_check(console, check)
    console.print(Text(READY if found.ok else NOT_READY, style="bold"))


def _show_check(console: Console, check: Check) -> None:
    console.print(Text.assemble((f"{check.standing}", STYLES[check.standing]), f"  {check.name}"))
    console.print(Padding.indent(Text(check.says), INDENT))
