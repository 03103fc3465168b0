"""What the target says of single records, asked for by id; a target that cannot be asked is told, and is no error."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.differing import differing
from connectors.oneroster.patience import Patience
from connectors.oneroster.profile import Collection
from connectors.oneroster.target import Target as Address
from connectors.oneroster.target import TargetError
from flows.errors import SettingsError
from flows.feeds.targets import choose
from flows.opening import DATABASE, opened
from flows.target import Target
from flows.why.story import InTarget, Story
from transforms.changes import DISABLED
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED

# Somebody waits for this answer, and a target that is down is told at once.
HURRY = Patience(attempts=2, broken_attempts=1, first_attempts=1, seconds=10.0)


def seen(stories: Sequence[Story], feed: Path | None, state: Path, environment: Mapping[str, str]) -> list[Story]:
    """Add to stories of one feed what the target says; `feed` is its file, if that is known."""
    if not stories:
        return []
    try:
        target = _target(stories[0], feed, environment)
        if target.url is None and not (state / DATABASE).exists():
            raise SettingsError("the sandbox has never been started")
        with opened(target, state, 1) as address:
            records = asyncio.run(_records(stories, address))
            collections = address.profile.collections
    except (SettingsError, TargetError) as error:
        return [replace(story, target=InTarget("unasked", reason=str(error))) for story in stories]
    return [
        replace(story, target=_in_target(story, record, collections[story.entity]))
        if story.entity in collections
        else story
        for story, record in zip(stories, records, strict=True)
    ]


def _target(story: Story, feed: Path | None, environment: Mapping[str, str]) -> Target:
    if feed is None:
        return choose(story.key.target, None, environment)
    from flows.feeds.settings import read_feed

    return choose(story.key.target, read_feed(feed), environment)


async def _records(stories: Sequence[Story], address: Address) -> list[Json | None]:
    hurried = replace(address, patience=HURRY, connect_seconds=5.0, request_seconds=10.0)
    async with Client(hurried) as client:
        return [await _record(story, client) for story in stories]


async def _record(story: Story, client: Client) -> Json | None:
    """Read a record; None if the target has none of that id. Raises `TargetError`."""
    collection = client.profile.collections.get(story.entity)
    if collection is None or not wire.addressable(story.sourced_id):
        return None
    request = wire.read(collection, story.sourced_id)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind not in ("done", "missing"):
        raise TargetError(f"{client.target.host} does not show it: {outcome.detail}")
    return wire.record_in(collection, answer)


def _in_target(story: Story, record: Json | None, collection: Collection) -> InTarget:
    if record is None:
        return InTarget("absent")
    if record.get("status") == TOBEDELETED:
        return InTarget("deleted")
    return InTarget("there", tuple(differing(collection, record, *_expected(story))))


def _expected(story: Story) -> tuple[Json, frozenset[str]]:
    """What the target should say of a record; nothing if neither roster nor ledger know that."""
    if story.ledger and story.ledger.status == DISABLED:
        return {"enabledUser": False}, frozenset()
    return (story.roster.body, story.roster.partial) if story.roster else ({}, frozenset())
