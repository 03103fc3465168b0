"""Lists: paging, sorting, filtering, searching, choosing fields.

Source: API reference, section 6.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import JSONResponse

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.filters import is_property, parsed
from connectors.oneroster.sandbox.forms import Form, form_of
from connectors.oneroster.sandbox.showing import Reading
from connectors.oneroster.sandbox.store import Values, property_sql
from transforms.payload import Json

LIMIT, MOST = 100, 3000
NUMBER = re.compile(r"[0-9]{1,15}")
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
    if not NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise Failure(422, "The query is not valid.", **{name: f"must be a number from {least} to {most}"})
    return int(text)


def listed(collection: Collection, list_key: str, query: Mapping[str, str], reading: Reading,
           where: str = "1", values: Values = ()) -> JSONResponse:  # fmt: skip
    """Answer a list request with one page and the totals, in the body and in `X-Total-Count`."""
    page, form, store = Page.of(query), form_of(collection), reading.store
    condition = parsed(query.get("filter", ""), form)
    searched, words = _search(collection, query.get("search", ""))
    where, values = f"({where}) AND {condition.sql} AND {searched}", (*values, *condition.values, *words)
    total = store.total(collection.name, where, values)
    records = store.find(collection.name, where, values, _order(form, query), page.limit, page.offset)
    body = {
        list_key: [chosen(reading.shown(collection, record), query) for record in records],
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


def _order(form: Form, query: Mapping[str, str]) -> str:
    name, direction = query.get("sort", ""), query.get("orderBy", "asc") or "asc"
    if direction not in ("asc", "desc"):
        raise Failure(422, "The query is not valid.", orderBy="must be asc or desc")
    if name and not is_property(form, name):
        raise Failure(400, f"Error in sort: there is no property {name!r}")
    ordered = f"{property_sql(name or 'sourcedId')} {direction}"
    return ordered if ordered.startswith("id ") else f"{ordered}, id"


def _search(collection: Collection, text: str) -> tuple[str, list[str]]:
    names = SEARCHED.get(collection.name, ()) if text else ()
    tests = [f"instr(folded({property_sql(name)}), folded(?)) > 0" for name in names]
    return (f"({' OR '.join(tests)})", [text] * len(tests)) if tests else ("1", [])
