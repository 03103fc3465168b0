"""What a run is to do, entity by entity, and how each record of a run is counted.

Source: the conservation law. Per entity, read + vanished is the sum of all other terms.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

import polars as pl

Term = Literal[
    "read", "vanished", "merged", "rejected", "unshared", "unchanged", "created", "updated",
    "disabled", "deleted", "kept", "held", "waiting", "failed",
]  # fmt: skip
TERMS: tuple[Term, ...] = get_args(Term)
INCOMING: tuple[Term, ...] = ("read", "vanished")
Counts = dict[Term, int]

ACTION, FINGERPRINT, FIELDS, SCHOOL, PARENTS, LABEL = (
    "#action",
    "#fingerprint",
    "#fields",
    "#school",
    "#parents",
    "#label",
)


@dataclass(frozen=True)
class EntityChanges:
    """What is to be done with the records of one entity.

    `upserts` are the records to send. Columns: `sourcedId`; `#action` (`create`: the ledger does not
    know it; `update`: it does, and it changed; `revive`: we deleted it earlier, and it is back);
    `#fingerprint` (Int64); `#fields` (the columns with a value, sorted, joined by commas); `#school`,
    `#parents` (`entity:sourcedId`, joined by spaces) and `#label` for the ledger; then the columns of
    the record itself, text, null where blank. `removals` are the records that vanished: `sourcedId`
    and `#action` (`delete`, `kept` or `held`), children before parents. `counts` are the terms that
    are settled before anything is sent. `said` are the columns of which the drop speaks: a blank one
    of those is cleared in the target if we filled it earlier, any other stays as it is.
    `partial` are lists of parts to which ours are added, and from which nothing is taken.
    """

    entity: str
    upserts: pl.DataFrame
    removals: pl.DataFrame
    counts: Counts = field(default_factory=dict)
    said: frozenset[str] = frozenset()
    partial: frozenset[str] = frozenset()

    def of(self, action: str) -> pl.DataFrame:
        """The removals of one action."""
        return self.removals.filter(pl.col(ACTION) == action)


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
