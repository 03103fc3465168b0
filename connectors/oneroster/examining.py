"""Asks a target what can be known of it without writing: whether it answers, takes our credentials, and shows its collections.

Source: API reference, section 1 (scopes; a client that lacks one gets a 403).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from connectors.oneroster import wire
from connectors.oneroster.answers import parsed
from connectors.oneroster.client import Client
from connectors.oneroster.exchange import Exchange
from connectors.oneroster.profile import Collection
from connectors.oneroster.target import Target, TargetError

SCOPES = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
# The family of scopes that opens a service, or a collection that has one of its own.
FAMILIES = {
    "demographics": "roster-demographics",
    "rostering": "roster",
    "resources": "resource",
    "gradebook": "gradebook",
}
# Known to nobody; a target that answers it is there.
NOBODY = "nobody"
FORBIDDEN = 403


@dataclass(frozen=True)
class Shown:
    """What a target showed of a collection: how many records it has, or why it shows none of them."""

    collection: Collection
    total: int | None = None
    status: int = 0
    why: str = ""

    @property
    def scope(self) -> str:
        """The scope that is missing; blank if it is not for a scope that nothing is shown."""
        return f"{SCOPES}{family(self.collection)}.readonly" if self.status == FORBIDDEN else ""


@dataclass(frozen=True)
class Examined:
    """What is known of a target; the first of `unreached`, `refused` and `down` that is not blank says why there is no more."""

    unreached: str = ""
    refused: str = ""
    down: str = ""
    shown: Mapping[str, Shown] = field(default_factory=dict)


def family(collection: Collection) -> str:
    """Name the family of scopes that a collection needs: `.readonly`, `.createput` and `.delete` follow."""
    return FAMILIES.get(collection.name) or FAMILIES[collection.entity.service]


async def examined(target: Target, collections: Sequence[Collection]) -> Examined:
    """Ask, one thing after the other, until there is an answer that leaves no more to ask."""
    first = _listing(collections[0])
    stranger = Exchange(replace(target, access_token=NOBODY, token_url=""), None, asyncio.sleep)
    try:
        answer = await stranger.answer(first)
    except TargetError:  # it does not know nobody, and says so
        answer = wire.Answer(401)
    finally:
        await stranger.close()
    if answer.lost:
        return Examined(unreached=answer.lost)
    ourselves = Exchange(target, None, asyncio.sleep)
    try:
        await ourselves.answer(first)
    except TargetError as error:
        return Examined(refused=str(error))
    finally:
        await ourselves.close()
    try:
        async with Client(target) as client:
            return Examined(shown={one.name: await _shown(client, one) for one in collections})
    except TargetError as error:
        return Examined(down=str(error))


async def _shown(client: Client, collection: Collection) -> Shown:
    request = _listing(collection)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind != "done":
        return Shown(collection, None, answer.status, outcome.detail)
    page = parsed(answer.body)
    if not isinstance(page.get(collection.list_key), list) or not isinstance(total := page.get("totalCount"), int):
        return Shown(collection, None, answer.status, "it answers something that is not a page")
    return Shown(collection, total, answer.status)


def _listing(collection: Collection) -> wire.Request:
    return wire.listing(collection.path, {"limit": "1", "fields": "sourcedId"})
