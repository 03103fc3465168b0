"""One record's story in one feed: what the drop, the ledger, the target and plans have of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.ledger import FeedKey, Plan
from transforms.payload import Json

RosterPlace = Literal["accepted", "refused", "withheld", "absent"]
Seen = Literal["there", "deleted", "absent", "unasked"]


@dataclass(frozen=True)
class InRoster:
    """What the last accepted roster has of a record."""

    run: str  # the run that accepted the roster
    standing: RosterPlace = "absent"
    # the record as it is sent, if it was accepted, without passwords
    body: Json = field(default_factory=dict)
    fingerprint: int | None = None
    partial: frozenset[str] = frozenset()  # the kinds of parts of which the target may have more


@dataclass(frozen=True)
class Finding:
    """An error in a row of a record."""

    file: str
    row: str  # the record's number in its file; blank for an error of the file
    column: str
    rule: str
    value: str


@dataclass(frozen=True)
class LastRun:
    """What the last run says of a record."""

    run: str = ""
    findings: tuple[Finding, ...] = ()  # the errors of its rows
    trouble: str = ""  # why it did not reach the target; blank if it did


@dataclass(frozen=True)
class InLedger:
    """What the target has acknowledged of a record."""

    status: str
    run: str  # the run that sent it
    fingerprint: int
    ends: str = ""  # the last day of a record that ends


@dataclass(frozen=True)
class InTarget:
    """What the target has of a record."""

    seen: Seen
    differs: tuple[str, ...] = ()  # the properties that differ from the roster
    reason: str = ""  # why the target was not asked


@dataclass(frozen=True)
class Waiting:
    """The plan that holds a record."""

    plan: Plan
    action: str  # what will be done with the record
    sentence: str  # why it waits


@dataclass(frozen=True)
class Story:
    """The complete story; None where nothing is known."""

    key: FeedKey
    entity: str
    sourced_id: str
    roster: InRoster | None = None
    last: LastRun = field(default_factory=LastRun)
    ledger: InLedger | None = None
    target: InTarget = field(default_factory=lambda: InTarget("unasked"))
    waiting: Waiting | None = None
    drop: str = "DROP"  # the drop or the feed file that named the feed
    forgotten: bool = False  # the id is that of a person who must be forgotten

    @property
    def is_known(self) -> bool:
        """Whether this machine knows the record."""
        in_roster = self.roster is not None and self.roster.standing != "absent"
        return bool(in_roster or self.last.findings or self.ledger or self.waiting)

    @property
    def is_same(self) -> bool | None:
        """Whether the target has acknowledged the roster's record; None if one of them has none."""
        if self.roster is None or self.roster.fingerprint is None or self.ledger is None:
            return None
        return self.roster.fingerprint == self.ledger.fingerprint
