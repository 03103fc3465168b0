"""`roster why`: one record's story, from the row in the drop to what the target says of it today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from flows.errors import SettingsError
from flows.feeds.keys import FILE, chosen
from flows.ledgers import ledger_of
from flows.result import DONE
from flows.why.seeing import seen
from flows.why.story import Story
from flows.why.telling import every_id, told_here
from transforms.schemas import ENTITIES

# Among so many ids at least, and at most, the closest are sought.
ENOUGH, ALIKE = 50, 5000


@dataclass(frozen=True)
class WhyRequest:
    """Whose story is asked for."""

    sourced_id: str
    feed: str | None = None  # the name of a feed, its district's or its file; None for all feeds
    target: str | None = None
    entity: str | None = None
    offline: bool = False  # do not ask the target

    @property
    def file(self) -> Path | None:
        """The feed's file, if it was named by that."""
        return Path(self.feed) if self.feed and self.feed.lower().endswith(FILE) else None


@dataclass(frozen=True)
class WhyResult:
    """The stories of all records that have an id, one for each feed and entity."""

    sourced_id: str
    stories: tuple[Story, ...]
    exit_code: int = DONE


def why(asked: WhyRequest, state: Path, environment: Mapping[str, str]) -> WhyResult:
    """Find the story of a record in every feed and entity that has it.

    Raises `SettingsError`, with ids that are spelled alike, if nobody knows the id.
    """
    entities = _entities(asked.entity)
    with Ledger.reading(ledger_of(state, environment)) as ledger:
        keys = chosen(ledger.feeds(), asked.feed, asked.target, environment)
        stories = [story for key in keys for story in _of_feed(key, entities, asked, state, environment, ledger)]
        if not stories:
            raise SettingsError(_nobody(asked.sourced_id, keys, state, ledger))
    return WhyResult(asked.sourced_id, tuple(stories))


def _entities(entity: str | None) -> list[str]:
    if entity is None:
        return list(ENTITIES)
    if entity not in ENTITIES:
        close = get_close_matches(entity, ENTITIES, 1)
        meant = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(ENTITIES)}."
        raise SettingsError(f"--entity: there is no entity {entity!r}. {meant}")
    return [entity]


def _of_feed(key: FeedKey, entities: Sequence[str], asked: WhyRequest, state: Path, environment: Mapping[str, str], ledger: Ledger) -> list[Story]:  # fmt: skip
    """The stories that anybody knows; if nobody here does, those of the records that the target holds."""
    told = list(told_here(key, asked.sourced_id, entities, state, ledger))
    if asked.file:
        told = [replace(story, drop=str(asked.file)) for story in told]
    known = [story for story in told if story.is_known]
    if asked.offline:
        return known
    found = seen(known or told, asked.file, state, environment)
    return found if known else [story for story in found if story.target.seen in ("there", "deleted")]


def _nobody(sourced_id: str, keys: Sequence[FeedKey], state: Path, ledger: Ledger) -> str:
    if not keys:
        return (
            f"No run is known in {state} yet, so that nobody knows {sourced_id!r}. `roster sync DROP` makes the first."
        )
    close = _alike(sourced_id, every_id(keys, state, ledger))
    meant = (
        f"Did you mean {' or '.join(map(repr, close))}?" if close else "Find ids with: roster get users --target ..."
    )
    return f"Nobody knows {sourced_id!r}: no roster, run, plan or ledger of {_feeds(keys)} has it. {meant}"


def _feeds(keys: Sequence[FeedKey]) -> str:
    return f"feed {keys[0].feed!r}" if len(keys) == 1 else f"these {len(keys)} feeds"


def _alike(sourced_id: str, ids: pl.Series) -> list[str]:
    """The closest ids, sought among those of a similar length that share the longest beginning or end with it."""
    wanted, lower = sourced_id.lower(), ids.str.to_lowercase()
    similar = (lower.str.len_chars().cast(pl.Int64) - len(wanted)).abs() <= 2
    near = ids.clear()
    for shared in range(len(wanted), 0, -1):
        near = ids.filter(similar & (lower.str.starts_with(wanted[:shared]) | lower.str.ends_with(wanted[-shared:])))
        if near.len() >= ENOUGH:
            break
    spelled = {one.lower(): one for one in near.head(ALIKE)}
    return [spelled[one] for one in get_close_matches(wanted, spelled, 3)]
