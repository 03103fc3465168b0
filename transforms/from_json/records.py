"""Convert the JSON records of one collection to rows of the files of the CSV binding.

Nothing is lost silently. A record that cannot be read becomes a row that does not fit its header,
so that it is rejected and not deleted. Properties without a column are counted.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import unquote

from transforms.binding.manifest import SINCE_1_2
from transforms.payload import (
    METADATA,
    Json,
    owner_column,
    parse_metadata,
    part_property,
    parts_by_name,
    profile_id,
)
from transforms.schemas import ENTITIES, LIFECYCLE, Column, Entity
from transforms.schemas.entity import Kind, Version
from transforms.schemas.vocabularies import TOBEDELETED

# Properties that repeat what other records have: those name this one as their parent.
DERIVED = frozenset({"children"})
GONE = frozenset({TOBEDELETED, "inactive"})
LINE_BREAKS = re.compile(r"[\r\n\u2028\u2029]+")
# Control characters (roster separates the parts of a record with them), and lone surrogates.
INVALID_CHARACTERS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
PROFILE = profile_id("")
# Properties of a part that hold a list of learning objectives.
OBJECTIVES = ("learningObjectiveIds", "learningObjectiveResults")
# Entity that links resources -> entity whose records have the links.
LINKS = {f"{ENTITIES[name].singular}Resources": name for name in ("classes", "courses", "users")}

# What stands for no value.
BLANK: tuple[Any, ...] = (None, "", [], {})

Row = dict[str, str | None]


class Unreadable(Exception):
    """A value does not have the form that the standard requires for its property."""


class ContradictoryReference(Unreadable):
    """A record has a reference twice, and the two name different records; says its name."""


@dataclass
class CollectionRows:
    """The rows of the records of one collection."""

    rows: dict[str, list[Row]] = field(default_factory=dict)  # by file, in order
    # Records that cannot be read: number -> sourcedId, property, rule.
    misfits: dict[int, tuple[str, str, str]] = field(default_factory=dict)
    unread: Counter[str] = field(default_factory=Counter)  # properties without a column
    # References that came flat, by file and name.
    flat: Counter[tuple[str, str]] = field(default_factory=Counter)
    count: int = 0  # of records
    unlisted: tuple[str, ...] = ()  # ids of records that were on no page


def add_rows(entity: Entity, records: list[Any], version: Version, into: CollectionRows) -> None:
    """Add the rows of records to `into`."""
    for record in records:
        into.count += 1
        sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
        if not isinstance(sourced_id, str) or INVALID_CHARACTERS.search(sourced_id):
            sourced_id = ""
        if not isinstance(record, dict):
            into.misfits[into.count] = ("", "", "json_form")
            continue
        _unfold_one(entity, record, sourced_id, version, into)


def _unfold_one(
    entity: Entity,
    record: Json,
    sourced_id: str,
    version: Version,
    into: CollectionRows,
) -> None:
    name = ""
    try:
        row: Row = {"#row": str(into.count)}
        of_parts: dict[str, list[Row]] = {}
        columns = {column.json: column for column in entity.columns if version in column.versions}
        parts = {
            prop: part
            for prop, part in part_properties(entity).items()
            if version != "1.1" or part.name not in SINCE_1_2
        }
        flat = Counter[tuple[str, str]]()
        record = nest_references(entity, record, version, flat)
        for name, value in record.items():
            if name in columns:
                row[columns[name].name] = cell_text(columns[name], value)
            elif name == "metadata":
                row |= metadata_cells(value or {})
            elif name in parts and value and record.get("status") not in GONE:
                nested = (
                    [nest_references(parts[name], one, version, flat) for one in value]
                    if _are_objects(value)
                    else value
                )
                of_parts[parts[name].name] = list(part_rows(parts[name], sourced_id, nested))
            elif name not in parts and name not in DERIVED and value not in BLANK:
                into.unread[INVALID_CHARACTERS.sub("\ufffd", name)] += 1
        # Clean all rows before any is added: a record is added completely or not at all.
        cleaned = {file: [_clean(one) for one in part] for file, part in of_parts.items()}
        into.rows.setdefault(entity.name, []).append(_clean(row))
        for file, part in cleaned.items():
            into.rows.setdefault(file, []).extend(part)
        into.flat += flat
    except ContradictoryReference as reference:
        into.misfits[into.count] = (sourced_id, str(reference), "json_form")
    except Unreadable:
        into.misfits[into.count] = (sourced_id, name, "json_form")
    except ValueError:
        into.misfits[into.count] = (sourced_id, "", "control_character")


def nest_references(
    entity: Entity, record: Json, version: Version, found: Counter[tuple[str, str]]
) -> Json:
    """Return a record with flat references as the REST binding has them, and count them in `found`.

    Some servers give `classSourcedId: "c1"`, as files do, instead of `class: {sourcedId: "c1"}`.
    Raises `ContradictoryReference` if a record has both, and they differ.
    """
    flat = _flat_references(entity.name, version)
    if flat.keys().isdisjoint(record):
        return record
    nested = {name: value for name, value in record.items() if name not in flat}
    for name, column in flat.items():
        value = record.get(name)
        if value in BLANK:
            continue
        if column.is_list and isinstance(value, str):
            value = [item.strip() for item in value.split(",")]  # ids have no commas
        there = cell_text(column, nested.get(column.json))
        if there not in (None, cell_text(column, value)):
            raise ContradictoryReference(name)
        nested[column.json] = value
        found[entity.file, name] += 1
    return nested


@cache
def _flat_references(name: str, version: Version) -> dict[str, Column]:
    """Return the columns of references by name, except that of a part to its own record."""
    entity = ENTITIES[name]
    return {
        column.name: column
        for column in entity.columns
        if column.refers and column.refers != entity.folds_into
        if column.name != column.json and version in column.versions
    }


def _clean(row: Row) -> Row:
    """Replace line breaks by spaces, as in cells of CSV.

    Raises `ValueError` if the row contains a control character or a lone surrogate.
    """
    for name, value in row.items():
        if value and INVALID_CHARACTERS.search(f"{name}{value}"):
            raise ValueError(name)
    return {
        name: LINE_BREAKS.sub(" ", value).strip() or None if value else None
        for name, value in row.items()
    }


def part_properties(entity: Entity) -> dict[str, Entity]:
    """Return the entities whose rows are in a property of this entity's records, by property."""
    parts = {part_property(part): part for part in parts_by_name(entity).values()}
    link = next((ENTITIES[name] for name, holder in LINKS.items() if holder == entity.name), None)
    return parts | ({"resources": link} if link else {})


def part_rows(part: Entity, sourced_id: str, value: Any) -> Iterator[Row]:
    """Yield the rows of a part from the value of its property.

    Raises `Unreadable` if the value does not have the form that the standard requires.
    """
    holder = LINKS.get(part.name) or part.folds_into or ""
    reference = next(column.name for column in part.current if column.refers == holder)
    for row in READERS.get(part.name, _links)(part, sourced_id, value):
        cells = [text for name, text in sorted(row.items()) if text and name != "sourcedId"]
        yield {"sourcedId": _key(sourced_id, *cells), **row, reference: sourced_id}


def _roles(part: Entity, sourced_id: str, value: Any) -> Iterator[Row]:
    for item in _items(value):
        profile = item.get("userProfile")
        key = _profile_key(sourced_id, scalar_text(profile)) if profile else None
        yield _plain(part, item) | {"userProfileSourcedId": key}


def _profiles(part: Entity, sourced_id: str, value: Any) -> Iterator[Row]:
    for item in _items(value):
        credentials = _items(item.get("credentials") or [])
        if len(credentials) > 1:
            raise Unreadable
        credential = credentials[0] if credentials else {}
        flat = {
            "credentialType": credential.get("type"),
            "username": credential.get("username"),
            "password": credential.get("password"),
        }
        yield _plain(part, item | flat) | {
            "sourcedId": _profile_key(sourced_id, scalar_text(item.get("profileId")))
        }


def _profile_key(sourced_id: str, uri: str) -> str:
    """The id of a profile. A foreign URI is no valid id, so the user's id and the URI make one."""
    if uri.startswith(PROFILE):
        return unquote(uri.removeprefix(PROFILE))
    return _key(sourced_id, uri)


def _objectives(part: Entity, _: str, value: Any) -> Iterator[Row]:
    for item in _items(value):
        for objective in (one for name in OBJECTIVES for one in item.get(name) or ()):
            one = objective if isinstance(objective, dict) else {"learningObjectiveId": objective}
            yield _plain(part, one | {"source": item.get("source")})


def _scale(_: Entity, __: str, value: Any) -> Iterator[Row]:
    yield {"scoreScaleSourcedId": sourced_id_of(value)}


def _links(_: Entity, __: str, value: Any) -> Iterator[Row]:
    for item in _items(value):
        yield {"resourceSourcedId": sourced_id_of(item)}


READERS: dict[str, Callable[[Entity, str, Any], Iterator[Row]]] = {
    "roles": _roles,
    "userProfiles": _profiles,
    "lineItemLearningObjectiveIds": _objectives,
    "resultLearningObjectiveIds": _objectives,
    "lineItemScoreScales": _scale,
    "resultScoreScales": _scale,
}


def _items(value: Any) -> list[Json]:
    if not _are_objects(value):
        raise Unreadable
    items: list[Json] = value
    return items


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _plain(part: Entity, item: Json) -> Row:
    """Read the columns of a part by their names, except its id, its owner and its profile."""
    others = {"sourcedId", *LIFECYCLE, owner_column(part).name, "userProfileSourcedId"}
    columns = [column for column in part.current if column.name not in others]
    return {column.name: cell_text(column, item.get(column.json)) for column in columns}


def _key(*parts: str) -> str:
    """Make an id from the values that identify a row: always short enough, and valid characters."""
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def cell_text(column: Column, value: Any) -> str | None:
    """Convert a value to the cell of a column; None if it is blank.

    A text with a comma becomes two items of a list: the CSV binding cannot escape a comma. Raises
    `Unreadable` if the value does not have the form that the standard requires.
    """
    if value in BLANK:
        return None
    if column.is_list:
        items = value if isinstance(value, list) else [value]
        texts = [ITEMS.get(column.kind, scalar_text)(item) for item in items]
        if column.kind == "references" and any("," in text for text in texts):
            raise Unreadable
        return ",".join(texts) or None
    return (sourced_id_of if column.kind == "reference" else scalar_text)(value) or None


def scalar_text(value: Any) -> str:
    """Convert a text, a number or a boolean to text. Raises `Unreadable` for any other value."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f").removesuffix(".0")
    raise Unreadable


def sourced_id_of(value: Any) -> str:
    """Return the `sourcedId` of a reference; some servers send the id alone.

    Raises `Unreadable` if there is none.
    """
    sourced_id = value.get("sourcedId") if isinstance(value, dict) else value
    if not isinstance(sourced_id, str):
        raise Unreadable
    return sourced_id


def metadata_cells(metadata: Any) -> dict[str, str]:
    """Convert `metadata` to `metadata.*` cells, which `payload` converts back to the same values.

    Raises `Unreadable` if it is no object.
    """
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
    return bool(key) and not any(character.isspace() or character == "." for character in key)


def _extension(value: Any) -> str:
    if isinstance(value, str):
        return value if parse_metadata(value) == value else json.dumps(value, ensure_ascii=False)
    return (
        json.dumps(value, ensure_ascii=False)
        if isinstance(value, dict | list)
        else scalar_text(value)
    )


def _user_id(value: Any) -> str:
    return _pair(value, "type", "identifier")


def _step(value: Any) -> str:
    return _pair(value, "itemValueLHS", "itemValueRHS")


def _pair(value: Any, first: str, second: str) -> str:
    if not isinstance(value, dict):
        raise Unreadable
    return f"{{{scalar_text(value.get(first))}:{scalar_text(value.get(second))}}}"


ITEMS: dict[Kind, Callable[[Any], str]] = {
    "references": sourced_id_of,
    "user_ids": _user_id,
    "score_scale": _step,
}
