"""Read a drop from a REST source: its collections, each to its end or not at all.

A source may be asked with OAuth 2 tokens, or with requests that are signed with a key (OAuth 1).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from collections.abc import Collection as Container
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import httpx
from oauthlib.oauth1 import Client as Signer  # type: ignore[import-untyped]

from connectors.oneroster.client import Client, connections
from connectors.oneroster.profile import Collection
from connectors.oneroster.read import Moved, Page, total_of, whole
from connectors.oneroster.target import Endpoint, TargetError
from connectors.oneroster.wire import Request, addressable, parsed, understood
from transforms.from_json.drop import ROSTER, raw_of
from transforms.from_json.records import Unfolded, unfold
from transforms.roster import Raw
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version

LIMIT = 1000
# Statuses of sources that cannot sort: the request is wrong, or its query is.
REFUSED_ORDER = (400, 422)
ABSENT = 404
ORDER = {"sort": "sourcedId", "orderBy": "asc"}
ATTEMPTS = 3
# The size of the sample of missing records that are read one by one.
ASKED = 200
UTC = ZoneInfo("UTC")
# Always read completely: they are few, and administrators of OneRoster 1.1 refer to them.
EVER_WHOLE = frozenset({"orgs"})
# A placeholder for the token: every request is signed instead.
UNUSED = "signed"
REFUSED = 401
Known = Mapping[str, Container[str]]
NOBODY: Known = {}
Method = Literal["HMAC-SHA1", "HMAC-SHA256"]


class Unread(Exception):
    """A collection that cannot be read to its end, and why.

    `absent` is true if the source does not have the collection.
    """

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.absent = absent


@dataclass(frozen=True)
class Key:
    """The key and secret by which a source knows a client; both stay out of the `repr`."""

    key: str = field(repr=False)
    secret: str = field(repr=False)
    method: Method = "HMAC-SHA256"


@dataclass(frozen=True)
class WantedCollection:
    """A collection to read."""

    collection: Collection
    # Filter of the records to read; blank for all.
    condition: str
    # Ids that it had before.
    known: Container[str]


async def read_source(
    source: Endpoint,
    version: Version,
    collections: Sequence[str] = ROSTER,
    *,
    since: datetime | None = None,
    zone: ZoneInfo = UTC,
    key: Key | None = None,
    known: Known = NOBODY,
) -> Raw:
    """Read collections as they are, or what changed in them `since` a time (in UTC).

    With a `key`, requests are signed, and the other credentials of `source` are not used. `known`
    are the ids, by collection, that were there before: one that a complete collection does not list
    is read by itself. A collection that the source does not have is left out, unless every roster
    needs it. Raises `TargetError` if the source cannot be used at all.
    """
    condition = f"dateLastModified>'{since:%Y-%m-%dT%H:%M:%S.000Z}'" if since else ""
    read: dict[str, Unfolded] = {}
    broken: dict[str, str] = {}
    # The secret of the key is passed on so that it is hidden if the source repeats it.
    address = (
        replace(source, access_token=UNUSED, token_url="", client_secret=key.secret)
        if key
        else source
    )
    async with Client(address, Signing(key, connections(address)) if key else None) as client:
        for name in collections:
            entity, collection = ENTITIES[name], source.profile.collections[name]
            changed_only = condition and name not in EVER_WHOLE
            wanted = WantedCollection(
                collection,
                condition if changed_only else "",
                frozenset() if changed_only else known.get(name, frozenset()),
            )
            try:
                read[name] = await _read(
                    client, wanted, partial(unfold, entity, version=version, zone=zone)
                )
            except Unread as unread:
                if entity.needed or not unread.absent:
                    broken[name] = f"{source.host}: {unread}"
    return raw_of(read, version, whole=since is None, broken=broken)


async def _read(client: Client, wanted: WantedCollection, add: Callable[..., None]) -> Unfolded:
    """Read a collection, again from its start if records moved meanwhile.

    Raises `Unread` if they move each time.
    """
    why = ""
    for _ in range(ATTEMPTS):
        unfolded, missing = Unfolded(), set(wanted.known)
        try:
            # Each page is unfolded at once, since JSON takes many times the memory of its rows.
            async for records in pages(
                client, wanted.collection.path, wanted.collection.list_key, wanted.condition
            ):
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


async def _unlisted(client: Client, wanted: WantedCollection, missing: set[str]) -> list[Any]:
    """Read the records that no page had, since a source may have no stable order.

    First a sample is read, and the rest only if the source has any record of the sample.
    """
    ids = list(filter(addressable, sorted(missing)))
    some = ids[:: max(1, len(ids) // ASKED)]
    found = await _singles(client, wanted, some)
    return (
        found + await _singles(client, wanted, sorted(set(ids).difference(some)))
        if found
        else found
    )


async def _singles(client: Client, wanted: WantedCollection, ids: Sequence[str]) -> list[Any]:
    asked = (single(client, wanted.collection.path, wanted.collection.wrapper, one) for one in ids)
    found = await asyncio.gather(*asked, return_exceptions=True)
    for fault in found:
        if isinstance(fault, BaseException):
            raise fault
    return [record for one, record in zip(ids, found, strict=True) if _ids([record]) == {one}]


def _ids(records: list[Any]) -> set[str]:
    """Return the ids of those records that have one."""
    ids = (record.get("sourcedId") for record in records if isinstance(record, dict))
    return {one for one in ids if isinstance(one, str)}


async def pages(
    client: Client, path: str, key: str, condition: str = ""
) -> AsyncIterator[list[Any]]:
    """Yield the records of a collection page by page.

    Raises `Unread`, and `Moved` if it must be read again from its start.
    """
    parameters = {"limit": str(LIMIT)} | ORDER | ({"filter": condition} if condition else {})

    async def ask(offset: int) -> Page:
        return await _page(client, path, key, parameters, offset)

    async for records in whole(ask):
        yield records


async def single(client: Client, path: str, wrapper: str, sourced_id: str) -> Any:
    """Return one record; None if the source does not have it, or has no single reads.

    Raises `Unread` if the source does not say whether it has the record.
    """
    request = Request("GET", f"{path.rstrip('/')}/{quote(sourced_id, safe='')}")
    answer = await client.send(request)
    outcome = understood(request, answer)
    if outcome.kind == "broken":
        raise Unread(f"it does not say whether it has {sourced_id}: {outcome.detail}")
    return parsed(answer.body).get(wrapper) if outcome.kind == "done" else None


async def _page(
    client: Client, path: str, key: str, parameters: dict[str, str], offset: int
) -> Page:
    def asked() -> Request:
        return Request(
            "GET", f"{path}?{urlencode(parameters | {'offset': str(offset)}, quote_via=quote)}"
        )

    answer = await client.send(asked())
    if answer.status in REFUSED_ORDER and "sort" in parameters and not offset:
        for name in ORDER:  # not every source can sort
            del parameters[name]
        answer = await client.send(asked())
    outcome = understood(asked(), answer)
    if outcome.kind != "done":
        raise Unread(outcome.detail, absent=answer.status == ABSENT and not offset)
    body = parsed(answer.body)
    if not isinstance(records := body.get(key), list):
        raise Unread(f"the answer has no list of {key}. Check the address and the version.")
    return Page(records, total_of(answer.total, body.get("totalCount")), answer.follows)


class Signing(httpx.AsyncBaseTransport):
    """Sends requests without a body, each signed with a key.

    A signature that the source refuses ends the run.
    """

    def __init__(self, key: Key, transport: httpx.AsyncBaseTransport) -> None:
        self._client = Signer(key.key, client_secret=key.secret, signature_method=key.method)
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sign a request and send it.

        Raises `TargetError` if the source refuses the signature.
        """
        _, headers, _ = self._client.sign(str(request.url), http_method=request.method)
        request.headers["authorization"] = headers["Authorization"]
        response = await self._transport.handle_async_request(request)
        if response.status_code == REFUSED:
            await response.aclose()
            raise TargetError(
                f"{request.url.host} refuses the signature (HTTP 401). Check the key, its secret, "
                "the signature method, and that the clock of this machine is right, and run again."
            )
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
