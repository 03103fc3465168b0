"""Check a write: required properties, values, and references to records that exist.

Source: API reference, section 8, section 9 (foreign keys) and appendix A.
"""

from __future__ import annotations

from collections.abc import Iterator

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.errors import ApiFailure, not_found
from connectors.oneroster.sandbox.read import ReadRequest
from connectors.oneroster.sandbox.records import schema_of
from connectors.oneroster.sandbox.validation import (
    Checks,
    closed_metadata,
    is_id,
    one_of,
    part_faults,
    value_fault,
)
from transforms.payload import Json
from transforms.schemas import ENTITIES
from transforms.schemas.vocabularies import STATUS

# A link to a resource that does not exist breaks the server (section 8).
BREAKS = frozenset({("componentResources", "resources")})


def check_write(
    collection: Collection, written: Json, required: tuple[str, ...], reading: ReadRequest
) -> None:
    """Raise `ApiFailure` unless a write is complete, valid, and refers to records that exist."""
    if faults := dict(_faults(collection, written, required, reading.served.checks)):
        raise ApiFailure(422, "The request body is not valid.", **faults)
    for entity, sourced_id in _references(collection, written):
        # The foreign keys of the API's database ignore the status. An unknown id is a 404, not a
        # 422 (section 8).
        if not reading.store.has(entity, sourced_id):
            if (collection.name, entity) in BREAKS:
                raise ApiFailure(500, "Internal server error.")
            raise not_found(ENTITIES[entity].singular, sourced_id)


def _faults(
    collection: Collection, written: Json, required: tuple[str, ...], checks: Checks
) -> Iterator[tuple[str, str]]:
    missing = [name for name in required if written.get(name) in (None, "", [])]
    yield from ((name, "is required") for name in missing)
    for name, column in schema_of(collection).written.items():
        value = written.get(name)
        if (
            value is not None
            and name not in missing
            and (fault := value_fault(checks, collection.name, column, value))
        ):
            yield name, fault
    yield from _common_faults(collection, written)
    for name in schema_of(collection).parts:
        yield from part_faults(checks, name, written.get(name) or [])


def _common_faults(collection: Collection, written: Json) -> Iterator[tuple[str, str]]:
    if (status := written.get("status", "active")) is not None and (
        fault := one_of(STATUS)(status)
    ):
        yield "status", fault
    if written.get("sourcedId") is not None and not is_id(written["sourcedId"]):
        yield "sourcedId", "must be a text that is not empty"
    metadata = written.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        yield "metadata", "must be an object"
    elif metadata:
        yield from closed_metadata(collection.name, metadata)


def _references(collection: Collection, written: Json) -> Iterator[tuple[str, str]]:
    """Yield every reference in a write, as collection and id."""
    form = schema_of(collection)
    for name, column in form.written.items():
        if column.refers and (value := written.get(name)):
            for item in value if column.is_list else (value,):
                yield column.refers, item["sourcedId"]
    for role in written.get("roles") or () if "roles" in form.parts else ():
        yield "orgs", role["org"]["sourcedId"]
    if form.refers and written.get("sourcedId"):
        yield form.refers, written["sourcedId"]
