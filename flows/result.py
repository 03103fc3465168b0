"""What a run came to: its counts, its findings, its exit code, its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from connectors.oneroster.outcomes import Trouble
from flows.options import Command
from transforms.changes import TERMS, Counts, imbalance
from transforms.findings import Findings
from transforms.guard import Hold, LimitReading
from transforms.guard.guard import no_pairs
from transforms.guard.plan import PLANNED
from transforms.refuse import breaches

Status = Literal["done", "unchanged", "held", "failed", "refused"]
DONE, FAILED, USAGE, HELD, REFUSED = range(5)
SENT = ("created", "updated", "disabled", "deleted")

# What a run may come to that people are notified of.
NoticeKind = Literal["failed", "refused", "held", "stale", "unusual"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)

# Notes in the ledger of a run that was held as a whole, that let only new records through, whose export was no full snapshot,
# that repaired the target, and that brought an earlier roster back.
STOPPED, ADDS_ONLY, CHANGES_ONLY = "stopped", "adds only", "changes only"
REPAIRED, RESTORED = "repaired", "restored"
# What the ledger counts of a run beside its terms: records that are gone by now, and those that an export did not deliver.
COUNTED, UNDELIVERED = "counted", "undelivered"


def nothing(district: str | None) -> dict[str, object]:
    """Give what the object of `--json` has of a run that came to nothing; `as_json` says the same of others."""
    names = dict.fromkeys(("run", "district", "target", "status", "plan"))
    return {
        **names,
        "district": district,
        "entities": {},
        "requests": 0,
        "retries": 0,
        "seconds": 0.0,
        "rejects": None,
        "report": None,
    }


@dataclass(frozen=True)
class Repeat:
    """Options that a command which is told to people needs, to mean the same again: `feed` after a drop, `state` where there is none."""

    feed: str = ""
    state: str = ""


@dataclass(frozen=True)
class RunResult:
    """One run of the straight line; `refused` are the findings that refused the drop, if it was.

    `troubles` are the records that failed, wait or are held as foreign. `error` says why a run broke
    off. `holds` are the reasons why changes wait, or why the run is not done although nothing waits, `records` those
    changes (columns of a plan), and `plan` its name. `readings` say what each limit showed, `pairs` which records came
    under new ids. `let_go` is how much vanished and was not held, `moved` what is not any more as an approved
    plan found it. `content` is the digest of the roster,
    `whole` the entities of which the drop is a full snapshot, `spoken` whom it has of the others. `stale` says that the drop is too old, `unusual` what is far
    from the feed's usual, `untold` who could not be told of it, `waits`
    names the run whose plan still waits. `approved` is the
    plan that was sent, `restored` the run whose roster was, `repaired` says that the target was mended.
    `source` is the run whose roster the held changes are of, if it is not this one, and `told` is what people are to
    know of an approval. `seconds` is wall-clock time, `repeat` what commands that are told need beside the drop.
    """

    run: str
    command: Command
    district: str
    target: str
    counts: dict[str, Counts]
    findings: Findings
    refused: pl.DataFrame
    plan: str = ""
    troubles: tuple[Trouble, ...] = ()
    error: str = ""
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0
    strict: bool = False
    approval: str = ""
    holds: tuple[Hold, ...] = ()
    readings: tuple[LimitReading, ...] = ()
    pairs: pl.DataFrame = field(default_factory=no_pairs)
    records: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PLANNED))
    let_go: dict[str, int] = field(default_factory=dict)
    moved: pl.DataFrame | None = None
    whole: frozenset[str] = frozenset()
    spoken: Mapping[str, pl.Series] = field(default_factory=dict)
    raised: bool = False
    adds_only: date | None = None
    content: str = ""
    stale: str = ""
    unusual: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    waits: str = ""
    approved: str = ""
    source: str = ""
    told: tuple[str, ...] = ()
    restored: str = ""
    repaired: bool = False
    expires: datetime | None = None
    folder: Path = field(default_factory=Path)
    repeat: Repeat = field(default_factory=Repeat)

    @property
    def status(self) -> Status:
        """The run in one word; what failed goes before what is held."""
        if self.refused.height:
            return "refused"
        if self.error or self.total("failed") or any(map(imbalance, self.counts.values())):
            return "failed"
        if (
            self.total("held")
            or self.records.height
            or self.holds
            or self.stale
            or self.waits
            or self.moved is not None
        ):
            return "held"
        return "done" if any(self.total(term) for term in SENT) else "unchanged"

    @property
    def exit_code(self) -> int:
        """The contract's exit code."""
        if self.command == "check" and self.strict and breaches(self.findings):
            return REFUSED
        if self.command == "check" and self.status != "refused":
            return DONE
        return {
            "done": DONE,
            "unchanged": DONE,
            "failed": FAILED,
            "held": HELD,
            "refused": REFUSED,
        }[self.status]

    def total(self, term: str) -> int:
        """How many records of all entities ended in a term."""
        return sum(counts.get(term, 0) for counts in self.counts.values())  # type: ignore[call-overload]

    @property
    def causes(self) -> list[tuple[tuple[str, str, str], list[str]]]:
        """The ids that each cause (entity, result, detail) troubled, the most frequent cause first."""
        ids: dict[tuple[str, str, str], list[str]] = {}
        for trouble in self.troubles:
            ids.setdefault((trouble.entity, trouble.result, trouble.detail), []).append(
                trouble.sourcedId
            )
        return sorted(ids.items(), key=lambda cause: -len(cause[1]))

    @property
    def rejects(self) -> Path:
        """Where each error of each row is written."""
        return self.folder / "rejects.csv"

    @property
    def report(self) -> Path:
        """Where the report is written."""
        return self.folder / "report.md"

    def as_json(self) -> dict[str, Any]:
        """Give the object that `--json` prints."""
        entities = {
            name: {term: counts.get(term, 0) for term in TERMS}
            for name, counts in self.counts.items()
        }
        return {
            "run": self.run,
            "district": self.district,
            "target": self.target,
            "status": self.status,
            "plan": self.plan or None,
            "entities": entities,
            "requests": self.requests,
            "retries": self.retries,
            "seconds": round(self.seconds, 3),
            "rejects": str(self.rejects),
            "report": str(self.report),
        }


FlowEndName = Literal[
    "Completed", "Held", "Failed", "Refused", "Rejected", "Timed out", "Not ready", "Superseded"
]


@dataclass(frozen=True)
class FlowEnd:
    """How a flow ended."""

    name: FlowEndName
    message: str  # what people read of it
    outcome: dict[str, Any] = field(default_factory=dict)  # the run as one object, if there was one
