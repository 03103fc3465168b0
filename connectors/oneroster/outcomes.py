"""The outcome of a load: counts by entity, and each record that did not arrive, with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from transforms.changes import Counts, Term
from transforms.findings import EXAMPLES, Notice

ARRIVED: frozenset[Term] = frozenset({"created", "updated", "unchanged"})


@dataclass(frozen=True, slots=True)
class RecordProblem:
    """A record that failed, was held or waits."""

    entity: str
    sourcedId: str
    result: Term
    # Why, without personal values.
    detail: str


@dataclass(frozen=True)
class LoadResult:
    """The outcome of a load."""

    counts: dict[str, Counts]
    troubles: tuple[RecordProblem, ...] = ()
    notices: tuple[Notice, ...] = ()
    # Requests sent to the API, retries included.
    requests: int = 0
    retries: int = 0
    # Why the load ended early; None if it did not.
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record."""

    term: Term
    detail: str = ""
    # False if nobody knows whether the target has it. Then the intent stays, so that the next run
    # knows the record as ours.
    settled: bool = True
    # Whether the record changed a property that the target never changes, such as a class's school.
    moved: bool = False
    # Whether all was sent that the drop has of it, also what belongs to other feeds.
    whole: bool = False

    @property
    def arrived(self) -> bool:
        """Whether the target has acknowledged the record as we have it."""
        return self.term in ARRIVED


@dataclass
class Tally:
    """The counts of a load under way; each record is counted once."""

    terms: dict[str, Counter[Term]] = field(default_factory=dict)
    troubles: list[RecordProblem] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def add(self, entity: str, sourced_id: str, term: Term, detail: str = "") -> None:
        """Count one record; a record with a `detail` is listed with its reason."""
        self.terms.setdefault(entity, Counter())[term] += 1
        if detail:
            self.troubles.append(RecordProblem(entity, sourced_id, term, detail))

    def done(self, entity: str) -> int:
        """Return how many records of an entity were counted so far."""
        return self.terms.get(entity, Counter()).total()

    def counts(self) -> dict[str, Counts]:
        """Return the counts of each entity that had anything to do."""
        return {entity: dict(terms) for entity, terms in self.terms.items()}

    def notices(self) -> tuple[Notice, ...]:
        """Return the classes that did not move, as one notice."""
        if not self.moved:
            return ()
        examples = tuple((None, sourced_id) for sourced_id in self.moved[:EXAMPLES])
        return (
            Notice(
                "class_moved",
                "classes.csv",
                "sourcedId",
                len(self.moved),
                ", ".join(self.moved),
                examples,
            ),
        )
