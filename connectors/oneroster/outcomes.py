"""What came of a load: counts by entity, and every record that did not arrive, with its reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from transforms.changes import Counts, Term
from transforms.findings import EXAMPLES, Notice

ARRIVED: frozenset[Term] = frozenset({"created", "updated", "unchanged"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """A record that failed, was held or waits; `detail` says why, without personal values."""

    entity: str
    sourcedId: str
    result: Term
    detail: str


@dataclass(frozen=True)
class Loaded:
    """The end of a load. `requests` were sent to the API, `retries` of them not for the first time.

    `error` says why the load broke off, if it did.
    """

    counts: dict[str, Counts]
    troubles: tuple[Trouble, ...] = ()
    notices: tuple[Notice, ...] = ()
    requests: int = 0
    retries: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RecordResult:
    """What became of one record.

    `settled` is false where nobody knows whether the target has it: the intent then stays, so that
    the next run knows it as ours. `moved` marks a class that the target left where it was.
    """

    term: Term
    detail: str = ""
    settled: bool = True
    moved: bool = False

    @property
    def arrived(self) -> bool:
        """True if the target has acknowledged the record as we have it."""
        return self.term in ARRIVED


@dataclass
class Tally:
    """Counts while a load runs; each record is counted once."""

    terms: dict[str, Counter[Term]] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)

    def add(self, entity: str, sourced_id: str, term: Term, detail: str = "") -> None:
        """Count one record; what did not arrive is kept with its reason."""
        self.terms.setdefault(entity, Counter())[term] += 1
        if detail:
            self.troubles.append(Trouble(entity, sourced_id, term, detail))

    def done(self, entity: str) -> int:
        """How many records of an entity were counted so far."""
        return self.terms.get(entity, Counter()).total()

    def counts(self) -> dict[str, Counts]:
        """The counts of each entity of which anything was to be done."""
        return {entity: dict(terms) for entity, terms in self.terms.items()}

    def notices(self) -> tuple[Notice, ...]:
        """The classes that did not move, as one group."""
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
