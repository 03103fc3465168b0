"""Records as they are written, kept and read: derived from the schemas, with the API's own spellings.

Source: API reference, section 8 and appendices A and B.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from connectors.oneroster.collections import COLLECTIONS, PREFIX, Collection
from connectors.oneroster.sandbox.store import Store
from transforms.payload import Json, folded
from transforms.schemas import Column

COMMON = ("sourcedId", "status", "dateLastModified", "metadata")
DEFAULTS = {"primary": "false"}


def columns(collection: Collection) -> dict[str, Column]:
    """The properties of a record that the schemas declare, by their JSON names."""
    entity = collection.entity
    declared = [column for column in entity.columns if not column.versions or column in entity.current]
    return {column.json: column for column in declared if column.json not in COMMON and not column.secret}


def properties(collection: Collection) -> set[str]:
    """The properties that a record may have; others that are written are ignored."""
    return {*COMMON, *columns(collection), *folded(collection.entity), *collection.extra}


def kept(collection: Collection, written: Json) -> Json:
    """Turn what was written into what is kept: the standard's names, references by id, booleans as text."""
    names = {target: standard for standard, target in collection.written_as}
    known = columns(collection)
    record = {names.get(name, name): value for name, value in written.items()}
    record = {name: value for name, value in record.items() if name in properties(collection)}
    return {name: _kept_value(known.get(name), value) for name, value in record.items()}


def _kept_value(column: Column | None, value: Any) -> Any:
    if column is None or value is None:
        return value
    if column.kind == "reference":
        return {"sourcedId": value["sourcedId"]}
    if column.kind == "references":
        return [{"sourcedId": item["sourcedId"]} for item in value]
    if column.kind == "boolean":
        return str(value).lower()
    if column.name == "grades":
        return [str(int(grade)) for grade in value]
    return str(value) if column.kind == "year" else value


def shown(collection: Collection, record: Json, store: Store, base: str) -> Json:
    """Turn what is kept into what a read gives."""
    body: Json = {name: record.get(name) for name in COMMON}
    body["metadata"] = record.get("metadata") or {}
    for name, column in columns(collection).items():
        body[name] = _shown_value(column, record.get(name), base)
    for name in folded(collection.entity):
        body[name] = _parts(record.get(name) or [], base)
    body |= {name: record[name] for name in collection.extra if name in record and name not in body}
    body = {name: value for name, value in body.items() if value is not None or name in _always(collection)}
    return _joined(body, record, store, base) if collection.name == "enrollments" else body


def _always(collection: Collection) -> set[str]:
    """The properties that a read gives even if they are null: all that are no references."""
    return {name for name, column in columns(collection).items() if column.refers is None}


def _shown_value(column: Column, value: Any, base: str) -> Any:
    if column.kind == "reference":
        return reference(column.refers or "", value["sourcedId"], base) if value else None
    if column.kind == "references":
        return [reference(column.refers or "", item["sourcedId"], base) for item in value or []]
    if column.is_list:
        return value or []
    if value is None:
        return DEFAULTS.get(column.name)
    if column.kind == "year":
        return int(value)
    return _midnight(value) if column.name in ("startDate", "endDate") else value


def _midnight(day: str) -> str:
    """Dates of sessions are time stamps in the API's database."""
    return day if "T" in day else f"{day}T00:00:00.000Z"


def reference(name: str, sourced_id: str, base: str) -> Json:
    """Refer to a record as a read does."""
    collection = COLLECTIONS[name]
    href = f"{base}{PREFIX}{collection.path.rstrip('/')}/{quote(sourced_id, safe='')}"
    return {"href": href, "sourcedId": sourced_id, "type": collection.entity.singular}


def _parts(items: list[Json], base: str) -> list[Json]:
    """Roles and profiles; the organisation of a role is a reference."""
    return [
        {**item, "org": reference("orgs", item["org"]["sourcedId"], base)}
        if isinstance(item.get("org"), dict)
        else item
        for item in items
    ]


def _joined(body: Json, record: Json, store: Store, base: str) -> Json:
    """An enrollment tells the names of what it joins; school and course are those of its class."""
    group = store.get("classes", record["class"]["sourcedId"]) or {}
    user = store.get("users", record["user"]["sourcedId"]) or {}
    body["user"]["name"] = f"{user.get('givenName', '')} {user.get('familyName', '')}".strip()
    body["class"]["name"] = group.get("title", "")
    for name, collection, label in (("school", "orgs", "name"), ("course", "courses", "title")):
        sourced_id = (group.get(name) or {}).get("sourcedId")
        if sourced_id:
            parent = store.get(collection, sourced_id) or {}
            body[name] = reference(collection, sourced_id, base) | {"name": parent.get(label, "")}
    return body
