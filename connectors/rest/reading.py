"""Reading a collection of a REST source to its end, or not at all, and single records of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlencode

from connectors.oneroster.answers import parsed
from connectors.oneroster.client import Client
from connectors.oneroster.paging import Page, total_of, whole
from connectors.oneroster.wire import Request, understood

LIMIT = 1000
# What sources that cannot sort answer: the request is wrong, or its query is.
REFUSED_ORDER = (400, 422)
ABSENT = 404
ORDER = {"sort": "sourcedId", "orderBy": "asc"}


class Unread(Exception):
    """A collection that cannot be had to its end, and why; `absent` if the source does not have it."""

    def __init__(self, why: str, *, absent: bool = False) -> None:
        super().__init__(why)
        self.absent = absent


async def pages(client: Client, path: str, key: str, condition: str = "") -> AsyncIterator[list[Any]]:
    """Give the records of a collection, page by page, to its end.

    Raises `Unread`, and `Moved` if it is to be read again from its start.
    """
    parameters = {"limit": str(LIMIT)} | ORDER | ({"filter": condition} if condition else {})

    async def ask(offset: int) -> Page:
        return await _page(client, path, key, parameters, offset)

    async for records in whole(ask):
        yield records


async def single(client: Client, path: str, wrapper: str, sourced_id: str) -> Any:
    """Give one record; None if the source does not have it, or gives no single ones. Raises `Unread`."""
    request = Request("GET", f"{path.rstrip('/')}/{quote(sourced_id, safe='')}")
    answer = await client.send(request)
    outcome = understood(request, answer)
    if outcome.kind == "broken":
        raise Unread(f"it does not say whether it has {sourced_id}: {outcome.detail}")
    return parsed(answer.body).get(wrapper) if outcome.kind == "done" else None


async def _page(client: Client, path: str, key: str, parameters: dict[str, str], offset: int) -> Page:
    def asked() -> Request:
        return Request("GET", f"{path}?{urlencode(parameters | {'offset': str(offset)}, quote_via=quote)}")

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
