"""The message that tells people of a run: a title, and a short text with the counts, the next command and the report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from connectors.ledger import FeedKey
from flows.notices.causes import Cause
from flows.result import Result
from flows.safe_text import public_text

# What a night on which all is well has too.
QUIET = ("read", "unchanged")


@dataclass(frozen=True)
class Occasion:
    """The run of which people are told; `run` is blank if it never began, `result` is None if it broke off."""

    key: FeedKey
    run: str = ""
    result: Result | None = None


def message(causes: Sequence[Cause], occasion: Occasion) -> tuple[str, str]:
    """Give title and text."""
    kinds = dict.fromkeys(cause.kind for cause in causes)
    return f"{occasion.key.feed}: {', '.join(kinds)}", public_text("\n".join(_text(causes, occasion)))


def _text(causes: Sequence[Cause], occasion: Occasion) -> Iterator[str]:
    for cause in causes:
        yield from (f"{cause.kind.title()}: {sentence}" for sentence in cause.sentences)
    if occasion.result:
        yield from _counts(occasion.result)
    yield from (f"Next: {command}" for command in dict.fromkeys(cause.command for cause in causes) if command)
    if occasion.result:
        yield f"Report: {occasion.result.report}"
    run = f"Run {occasion.run}" if occasion.run else "The run did not begin"
    yield f"{run}; target {occasion.key.target}."


def _counts(result: Result) -> Iterator[str]:
    for entity, counts in result.counts.items():
        if told := [f"{count:,} {term}" for term, count in counts.items() if count and term not in QUIET]:
            yield f"{entity}: {', '.join(told)}"
