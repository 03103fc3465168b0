"""All collections of a REST source -> a drop as read; what cannot be had is told, and never counts as gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from connectors.oneroster.client import Client
from connectors.oneroster.exchange import connections
from connectors.oneroster.target import Target
from connectors.rest.reading import Unread, path_of, read_collection
from connectors.rest.signing import UNUSED, Key, Signing
from transforms.raw import Raw
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version
from transforms.unfolding.collections import ROSTER
from transforms.unfolding.drop import raw_of
from transforms.unfolding.records import Unfolded, unfold

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
    address = replace(source, access_token=UNUSED, token_url="") if key else source
    async with Client(address, Signing(key, connections(address)) if key else None) as client:
        for name in collections:
            entity, unfolded = ENTITIES[name], Unfolded()
            path = path_of(entity, version, published=published)
            try:
                for page in await read_collection(client, entity, path, "" if name in EVER_WHOLE else condition):
                    unfold(entity, page, version, zone, unfolded)
                read[name] = unfolded
            except Unread as unread:
                if entity.needed or not unread.absent:
                    broken[name] = f"{source.host}: {unread}"
    return raw_of(read, version, whole=since is None, broken=broken)
