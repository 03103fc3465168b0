"""Reading a collection page by page, as `roster get` does.

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
from connectors.oneroster.wire import listing, parsed, understood
from transforms.payload import Json

ID = "sourcedId"


async def pages(
    client: Client,
    name: str,
    *,
    filter: str = "",
    sort: str = "sourcedId",
    fields: str = "",
    limit: int | None = 1000,
) -> AsyncIterator[list[Json]]:
    """Give the records of a collection or view, each once, page by page, to its end.

    `limit` is the size of a page, at most the largest that the target gives; None is the largest. Raises `TargetError`
    if a page is refused, or the collection is not had to its end.
    """
    view, largest = client.profile.lists[name], client.profile.largest_page
    wanted = {
        "limit": str(min(limit or largest, largest)),
        "sort": sort,
        "orderBy": "asc",
        "filter": filter,
        "fields": fields,
    }
    named = not fields or ID in fields.split(",")
    # Records are told apart by their ids, also where nobody asks for them.
    wanted |= {} if named else {"fields": f"{fields},{ID}"}
    parameters = {name: value for name, value in wanted.items() if value}

    async def ask(offset: int) -> Page:
        return await _page(client, view, parameters | {"offset": str(offset)})

    try:
        async for records in whole(ask):
            yield (
                records
                if named
                else [{name: one[name] for name in one if name != ID} for one in records]
            )
    except Moved as moved:
        raise TargetError(
            f"{client.target.host}: {client.profile.below_prefix(view.path)} was not read as a whole: {moved}. Read it again."
        ) from None


async def _page(client: Client, view: View, parameters: dict[str, str]) -> Page:
    request, path = listing(view.path, parameters), client.profile.below_prefix(view.path)
    answer = await client.send(request)
    outcome = understood(request, answer)
    if outcome.kind != "done":
        raise TargetError(f"{client.target.host} does not give {path}: {outcome.detail}")
    page = parsed(answer.body)
    records, total = page.get(view.list_key), page.get("totalCount")
    if not isinstance(records, list) or not isinstance(total, int):
        raise TargetError(
            f"{client.target.host} answered something that is not a page of {path}. Check its address."
        )
    return Page(records, total_of(answer.total, total), answer.follows)


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


async def examined(target: Endpoint, collections: Sequence[Collection]) -> Examined:
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
    if not isinstance(page.get(collection.list_key), list) or not isinstance(
        total := page.get("totalCount"), int
    ):
        return Shown(collection, None, answer.status, "it answers something that is not a page")
    return Shown(collection, total, answer.status)


def _listing(collection: Collection) -> wire.Request:
    return wire.listing(collection.path, {"limit": "1", "fields": "sourcedId"})


# How often a page may begin with a record that was not read before; each time, ten times as many are read again.
SHIFTS, FURTHER = 20, 10
# By so many records pages may overlap before they are taken for the same ones over and over.
OVERLAP = 1000
REPEATED = "its pages repeat: `offset` makes no difference"
UNORDERED = "its records changed their order again and again"


class Moved(Exception):
    """A collection that was not read to its end: records moved on and on, or less came than was told of."""


@dataclass(frozen=True)
class Page:
    """Records of a collection; `total` is how many it has, `follows` whether there are more, None if that is not said."""

    records: list[Any]
    total: int | None = None
    follows: bool | None = None


Ask = Callable[[int], Awaitable[Page]]


def total_of(*told: object) -> int | None:
    """The greatest of the totals that an answer tells, in its headers or its body."""
    return max(
        (one for one in told if isinstance(one, int) and not isinstance(one, bool)), default=None
    )


async def whole(ask: Ask) -> AsyncIterator[list[Any]]:
    """Give the records of a collection, each once, page by page, to its end; `ask` gives the page at an offset.

    Raises `Moved`.
    """
    reading = _Reading()
    while not reading.over:
        if fresh := reading.take(await ask(reading.offset)):
            yield fresh


@dataclass
class _Reading:
    """What has been read so far.

    `offset` is where the next page is to begin, `end` where the last one ended, with which record it began (`begin`)
    and ended (`last`). `first` is the total that was told at first; `of_pages` is true once totals can only be those of
    pages. `alone` is true if the next page need not begin with what was read before.
    """

    offset: int = 0
    end: int = 0
    count: int = 0
    begin: str = ""
    last: str = ""
    first: int | None = None
    of_pages: bool = False
    alone: bool = True
    shifts: int = 0
    back: int = 1
    over: bool = False
    seen: set[str] = field(default_factory=set)

    def take(self, page: Page) -> list[Any]:
        """Take note of a page, and give what is new on it."""
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
            self._refuse_less(total)
        else:
            self._go_on(keys, total, new=bool(fresh))
        self.seen.update(keys)
        return fresh

    def _step_back(self) -> None:
        """Records have left: begin the next page earlier."""
        self.shifts += 1
        if self.shifts > SHIFTS:
            raise Moved(UNORDERED)
        self.back *= FURTHER
        self.offset = max(0, self.offset - self.back)
        self.alone = self.offset == 0

    def _total(self, page: Page) -> int | None:
        """The total of the collection, None if it is not known: no total of the whole is less than what came before."""
        if page.records and page.total is not None and page.total < self.end:
            if page.total not in (len(page.records), self.count):
                raise Moved(REPEATED)
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
        # A total of no more than this page, or one that grows as pages come, may be the pages' own. No server gives one
        # record at a time.
        told = total is not None and total == self.first and total > len(keys)
        return (
            told or keys == [self.last] or self.end == 1 or (not new and page.total == self.count)
        )

    def _refuse_less(self, total: int | None) -> None:
        """Take it for the end, unless more was told of; who came or left meanwhile may be missing."""
        least = min(self.first or 0, total or 0)
        if self.count < least:
            raise Moved(f"it ended after {self.count} of {least} records")
        self.over = True

    def _go_on(self, keys: list[str], total: int | None, *, new: bool) -> None:
        """Begin the next page with the last record of this one, unless it had no other."""
        if not keys:
            more = (
                f"of {total} records" if total is not None else "records, and tells of another page"
            )
            raise Moved(f"it ended after {self.count} {more}")
        if not new and (keys[0] == self.begin or self.end > 2 * self.count + OVERLAP):
            raise Moved(REPEATED)
        self.alone = len(keys) == 1
        self.offset = self.end if self.alone else self.end - 1
        self.begin, self.last = keys[0], keys[-1]


def _key(record: Any) -> str:
    """What a record is known by: its id, or all of it."""
    sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
    return sourced_id if isinstance(sourced_id, str) else json.dumps(record, sort_keys=True)
