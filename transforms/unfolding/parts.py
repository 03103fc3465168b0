"""Parts and links of a JSON record -> the rows of the files that the CSV binding keeps them in.

Such rows have no ids in JSON: theirs are made of the record's and of what they say, the same every night. What the
CSV binding has no room for is told by raising `Unreadable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from transforms.payload import Json, folded, owner, part_property, profile_id
from transforms.schemas import ENTITIES, LIFECYCLE, Entity
from transforms.unfolding.values import Unreadable, cell, identifier, scalar

Row = dict[str, str | None]
PROFILE = profile_id("")
# Columns by which parts say to what they belong and what is theirs alone; the rest is read by name.
OBJECTIVES = ("learningObjectiveIds", "learningObjectiveResults")
LINKS = {f"{ENTITIES[name].singular}Resources": name for name in ("classes", "courses", "users")}


def properties(entity: Entity) -> dict[str, Entity]:
    """The entities whose rows stand in a property of this one's records, by that property."""
    parts = {part_property(part): part for part in folded(entity).values()}
    link = next((ENTITIES[name] for name, holder in LINKS.items() if holder == entity.name), None)
    return parts | ({"resources": link} if link else {})


def rows(part: Entity, sourced_id: str, value: Any, zone: ZoneInfo) -> Iterator[Row]:
    """Give the rows that a property makes. Raises `Unreadable`."""
    holder = LINKS.get(part.name) or part.folds_into or ""
    named = next(column.name for column in part.current if column.refers == holder)
    for found in READERS.get(part.name, _links)(part, sourced_id, value, zone):
        said = [text for name, text in sorted(found.items()) if text and name != "sourcedId"]
        yield {"sourcedId": _key(sourced_id, *said), **found, named: sourced_id}


def _key(*said: str) -> str:
    """An id made of what a row is known by; it is as long as any other, and has no sign that ids may not have."""
    return sha256("\0".join(said).encode()).hexdigest()[:32]


def _items(value: Any) -> list[Json]:
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise Unreadable
    return value


def _plain(part: Entity, item: Json, zone: ZoneInfo) -> Row:
    """Read the columns of a part by their names; those that name it or its owner are not among them."""
    apart = {"sourcedId", *LIFECYCLE, owner(part).name, "userProfileSourcedId"}
    columns = [column for column in part.current if column.name not in apart]
    return {column.name: cell(column, item.get(column.json), zone) for column in columns}


def _roles(part: Entity, sourced_id: str, value: Any, zone: ZoneInfo) -> Iterator[Row]:
    for item in _items(value):
        profile = item.get("userProfile")
        key = _profile_key(sourced_id, scalar(profile)) if profile else None
        yield _plain(part, item, zone) | {"userProfileSourcedId": key}


def _profiles(part: Entity, sourced_id: str, value: Any, zone: ZoneInfo) -> Iterator[Row]:
    for item in _items(value):
        credentials = _items(item.get("credentials") or [])
        if len(credentials) > 1:
            raise Unreadable
        held = credentials[0] if credentials else {}
        named = {"credentialType": held.get("type"), "username": held.get("username"), "password": held.get("password")}
        yield _plain(part, item | named, zone) | {"sourcedId": _profile_key(sourced_id, scalar(item.get("profileId")))}


def _profile_key(sourced_id: str, uri: str) -> str:
    """The id of a profile; of a foreign URI, which ids cannot be, one that belongs to the user."""
    if uri.startswith(PROFILE):
        return unquote(uri.removeprefix(PROFILE))
    return _key(sourced_id, uri)


def _objectives(part: Entity, _: str, value: Any, zone: ZoneInfo) -> Iterator[Row]:
    for item in _items(value):
        for objective in (one for name in OBJECTIVES for one in item.get(name) or ()):
            one = objective if isinstance(objective, dict) else {"learningObjectiveId": objective}
            yield _plain(part, one | {"source": item.get("source")}, zone)


def _scale(_: Entity, __: str, value: Any, ___: ZoneInfo) -> Iterator[Row]:
    yield {"scoreScaleSourcedId": identifier(value)}


def _links(_: Entity, __: str, value: Any, ___: ZoneInfo) -> Iterator[Row]:
    for item in _items(value):
        yield {"resourceSourcedId": identifier(item)}


READERS: dict[str, Callable[[Entity, str, Any, ZoneInfo], Iterator[Row]]] = {
    "roles": _roles,
    "userProfiles": _profiles,
    "lineItemLearningObjectiveIds": _objectives,
    "resultLearningObjectiveIds": _objectives,
    "lineItemScoreScales": _scale,
    "resultScoreScales": _scale,
}
