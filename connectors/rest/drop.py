"""All collections of a REST source -> a drop as read; what cannot be had is told, and never counts as gone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Collection as Container
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from connectors.oneroster.client import Client
from connectors.oneroster.exchange import connections
from connectors.oneroster.paging import Moved
from connectors.oneroster.profile import Collection
from connectors.oneroster.target import Target
from connectors.oneroster.wire import addressable
from connectors.rest.reading import Unread, pages, single
from connectors.rest.signing import UNUSED, Key, Signing
from transforms.raw import Raw
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version
from transforms.unfolding.collections import ROSTER
from transforms.unfolding.drop import raw_of
from transforms.unfolding.records import Unfolded, unfold

ATTEMPTS = 3
# About so many records are asked for by themselves; if the source has none of them, it does not have the others that are missing.
ASKED = 200
UTC = ZoneInfo("UTC")
# They are few, and say what the administrators of OneRoster 1.1 administer.
EVER_WHOLE = frozenset({"orgs"})

Known = Mapping[str, Container[str]]
NOBODY: Known = {}


@dataclass(frozen=True)
class Wanted:
    """A collection that is to be read; `condition` says what of it, and `known` are ids that it had before."""

    collection: Collection
    condition: str
    known: Container[str]


async def read_source(source: Target, version: Version, collections: Sequence[str] = ROSTER, *,
                      since: datetime | None = None, zone: ZoneInfo = UTC, key: Key | None = None,
                      known: Known = NOBODY) -> Raw:  # fmt: skip
    """Read collections as they are, or what changed in them `since` a moment (in UTC).

    With a `key`, requests are signed by it, and the source's other credentials are not used. `known` are the ids, by collection, that were there before:
    one that a whole collection lacks is asked for by itself. A collection that the source does not have is left out,
    unless every roster needs it. Raises `TargetError` if the source cannot be used at all.
    """
    condition = f"dateLastModified>'{since:%Y-%m-%dT%H:%M:%S.000Z}'" if since else ""
    read: dict[str, Unfolded] = {}
    broken: dict[str, str] = {}
    # The secret of the key is given to be hidden, should the source repeat it.
    address = replace(source, access_token=UNUSED, token_url="", client_secret=key.secret) if key else source
    async with Client(address, Signing(key, connections(address)) if key else None) as client:
        for name in collections:
            entity, said = ENTITIES[name], "" if name in EVER_WHOLE else condition
            collection = source.profile.collections[name]
            wanted = Wanted(collection, said, frozenset() if said else known.get(name, frozenset()))
            try:
                read[name] = await _read(client, wanted, partial(unfold, entity, version=version, zone=zone))
            except Unread as unread:
                if entity.needed or not unread.absent:
                    broken[name] = f"{source.host}: {unread}"
    return raw_of(read, version, whole=since is None, broken=broken)


async def _read(client: Client, wanted: Wanted, add: Callable[..., None]) -> Unfolded:
    """Read a collection, from its start again if records moved meanwhile; one that moves on and on is `Unread`."""
    why = ""
    for _ in range(ATTEMPTS):
        unfolded, missing = Unfolded(), set(wanted.known)
        try:
            # Page by page, since JSON takes many times the room of its rows.
            async for records in pages(client, wanted.collection.path, wanted.collection.list_key, wanted.condition):
                missing.difference_update(_ids(records))
                add(records, into=unfolded)
        except Moved as moved:
            why = str(moved)
        else:
            unlisted = await _unlisted(client, wanted, missing)
            add(unlisted, into=unfolded)
            unfolded.unlisted = tuple(sorted(_ids(unlisted)))
            return unfolded
    raise Unread(f"{why}, {ATTEMPTS} times. Read it when nobody works on it, such as at night.")


async def _unlisted(client: Client, wanted: Wanted, missing: set[str]) -> list[Any]:
    """Ask for the records that no page had, since a source may keep no order: some of many, and all if it has any of those."""
    ids = list(filter(addressable, sorted(missing)))
    some = ids[:: max(1, len(ids) // ASKED)]
    found = await _singles(client, wanted, some)
    return found + await _singles(client, wanted, sorted(set(ids).difference(some))) if found else found


async def _singles(client: Client, wanted: Wanted, ids: Sequence[str]) -> list[Any]:
    asked = (single(client, wanted.collection.path, wanted.collection.wrapper, one) for one in ids)
    found = await asyncio.gather(*asked, return_exceptions=True)
    for fault in found:
        if isinstance(fault, BaseException):
            raise fault
    return [record for one, record in zip(ids, found, strict=True) if _ids([record]) == {one}]


def _ids(records: list[Any]) -> set[str]:
    """The ids of those records that have one."""
    ids = (record.get("sourcedId") for record in records if isinstance(record, dict))
    return {one for one in ids if isinstance(one, str)}
