"""Reading a collection page by page, as `roster get` does.

Source: API reference, section 6: pages may be short midway, and rows shift while others write.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from connectors.oneroster.answers import parsed
from connectors.oneroster.client import Client
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.paging import Moved, Page, total_of, whole
from connectors.oneroster.target import TargetError
from connectors.oneroster.wire import listing, understood
from transforms.payload import Json

LARGEST = 3000
ID = "sourcedId"

# Name of a collection -> its path below the prefix and the key of its list; the views of others come last.
READABLE: dict[str, tuple[str, str]] = {
    **{name: (collection.path, collection.list_key) for name, collection in COLLECTIONS.items()},
    "students": ("rostering/v1p2/students/", "users"),
    "teachers": ("rostering/v1p2/teachers/", "users"),
    "schools": ("rostering/v1p2/schools/", "orgs"),
    "terms": ("rostering/v1p2/terms/", "terms"),
    "gradingPeriods": ("rostering/v1p2/gradingPeriods/", "gradingPeriods"),
}


async def pages(client: Client, path: str, list_key: str, *, filter: str = "", sort: str = "sourcedId",
                fields: str = "", limit: int = 1000) -> AsyncIterator[list[Json]]:  # fmt: skip
    """Give the records of a collection, each once, page by page, to its end.

    `limit` is the size of a page, at most 3,000. Raises `TargetError` if a page is refused, or the
    collection is not had to its end.
    """
    wanted = {"limit": str(min(limit, LARGEST)), "sort": sort, "orderBy": "asc", "filter": filter, "fields": fields}
    named = not fields or ID in fields.split(",")
    # Records are told apart by their ids, also where nobody asks for them.
    wanted |= {} if named else {"fields": f"{fields},{ID}"}
    parameters = {name: value for name, value in wanted.items() if value}

    async def ask(offset: int) -> Page:
        return await _page(client, path, list_key, parameters | {"offset": str(offset)})

    try:
        async for records in whole(ask):
            yield records if named else [{name: one[name] for name in one if name != ID} for one in records]
    except Moved as moved:
        raise TargetError(f"{client.target.host}: {path} was not read as a whole: {moved}. Read it again.") from None


async def _page(client: Client, path: str, list_key: str, parameters: dict[str, str]) -> Page:
    request = listing(path, parameters)
    answer = await client.send(request)
    outcome = understood(request, answer)
    if outcome.kind != "done":
        raise TargetError(f"{client.target.host} does not give {path}: {outcome.detail}")
    page = parsed(answer.body)
    records, total = page.get(list_key), page.get("totalCount")
    if not isinstance(records, list) or not isinstance(total, int):
        raise TargetError(f"{client.target.host} answered something that is not a page of {path}. Check its address.")
    return Page(records, total_of(answer.total, total), answer.follows)
