"""Read a collection of the target page by page, and find out what a client may read at all.

Source: API reference, section 6: pages may be short midway, and rows shift while others write.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from connectors.oneroster import wire
from connectors.oneroster.client import Client, Exchange
from connectors.oneroster.profile import Collection, View
from connectors.oneroster.target import Endpoint, TargetError
from connectors.oneroster.wire import list_page, outcome_of, parse_object
from transforms.grammar import count_of
from transforms.payload import Json

ID = "sourcedId"
SCOPES = "https://purl.imsglobal.org/spec/or/v1p1/scope/"
# The family of scopes of each service, and of a collection that has its own.
FAMILIES = {
    "demographics": "roster-demographics",
    "rostering": "roster",
    "resources": "resource",
    "gradebook": "gradebook",
}
# A token that no target knows. A response to it shows that the target is there.
UNKNOWN_TOKEN = "nobody"
FORBIDDEN = 403
# How often a page may begin with an unknown record. Each time, ten times as many records are read
# again.
SHIFTS, FURTHER = 20, 10
# By so many records pages may overlap; beyond that, they count as the same pages again.
OVERLAP = 1000
REPEATED = "its pages repeat: `offset` makes no difference"
UNORDERED = "its records changed their order again and again"


async def read_pages(
    client: Client,
    name: str,
    *,
    filter: str = "",
    sort: str = "sourcedId",
    fields: str = "",
    limit: int | None = 1000,
) -> AsyncIterator[list[Json]]:
    """Yield the records of a collection or view page by page, each record once.

    `limit` is the size of a page, up to the largest that the target has; None is the largest.
    Raises `TargetError` if a page is refused, or the collection cannot be read to its end.
    """
    view, largest = client.profile.lists[name], client.profile.largest_page
    wanted = {
        "limit": str(min(limit or largest, largest)),
        "sort": sort,
        "orderBy": "asc",
        "filter": filter,
        "fields": fields,
    }
    ids_wanted = not fields or ID in fields.split(",")
    # Ids distinguish the records, so they are read even if nobody asked for them.
    wanted |= {} if ids_wanted else {"fields": f"{fields},{ID}"}
    parameters = {name: value for name, value in wanted.items() if value}

    async def ask(offset: int) -> Page:
        return await _page(client, view, parameters | {"offset": str(offset)})

    try:
        async for records in read_to_end(ask):
            yield (
                records
                if ids_wanted
                else [{name: one[name] for name in one if name != ID} for one in records]
            )
    except RecordsMoved as moved:
        raise TargetError(
            f"{client.target.host}: {client.profile.below_prefix(view.path)} was not read "
            f"completely: {moved}. Read it again."
        ) from None


async def _page(client: Client, view: View, parameters: dict[str, str]) -> Page:
    request, path = list_page(view.path, parameters), client.profile.below_prefix(view.path)
    answer = await client.send(request)
    outcome = outcome_of(request, answer)
    if outcome.kind != "done":
        raise TargetError(f"{client.target.host} does not give {path}: {outcome.detail}")
    page = parse_object(answer.body)
    records, total = page.get(view.list_key), page.get("totalCount")
    if not isinstance(records, list) or not isinstance(total, int):
        raise TargetError(
            f"{client.target.host} answered something that is not a page of {path}. "
            "Check its address."
        )
    return Page(records, largest_total(answer.total, total), answer.follows)


class RecordsMoved(Exception):
    """A collection could not be read to its end.

    Its records moved again and again, or fewer came than the target had announced.
    """


@dataclass(frozen=True)
class Page:
    """One page of a collection."""

    records: list[Any]
    # How many records the collection has; None if the response does not say.
    total: int | None = None
    # Whether another page follows; None if the response does not say.
    follows: bool | None = None


Ask = Callable[[int], Awaitable[Page]]


def largest_total(*totals: object) -> int | None:
    """Return the largest total that a response has in its headers or body, or None."""
    return max(
        (one for one in totals if isinstance(one, int) and not isinstance(one, bool)), default=None
    )


async def read_to_end(ask: Ask) -> AsyncIterator[list[Any]]:
    """Yield the records of a collection page by page, each record once.

    `ask` returns the page at an offset. Raises `RecordsMoved` if the collection cannot be read to
    its end.
    """
    reading = _Reading()
    while not reading.over:
        if fresh := reading.take(await ask(reading.offset)):
            yield fresh


@dataclass
class _Reading:
    """The state of reading one collection."""

    # Where the next page is to begin, and where the last one ended.
    offset: int = 0
    end: int = 0
    # How many different records came so far.
    count: int = 0
    # The first and the last record of the last page.
    begin: str = ""
    last: str = ""
    # The first total that the target announced.
    first: int | None = None
    # Whether the totals count a page, and not the collection.
    of_pages: bool = False
    # Whether the next page may begin with a record that was not read before.
    alone: bool = True
    # How often a page began with an unknown record, and how far the last step back went.
    shifts: int = 0
    back: int = 1
    over: bool = False
    seen: set[str] = field(default_factory=set)

    def take(self, page: Page) -> list[Any]:
        """Note a page, and return its new records."""
        keys = [_key(record) for record in page.records]
        if not self.alone and not (keys and keys[0] in self.seen):
            self._step_back()
            return []
        fresh = [
            record for key, record in zip(keys, page.records, strict=True) if key not in self.seen
        ]
        self.end, self.count, self.back = self.offset + len(keys), self.count + len(fresh), 1
        total = self._total(page)
        if self._is_last(page, keys, total, new=bool(fresh)):
            self._finish(total)
        else:
            self._continue(keys, total, new=bool(fresh))
        self.seen.update(keys)
        return fresh

    def _step_back(self) -> None:
        """Begin the next page earlier, since records were removed."""
        self.shifts += 1
        if self.shifts > SHIFTS:
            raise RecordsMoved(UNORDERED)
        self.back *= FURTHER
        self.offset = max(0, self.offset - self.back)
        self.alone = self.offset == 0

    def _total(self, page: Page) -> int | None:
        """Return the total of the collection, or None if it is not known.

        A total that is less than what came before cannot be that of the collection.
        """
        if page.records and page.total is not None and page.total < self.end:
            if page.total not in (len(page.records), self.count):
                raise RecordsMoved(REPEATED)
            self.of_pages = True
        total = None if self.of_pages else page.total
        self.first = total if self.first is None else self.first
        return total

    def _is_last(self, page: Page, keys: list[str], total: int | None, *, new: bool) -> bool:
        if total is not None and total > self.end:
            return False
        if not keys:
            return total is not None or not page.follows
        if page.follows:
            return False
        # A total of this page's size, or one that grows with each page, may be that of the pages. A
        # page of one record is the last one, since no server sends one record at a time.
        is_complete = total is not None and total == self.first and total > len(keys)
        return (
            is_complete
            or keys == [self.last]
            or self.end == 1
            or (not new and page.total == self.count)
        )

    def _finish(self, total: int | None) -> None:
        """End the reading, unless the target announced more records.

        Records that were added or removed meanwhile may be missing.
        """
        least = min(self.first or 0, total or 0)
        if self.count < least:
            raise RecordsMoved(f"it ended after {self.count:,} of {count_of(least, 'records')}")
        self.over = True

    def _continue(self, keys: list[str], total: int | None, *, new: bool) -> None:
        """Begin the next page with the last record of this one, unless that is its only record."""
        if not keys:
            raise RecordsMoved(
                f"it ended after {count_of(self.count, 'records')}, and announces another page"
                if total is None
                else f"it ended after {self.count:,} of {count_of(total, 'records')}"
            )
        if not new and (keys[0] == self.begin or self.end > 2 * self.count + OVERLAP):
            raise RecordsMoved(REPEATED)
        self.alone = len(keys) == 1
        self.offset = self.end if self.alone else self.end - 1
        self.begin, self.last = keys[0], keys[-1]


def _key(record: Any) -> str:
    """Return what identifies a record: its id, or all of it."""
    sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
    return sourced_id if isinstance(sourced_id, str) else json.dumps(record, sort_keys=True)


@dataclass(frozen=True)
class CollectionAccess:
    """What a target shows of a collection."""

    collection: Collection
    # How many records it has; None if the target does not show it.
    total: int | None = None
    status: int = 0
    # Why the target does not show it.
    why: str = ""

    @property
    def scope(self) -> str:
        """The scope that is missing; blank if a missing scope is not the reason."""
        return (
            f"{SCOPES}{scope_family(self.collection)}.readonly" if self.status == FORBIDDEN else ""
        )


@dataclass(frozen=True)
class TargetAccess:
    """What is known of a target."""

    # Why nothing more is known; at most one of the three is not blank.
    unreached: str = ""
    refused: str = ""
    down: str = ""
    # What it shows of each collection, by name.
    shown: Mapping[str, CollectionAccess] = field(default_factory=dict)


def scope_family(collection: Collection) -> str:
    """Return the family of scopes that a collection needs.

    Its scopes end with `.readonly`, `.createput` and `.delete`.
    """
    return FAMILIES.get(collection.name) or FAMILIES[collection.entity.service]


async def examine(target: Endpoint, collections: Sequence[Collection]) -> TargetAccess:
    """Ask a target one question after another, until a response leaves nothing to ask.

    The questions are: does it answer, does it accept our credentials, does it show each collection?
    """
    first = _first_record(collections[0])
    stranger = Exchange(
        replace(target, access_token=UNKNOWN_TOKEN, token_url=""), None, asyncio.sleep
    )
    try:
        answer = await stranger.answer(first)
    except TargetError:  # the target is there, and refuses the unknown token
        answer = wire.Response(401)
    finally:
        await stranger.close()
    if answer.lost:
        return TargetAccess(unreached=answer.lost)
    exchange = Exchange(target, None, asyncio.sleep)
    try:
        await exchange.answer(first)
    except TargetError as error:
        return TargetAccess(refused=str(error))
    finally:
        await exchange.close()
    try:
        async with Client(target) as client:
            return TargetAccess(shown={one.name: await _show(client, one) for one in collections})
    except TargetError as error:
        return TargetAccess(down=str(error))


async def _show(client: Client, collection: Collection) -> CollectionAccess:
    request = _first_record(collection)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
    if outcome.kind != "done":
        return CollectionAccess(collection, None, answer.status, outcome.detail)
    page = parse_object(answer.body)
    if not isinstance(page.get(collection.list_key), list) or not isinstance(
        total := page.get("totalCount"), int
    ):
        return CollectionAccess(
            collection, None, answer.status, "it answers something that is not a page"
        )
    return CollectionAccess(collection, total, answer.status)


def _first_record(collection: Collection) -> wire.Request:
    return wire.list_page(collection.path, {"limit": "1", "fields": "sourcedId"})
