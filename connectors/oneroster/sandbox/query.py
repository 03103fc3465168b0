"""Answer list requests: paging, sorting, filtering, searching, choosing fields.

Source: API reference, section 6.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.responses import JSONResponse

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.errors import ApiFailure
from connectors.oneroster.sandbox.read import ReadRequest
from connectors.oneroster.sandbox.records import COMMON, RecordSchema, schema_of
from connectors.oneroster.sandbox.store import MIDNIGHT, Values, path_sql, property_sql
from transforms.payload import Json

LIMIT, MOST = 100, 3000
NUMBER = re.compile(r"[0-9]{1,15}")
# Classes accept `search` and ignore it.
SEARCHED = {
    "users": ("givenName", "familyName", "email"),
    "courses": ("title", "courseCode"),
    "orgs": ("name",),
}


@dataclass(frozen=True)
class PageRequest:
    """The page of a list that a client requests."""

    limit: int
    offset: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> PageRequest:
        """Parse `limit` and `offset`; 422 if they are out of bounds."""
        return cls(_number(query, "limit", LIMIT, 1, MOST), _number(query, "offset", 0, 0, 2**53))


def _number(query: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise ApiFailure(
            422, "The query is not valid.", **{name: f"must be a number from {least} to {most}"}
        )
    return int(text)


def answer_list(
    collection: Collection,
    list_key: str,
    query: Mapping[str, str],
    reading: ReadRequest,
    where: str = "1",
    values: Values = (),
) -> JSONResponse:
    """Answer a list request with one page and the totals, in the body and in `X-Total-Count`."""
    page, form, store = PageRequest.of(query), schema_of(collection), reading.store
    condition = parse_filter(query.get("filter", ""), form)
    search, words = _search(collection, query.get("search", ""))
    where = f"({where}) AND {condition.sql} AND {search}"
    values = (*values, *condition.values, *words)
    total = store.total(collection.name, where, values)
    records = store.find(
        collection.name, where, values, _order(form, query), page.limit, page.offset
    )
    body = {
        list_key: [choose_fields(reading.shown(collection, record), query) for record in records],
        "totalCount": total,
        "pageCount": math.ceil(total / page.limit),
        "pageNumber": page.offset // page.limit + 1,
        "offset": page.offset,
        "limit": page.limit,
    }
    return JSONResponse(body, headers={"X-Total-Count": str(total)})


def choose_fields(record: Json, query: Mapping[str, str]) -> Json:
    """Return only the properties that `fields` names, or all without `fields`."""
    names = [name.strip() for name in query.get("fields", "").split(",") if name.strip()]
    return {name: record[name] for name in names if name in record} if names else record


def _order(form: RecordSchema, query: Mapping[str, str]) -> str:
    name, direction = query.get("sort", ""), query.get("orderBy", "asc") or "asc"
    if direction not in ("asc", "desc"):
        raise ApiFailure(422, "The query is not valid.", orderBy="must be asc or desc")
    if name and not is_property(form, name):
        raise ApiFailure(400, f"Error in sort: there is no property {name!r}")
    ordered = f"{property_sql(name or 'sourcedId')} {direction}"
    return ordered if ordered.startswith("id ") else f"{ordered}, id"


def _search(collection: Collection, text: str) -> tuple[str, list[str]]:
    """Return the condition of a search in SQL, and its values."""
    names = SEARCHED.get(collection.name, ()) if text else ()
    tests = [_test(property_sql(name), "~", [text]) for name in names]
    return (f"({' OR '.join(tests)})", [text] * len(tests)) if tests else ("1", [])


TOKEN = re.compile(
    r"\s*(?:(?P<open>\()|(?P<close>\))|(?P<join>AND|OR)(?=[\s(])"
    r"|(?P<field>[A-Za-z_][\w.\-]*)\s*(?P<op>!=|>=|<=|=|>|<|~|@)"
    r"\s*(?:'(?P<text>(?:[^']|'')*)'|(?P<bare>[^\s()']+)))"
)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# SQLite's own limit on nesting is a little higher.
MOST_COMPARISONS, DEEPEST = 500, 20


@dataclass
class Condition:
    """A condition in SQL with placeholders, and their values in order."""

    sql: str = "1"
    values: list[str] = field(default_factory=list)


def parse_filter(text: str, form: RecordSchema) -> Condition:
    """Parse a filter.

    Raises `ApiFailure`: 400 for a filter that is not valid, 422 for booleans without quotes.
    """
    if not text.strip():
        return Condition()
    parser = _FilterParser(text.strip(), form)
    condition = parser.alternatives()
    if parser.place != len(parser.text):
        raise _parse_failure(parser.text[parser.place :])
    return condition


def is_property(form: RecordSchema, name: str) -> bool:
    """Return whether a filter or a sort may use a name.

    It may be a property, `metadata.x`, the id of a reference, or a property of a part.
    """
    whole, _, inner = name.partition(".")
    if whole not in form.properties:
        return False
    if whole == "metadata" or not inner:
        return True
    column = form.columns.get(whole)
    return (whole in form.parts and "." not in inner) or (
        inner == "sourcedId" and bool(column and column.refers)
    )


def _parse_failure(where: str) -> ApiFailure:
    return ApiFailure(400, f"Error in filter query: cannot read {where[:40]!r}")


class _FilterParser:
    """A recursive descent parser. AND binds more tightly than OR."""

    def __init__(self, text: str, form: RecordSchema) -> None:
        self.text, self.form, self.place = text, form, 0
        self.comparisons = self.depth = 0

    def alternatives(self) -> Condition:
        """Parse conditions joined by OR."""
        return self._joined("OR", lambda: self._joined("AND", self._term))

    def _joined(self, word: str, part: Callable[[], Condition]) -> Condition:
        parts = [part()]
        while (token := self._peek()) and token["join"] == word:
            self.place = token.end()
            parts.append(part())
        sql = f" {word} ".join(part.sql for part in parts)
        return Condition(
            f"({sql})" if len(parts) > 1 else sql,
            [value for part in parts for value in part.values],
        )

    def _term(self) -> Condition:
        token = self._peek()
        if token is None or token["join"] or token["close"]:
            raise _parse_failure(self.text[self.place :])
        self.place = token.end()
        if not token["open"]:
            return self._comparison(token)
        self.depth += 1
        if self.depth > DEEPEST:
            raise _parse_failure("more parentheses")
        condition = self.alternatives()
        self.depth -= 1
        closing = self._peek()
        if closing is None or not closing["close"]:
            raise _parse_failure(self.text[self.place :])
        self.place = closing.end()
        return condition

    def _peek(self) -> re.Match[str] | None:
        return TOKEN.match(self.text, self.place)

    def _comparison(self, token: re.Match[str]) -> Condition:
        name, operator = token["field"], token["op"]
        self.comparisons += 1
        if self.comparisons > MOST_COMPARISONS:
            raise _parse_failure("more comparisons")
        if token["bare"] in ("true", "false"):
            raise ApiFailure(422, "A boolean in a filter must be quoted.", filter=name)
        if not is_property(self.form, name):
            raise ApiFailure(400, f"Error in filter query: there is no property {name!r}")
        value = token["bare"] if token["text"] is None else token["text"].replace("''", "'")
        return _compare(self.form, name, operator, value)


def _compare(form: RecordSchema, name: str, operator: str, value: str) -> Condition:
    """Compare a property, or any item of a list, with a value as text."""
    if operator == "!=":
        equal = _compare(form, name, "=", value)
        return Condition(f"NOT coalesce({equal.sql}, 0)", equal.values)
    values = [item.strip() for item in value.split(",")] if operator == "@" else [value]
    if name in form.timestamps and operator != "~":
        values = [f"{text}{MIDNIGHT}" if DAY.fullmatch(text) else text for text in values]
    if name in COMMON[:-1] or form.column(name):
        # Without a cast, so that SQLite can use its index.
        return Condition(_test(property_sql(name), operator, values), values)
    return _compare_any(name, operator, values)


def _test(subject: str, operator: str, values: list[str]) -> str:
    if operator == "~":
        return f"instr(folded({subject}), folded(?)) > 0"
    if operator == "@":
        return f"{subject} IN ({', '.join('?' * len(values))})"
    return f"{subject} {operator} ?"


def _compare_any(name: str, operator: str, values: list[str]) -> Condition:
    """Compare a value of unknown type as text.

    In a list, each item is compared; in a list of objects, one property of each.
    """
    whole, _, inner = (name, "", "") if name.startswith("metadata.") else name.partition(".")
    path, item = path_sql(whole), f"json_extract(value, {path_sql(inner)})" if inner else "value"
    item_test = _test(f"CAST({item} AS TEXT)", operator, values)
    items = f"EXISTS (SELECT 1 FROM json_each(body, {path}) WHERE {item_test})"
    single = _test(f"CAST({property_sql(name)} AS TEXT)", operator, values)
    return Condition(
        f"CASE json_type(body, {path}) WHEN 'array' THEN {items} ELSE {single} END", values * 2
    )
