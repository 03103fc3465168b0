"""What is put over a person before the deletion, which in the target only sets a status and keeps the data.

Source: API reference, sections 2.3 (soft delete), 2.4 (a PUT replaces properties, and merges metadata) and 8.
"""

from __future__ import annotations

from typing import Any

from connectors.oneroster.compare import blank, is_reference
from connectors.oneroster.profile import Collection
from transforms.payload import Json

# What the target wants of every user, and says nothing of anybody.
NEUTRAL: Json = {
    "givenName": "forgotten", "familyName": "forgotten", "email": "forgotten@example.invalid", "enabledUser": False,
}  # fmt: skip
ROLE = ("roleType", "role", "org")
# The collections whose records say anything of a person but to whom and to what they belong.
PERSONAL = frozenset({"users", "demographics", "results", "assessmentResults"})


def blanked(collection: Collection, record: Json) -> Json:
    """Give a record in write shape with nothing in it but what a PUT must have, references and neutral values."""
    kept = {"sourcedId", "status", *collection.required_on_put}
    # Where a flag may not be null, it must be one of two words (appendix A).
    neutral = {} if collection.nullable_flags else dict.fromkeys(_flags(collection), "false")
    whole = {
        name: value if name in kept or is_reference(value) else neutral.get(name, _cleared(value))
        for name, value in record.items()
    }
    if collection.name != "users":
        return whole
    # A read does not show the password, and what a PUT does not name stays.
    return whole | NEUTRAL | {"roles": [_role(role) for role in record.get("roles") or ()], "password": None}


def unlinked(record: Json, person: str) -> Json:
    """Give a user without one of its agents."""
    agents = record.get("agents") or []
    return record | {"agents": [agent for agent in agents if agent.get("sourcedId") != person]}


def _flags(collection: Collection) -> list[str]:
    return [column.json for column in collection.entity.columns if column.kind == "boolean"]


def _role(role: Json) -> Json:
    return {name: role[name] for name in ROLE if name in role}


def _cleared(value: Any) -> Any:
    """Metadata is merged by a PUT: a key that were left out would stay."""
    if isinstance(value, dict) and not blank(value):
        return dict.fromkeys(value)
    return [] if isinstance(value, list) else None
