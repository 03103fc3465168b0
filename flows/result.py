"""The result of a run: its counts, findings, holds, exit code and JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl

from connectors.oneroster.outcomes import RecordProblem
from flows.options import Command
from transforms.changes import TERMS, Counts, imbalance
from transforms.findings import Findings
from transforms.guard import Hold, LimitReading
from transforms.guard.guard import no_pairs
from transforms.guard.plan import PLAN_COLUMNS
from transforms.refuse import count_violations

Status = Literal["done", "unchanged", "held", "failed", "refused"]
DONE, FAILED, USAGE, HELD, REFUSED = range(5)  # exit codes
SENT = ("created", "updated", "disabled", "deleted")
# Findings that are the fault of the feed file.
SETTINGS_RULES = frozenset({"setting_idle"})

# The kinds of notifications about a run.
NoticeKind = Literal["failed", "refused", "held", "stale", "unusual"]
NOTICE_KINDS: tuple[NoticeKind, ...] = get_args(NoticeKind)

# Notes on a run in the ledger: all of it was held; only new records were sent; the export was no
# full snapshot.
STOPPED, ADDS_ONLY, CHANGES_ONLY = "stopped", "adds only", "changes only"
# Notes: the run repaired the target, restored an earlier roster, or ran under a feed's new name
# before `roster rename` moved the records of the old one.
REPAIRED, RESTORED, RENAMED = "repaired", "restored", "renamed"
# Counts of a run in the ledger beside its terms: records that left the target, or were kept by
# policy; and rejected records of an entity that was not delivered.
COUNTED, UNDELIVERED = "counted", "undelivered"


def refusal_code(refused: pl.DataFrame) -> int:
    """Return the exit code of a command whose drop is refused by some findings.

    If they are only about the feed file, the drop may be fine.
    """
    return USAGE if set(refused["rule"]) <= SETTINGS_RULES else REFUSED


@dataclass(frozen=True)
class SuggestedOptions:
    """The options that a suggested command needs, so that it concerns the same feed and state."""

    feed: str = ""  # after a drop
    state: str = ""  # for a command without a drop


@dataclass(frozen=True)
class RunResult:
    """The result of one run of the pipeline."""

    run: str
    command: Command
    district: str
    target: str
    counts: dict[str, Counts]
    findings: Findings
    refused: pl.DataFrame  # the findings that refused the drop, if it was refused
    plan: str = ""  # the id of the plan that holds `records`
    troubles: tuple[RecordProblem, ...] = ()  # records that failed, wait, or are held as foreign
    error: str = ""  # why the run ended early
    requests: int = 0
    retries: int = 0
    seconds: float = 0.0  # wall-clock time
    strict: bool = False
    # Why changes wait, or why the run is not done although nothing waits.
    holds: tuple[Hold, ...] = ()
    readings: tuple[LimitReading, ...] = ()
    # Records that the target has under another id.
    pairs: pl.DataFrame = field(default_factory=no_pairs)
    # The held changes (columns of a plan).
    records: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=PLAN_COLUMNS))
    # By entity, how many records left the target or were kept by policy.
    let_go: dict[str, int] = field(default_factory=dict)
    # Records of an approved plan that changed in the ledger since.
    moved: pl.DataFrame | None = None
    # Entities of which the drop is a full snapshot. For the others, the ids that it has.
    whole: frozenset[str] = frozenset()
    spoken: Mapping[str, pl.Series] = field(default_factory=dict)
    raised: bool = False  # changes passed only because a limit was raised for this run
    adds_only: date | None = None  # the last day on which only new records are sent
    content: str = ""  # the digest of the roster
    stale: str = ""  # how old the drop is, if it is too old
    unusual: tuple[str, ...] = ()  # what differs from this feed's usual runs
    untold: tuple[str, ...] = ()  # who could not be notified
    waits: str = ""  # the run of an earlier plan that still waits
    approved: str = ""  # the plan that was sent
    source: str = ""  # the run whose roster the held changes come from, if it is another one
    told: tuple[str, ...] = ()  # what a person should know about an approval
    restored: str = ""  # the run whose roster was restored
    repaired: bool = False  # the target was repaired
    expires: datetime | None = None
    folder: Path = field(default_factory=Path)
    repeat: SuggestedOptions = field(default_factory=SuggestedOptions)

    @property
    def status(self) -> Status:
        """The run in one word. `failed` takes precedence over `held`."""
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
        """The exit code of the command."""
        if self.refused.height:
            return refusal_code(self.refused)
        if self.command == "check" and self.strict and count_violations(self.findings):
            return REFUSED
        if self.command == "check":
            return DONE
        return {
            "done": DONE,
            "unchanged": DONE,
            "failed": FAILED,
            "held": HELD,
        }[self.status]

    def total(self, term: str) -> int:
        """Return the number of records of all entities under one term."""
        return sum(
            count
            for counts in self.counts.values()
            for name, count in counts.items()
            if name == term
        )

    @property
    def causes(self) -> list[tuple[tuple[str, str, str], list[str]]]:
        """The ids of `troubles` by cause (entity, result, detail), most frequent cause first."""
        ids: dict[tuple[str, str, str], list[str]] = {}
        for trouble in self.troubles:
            ids.setdefault((trouble.entity, trouble.result, trouble.detail), []).append(
                trouble.sourcedId
            )
        return sorted(ids.items(), key=lambda cause: -len(cause[1]))

    @property
    def rejects(self) -> Path:
        """The file with the errors of all rows."""
        return self.folder / "rejects.csv"

    @property
    def report(self) -> Path:
        return self.folder / "report.md"

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
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


def empty_json(district: str | None) -> dict[str, object]:
    """Return the `--json` object of a command that ended before there was a run."""
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


FlowEndName = Literal[
    "Completed", "Held", "Failed", "Refused", "Rejected", "Timed out", "Not ready", "Superseded"
]


@dataclass(frozen=True)
class FlowEnd:
    """How a flow ended."""

    name: FlowEndName
    message: str  # for people
    outcome: dict[str, Any] = field(
        default_factory=dict
    )  # `RunResult.as_json()`, if there was a run
