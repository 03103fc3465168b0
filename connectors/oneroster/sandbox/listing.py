"""Lists: paging, sorting, filtering, searching, choosing fields.

Source: API reference, section 6.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import JSONResponse

from connectors.oneroster.collections import Collection
from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.filters import parsed
from connectors.oneroster.sandbox.shapes import properties, shown
from connectors.oneroster.sandbox.store import Store, Values, path_of
from transforms.payload import Json, folded

LIMIT, MOST = 100, 3000
# Classes take `search` and ignore it.
SEARCHED = {"users": ("givenName", "familyName", "email"), "courses": ("title", "courseCode"), "orgs": ("name",)}


@dataclass(frozen=True)
class Page:
    """Which records of a list are wanted."""

    limit: int
    offset: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        """Read `limit` and `offset`; 422 if they are out of bounds."""
        return cls(_number(query, "limit", LIMIT, 1, MOST), _number(query, "offset", 0, 0, 2**53))


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or not least <= int(text) <= most:
        raise Failure(422, "The query is not valid.", **{name: f"must be a number from {least} to {most}"})
    return int(text)


def listed(collection: Collection, list_key: str, query: Mapping[str, str], store: Store, base: str,
           where: str = "1", values: Values = ()) -> JSONResponse:  # fmt: skip
    """Answer a list request with one page and the totals, in the body and in `X-Total-Count`."""
    page = Page.of(query)
    condition = parsed(query.get("filter", ""), lambda name: is_property(collection, name))
    searched, words = _search(collection, query.get("search", ""))
    where, values = f"({where}) AND {condition.sql} AND {searched}", (*values, *condition.values, *words)
    total = store.total(collection.name, where, values)
    records = store.find(collection.name, where, values, _order(collection, query), page.limit, page.offset)
    body = {
        list_key: [chosen(shown(collection, record, store, base), query) for record in records],
        "totalCount": total,
        "pageCount": math.ceil(total / page.limit),
        "pageNumber": page.offset // page.limit + 1,
        "offset": page.offset,
        "limit": page.limit,
    }
    return JSONResponse(body, headers={"X-Total-Count": str(total)})


def chosen(record: Json, query: Mapping[str, str]) -> Json:
    """Give only the properties that `fields` names."""
    names = [name.strip() for name in query.get("fields", "").split(",") if name.strip()]
    return {name: record[name] for name in names if name in record} if names else record


def is_property(collection: Collection, name: str) -> bool:
    """Tell whether a filter or a sort may name it: a property, `metadata.x`, or one dot into a reference or a part."""
    whole, _, inner = name.partition(".")
    if whole not in properties(collection):
        return False
    return (
        whole == "metadata"
        or not inner
        or (inner == "sourcedId" or (whole in folded(collection.entity) and "." not in inner))
    )


def _order(collection: Collection, query: Mapping[str, str]) -> str:
    name = query.get("sort", "")
    if not name:
        return "id"
    if not is_property(collection, name):
        raise Failure(400, f"Error in sort: there is no property {name!r}")
    direction = "DESC" if query.get("orderBy", "asc").lower() == "desc" else "ASC"
    return f"json_extract(body, '{path_of(name)}') {direction}, id"


def _search(collection: Collection, text: str) -> tuple[str, list[str]]:
    names = SEARCHED.get(collection.name, ()) if text else ()
    tests = [f"instr(lower(json_extract(body, '{path_of(name)}')), lower(?)) > 0" for name in names]
    return (f"({' OR '.join(tests)})", [text] * len(tests)) if tests else ("1", [])
