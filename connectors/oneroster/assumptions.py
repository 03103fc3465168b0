"""What a probe asks a target, and which of the answers the loader can live with.

`wire`, `sending` and `reading` are written for an API whose documentation leaves most of this open (API reference,
section 11): each question says for which answers they do not do what they should, and what that comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Question:
    """One question; `harms` are the answers that the loader does not bear, each with what it means for whom."""

    says: str
    harms: Mapping[str, str] = field(default_factory=dict)


NOT_LOADED = "`roster sync` cannot load these records"
UNSEEN_DUPLICATE = (
    "`roster sync` takes a record that is there for one that failed: a killed run does not find what it had sent"
)
NOT_BACK = "`roster sync` and `roster restore` fail for each record that comes back after it was deleted"
QUESTIONS: Mapping[str, Question] = {
    "create": Question("POST of a new record", {
        "forbidden": f"{NOT_LOADED}: the client lacks the scope to write them",
        "refused": NOT_LOADED,
        "missing": NOT_LOADED,
        "broken": NOT_LOADED,
        "elsewhere": f"{NOT_LOADED}: the target makes them under ids of its own, where nobody finds them again",
        "not kept": f"{NOT_LOADED}: the target says that it made them, and does not have them",
    }),
    "duplicate": Question("POST of an id that exists", {
        "accepted": "`roster sync` lays its record over one of others that has the same id, instead of holding it",
        "refused": UNSEEN_DUPLICATE,
        "missing": UNSEEN_DUPLICATE,
        "elsewhere": "`roster sync` makes a record that is there a second time, under an id of the target's own",
    }),
    "left out": Question("PUT without a property"),
    "null": Question("null in a PUT", {
        "kept": "`roster sync` cannot clear a value: `roster verify` finds a difference that no `--repair` mends",
        "refused": "`roster sync` fails for each record in which a value became blank",
    }),
    "unchanged": Question("PUT of what is there already"),
    "unknown": Question("PUT of an unknown id"),
    "orphan": Question("POST with a reference that leads nowhere"),
    "delete": Question("DELETE", {
        "hard": "`roster sync`, `roster restore` and a repair make a record anew when it comes back: what others wrote on it is lost, "
        "and so is what hangs on it",
        "ignored": "`roster sync` counts as deleted what stays in the target; `roster verify` finds it as extra",
        "refused": "`roster sync` deletes nothing: who leaves stays in the target. `[removed]` in the feed's file can say \"keep\"",
        "missing": "`roster sync` puts such records as deleted, which does not work here either",
    }),
    "post deleted": Question("POST of a deleted id", {
        "gone for good": NOT_BACK,
    }),
    "revive": Question("PUT as active on a deleted id", {
        "stays deleted": "`roster sync` and `roster restore` cannot bring back what was deleted, and do not notice",
        "refused": NOT_BACK,
        "missing": NOT_BACK,
        "broken": NOT_BACK,
    }),
    "page": Question("a page of 3,000", {
        "refused": "`roster verify`, `roster adopt` and a feed with `external` cannot read the target",
    }),
    "page beyond": Question("a page of more than 3,000"),
    "filter": Question("filter=status='active'", {
        "refused": "a feed with `external` cannot read the target",
        "ignored": "a feed with `external` takes deleted records for active ones",
    }),
    "limits": Question("limits on requests, in headers"),
}  # fmt: skip
# Answers that do harm only where the collection is to make what is not there (section 2.1).
UNMADE = "a repair and `roster sync` fail for a record that the target has lost"


@dataclass(frozen=True)
class Fact:
    """What a target answered to one question, in one collection (blank: of the whole API).

    `status` is that of the answer which decided, `body` what kind of body it had, and `detail` what was seen beside
    it. There is nothing personal in a fact: all records were invented.
    """

    question: str
    collection: str
    answer: str
    status: int = 0
    body: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Problem:
    """An answer that the loader does not bear, of some collections, and what that means."""

    question: str
    answer: str
    collections: tuple[str, ...]
    means: str


def problems(facts: Iterable[Fact], put_creates: frozenset[str]) -> list[Problem]:
    """Say where a target differs from what the loader assumes, each difference once.

    `put_creates` are the collections in which a PUT is relied on to make what is not there.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for fact in facts:
        if means := _harm(fact, put_creates):
            found.setdefault((fact.question, fact.answer, means), []).append(fact.collection)
    return [Problem(question, answer, tuple(names), means) for (question, answer, means), names in found.items()]


def _harm(fact: Fact, put_creates: frozenset[str]) -> str:
    if fact.question == "unknown" and fact.collection in put_creates and fact.answer != "created":
        return UNMADE
    question = QUESTIONS.get(fact.question)
    return question.harms.get(fact.answer, "") if question else ""
