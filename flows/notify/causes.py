"""What people are told of: kinds of causes, each known by a digest of what they would act upon.

What is sent leaves this machine, often to a service of others: it has nobody's name, and nothing of what a target answered.
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
from transforms.anomalies import unusual
from transforms.findings import Findings

RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4,8}")


@dataclass(frozen=True)
class Cause:
    """One thing that people should know: what they would act upon, in sentences, and the next command, if there is one."""

    kind: NoticeKind
    about: str
    sentences: tuple[str, ...]
    command: str = ""

    def told_to(self, addressee: str) -> str:
        """Under which the ledger keeps that an addressee was told: the kind, and digests of the cause and of who it was."""
        return f"{self._name} {_digest(addressee)}"

    def is_told_by(self, name: str) -> bool:
        """Whether what the ledger keeps under a name is of this cause."""
        return name.startswith(f"{self._name} ")

    @property
    def _name(self) -> str:
        return f"{self.kind} {_digest(self.about)}"


def kind_of(name: str) -> str:
    """Of which kind the cause is that the ledger keeps under a name."""
    return name.partition(" ")[0]


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def causes_of(result: RunResult, drop: str, standing: str) -> list[Cause]:
    """Find what people should know of a run; `standing` says what makes a stale drop another one."""
    refused = sorted(set(result.refused["rule"]))
    found = [*_failures(result, drop)]
    if refused:
        sentences = tuple(group.sentence for group in finding_groups(Findings(result.refused)))
        found += [Cause("refused", ",".join(refused), sentences, f"roster check {drop}")]
    found += _holds(result, drop)
    if result.stale:
        found += [Cause("stale", standing, (f"{result.stale[0].upper()}{result.stale[1:]}",))]
    return [*found, *(Cause("unusual", bare(one), (one,)) for one in result.unusual)]


def broken_off(error: Exception, sentence: str, drop: str) -> Cause:
    """Tell of a run that ended without a result."""
    said = own(sentence)
    return Cause("failed", f"{type(error).__name__} {bare(said)}", (said,), f"roster sync {drop}")


def settled(result: RunResult, *, whole: bool) -> frozenset[NoticeKind]:
    """Of which kinds a run knows all causes, so that any other of them is over; `whole`: it went through the whole line.

    What only sends a plan, restores or repairs knows of nothing but what is held.
    """
    if result.status == "refused":
        return frozenset({"refused"})
    if not whole:
        return frozenset() if result.error else frozenset({"held"})
    return frozenset({"refused", "held", "stale"}) if result.error else frozenset(NOTICE_KINDS)


def own(sentence: str) -> str:
    """Take out of a sentence what a target said: what follows its status."""
    return re.sub(r"['\"]?(HTTP \d{3}):.*", r"\1", sentence, flags=re.DOTALL)


def bare(sentence: str) -> str:
    """A sentence without what differs from run to run: names of runs, and numbers."""
    return re.sub(r"\d+(?:[.,]\d+)*", "#", RUN.sub("run", sentence))


def _failures(result: RunResult, drop: str) -> Iterator[Cause]:
    again = f"roster sync {drop}"
    if result.error:
        yield Cause("failed", bare(own(result.error)), (own(result.error),), again)
    failed = Counter(
        (one.entity, _answer(one.detail)) for one in result.troubles if one.result == "failed"
    )
    for (entity, answer), count in failed.items():
        why = f" ({answer})" if answer else ""
        yield Cause(
            "failed", f"{entity} {answer}", (f"{count:,} of {entity} were not taken{why}.",), again
        )
    if result.status == "failed" and not result.error and not failed:
        yield Cause(
            "failed",
            "counts",
            ("Some records are unaccounted for. The report says how many.",),
            again,
        )


def _answer(detail: str) -> str:
    found = re.match(r"HTTP \d{3}", detail)
    return found[0] if found else ""


def _holds(result: RunResult, drop: str) -> Iterator[Cause]:
    if result.plan and (result.records.height or result.waits or result.moved is not None):
        # Some sentences end in examples, which are ids.
        why = [re.sub(r" \([^)]*\)", "", hold.sentence) for hold in result.holds]
        told = why or [f"Plan {result.plan} still waits."]
        if result.moved is not None:
            told = [
                (
                    f"Plan {result.plan} was not sent: some of its records are not any more as it "
                    "found them."
                )
            ]
        yield Cause("held", result.plan, tuple(told), f"roster sync {drop} --approve {result.plan}")
    elif result.holds:
        told = [re.sub(r" \([^)]*\)", "", hold.sentence) for hold in result.holds]
        yield Cause("held", bare(" ".join(told)), tuple(told), f"roster check {drop}")
    foreign = Counter(one.entity for one in result.troubles if one.result == "held")
    for entity, count in foreign.items():
        sentence = (
            f"{count:,} of {entity} are in the target already, say something else there and were "
            "not sent by us."
        )
        yield Cause("held", f"foreign {entity}", (sentence,), f"roster verify {drop}")


def unusual_in(result: RunResult, runs: Sequence[Run]) -> tuple[str, ...]:
    """Say what is unusual in a run of a drop; `runs` are the feed's, the newest first, this one perhaps among them.

    The oldest good run is left out: it loaded everything for the first time.
    """
    if result.error or result.restored or not result.total("read"):
        return ()
    good = [run.counts for run in runs if run.id != result.run and _tells(run)][:-1]
    counts = {
        entity: {str(term): count for term, count in terms.items()}
        for entity, terms in result.counts.items()
    }
    return tuple(one.sentence for one in unusual(counts, good))


def _tells(run: Run) -> bool:
    read = sum(counts.get("read", 0) for counts in run.counts.values())
    return (
        read > 0
        and run.exit_code in (DONE, HELD)
        and not run.approved
        and run.note not in (STOPPED, ADDS_ONLY, RESTORED)
    )
