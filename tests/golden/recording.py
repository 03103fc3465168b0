"""The recorder: runs commands at a fixed time against a real sandbox, and records their effects."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import time_machine

from connectors.oneroster.sandbox import Sandbox
from tests.golden import ledger, requests
from tests.golden.files import Files
from tests.golden.masks import Masks
from tests.golden.ordering import Order
from tests.golden.text import against, printed
from tests.running import Run, roster

FIRST_NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=ZoneInfo("UTC"))
DAY, PAUSE = timedelta(days=1), timedelta(minutes=1)
STATE, OUT = Path("state"), Path("out")
# A fixed user and fixed credentials. Variables of the caller's shell have no effect.
ENVIRONMENT = {"LOGNAME": "operator", "TIMEBACK_CLIENT_ID": "sandbox", "TIMEBACK_CLIENT_SECRET": "sandbox",
               "TIMEBACK_ACCESS_TOKEN": "", "ROSTER_LEDGER": "", "FORCE_COLOR": "", "TTY_COMPATIBLE": ""}  # fmt: skip


@contextmanager
def serving() -> Iterator[tuple[Sandbox, requests.Log]]:
    """Start a sandbox that logs its requests."""
    log = requests.Log()
    with Sandbox(None, wrap=log.over) as sandbox:
        yield sandbox, log


@dataclass
class Recorder:
    """Runs commands in the current folder, and keeps their records."""

    sandbox: Sandbox
    log: requests.Log
    clock: time_machine.Traveller
    masks: Masks
    files: Files
    order: Order = field(default_factory=Order)
    now: datetime = FIRST_NIGHT
    night: str = ""
    rows: ledger.Rows = field(default_factory=ledger.Rows)
    errors: list[str] = field(default_factory=list)
    records: dict[str, list[str]] = field(default_factory=dict)  # texts by the name of the record

    def begin(self, night: int, name: str) -> None:
        """Start a night, which has its own records."""
        self.now = FIRST_NIGHT + (night - 1) * DAY
        self.night = f"{night}_{name}"

    def roster(self, command: str, *arguments: str) -> Run:
        """Run a command, and record it."""
        run = self._run(command, *arguments)
        before, self.rows = self.rows, ledger.rows(STATE / "ledger.db")
        title = f"$ roster {shlex.join((command, *arguments))}"
        self._record("commands", title, self._seen_of(run))
        self._record("requests", title, requests.written(self.order.over(self.log.take())))
        self._record("ledger", title, ledger.changes(before, self.rows, self.masks.over))
        return run

    def prepare(self, command: str, *arguments: str) -> None:
        """Run a command before the records begin."""
        self._run(command, *arguments)
        self.rows = ledger.rows(STATE / "ledger.db")
        self.order.over(self.log.take())
        list(self.files.changes())

    def _run(self, command: str, *arguments: str) -> Run:
        self.now += PAUSE
        self.clock.move_to(self.now)
        urls = {"TIMEBACK_API_URL": self.sandbox.url, "TIMEBACK_TOKEN_URL": self.sandbox.token_url}
        run = roster(command, *arguments, state=STATE, environment=ENVIRONMENT | urls)
        if run.out.strip().endswith("}") and (plan := run.json.get("plan")):
            self.masks.learn_plan(plan)
        return run

    def _seen_of(self, run: Run) -> Iterator[str]:
        errors = [self.masks.over(line) for line in printed(run.err)]
        yield f"exit {run.code}"
        yield from _titled("output", list(printed(run.out)))
        yield from _titled("errors", list(against(self.errors, errors)))
        yield from _titled("files", list(self.files.changes()))
        self.errors = errors or self.errors

    def _record(self, kind: str, title: str, lines: Iterable[str]) -> None:
        if text := [f"  {line}".rstrip() for line in lines]:
            masked = self.masks.over("\n".join((title, *text, "")))
            self.records.setdefault(f"{self.night}.{kind}.txt", []).append(masked)


def _titled(title: str, lines: list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


@contextmanager
def recorder(sandbox: Sandbox, log: requests.Log) -> Iterator[Recorder]:
    """Start with an empty target and an empty folder, at a fixed time.

    The umask lets everyone read new files, unless the program makes them private.
    """
    sandbox.store.clear()
    log.take()
    mask = os.umask(0o022)
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            chdir(folder),
            time_machine.travel(FIRST_NIGHT, tick=False) as clock,
        ):
            OUT.mkdir()
            masks = Masks(int(sandbox.url.rpartition(":")[2]))
            yield Recorder(sandbox, log, clock, masks, Files((STATE, OUT), masks.over))
    finally:
        os.umask(mask)
