"""Records of one collection, as JSON -> rows of the files that the CSV binding keeps them in.

Nothing is lost without a word: a record that is not understood is kept as a row that does not fit, so that it is
rejected, and never taken for gone; properties that no column has are counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from transforms.binding.manifest import SINCE_1_2
from transforms.payload import METADATA, Json, folded, owner, part_property, profile_id, typed
from transforms.schemas import ENTITIES, LIFECYCLE, Column, Entity
from transforms.schemas.entity import Kind, Version
from transforms.schemas.vocabularies import TOBEDELETED

# Told again by the records that name this one as their parent.
DERIVED = frozenset({"children"})
GONE = frozenset({TOBEDELETED, "inactive"})
LINE_BREAKS = re.compile(r"[\r\n\u2028\u2029]+")
# Control characters, which separate the parts of a record here, and halves of characters, which are no text.
NO_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass
class Unfolded:
    """What records came to: rows by file, in order; those that do not fit, by number; what was not read, by property.

    `unlisted` are the ids of those that no page had.
    """

    rows: dict[str, list[Row]] = field(default_factory=dict)
    misfits: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)
    count: int = 0
    unlisted: tuple[str, ...] = ()


def unfold(
    entity: Entity, records: list[Any], version: Version, zone: ZoneInfo, into: Unfolded
) -> None:
    """Add the rows of some records; misfits are (sourcedId, property, rule)."""
    for record in records:
        into.count += 1
        sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
        known = sourced_id if isinstance(sourced_id, str) and not NO_TEXT.search(sourced_id) else ""
        if not isinstance(record, dict):
            into.misfits[into.count] = ("", "", "json_form")
            continue
        _unfold_one(entity, record, known, version, zone, into)


def _unfold_one(
    entity: Entity, record: Json, known: str, version: Version, zone: ZoneInfo, into: Unfolded
) -> None:
    name = ""
    try:
        row: Row = {"#row": str(into.count)}
        made: dict[str, list[Row]] = {}
        columns = {column.json: column for column in entity.columns if version in column.versions}
        parts = {
            prop: part
            for prop, part in properties(entity).items()
            if version != "1.1" or part.name not in SINCE_1_2
        }
        for name, value in record.items():
            if name in columns:
                row[columns[name].name] = cell(columns[name], value, zone)
            elif name == "metadata":
                row |= extensions(value or {})
            elif name in parts and value and record.get("status") not in GONE:
                made[parts[name].name] = list(rows(parts[name], known, value, zone))
            elif name not in parts and name not in DERIVED and value not in (None, "", [], {}):
                into.unread[NO_TEXT.sub("\ufffd", name)] += 1
        _keep(entity.name, row, made, into)
    except Unreadable:
        into.misfits[into.count] = (known, name, "json_form")
    except ValueError:
        into.misfits[into.count] = (known, "", "control_character")


def _keep(name: str, row: Row, made: dict[str, list[Row]], into: Unfolded) -> None:
    cleaned = {file: [_clean(one) for one in found] for file, found in made.items()}
    into.rows.setdefault(name, []).append(_clean(row))
    for file, found in cleaned.items():
        into.rows.setdefault(file, []).extend(found)


def _clean(row: Row) -> Row:
    """Write line breaks as spaces, as in cells of CSV; raise `ValueError` for what is no text."""
    for name, value in row.items():
        if value and NO_TEXT.search(f"{name}{value}"):
            raise ValueError(name)
    return {
        name: LINE_BREAKS.sub(" ", value).strip() or None if value else None
        for name, value in row.items()
    }


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
        named = {
            "credentialType": held.get("type"),
            "username": held.get("username"),
            "password": held.get("password"),
        }
        yield _plain(part, item | named, zone) | {
            "sourcedId": _profile_key(sourced_id, scalar(item.get("profileId")))
        }


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


MIDNIGHT = "00:00:00"


class Unreadable(Exception):
    """A value is not of the form that the standard gives to its property."""


def cell(column: Column, value: Any, zone: ZoneInfo) -> str | None:
    """Write a value as the cell of a column; None if it is blank. Raises `Unreadable`.

    A text with a comma becomes two items of a list, as in the CSV binding, which has no sign for a comma that is none.
    """
    if value is None or value in ("", [], {}):
        return None
    if column.moment:
        return day_of(scalar(value), zone)
    if column.is_list:
        items = value if isinstance(value, list) else [value]
        texts = [ITEMS.get(column.kind, scalar)(item) for item in items]
        if column.kind == "references" and any("," in text for text in texts):
            raise Unreadable
        return ",".join(texts) or None
    return (identifier if column.kind == "reference" else scalar)(value) or None


def scalar(value: Any) -> str:
    """Write a text, a number or a boolean."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    raise Unreadable


def identifier(value: Any) -> str:
    """Take the `sourcedId` out of a reference; some servers send it alone."""
    found = value.get("sourcedId") if isinstance(value, dict) else value
    if not isinstance(found, str):
        raise Unreadable
    return found


def day_of(text: str, zone: ZoneInfo) -> str:
    """The day that a moment is in; midnight in UTC is a day that was sent as a moment, whatever the time zone."""
    day, _, clock = text.partition("T")
    if not clock or clock.rstrip("Z").partition(".")[0] == MIDNIGHT:
        return day
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text  # the check rejects it, with its own text
    return moment.astimezone(zone).date().isoformat() if moment.tzinfo else text


def extensions(metadata: Any) -> dict[str, str]:
    """Write what is in `metadata` as `metadata.*` cells, such that the payload reads them as what they were."""
    if not isinstance(metadata, dict):
        raise Unreadable
    return dict(_extensions(METADATA.removesuffix("."), metadata))


def _extensions(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value and all(map(_is_name, value)):
        for key, inner in value.items():
            yield from _extensions(f"{name}.{key}", inner)
    elif name != METADATA.removesuffix("."):
        if value is not None and value != "":
            yield name, _extension(value)
    elif value:
        raise Unreadable


def _is_name(key: str) -> bool:
    return bool(key) and not any(sign.isspace() or sign == "." for sign in key)


def _extension(value: Any) -> str:
    if isinstance(value, str):
        return value if typed(value) == value else json.dumps(value, ensure_ascii=False)
    return (
        json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else scalar(value)
    )


def _user_id(value: Any) -> str:
    return _pair(value, "type", "identifier")


def _step(value: Any) -> str:
    return _pair(value, "itemValueLHS", "itemValueRHS")


def _pair(value: Any, first: str, second: str) -> str:
    if not isinstance(value, dict):
        raise Unreadable
    return f"{{{scalar(value.get(first))}:{scalar(value.get(second))}}}"


ITEMS: dict[Kind, Callable[[Any], str]] = {
    "references": identifier,
    "user_ids": _user_id,
    "score_scale": _step,
}
