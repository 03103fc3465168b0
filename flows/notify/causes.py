"""The causes of notifications. The ledger knows each cause by a digest of what people would act on.

A notification leaves this machine, often for another service. It contains no person's name, and
nothing that a target answered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from connectors.ledger.history import Run
from flows.finding_groups import finding_groups
from flows.result import (
    ADDS_ONLY,
    DONE,
    HELD,
    NOTICE_KINDS,
    RESTORED,
    STOPPED,
    NoticeKind,
    RunResult,
)
from transforms.anomalies import find_unusual
from transforms.findings import Findings
from transforms.grammar import agree, count_of

RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4,8}")


@dataclass(frozen=True)
class Cause:
    """One thing that people should know."""

    kind: NoticeKind
    about: str  # what identifies the cause
    sentences: tuple[str, ...]
    command: str = ""  # the next command, if there is one

    def told_to(self, addressee: str) -> str:
        """Return the ledger's name for a notification: kind, digests of cause and recipient."""
        return f"{self._name} {_digest(addressee)}"

    def is_told_by(self, name: str) -> bool:
        """Whether a name in the ledger is of this cause."""
        return name.startswith(f"{self._name} ")

    @property
    def _name(self) -> str:
        return f"{self.kind} {_digest(self.about)}"


def kind_of(name: str) -> str:
    """Return the kind of cause of a name in the ledger."""
    return name.partition(" ")[0]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def causes_of(result: RunResult, drop: str, standing: str) -> list[Cause]:
    """Return the causes of a run; `standing` identifies the drop, for causes about its age."""
    refused = sorted(set(result.refused["rule"]))
    found = [*_failures(result, drop)]
    if refused:
        sentences = tuple(group.sentence for group in finding_groups(Findings(result.refused)))
        found += [Cause("refused", ",".join(refused), sentences, f"roster check {drop}")]
    found += _holds(result, drop)
    if result.stale:
        found += [Cause("stale", standing, (f"{result.stale[0].upper()}{result.stale[1:]}",))]
    return [*found, *(Cause("unusual", without_numbers(one), (one,)) for one in result.unusual)]


def early_end_cause(error: Exception, sentence: str, drop: str) -> Cause:
    """Return the cause of a run that ended without a result."""
    public_sentence = without_answer(sentence)
    return Cause(
        "failed",
        f"{type(error).__name__} {without_numbers(public_sentence)}",
        (public_sentence,),
        f"roster sync {drop}",
    )


def completely_known_kinds(result: RunResult, *, whole: bool) -> frozenset[NoticeKind]:
    """Return the kinds of causes that a run knows completely, so that older ones are over.

    `whole` says that the run took all nine steps. A run that only sends a plan, restores or repairs
    knows only of held changes.
    """
    if result.status == "refused":
        return frozenset({"refused"})
    if not whole:
        return frozenset() if result.error else frozenset({"held"})
    return frozenset({"refused", "held", "stale"}) if result.error else frozenset(NOTICE_KINDS)


def without_answer(sentence: str) -> str:
    """Remove a target's answer from a sentence: everything after its status."""
    return re.sub(r"['\"]?(HTTP \d{3}):.*", r"\1", sentence, flags=re.DOTALL)


def without_numbers(sentence: str) -> str:
    """Remove what differs from run to run: ids of runs, and numbers."""
    return re.sub(r"\d+(?:[.,]\d+)*", "#", RUN_ID.sub("run", sentence))


def _failures(result: RunResult, drop: str) -> Iterator[Cause]:
    again = f"roster sync {drop}"
    if result.error:
        yield Cause(
            "failed",
            without_numbers(without_answer(result.error)),
            (without_answer(result.error),),
            again,
        )
    failed = Counter(
        (one.entity, _http_status(one.detail)) for one in result.troubles if one.result == "failed"
    )
    for (entity, answer), count in failed.items():
        why = f" ({answer})" if answer else ""
        yield Cause(
            "failed",
            f"{entity} {answer}",
            (f"The target did not accept {count_of(count, entity)}{why}.",),
            again,
        )
    if result.status == "failed" and not result.error and not failed:
        yield Cause(
            "failed",
            "counts",
            ("Some records are unaccounted for. The report says how many.",),
            again,
        )


def _http_status(detail: str) -> str:
    found = re.match(r"HTTP \d{3}", detail)
    return found[0] if found else ""


def _holds(result: RunResult, drop: str) -> Iterator[Cause]:
    # Some sentences end with examples, which are ids.
    sentences = [re.sub(r" \([^)]*\)", "", hold.sentence) for hold in result.holds]
    if result.plan and (result.records.height or result.waits or result.moved is not None):
        sentences = sentences or [f"Plan {result.plan} still waits."]
        if result.moved is not None:
            sentences = [
                (
                    f"Plan {result.plan} was not sent: some records have changed since "
                    "this plan was made."
                )
            ]
        yield Cause(
            "held", result.plan, tuple(sentences), f"roster sync {drop} --approve {result.plan}"
        )
    elif sentences:
        yield Cause(
            "held", without_numbers(" ".join(sentences)), tuple(sentences), f"roster check {drop}"
        )
    foreign = Counter(one.entity for one in result.troubles if one.result == "held")
    for entity, count in foreign.items():
        sentence = (
            f"The target already has {count_of(count, entity)} with other values, and this feed "
            f"did not send {agree(count, 'them')}."
        )
        yield Cause("held", f"foreign {entity}", (sentence,), f"roster verify {drop}")


def unusual_sentences(result: RunResult, runs: Sequence[Run]) -> tuple[str, ...]:
    """Return sentences about what is unusual in a run of a drop.

    `runs` are the feed's runs, newest first, with or without this one. The oldest good run is left
    out: it loaded everything for the first time.
    """
    if result.error or result.restored or not result.total("read"):
        return ()
    good = [run.counts for run in runs if run.id != result.run and _is_comparable(run)][:-1]
    counts = {
        entity: {str(term): count for term, count in terms.items()}
        for entity, terms in result.counts.items()
    }
    return tuple(one.sentence for one in find_unusual(counts, good))


def _is_comparable(run: Run) -> bool:
    read = sum(counts.get("read", 0) for counts in run.counts.values())
    return (
        read > 0
        and run.exit_code in (DONE, HELD)
        and not run.approved
        and run.note not in (STOPPED, ADDS_ONLY, RESTORED)
    )
