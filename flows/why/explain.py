"""`roster why`: explains one record, from its row in the drop to its state in the target today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from flows.errors import SettingsError
from flows.feeds.keys import FEED_SUFFIX, select_feeds
from flows.ledgers import ledger_location
from flows.plans import ACTION_WORDS
from flows.result import DONE
from flows.why.sources import add_target_state, all_known_ids, local_stories
from flows.why.story import Finding, InLedger, Story, Waiting
from transforms.changes import ACTIVE, DELETED, DISABLED, ENDED, KEPT, LEFT
from transforms.layouts.ids import spellings
from transforms.refuse import FOLLOWING
from transforms.schemas import ENTITIES

# Similar ids are searched among at least, and at most, so many candidates.
ENOUGH, ALIKE = 50, 5000


@dataclass(frozen=True)
class WhyRequest:
    """The record to explain."""

    sourced_id: str
    feed: str | None = None  # the name of a feed, its district's or its file; None for all feeds
    target: str | None = None
    entity: str | None = None
    offline: bool = False  # do not ask the target

    @property
    def file(self) -> Path | None:
        """The feed file, if it names the feed."""
        return Path(self.feed) if self.feed and self.feed.lower().endswith(FEED_SUFFIX) else None


@dataclass(frozen=True)
class WhyResult:
    """The stories of all records with an id, one for each feed and entity."""

    sourced_id: str
    stories: tuple[Story, ...]
    exit_code: int = DONE


def explain(request: WhyRequest, state: Path, environment: Mapping[str, str]) -> WhyResult:
    """Return the story of a record in every feed and entity that has it.

    Raises `SettingsError`, with similar ids, if the id is unknown.
    """
    entities = _entities(request.entity)
    with Ledger.reading(ledger_location(state, environment)) as ledger:
        keys = select_feeds(ledger.feeds(), request.feed, request.target, environment)
        # People may know the id as the source spells it, or as records have it.
        for sourced_id in spellings(request.sourced_id):
            asked = replace(request, sourced_id=sourced_id)
            stories = [
                story
                for key in keys
                for story in _stories_of_feed(key, entities, asked, state, environment, ledger)
            ]
            if stories:
                return WhyResult(sourced_id, tuple(stories))
        raise SettingsError(_unknown_message(request.sourced_id, keys, state, ledger))


def _entities(entity: str | None) -> list[str]:
    if entity is None:
        return list(ENTITIES)
    if entity not in ENTITIES:
        close = get_close_matches(entity, ENTITIES, 1)
        hint = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(ENTITIES)}."
        raise SettingsError(f"--entity: there is no entity {entity!r}. {hint}")
    return [entity]


def _stories_of_feed(
    key: FeedKey,
    entities: Sequence[str],
    request: WhyRequest,
    state: Path,
    environment: Mapping[str, str],
    ledger: Ledger,
) -> list[Story]:
    """Return the stories of known records, or else those of records that only the target has."""
    stories = list(local_stories(key, request.sourced_id, entities, state, ledger))
    if request.file:
        stories = [replace(story, drop=str(request.file)) for story in stories]
    known = [story for story in stories if story.is_known]
    if request.offline:
        return known
    found = add_target_state(known or stories, request.file, state, environment)
    return (
        found if known else [story for story in found if story.target.seen in ("there", "deleted")]
    )


def _unknown_message(sourced_id: str, keys: Sequence[FeedKey], state: Path, ledger: Ledger) -> str:
    if not keys:
        return (
            f"No run is known in {state} yet, so nothing is known about {sourced_id!r}. "
            "`roster sync DROP` makes the first."
        )
    similar = _similar_ids(sourced_id, all_known_ids(keys, state, ledger))
    hint = (
        f"Did you mean {' or '.join(map(repr, similar))}?"
        if similar
        else "Find ids with: roster get users --target ..."
    )
    return (
        f"Nobody knows {sourced_id!r}: no roster, run, plan or ledger of {_feeds(keys)} has it. "
        f"{hint}"
    )


def _feeds(keys: Sequence[FeedKey]) -> str:
    return f"feed {keys[0].feed!r}" if len(keys) == 1 else f"these {len(keys)} feeds"


def _similar_ids(sourced_id: str, ids: pl.Series) -> list[str]:
    """Return the most similar ids.

    They are searched among ids of a similar length that share the longest beginning or end.
    """
    wanted, lower = sourced_id.lower(), ids.str.to_lowercase()
    similar = (lower.str.len_chars().cast(pl.Int64) - len(wanted)).abs() <= 2
    near = ids.clear()
    for shared in range(len(wanted), 0, -1):
        near = ids.filter(
            similar
            & (lower.str.starts_with(wanted[:shared]) | lower.str.ends_with(wanted[-shared:]))
        )
        if near.len() >= ENOUGH:
            break
    spelled = {one.lower(): one for one in near.head(ALIKE)}
    return [spelled[one] for one in get_close_matches(wanted, spelled, 3)]


FINE = {
    ACTIVE: "All is well: the target holds it as the roster says. Nothing to do.",
    KEPT: (
        "It is missing from the drop and left in the target, as the feed file says. "
        "No action needed."
    ),
    LEFT: (
        "It is missing from the drop, and another feed of the same target has it: the roles of "
        "this feed are removed. If it returns to the drop, they are added again."
    ),
    DISABLED: (
        "It is missing from the drop, and can no longer sign in. "
        "If it returns to the drop, it is enabled again."
    ),
    ENDED: (
        "It is missing from the drop, and has ended in the target. "
        "If it returns to the drop, it continues."
    ),
    DELETED: (
        "It was deleted in the target when it was missing from the drop. "
        "If it returns to the drop, it is created again."
    ),
}


def conclusion(story: Story) -> str:
    """Return the conclusion of a story.

    Waiting changes come first, then errors in the drop, then the target.
    """
    if story.waiting:
        return _waiting_sentence(story, story.waiting)
    if story.last.findings:
        return _rejected_sentence(story)
    if story.roster and story.roster.standing == "withheld":
        return (
            "It is in the drop and is not sent: the feed file does not share it, or the "
            "target has no place for it. See [share] and [target] there."
        )
    if story.last.trouble:
        return (
            "The last run did not send it to the target. Fix the cause, and run: roster sync "
            f"{story.drop}"
        )
    if story.ledger:
        return _sentence_with_ledger(story, story.ledger)
    return _sentence_without_ledger(story)


def _waiting_sentence(story: Story, waiting: Waiting) -> str:
    sent = (
        f"It is on hold until someone approves it, and is {ACTION_WORDS[waiting.action]} "
        "when the plan is sent: roster "
        f"sync {story.drop} --approve {waiting.plan.id}"
    )
    return f"{sent}. To throw this plan away: roster discard {waiting.plan.id}"


def _rejected_sentence(story: Story) -> str:
    meanwhile = "the target keeps what it had" if story.ledger else "the target does not get it"
    return (
        f"It was rejected: correct {_fault_place(story.last.findings)} at the source, and the "
        f"next sync takes it. Until then {meanwhile}."
    )


def _fault_place(findings: Sequence[Finding]) -> str:
    """Return the cell to correct: one with a fault of its own, or that of the first cause."""
    first = next((one for one in findings if one.rule not in FOLLOWING), findings[0])
    if first.rule in FOLLOWING and first.value:
        return first.value.rpartition(": ")[0]
    row = f"row {first.row}" if first.row else ""
    return " ".join(part for part in (first.file, row, first.column) if part)


def _sentence_without_ledger(story: Story) -> str:
    if story.roster and story.roster.standing == "accepted":
        return (
            "It was accepted, and the target has not acknowledged it yet. To send it: roster "
            f"sync {story.drop}"
        )
    if story.forgotten and story.target.seen == "deleted":
        return (
            "This person was forgotten: the target holds the id as deleted, and every drop is "
            "read without the person. Nothing to do."
        )
    if story.forgotten:
        return (
            "This person was forgotten here, and the target still holds the record. "
            "Ask the target's operator to remove it; no drop of ours brings it back."
        )
    if story.target.seen == "there":
        return "The target holds it, and it was not loaded by roster, so roster leaves it alone."
    if story.target.seen == "deleted":
        return "The target holds it as deleted, and it was not loaded by roster."
    return (
        "The last run refused it, and the target has never acknowledged it. See that run's report."
    )


def _sentence_with_ledger(story: Story, ledger: InLedger) -> str:
    repair = f"roster verify {story.drop} --repair"
    there = story.target.seen
    if ledger.status == DELETED:
        if there == "there":
            return (
                "We deleted it, and it is active again in the target: someone else brought "
                f"it back. To delete it: {repair}"
            )
        back = story.roster is not None and story.roster.standing == "accepted"
        return (
            "It was deleted, and is in the roster again. To bring it back: roster sync "
            f"{story.drop}"
            if back
            else FINE[DELETED]
        )
    if there in ("absent", "deleted"):
        return f"The target has lost it. To send it again: {repair}"
    if story.is_same is False:
        return (
            "The roster says something else than the target has acknowledged. To send it: "
            f"roster sync {story.drop}"
        )
    if story.target.differs:
        return (
            f"Someone else changed it in the target ({', '.join(story.target.differs)}). "
            f"To put that back: {repair}"
        )
    if ledger.status == ACTIVE and story.roster and story.roster.standing == "absent":
        return (
            "The last roster no longer has it, but the target does. To see what will happen "
            f"to it: roster plan {story.drop}"
        )
    if there == "unasked" and ledger.status == ACTIVE:
        return (
            "As far as is known here, all is well: the target has acknowledged it. Whether it "
            "still has it was not asked."
        )
    return FINE[ledger.status]
