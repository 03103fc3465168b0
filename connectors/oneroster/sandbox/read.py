"""Records as they are read: references in full, with what they join.

Source: API reference, section 8 and appendix B.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.records import COMMON, form_of
from connectors.oneroster.sandbox.resources import Served
from connectors.oneroster.sandbox.store import SandboxStore
from transforms.payload import Json
from transforms.schemas import ENTITIES, Column

# The references of an enrollment tell the name of what they refer to.
NAMED = frozenset({"enrollments"})


@dataclass
class ReadRequest:
    """One request's reading: what is served, where records are, the address under which they are read, names found so far."""

    served: Served
    store: SandboxStore
    base: str
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def shown(self, collection: Collection, record: Json) -> Json:
        """Turn what is kept into what a read gives."""
        form = form_of(collection)
        body: Json = {name: record.get(name) for name in COMMON}
        body["metadata"] = body["metadata"] or {}
        for name, column in form.columns.items():
            value = self._value(column, record.get(name))
            # Appendix B has properties that may be null, and references that are there or not.
            if value is not None or column.refers is None:
                body[name] = value
        for name in form.parts:
            body[name] = [self._part(part) for part in record.get(name) or ()]
        if form.tree:
            body["children"] = [
                self.reference(collection.name, child)
                for child in self._children(collection, record)
            ]
        return self._named(form.columns, body) if collection.name in NAMED else body

    def reference(self, name: str, sourced_id: str) -> Json:
        """Refer to a record as a read does."""
        path, kind = self.served.paths[name]
        return {
            "href": f"{self.base}{path}/{quote(sourced_id, safe='')}",
            "sourcedId": sourced_id,
            "type": kind,
        }

    def _value(self, column: Column, value: Any) -> Any:
        if column.is_list and not value:
            return []
        if value is None:
            return None
        if column.kind == "reference":
            return self.reference(column.refers or "", value["sourcedId"])
        if column.kind == "references":
            return [self.reference(column.refers or "", item["sourcedId"]) for item in value]
        # A year is written as text and read as a number.
        return int(value) if column.kind == "year" else value

    def _part(self, part: Json) -> Json:
        """A role or a profile; the organisation of a role is a reference."""
        org = part.get("org")
        return (
            {**part, "org": self.reference("orgs", org["sourcedId"])}
            if isinstance(org, dict)
            else part
        )

    def _children(self, collection: Collection, record: Json) -> list[str]:
        return self.store.referring(collection.name, "parent", record["sourcedId"])

    def _named(self, columns: Any, body: Json) -> Json:
        for name, column in columns.items():
            if column.refers and name in body:
                body[name]["name"] = self._name(column.refers, body[name]["sourcedId"])
        return body

    def _name(self, collection: str, sourced_id: str) -> str:
        key = (collection, sourced_id)
        if key not in self.names:
            record = self.store.get(*key) or {}
            label = [str(record.get(name) or "") for name in ENTITIES[collection].label]
            self.names[key] = " ".join(filter(None, label))
        return self.names[key]
