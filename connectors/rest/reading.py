"""Reading a collection of a REST source to its end, or not at all.

A short page says nothing: the end is where the total, the `Link` header or an empty page says that it is. If records
moved while they were read (another total, an id on two pages), one may have been missed, and it is to be read again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from connectors.oneroster.answers import parsed
from connectors.oneroster.client import Client
from connectors.oneroster.collections import COLLECTIONS, PREFIX
from connectors.oneroster.wire import Request, understood
from transforms.schemas import Entity
from transforms.schemas.entity import Version

LIMIT = 1000
REFUSED_ORDER = 400
ABSENT = 404
ORDER = {"sort": "sourcedId", "orderBy": "asc"}


class Unread(Exception):
    """A collection that cannot be had to its end, and why; `absent` if the source does not have it."""

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.absent = absent


class Moved(Exception):
    """Records moved while they were read."""


@dataclass(frozen=True)
class Page:
    """Records of a collection; `total` is how many it has, `follows` whether there are more, None if that is not said."""

    records: list[Any]
    total: int | None
    follows: bool | None


def path_of(entity: Entity, version: Version, *, published: bool = False) -> str:
    """Where a collection is: 1.1 has one service, 1.2 has one for each kind of record.

    The standard has no slashes at the end; the target has them as they are `published`.
    """
    if version == "1.1":
        return f"{PREFIX}v1p1/{entity.name}"
    path = PREFIX + COLLECTIONS[entity.name].path
    return path if published else path.rstrip("/")


async def pages(client: Client, path: str, key: str, condition: str = "") -> AsyncIterator[list[Any]]:
    """Give the records of a collection, page by page, to its end.

    Raises `Unread`, and `Moved` if it is to be read again from its start.
    """
    parameters = {"limit": str(LIMIT)} | ORDER | ({"filter": condition} if condition else {})
    seen: set[Any] = set()
    total, offset = None, 0
    while True:
        page = await _page(client, path, key, parameters, offset)
        total = page.total if total is None else total
        _hold_still(page, total, seen)
        offset += len(page.records)
        if page.records:
            yield page.records
        if offset >= total if total is not None else not (page.records and page.follows is not False):
            return
        if not page.records:
            raise Moved(f"it ended after {offset} of {total} records")


def _hold_still(page: Page, total: int | None, seen: set[Any]) -> None:
    """Raise `Moved` if another total is told now, or an id was on a page before."""
    if page.total != total:
        raise Moved(f"its total changed from {total} to {page.total} while it was read")
    ids = [record.get("sourcedId") for record in page.records if isinstance(record, dict)]
    here = {one for one in ids if isinstance(one, str)}
    if here & seen:
        raise Moved("a sourcedId was on two of its pages")
    seen |= here


async def _page(client: Client, path: str, key: str, parameters: dict[str, str], offset: int) -> Page:
    def asked() -> Request:
        return Request("GET", f"{path}?{urlencode(parameters | {'offset': str(offset)}, quote_via=quote)}")

    answer = await client.send(asked())
    if answer.status == REFUSED_ORDER and "sort" in parameters:
        for name in ORDER:  # not every source can sort
            del parameters[name]
        answer = await client.send(asked())
    outcome = understood(asked(), answer)
    if outcome.kind != "done":
        raise Unread(outcome.detail, absent=answer.status == ABSENT)
    body = parsed(answer.body)
    records, total = body.get(key), body.get("totalCount")
    if not isinstance(records, list):
        raise Unread(f"the answer has no list of {key}. Check the address and the version.")
    return Page(
        records, answer.total if answer.total is not None else total if isinstance(total, int) else None, answer.follows
    )
