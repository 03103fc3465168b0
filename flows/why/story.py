"""One record's story in one feed: what drop, ledger, target and plans say of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from connectors.ledger import FeedKey, Plan
from transforms.payload import Json

Standing = Literal["accepted", "refused", "withheld", "absent"]
Seen = Literal["there", "deleted", "absent", "unasked"]


@dataclass(frozen=True)
class InRoster:
    """What the last accepted roster, that of `run`, says of a record: `body` is it as it is sent, if it was accepted, without passwords.

    `partial` are the kinds of parts of which the target may hold more.
    """

    run: str
    standing: Standing = "absent"
    body: Json = field(default_factory=dict)
    fingerprint: int | None = None
    partial: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """An error in a row of a record; `row` is the record's number in its file, blank if it is the file's."""

    file: str
    row: str
    column: str
    rule: str
    value: str


@dataclass(frozen=True)
class LastRun:
    """What the last run says of a record: the errors of its rows, and why it did not reach the target (blank: it did)."""

    run: str = ""
    findings: tuple[Finding, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class InLedger:
    """What the target has acknowledged of a record, in which run; `ends` is the last day of what is over some day."""

    status: str
    run: str
    fingerprint: int
    ends: str = ""


@dataclass(frozen=True)
class InTarget:
    """What the target says of a record, and which properties it says otherwise than the roster; or why it was not asked."""

    seen: Seen
    differs: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Waiting:
    """The plan in which a record waits, what would be done with it, and why it waits."""

    plan: Plan
    action: str
    sentence: str


@dataclass(frozen=True)
class Story:
    """All of it; None where nothing is known. `drop` is what the feed was named by, `DROP` if nobody named it.

    `forgotten` says that the id is one of a person who is to be forgotten.
    """

    key: FeedKey
    entity: str
    sourced_id: str
    roster: InRoster | None = None
    last: LastRun = field(default_factory=LastRun)
    ledger: InLedger | None = None
    target: InTarget = field(default_factory=lambda: InTarget("unasked"))
    waiting: Waiting | None = None
    drop: str = "DROP"
    forgotten: bool = False

    @property
    def is_known(self) -> bool:
        """Whether anybody on this machine knows the record."""
        in_roster = self.roster is not None and self.roster.standing != "absent"
        return bool(in_roster or self.last.findings or self.ledger or self.waiting)

    @property
    def is_same(self) -> bool | None:
        """Whether the target has acknowledged what the roster says; None if one of them does not know the record."""
        if self.roster is None or self.roster.fingerprint is None or self.ledger is None:
            return None
        return self.roster.fingerprint == self.ledger.fingerprint
