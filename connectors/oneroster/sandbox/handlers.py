"""What the API does with one record.

Source: API reference, sections 2 (creating, duplicates, soft delete) and 4 (status codes).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.sandbox.demands import demand
from connectors.oneroster.sandbox.failures import Failure, not_found
from connectors.oneroster.sandbox.listing import chosen, listed
from connectors.oneroster.sandbox.resources import Nested, Resource
from connectors.oneroster.sandbox.shapes import kept, shown
from connectors.oneroster.sandbox.store import Store
from transforms.payload import Json


@dataclass(frozen=True)
class Call:
    """One request: the ids in its path, its query and its body; `base` is the address of this server."""

    store: Store
    base: str
    ids: tuple[str, ...]
    query: Mapping[str, str]
    body: bytes

    def wrapped(self, wrapper: str) -> Json:
        """Take the record out of the body."""
        record = self._value(wrapper)
        if not isinstance(record, dict):
            raise Failure(422, "The request body is not valid.", **{wrapper: "is required"})
        return record

    def wrapped_id(self, name: str) -> str:
        """Take an id out of the body."""
        return str(self._value(name) or "")

    def _value(self, name: str) -> Any:
        try:
            body = json.loads(self.body)
        except ValueError:
            raise Failure(400, "The request body is not JSON.") from None
        return body.get(name) if isinstance(body, dict) else None


def list_all(resource: Resource, call: Call) -> Response:
    """GET a collection or a view of it."""
    return listed(resource.collection, resource.list_key, call.query, call.store, call.base, resource.where)


def list_nested(nested: Nested, call: Call) -> Response:
    """GET a list below a record."""
    if not call.store.has(nested.parent, call.ids[0]):
        raise not_found(COLLECTIONS[nested.parent].entity.singular.capitalize())
    return listed(nested.collection, nested.list_key, call.query, call.store, call.base, nested.where, call.ids)


def read(resource: Resource, call: Call) -> Response:
    """GET one record; a deleted one is there, with its status."""
    return JSONResponse({resource.wrapper: chosen(_shown(resource, _there(resource, call), call), call.query)})


def create(resource: Resource, call: Call) -> Response:
    """POST a record."""
    written = {**call.wrapped(resource.collection.wrapper), **resource.fixed}
    sourced_id = written.get("sourcedId") or str(uuid.uuid4())
    written["sourcedId"] = sourced_id
    demand(resource.collection, written, resource.collection.required, call.store)
    if call.store.has(resource.collection.name, sourced_id):
        raise Failure(
            resource.collection.duplicate_status, f"{resource.collection.wrapper} {sourced_id} already exists."
        )
    call.store.put(resource.collection.name, {"status": "active", **kept(resource.collection, written)})
    return created(sourced_id)


def created(sourced_id: str) -> Response:
    """Answer a POST."""
    return JSONResponse({"sourcedIdPairs": {"suppliedSourcedId": sourced_id, "allocatedSourcedId": sourced_id}}, 201)


def replace(resource: Resource, call: Call) -> Response:
    """PUT a record: what is in the body is replaced, `metadata` is merged, the rest stays."""
    collection = resource.collection
    before = _there(resource, call)
    written = {**call.wrapped(collection.wrapper), **resource.fixed, "sourcedId": call.ids[0]}
    demand(collection, written, collection.required_on_put, call.store)
    changes = {name: value for name, value in kept(collection, written).items() if name not in collection.fixed}
    after = _merged(before, changes)
    body = _shown(resource, call.store.put(collection.name, after), call)
    return JSONResponse({resource.wrapper: body} if resource.put_body == "wrapped" else body, resource.put_status)


def amend(resource: Resource, call: Call) -> Response:
    """PATCH a record: as PUT, with nothing required."""
    before = _there(resource, call)
    written = call.wrapped(resource.collection.wrapper)
    demand(resource.collection, {**written, "sourcedId": call.ids[0]}, (), call.store)
    after = _merged(before, kept(resource.collection, written))
    return JSONResponse(_shown(resource, call.store.put(resource.collection.name, after), call))


def remove(resource: Resource, call: Call) -> Response:
    """DELETE a record, which only sets its status; again is no error."""
    call.store.put(resource.collection.name, {**_there(resource, call), "status": "tobedeleted"})
    return Response(status_code=204)


def _there(resource: Resource, call: Call) -> Json:
    name = resource.collection.name
    rows = call.store.find(name, f"id = ? AND ({resource.where})", (call.ids[0],))
    if not rows:
        raise not_found(resource.wrapper[0].upper() + resource.wrapper[1:])
    return rows[0]


def _merged(before: Json, changes: Json) -> Json:
    metadata = changes.get("metadata")
    if isinstance(metadata, dict):
        changes = {**changes, "metadata": _laid_over(before.get("metadata") or {}, metadata)}
    return {**before, **changes}


def _laid_over(before: Json, changes: Json) -> Json:
    whole: dict[str, Any] = dict(before)
    for name, value in changes.items():
        inner = whole.get(name)
        whole[name] = _laid_over(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return whole


def _shown(resource: Resource, record: Json, call: Call) -> Json:
    return shown(resource.collection, record, call.store, call.base)
