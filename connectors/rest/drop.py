"""All collections of a REST source -> a drop as read; what cannot be had is told, and never counts as gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from zoneinfo import ZoneInfo

from connectors.oneroster.client import Client
from connectors.oneroster.exchange import connections
from connectors.oneroster.target import Target
from connectors.rest.reading import Moved, Unread, pages, path_of
from connectors.rest.signing import UNUSED, Key, Signing
from transforms.raw import Raw
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.entity import Version
from transforms.unfolding.collections import ROSTER
from transforms.unfolding.drop import raw_of
from transforms.unfolding.records import Unfolded, unfold

ATTEMPTS = 3
UTC = ZoneInfo("UTC")
# They are few, and say what the administrators of OneRoster 1.1 administer.
EVER_WHOLE = frozenset({"orgs"})


async def read_source(source: Target, version: Version, collections: Sequence[str] = ROSTER, *,
                      since: datetime | None = None, zone: ZoneInfo = UTC, key: Key | None = None,
                      published: bool = False) -> Raw:  # fmt: skip
    """Read collections as they are, or what changed in them `since` a moment (in UTC).

    With a `key`, requests are signed by it, and the source's other credentials are not used. `published` says that the
    source is the target itself, whose paths are its own. A collection that the source does not have is left out, unless
    every roster needs it. Raises `TargetError` if the source cannot be used at all.
    """
    condition = f"dateLastModified>'{since:%Y-%m-%dT%H:%M:%S.000Z}'" if since else ""
    read: dict[str, Unfolded] = {}
    broken: dict[str, str] = {}
    # The secret of the key is given to be hidden, should the source repeat it.
    address = replace(source, access_token=UNUSED, token_url="", client_secret=key.secret) if key else source
    async with Client(address, Signing(key, connections(address)) if key else None) as client:
        for name in collections:
            entity, said = ENTITIES[name], "" if name in EVER_WHOLE else condition
            path = path_of(entity, version, published=published)
            try:
                read[name] = await _read(client, path, entity, said, partial(unfold, version=version, zone=zone))
            except Unread as unread:
                if entity.needed or not unread.absent:
                    broken[name] = f"{source.host}: {unread}"
    return raw_of(read, version, whole=since is None, broken=broken)


async def _read(client: Client, path: str, entity: Entity, condition: str, add: Callable[..., None]) -> Unfolded:
    """Read a collection, from its start again if records moved meanwhile; one that moves on and on is `Unread`."""
    why = ""
    for _ in range(ATTEMPTS):
        unfolded = Unfolded()
        try:
            # Page by page, since JSON takes many times the room of its rows.
            async for records in pages(client, path, entity.name, condition):
                add(entity, records, into=unfolded)
        except Moved as moved:
            why = str(moved)
        else:
            return unfolded
    raise Unread(f"{why}, {ATTEMPTS} times. Read it when nobody works on it, such as at night.")
