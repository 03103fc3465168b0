"""How far a backfill came that a held or failed day ended, so that the same backfill goes on there.

Beginning anew would put the first day's truth over that of the day that a person has approved.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from pathlib import Path

from connectors.archive.archive import folder_of
from connectors.ledger import Ledger, Run
from connectors.private_files import write_private
from flows.job import Job
from flows.run_history import loaded
from transforms.replay import Step

FOLDER = "backfills"


@dataclass(frozen=True)
class Begun:
    """A day that was begun: what it was of, and the runs that loaded it, the last of which counts."""

    day: str
    source: str
    content: str
    runs: tuple[str, ...] = ()

    @classmethod
    def of(cls, step: Step, content: str) -> Begun:
        """Name a step; it is the same one as long as its content is."""
        return cls(str(step.day), step.source, content)

    @property
    def step(self) -> Begun:
        """The step without its runs."""
        return replace(self, runs=())


class Progress:
    """The days that the last backfill of a feed has begun, in order, in a file of the state folder."""

    def __init__(self, job: Job) -> None:
        self._path = job.run.state / FOLDER / f"{folder_of(job.key)}.json"
        self._begun = _read(self._path)

    def done(self, steps: Sequence[Begun], ledger: Ledger, job: Job) -> int:
        """Count the first steps that the target holds by the last backfill, if nothing else was loaded since.

        The last of all steps is never counted: to replay it once more is harmless, and shows that it is there.
        """
        here = [] if not self._begun or _came_between(self._begun, ledger, job) else self._begun
        pairs = zip(here, steps[:-1], strict=False)
        count = len(list(takewhile(lambda pair: pair[0].step == pair[1] and _arrived(pair[0], ledger), pairs)))
        self._begun = here if count else []
        return count

    def begin(self, place: int, step: Begun, run: str) -> None:
        """Note that a run is about to load the step at a place; what was noted of those after it is not true any more."""
        before = self._begun[place].runs if place < len(self._begun) and self._begun[place].step == step else ()
        self._begun = [*self._begun[:place], replace(step, runs=(*before, run))]
        write_private(self._path, json.dumps([asdict(begun) for begun in self._begun], indent=1))


class Meanwhile:
    """Looks whether another run has loaded the feed since this backfill began."""

    def __init__(self, job: Job) -> None:
        self._expected = _loaded(job)

    def expect(self, run: str) -> None:
        """Know a run as one of this backfill."""
        self._expected.add(run)

    def overtaken(self, job: Job) -> bool:
        """Whether there is one that was not expected."""
        return bool(_loaded(job) - self._expected)


def _loaded(job: Job) -> set[str]:
    with Ledger.reading(job.ledger_at) as ledger:  # as it is now
        return {run.id for run in ledger.runs(job.key) if loaded(run)}


def _read(path: Path) -> list[Begun]:
    """Read what was noted; of a file that is damaged nothing is known."""
    try:
        said = json.loads(path.read_text())
        return [Begun(**one | {"runs": tuple(one["runs"])}) for one in said]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return []


def _arrived(begun: Begun, ledger: Ledger) -> bool:
    """Whether all of a day is in the target: what was held of it was approved, and sent."""
    run = ledger.run(begun.runs[-1])
    if run is None or run.status != "held":
        return run is not None and run.status in ("done", "unchanged")
    plan = ledger.plan(run.plan)
    return plan is not None and plan.status == "sent"


def _came_between(begun: Sequence[Begun], ledger: Ledger, job: Job) -> bool:
    """Whether something else was loaded since the backfill began."""
    own = {run for one in begun for run in one.runs}
    first = ledger.run(begun[0].runs[0])
    since = [] if first is None else [run for run in ledger.runs(job.key) if run.started >= first.started]
    return first is None or any(loaded(run) and not _is_of(run, own, ledger) for run in since)


def _is_of(run: Run, own: set[str], ledger: Ledger) -> bool:
    if run.id in own:
        return True
    plan = ledger.plan(run.approved) if run.approved else None
    return plan is not None and plan.run in own
