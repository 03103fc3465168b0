"""What a run is to do, entity by entity, and how each record of a run is counted.

Source: the conservation law. Per entity, read + vanished is the sum of all other terms.
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

ACTION, FINGERPRINT, FIELDS, SCHOOL, PARENTS, LABEL, ENDS, HOLD, ENDED_PARTS = (
    "#action",
    "#fingerprint",
    "#fields",
    "#school",
    "#parents",
    "#label",
    "#ends",
    "#hold",
    "#ended",
)

# How the ledger knows a record. `kept` vanished, and stays in the target as it was; `disabled` is a user who may
# not sign in any more, `ended` an enrollment that was given its last day; `deleted` was deleted by us.
ACTIVE, KEPT, DISABLED, ENDED, DELETED = "active", "kept", "disabled", "ended", "deleted"
IN_TARGET = (ACTIVE, KEPT, DISABLED, ENDED)
# What is done with records that vanished, the terms under which that is counted, and the status that they get.
REMOVALS: dict[str, tuple[Term, str]] = {
    "delete": ("deleted", DELETED),
    "disable": ("disabled", DISABLED),
    "end": ("disabled", ENDED),
}
HELD = {
    "sourcedId": pl.String, ACTION: pl.String, FINGERPRINT: pl.Int64, SCHOOL: pl.String, HOLD: pl.String,
}  # fmt: skip


def no_removals() -> pl.DataFrame:
    """Give removals without rows."""
    return pl.DataFrame(schema={"sourcedId": pl.String, ACTION: pl.String})


def nothing_held() -> pl.DataFrame:
    """Give held changes without rows."""
    return pl.DataFrame(schema=HELD)


@dataclass(frozen=True)
class EntityChanges:
    """What is to be done with the records of one entity.

    `upserts` are the records to send. Columns: `sourcedId`; `#action` (`create`: the ledger does not
    know it; `update`: it does, and it changed; `revive`: we deleted it earlier, and it is back);
    `#fingerprint` (Int64); `#fields` (the columns with a value, sorted, joined by commas); `#school`,
    `#parents` (`entity:sourcedId`, joined by spaces), `#label` and `#ends` (the last day) for the ledger; perhaps `#ended`,
    the parts that it had and that have ended (`part_ends.py`); then the columns of the record itself, text, null where blank. `removals` are the records that
    vanished: `sourcedId` and `#action` (`delete`, `disable`, `end`; `keep` and `stay`: stays, known to have
    vanished, by policy or because it is over; `kept`: stays as it is), children before parents; once they are decided on, `#school`, `#parents` and `#ends`
    (the day on which an enrollment ends) too. `held` (columns of `HELD`) are the changes that wait for a person, and stand in neither of the
    other two. `returned` are the ids that had vanished, were kept and are back as they were. `counts`
    are the terms that are settled before anything is sent. `said` are the columns of which the drop
    speaks: a blank one of those is cleared in the target if we filled it earlier, any other stays as it
    is. `partial` are lists of parts to which ours are added, and from which nothing is taken. `whole` is
    true if the drop is a full snapshot of the entity, `emptied` if it should be one and has no rows, `lacking` are
    the files and columns with such records that earlier drops had and this one lacks.
    """

    entity: str
    upserts: pl.DataFrame
    removals: pl.DataFrame = field(default_factory=no_removals)
    held: pl.DataFrame = field(default_factory=nothing_held)
    returned: pl.Series = field(default_factory=lambda: pl.Series("sourcedId", dtype=pl.String))
    counts: Counts = field(default_factory=dict)
    said: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()
    whole: bool = True
    emptied: bool = False
    lacking: tuple[str, ...] = ()

    def of(self, *actions: str) -> pl.DataFrame:
        """The removals of some actions."""
        return (
            self.removals.filter(pl.col(ACTION).is_in(actions))
            if self.removals.height
            else self.removals
        )

    @property
    def due(self) -> int:
        """How many records are to be sent."""
        return self.upserts.height + self.of(*REMOVALS).height


Changes = dict[str, EntityChanges]


def imbalance(counts: Counts) -> int:
    """How many records of an entity are unaccounted for, or counted twice; 0 if all is well."""
    incoming = sum(counts.get(term, 0) for term in INCOMING)
    return incoming - sum(counts.get(term, 0) for term in TERMS if term not in INCOMING)


def added(parts: Iterable[Counts]) -> Counts:
    """Add up counts, term by term."""
    total: Counts = dict.fromkeys(TERMS, 0)
    for part in parts:
        for term, count in part.items():
            total[term] += count
    return total
