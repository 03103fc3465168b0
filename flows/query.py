"""`roster get` and `roster enrollments`: read all pages of a collection from the API."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.read import read_pages
from connectors.oneroster.target import Endpoint
from flows.errors import SettingsError
from flows.feeds.targets import choose_target
from flows.result import DONE
from flows.send import open_target
from flows.target import Target
from transforms.layouts.ids import spellings
from transforms.payload import Json

FIND_IDS = "Find ids with: roster get users --target ..."


@dataclass(frozen=True)
class Query:
    """A query to the API."""

    collection: str
    filter: str = ""
    sort: str = "sourcedId"
    fields: str = ""  # names of properties, joined by commas; blank: all
    limit: int | None = None  # at most so many records; None: all


@dataclass(frozen=True)
class QueryResult:
    """The records that the API returned."""

    collection: str
    records: tuple[Json, ...]
    fields: tuple[str, ...] = ()  # the requested properties; empty: all
    exit_code: int = DONE


def run_query(
    query: Query, target: str, state: Path, environment: Mapping[str, str]
) -> QueryResult:
    """Run a query against the target that settings name. Raises `SettingsError`."""
    return query_target(query, choose_target(target, None, environment), state)


def query_target(query: Query, target: Target, state: Path) -> QueryResult:
    """Run a query. Raises `SettingsError` if the target has no such collection."""
    names = target.profile.lists
    if query.collection not in names:
        close = difflib.get_close_matches(query.collection, names, 1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise SettingsError(
            f"There is no collection {query.collection!r}.{hint} There are: {', '.join(names)}."
        )
    with open_target(target, state) as address:
        records = asyncio.run(_read_records(query, address))
    fields = tuple(name for name in query.fields.split(",") if name)
    return QueryResult(query.collection, tuple(records), fields)


async def _read_records(query: Query, address: Endpoint) -> list[Json]:
    records: list[Json] = []
    async with Client(address) as client:
        async for page in read_pages(
            client,
            query.collection,
            filter=query.filter,
            sort=query.sort,
            fields=_properties(query.fields),
        ):
            records += page
            if query.limit and len(records) >= query.limit:
                return records[: query.limit]
    return records


def _properties(fields: str) -> str:
    """Return the properties to request: for `metadata.url`, all of `metadata`."""
    return ",".join(dict.fromkeys(name.partition(".")[0] for name in fields.split(",") if name))


def find_enrollments(
    student: str, target: str, state: Path, environment: Mapping[str, str], today: date
) -> QueryResult:
    """Find a person's enrollments, the active ones first.

    Each names course, class, role and dates, and says whether it is active `today`. Raises
    `SettingsError` if the target has no such user.
    """
    with open_target(choose_target(target, None, environment), state) as address:
        records = asyncio.run(_read_enrollments(student, address))
    rows = [_enrollment_row(record, today) for record in records]
    rows.sort(key=lambda one: (not one["active"], str(one["course"])))
    return QueryResult("enrollments", tuple(rows))


async def _read_enrollments(student: str, address: Endpoint) -> list[Json]:
    # People may know the id as the source spells it, or as records have it.
    ids = [one for one in spellings(student.strip()) if wire.is_addressable(one)]
    if not ids:
        raise SettingsError(f"{student!r} cannot be the sourcedId of a person. {FIND_IDS}")
    async with Client(address) as client:
        for sourced_id in ids:
            request = wire.read(client.profile.collections["users"], sourced_id)
            if wire.outcome_of(request, await client.send(request)).kind == "missing":
                continue
            found_pages = read_pages(
                client, "enrollments", filter=f"user.sourcedId={quote(sourced_id)}"
            )
            return [record async for page in found_pages for record in page]
        raise SettingsError(f"{client.target.host} has no user {student!r}. {FIND_IDS}")


def _enrollment_row(record: Json, today: date) -> Json:
    course, group = record.get("course") or {}, record.get("class") or {}
    begin, end = (str(record.get(name) or "")[:10] for name in ("beginDate", "endDate"))
    active = (
        record.get("status") == "active"
        and (not begin or begin <= str(today))
        and (not end or str(today) < end)
    )
    return {
        "course": course.get("name") or course.get("sourcedId"),
        "courseSourcedId": course.get("sourcedId"),
        "class": group.get("name") or group.get("sourcedId"),
        "classSourcedId": group.get("sourcedId"),
        "role": record.get("role"),
        "beginDate": begin or None,
        "endDate": end or None,
        "active": active,
        "sourcedId": record.get("sourcedId"),
    }


def quote(value: str) -> str:
    """Quote a value for a filter; quotes in it are doubled (API reference, section 6)."""
    return "'" + value.replace("'", "''") + "'"
