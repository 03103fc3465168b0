"""Progress bars on a terminal: one for each entity while it is loaded. Nowhere else."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from flows.reports.screen import print_line
from flows.watch import Watch


class Bars(Watch):
    """The bars of a run, as a context manager. A bar appears when the load of its entity begins."""

    def __init__(self, console: Console) -> None:
        self.console = console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(
            *columns, console=console, transient=True, disable=not console.is_terminal
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def say(self, line: str) -> None:
        """Print a line above the bars."""
        self.console.print(line)

    def warn(self, line: str) -> None:
        """Print a line on standard error."""
        print_line(line, error=True)

    def advance(self, entity: str, done: int, total: int) -> None:
        """Show that `done` of `total` records of an entity have an outcome."""
        if entity not in self._tasks:
            self._tasks[entity] = self._progress.add_task(entity, total=total)
        self._progress.update(self._tasks[entity], completed=done, total=total)
