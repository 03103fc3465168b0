"""Reading a collection page by page, as `roster get` does.

Source: API reference, section 6: pages may be short midway, and rows shift while others write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.oneroster.answers import parsed
from connectors.oneroster.client import Client
from connectors.oneroster.paging import Moved, Page, total_of, whole
from connectors.oneroster.profile import View
from connectors.oneroster.target import TargetError
from connectors.oneroster.wire import listing, understood
from transforms.payload import Json

ID = "sourcedId"


async def pages(client: Client, name: str, *, filter: str = "", sort: str = "sourcedId",
                fields: str = "", limit: int | None = 1000) -> AsyncIterator[list[Json]]:  # fmt: skip
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
            yield records if named else [{name: one[name] for name in one if name != ID} for one in records]
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
        raise TargetError(f"{client.target.host} answered something that is not a page of {path}. Check its address.")
    return Page(records, total_of(answer.total, total), answer.follows)
