"""The changes of a run, entity by entity, and the terms that its records are counted under.

The conservation law: for each entity, read + vanished is the sum of all other terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl

Term = Literal[
    "read",
    "vanished",
    "merged",
    "rejected",
    "unshared",
    "unchanged",
    "created",
    "updated",
    "disabled",
    "deleted",
    "kept",
    "held",
    "waiting",
    "failed",
]
TERMS: tuple[Term, ...] = get_args(Term)
INCOMING: tuple[Term, ...] = ("read", "vanished")
Counts = dict[Term, int]

# Columns of `EntityChanges` that are not part of a record.
ACTION = "#action"
FINGERPRINT = "#fingerprint"
FIELDS = "#fields"
SCHOOL = "#school"
PARENTS = "#parents"
LABEL = "#label"
ENDS = "#ends"
HOLD = "#hold"
ENDED_PARTS = "#ended"

# The status of a record in the ledger:
# - `kept`: missing from the drop, and still in the target, unchanged
# - `disabled`: a user who may no longer sign in
# - `ended`: an enrollment that was given its last day
# - `deleted`: deleted by us
# - `left`: a user who is missing from the drop and whom another feed has (`ownership.py`)
ACTIVE, KEPT, DISABLED, ENDED, DELETED = "active", "kept", "disabled", "ended", "deleted"
LEFT = "left"
IN_TARGET = (ACTIVE, KEPT, DISABLED, ENDED)
# The actions for records that are missing from the drop: the term that counts them, and the status
# that they get.
REMOVALS: dict[str, tuple[Term, str]] = {
    "delete": ("deleted", DELETED),
    "disable": ("disabled", DISABLED),
    "end": ("disabled", ENDED),
    "leave": ("kept", LEFT),
}
HELD = {
    "sourcedId": pl.String,
    ACTION: pl.String,
    FINGERPRINT: pl.Int64,
    SCHOOL: pl.String,
    HOLD: pl.String,
}


def no_removals() -> pl.DataFrame:
    """Return a frame of removals without rows."""
    return pl.DataFrame(schema={"sourcedId": pl.String, ACTION: pl.String})


def no_holds() -> pl.DataFrame:
    """Return a frame of held changes without rows."""
    return pl.DataFrame(schema=HELD)


@dataclass(frozen=True)
class EntityChanges:
    """The changes of one entity."""

    entity: str
    # The records to send. Columns:
    # - `sourcedId`
    # - `#action`: `create` (the ledger does not know the record), `update` (it does, and the record
    #   changed) or `revive` (we deleted it earlier, and it is in the drop again)
    # - `#fingerprint` (Int64)
    # - `#fields`: the columns with a value, sorted, joined by commas
    # - for the ledger: `#school`, `#parents` (`entity:sourcedId`, joined by spaces), `#label`, and
    #   `#ends`, the last day
    # - perhaps `#ended`: the parts that the record had and that have ended (`role_ends.py`)
    # - the columns of the record itself: text, null where blank
    upserts: pl.DataFrame
    # The records that are missing from the drop, children before parents. Columns:
    # - `sourcedId`
    # - `#action`: `delete`, `disable` or `end`; `leave` (a user whom another feed has loses the
    #   roles that only this feed sent); `keep` (stays, by policy) or `stay` (stays, because it is
    #   over, or another feed has it), both recorded as missing; `kept` (stays as it is)
    # - after `removals.decided`: `#school`, `#parents`, and `#ends`, the day an enrollment ends
    removals: pl.DataFrame = field(default_factory=no_removals)
    # The changes that wait for approval (columns of `HELD`); they are not in the two frames above.
    held: pl.DataFrame = field(default_factory=no_holds)
    # The ids that were missing, were kept, and are in the drop again, unchanged.
    returned: pl.Series = field(default_factory=lambda: pl.Series("sourcedId", dtype=pl.String))
    counts: Counts = field(default_factory=dict)  # the terms that are known before sending
    # The columns that the drop has. A blank one is cleared in the target if we filled it earlier.
    # All other columns stay as they are.
    said: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()  # lists of parts that we add to, and remove nothing from
    whole: bool = True  # the drop is a full snapshot of the entity
    emptied: bool = False  # the drop should be a full snapshot, and has no rows
    # How many records are missing that rows which could not be read may be about. None of them
    # counts as vanished.
    doubtful: int = 0
    # The files and columns with such records that earlier drops had and this one does not.
    lacking: tuple[str, ...] = ()

    def of(self, *actions: str) -> pl.DataFrame:
        """Return the removals with one of these actions."""
        return self.removals.filter(pl.col(ACTION).is_in(actions))

    @property
    def due(self) -> int:
        """The number of records to send."""
        return self.upserts.height + self.of(*REMOVALS).height


Changes = dict[str, EntityChanges]


def imbalance(counts: Counts) -> int:
    """Return how many records of an entity are not counted; negative if some are counted twice."""
    incoming = sum(counts.get(term, 0) for term in INCOMING)
    return incoming - sum(counts.get(term, 0) for term in TERMS if term not in INCOMING)


def add_counts(parts: Iterable[Counts]) -> Counts:
    """Add up counts, term by term."""
    total: Counts = dict.fromkeys(TERMS, 0)
    for part in parts:
        for term, count in part.items():
            total[term] += count
    return total
