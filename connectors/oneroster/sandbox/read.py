"""Turn stored records into what a read returns: complete references, children, and names.

Source: API reference, section 8 and appendix B.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.records import COMMON, schema_of
from connectors.oneroster.sandbox.resources import Served
from connectors.oneroster.sandbox.store import SandboxStore
from transforms.payload import Json
from transforms.schemas import ENTITIES, Column

# The references of these collections contain the name of the other record.
NAMED = frozenset({"enrollments"})


@dataclass
class ReadRequest:
    """What one request needs to read records."""

    served: Served
    store: SandboxStore
    base: str  # the server's address, for references
    names: dict[tuple[str, str], str] = field(default_factory=dict)  # cache, by collection and id

    def shown(self, collection: Collection, record: Json) -> Json:
        """Turn a stored record into the record that a read returns."""
        form = schema_of(collection)
        body: Json = {name: record.get(name) for name in COMMON}
        body["metadata"] = body["metadata"] or {}
        for name, column in form.columns.items():
            value = self._value(column, record.get(name))
            # In appendix B most properties may be null. Others, and references, are left out.
            if value is not None or (column.refers is None and name not in collection.left_out):
                body[name] = value
        for name in form.parts:
            body[name] = [self._part(part) for part in record.get(name) or ()]
        if form.tree:
            body["children"] = [
                self.reference(collection.name, child)
                for child in self.store.referring(collection.name, "parent", record["sourcedId"])
            ]
        if collection.name in NAMED:
            for name, column in form.columns.items():
                if column.refers and name in body:
                    body[name]["name"] = self._name(column.refers, body[name]["sourcedId"])
        return body

    def reference(self, name: str, sourced_id: str) -> Json:
        """Build the reference to a record of a collection, as reads contain it."""
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
        # Writes have a year as text, reads as a number.
        return int(value) if column.kind == "year" else value

    def _part(self, part: Json) -> Json:
        """Return a part such as a role or a profile as a read has it."""
        if isinstance(org := part.get("org"), dict):
            return {**part, "org": self.reference("orgs", org["sourcedId"])}
        return profile_as_read(part) if "profileId" in part else part

    def _name(self, collection: str, sourced_id: str) -> str:
        key = (collection, sourced_id)
        if key not in self.names:
            record = self.store.get(*key) or {}
            label = [str(record.get(name) or "") for name in ENTITIES[collection].label]
            self.names[key] = " ".join(filter(None, label))
        return self.names[key]


def profile_as_read(profile: Json) -> Json:
    """Return a user profile as appendix B has it: with its app, and with ids of its credentials.

    What the real target knows of an app is not in any write, so the names are made up.
    """
    application = profile.get("applicationId") or ""
    app: Json = {
        "sourcedId": application or profile.get("vendorId") or "",
        "name": application or profile.get("vendorId") or "",
        "description": None,
        "domain": [],
        "metadata": None,
    }
    credentials = [
        {"id": _credential_id(profile, one), "password": None} | one
        for one in profile.get("credentials") or ()
    ]
    required = {"profileType": "", "vendorId": "", "applicationId": "", "description": None}
    return required | profile | {"app": app, "credentials": credentials}


def _credential_id(profile: Json, credential: Json) -> str:
    """Make an id that stays the same as long as the profile and the credential do."""
    parts = (profile["profileId"], credential.get("type"), credential.get("username"))
    return str(uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(parts)))
