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

from connectors.oneroster.client import Client, open_transport
from connectors.oneroster.profile import Collection
from connectors.oneroster.read import Page, RecordsMoved, largest_total, read_to_end
from connectors.oneroster.revision import RevisionTransport
from connectors.oneroster.target import AccessRefused, Endpoint
from connectors.oneroster.wire import Request, is_addressable, outcome_of, parse_object
from transforms.from_json.drop import ROSTER, make_raw
from transforms.from_json.records import CollectionRows, add_rows
from transforms.roster import Raw
from transforms.schemas import ENTITIES
from transforms.schemas.entity import Version

# Statuses of sources that cannot sort: the request is wrong, or its query is.
CANNOT_SORT = (400, 422)
FORBIDDEN, NOT_FOUND = 403, 404
ORDER = {"sort": "sourcedId", "orderBy": "asc"}
ATTEMPTS = 3
# The size of the sample of missing records that are read one by one.
SAMPLE_SIZE = 200
# Always read completely: they are few, and administrators of OneRoster 1.1 refer to them.
ALWAYS_COMPLETE = frozenset({"orgs"})
# A placeholder for the token: every request is signed instead.
UNUSED = "signed"
UNAUTHORIZED = 401
Known = Mapping[str, Container[str]]
NONE_KNOWN: Known = {}
Method = Literal["HMAC-SHA1", "HMAC-SHA256"]


class UnreadCollection(Exception):
    """A collection that cannot be read to its end, and why.

    `absent` is true if the source does not have the collection, `unshared` if it does not give it
    to this client.
    """

    def __init__(self, why: str, *, absent: bool = False, unshared: bool = False) -> None:
        super().__init__(why)
        self.absent = absent
        self.unshared = unshared


@dataclass(frozen=True)
class SigningKey:
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
    zone: ZoneInfo | None = None,
    key: SigningKey | None = None,
    known: Known = NONE_KNOWN,
    revision_header: str = "",
) -> Raw:
    """Read collections as they are, or what changed in them `since` a time (in UTC).

    Timestamps are days in a time `zone`, as `read_days` has it. With a `key`, requests are signed,
    and the other credentials of `source` are not used. `known` are the ids, by collection, that
    were there before: one that a complete collection does not list is read by itself. A collection
    that the source does not have or does not share is left out, unless every roster needs it.
    Raises `TargetError` if the source cannot be used at all, and `RevisionChanged` if the header
    `revision_header` of an answer says that the records are no longer those of the first.
    """
    condition = f"dateLastModified>'{since:%Y-%m-%dT%H:%M:%S.000Z}'" if since else ""
    read: dict[str, CollectionRows] = {}
    broken: dict[str, str] = {}
    unshared: dict[str, str] = {}
    # The secret of the key is passed on so that it is hidden if the source repeats it.
    address = (
        replace(source, access_token=UNUSED, token_url="", client_secret=key.secret)
        if key
        else source
    )
    transport: httpx.AsyncBaseTransport = open_transport(address)
    if revision_header:
        transport = RevisionTransport(revision_header, transport)
    async with Client(address, SigningTransport(key, transport) if key else transport) as client:
        for name in collections:
            entity, collection = ENTITIES[name], source.profile.collections[name]
            changed_only = condition and name not in ALWAYS_COMPLETE
            wanted = WantedCollection(
                collection,
                condition if changed_only else "",
                frozenset() if changed_only else known.get(name, frozenset()),
            )
            try:
                read[name] = await _read(client, wanted, partial(add_rows, entity, version=version))
            except UnreadCollection as unread:
                why = f"{source.host}: {unread}"
                if entity.needed or not (unread.absent or unread.unshared):
                    broken[name] = why
                elif unread.unshared:
                    unshared[name] = why
    return make_raw(read, version, whole=since is None, broken=broken, unshared=unshared, zone=zone)


async def _read(
    client: Client, wanted: WantedCollection, add: Callable[..., None]
) -> CollectionRows:
    """Read a collection, again from its start if records moved meanwhile.

    Raises `UnreadCollection` if they move each time.
    """
    why = ""
    for _ in range(ATTEMPTS):
        unfolded, missing = CollectionRows(), set(wanted.known)
        try:
            # Each page is unfolded at once, since JSON takes many times the memory of its rows.
            async for records in read_pages(
                client, wanted.collection.path, wanted.collection.list_key, wanted.condition
            ):
                missing.difference_update(_ids(records))
                add(records, into=unfolded)
        except RecordsMoved as moved:
            why = str(moved)
        else:
            unlisted = await _unlisted(client, wanted, missing)
            add(unlisted, into=unfolded)
            unfolded.unlisted = tuple(sorted(_ids(unlisted)))
            return unfolded
    raise UnreadCollection(
        f"{why}, {ATTEMPTS} times. Read it when nobody changes it, such as at night."
    )


async def _unlisted(client: Client, wanted: WantedCollection, missing: set[str]) -> list[Any]:
    """Read the records that no page had, since a source may have no stable order.

    First a sample is read, and the rest only if the source has any record of the sample.
    """
    ids = list(filter(is_addressable, sorted(missing)))
    some = ids[:: max(1, len(ids) // SAMPLE_SIZE)]
    found = await _singles(client, wanted, some)
    return (
        found + await _singles(client, wanted, sorted(set(ids).difference(some)))
        if found
        else found
    )


async def _singles(client: Client, wanted: WantedCollection, ids: Sequence[str]) -> list[Any]:
    asked = (
        read_one(client, wanted.collection.path, wanted.collection.wrapper, one) for one in ids
    )
    found = await asyncio.gather(*asked, return_exceptions=True)
    for fault in found:
        if isinstance(fault, BaseException):
            raise fault
    return [record for one, record in zip(ids, found, strict=True) if _ids([record]) == {one}]


def _ids(records: list[Any]) -> set[str]:
    """Return the ids of those records that have one."""
    ids = (record.get("sourcedId") for record in records if isinstance(record, dict))
    return {one for one in ids if isinstance(one, str)}


async def read_pages(
    client: Client, path: str, key: str, condition: str = ""
) -> AsyncIterator[list[Any]]:
    """Yield the records of a collection page by page.

    Raises `UnreadCollection`, and `RecordsMoved` if it must be read again from its start.
    """
    limit = client.profile.largest_page
    parameters = {"limit": str(limit)} | ORDER | ({"filter": condition} if condition else {})

    async def ask(offset: int) -> Page:
        return await _page(client, path, key, parameters, offset)

    async for records in read_to_end(ask):
        yield records


async def read_one(client: Client, path: str, wrapper: str, sourced_id: str) -> Any:
    """Return one record; None if the source does not have it, or has no single reads.

    Raises `UnreadCollection` if the source does not say whether it has the record.
    """
    request = Request("GET", f"{path.rstrip('/')}/{quote(sourced_id, safe='')}")
    answer = await client.send(request)
    outcome = outcome_of(request, answer)
    if outcome.kind == "broken":
        raise UnreadCollection(f"it does not say whether it has {sourced_id}: {outcome.detail}")
    return parse_object(answer.body).get(wrapper) if outcome.kind == "done" else None


async def _page(
    client: Client, path: str, key: str, parameters: dict[str, str], offset: int
) -> Page:
    def asked() -> Request:
        return Request(
            "GET", f"{path}?{urlencode(parameters | {'offset': str(offset)}, quote_via=quote)}"
        )

    answer = await client.send(asked())
    if answer.status in CANNOT_SORT and "sort" in parameters and not offset:
        for name in ORDER:  # not every source can sort
            del parameters[name]
        answer = await client.send(asked())
    outcome = outcome_of(asked(), answer)
    if outcome.kind != "done":
        raise UnreadCollection(
            outcome.detail,
            absent=answer.status == NOT_FOUND and not offset,
            unshared=answer.status == FORBIDDEN and not offset,
        )
    body = parse_object(answer.body)
    if not isinstance(records := body.get(key), list):
        raise UnreadCollection(
            f"the answer has no list of {key}. Check the address and the version."
        )
    return Page(records, largest_total(answer.total, body.get("totalCount")), answer.follows)


class SigningTransport(httpx.AsyncBaseTransport):
    """Sends requests without a body, each signed with a key.

    A signature that the source refuses ends the run.
    """

    def __init__(self, key: SigningKey, transport: httpx.AsyncBaseTransport) -> None:
        self._client = Signer(key.key, client_secret=key.secret, signature_method=key.method)
        self._transport = transport

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Sign a request and send it.

        Raises `TargetError` if the source refuses the signature.
        """
        _, headers, _ = self._client.sign(str(request.url), http_method=request.method)
        request.headers["authorization"] = headers["Authorization"]
        response = await self._transport.handle_async_request(request)
        if response.status_code == UNAUTHORIZED:
            await response.aclose()
            raise AccessRefused(
                f"{request.url.host} refuses the signature (HTTP 401). Check the key, its secret, "
                "the signature method, and that the clock of this machine is right, and run again.",
                proof="signature",
            )
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()
