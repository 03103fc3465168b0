"""What the API does with one record, and with lists.

Source: API reference, sections 2 (creating, duplicates, soft delete) and 4 (status codes).
"""

from __future__ import annotations

import uuid

from starlette.responses import JSONResponse, Response

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.calls import Call
from connectors.oneroster.sandbox.demands import demand
from connectors.oneroster.sandbox.failures import Failure, not_found
from connectors.oneroster.sandbox.keeping import DEFAULTS, derived, kept, merged
from connectors.oneroster.sandbox.listing import chosen, listed
from connectors.oneroster.sandbox.resources import IN_SCHOOL, Nested, Resource
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED

SCHOOL_CLASS = "/schools/{}/classes/{}/"


def list_all(resource: Resource, call: Call) -> Response:
    """GET a collection or a view of it."""
    return listed(resource.collection, resource.list_key, call.query, call.reading, resource.where)


def list_nested(nested: Nested, call: Call) -> Response:
    """GET a list below a record."""
    found(nested.parent, call)
    if SCHOOL_CLASS in nested.path and not call.store.total("classes", IN_SCHOOL, call.ids):
        raise not_found("School or class")
    return listed(nested.collection, nested.list_key, call.query, call.reading, nested.where, call.ids)


def read(resource: Resource, call: Call) -> Response:
    """GET one record; a deleted one is there, with its status."""
    record = call.reading.shown(resource.collection, found(resource, call))
    return JSONResponse({resource.wrapper: chosen(record, call.query)})


def create(resource: Resource, call: Call) -> Response:
    """POST a record."""
    written = call.wrapped(resource.collection.wrapper)
    fixed(resource, written)
    return created(inserted(resource.collection, written, call))


def inserted(collection: Collection, written: Json, call: Call) -> Json:
    """Keep a new record. Its id is free text; one is made up if there is none (section 2.6)."""
    demand(collection, written, collection.required, call.reading)
    sourced_id = written.get("sourcedId") or str(uuid.uuid4())
    if call.store.has(collection.name, sourced_id):
        raise Failure(collection.duplicate_status, f"{collection.wrapper} {sourced_id} already exists.")
    record = {"sourcedId": sourced_id, "status": "active", **DEFAULTS.get(collection.name, {})}
    return _saved(collection, record | kept(collection, written, call.vocabulary), call)


def create_each(nested: Nested, implied: tuple[str, ...], call: Call) -> Response:
    """POST several records at once; the path says to what they belong (section 3). One pair comes alone."""
    written = call.body().get(nested.list_key)
    if not isinstance(written, list) or not written or not all(isinstance(one, dict) for one in written):
        raise Failure(422, "The request body is not valid.", **{nested.list_key: "must be a list of objects"})
    references = {name: {"sourcedId": one} for name, one in zip(implied, call.ids, strict=True) if name}
    pairs = [_pair(inserted(nested.collection, one | references, call)) for one in written]
    return JSONResponse({"sourcedIdPairs": pairs if len(pairs) > 1 else pairs[0]}, 201)


def _pair(record: Json) -> Json:
    return {"suppliedSourcedId": record["sourcedId"], "allocatedSourcedId": record["sourcedId"]}


def created(record: Json) -> Response:
    """Answer a POST."""
    return JSONResponse({"sourcedIdPairs": _pair(record)}, 201)


def replace(resource: Resource, call: Call) -> Response:
    """PUT a record: what is in the body is replaced, `metadata` is merged, the rest stays (section 2.4).

    The gradebook makes what is not there (section 2.1).
    """
    collection = resource.collection
    if collection.put_creates and not call.store.has(collection.name, call.ids[0]):
        return _put_first(resource, call)
    before = found(resource, call)
    written = _without_fixed(collection, call.wrapped(collection.wrapper))
    fixed(resource, written)
    demand(collection, written, collection.required_on_put, call.reading)
    return _put(resource, _saved(collection, merged(before, kept(collection, written, call.vocabulary)), call), call)


def _put_first(resource: Resource, call: Call) -> Response:
    written = call.wrapped(resource.collection.wrapper) | {"sourcedId": call.ids[0]}
    return _put(resource, inserted(resource.collection, written, call), call)


def _put(resource: Resource, record: Json, call: Call) -> Response:
    body = call.reading.shown(resource.collection, record)
    return JSONResponse({resource.wrapper: body} if resource.put_body == "wrapped" else body, resource.put_status)


def amend(resource: Resource, call: Call) -> Response:
    """PATCH a record: as PUT, with nothing required (section 2.5)."""
    collection, before = resource.collection, found(resource, call)
    written = call.wrapped(collection.wrapper)
    demand(collection, written, (), call.reading)
    record = _saved(collection, merged(before, kept(collection, written, call.vocabulary)), call)
    return JSONResponse(call.reading.shown(collection, record))


def remove(resource: Resource, call: Call) -> Response:
    """DELETE a record, which only sets its status; again is no error (section 2.3)."""
    call.store.put(resource.collection.name, {**found(resource, call), "status": TOBEDELETED})
    return Response(status_code=204)


def found(resource: Resource, call: Call) -> Json:
    """Give the record that a path names, deleted or not; 404 if it is not there, or not in this view."""
    rows = call.store.find(resource.collection.name, f"id = ? AND ({resource.where})", call.ids[:1])
    if not rows:
        raise not_found(resource.kind)
    return rows[0]


def fixed(resource: Resource, written: Json) -> None:
    """Refuse a record that is not what this view holds: a school of type `district`."""
    faults = {name: f"must be {value}" for name, value in resource.fixed.items() if written.get(name) != value}
    if faults:
        raise Failure(422, "The request body is not valid.", **faults)


def _without_fixed(collection: Collection, written: Json) -> Json:
    """Leave out, unread, what a PUT does not change (section 2.4)."""
    renamed = dict(collection.written_as)
    ignored = {renamed.get(name, name) for name in collection.fixed}
    return {name: value for name, value in written.items() if name not in ignored}


def _saved(collection: Collection, record: Json, call: Call) -> Json:
    return call.store.put(collection.name, derived(collection, record, call.store))
