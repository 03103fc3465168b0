"""Records as JSON, with the names and types of the REST binding, and the text form of their parts.

Booleans are strings in the REST binding, and blank properties are left out. A record is always
`active`, since removals are not written as records.

A record's parts of one kind, such as a user's roles, are one cell of its frame. The second half of
this module reads and writes such cells.

Source: OneRoster 1.2 REST binding (reference section 4).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote

import polars as pl

from transforms.schemas import ENTITIES, Column, Entity
from transforms.schemas.entity import EXTENSION, Kind

Json = dict[str, Any]
# One part: the names and values of its filled cells.
Part = dict[str, str]
# The separators in a cell of parts: between parts, between a part's cells, after a cell's name.
PART, CELL, NAME = "\x1e", "\x1f", "\x1d"
METADATA = EXTENSION
# What shows that a number is not written as a whole one.
FRACTION = frozenset(".eE")
# A number in the spelling of JSON. `007` and `1.10` are codes, and stay text.
NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,14}[1-9])?")


def json_records(entity: Entity, frame: pl.DataFrame) -> Iterator[Json]:
    """Return the JSON record of each row of `frame`; ignore columns that begin with `#`."""
    writers = [(name, _writer(entity, name)) for name in frame.columns if not name.startswith("#")]
    for row in frame.select([name for name, _ in writers]).iter_rows():
        body: Json = {"status": "active"}
        for value, (_, write) in zip(row, writers, strict=True):
            if value is not None:
                write(body, value)
        yield body


def parts_by_name(entity: Entity) -> dict[str, Entity]:
    """Return the entities whose rows are parts of this entity's records, by name."""
    return {part.name: part for part in ENTITIES.values() if part.folds_into == entity.name}


def owner_column(part: Entity) -> Column:
    """Return the column of a folded entity that refers to the record that a part belongs to."""
    return next(column for column in part.current if column.refers == part.folds_into)


def json_property(entity: Entity, column: str) -> str:
    """Return the JSON property that a column of a frame becomes."""
    if column.startswith(METADATA):
        return "metadata"
    part = parts_by_name(entity).get(column)
    return part_property(part) if part else entity[column].json


def part_property(part: Entity) -> str:
    """Return the JSON property of a record that holds its parts of one kind."""
    return part.folds_as or part.name


def _writer(entity: Entity, name: str) -> Callable[[Json, str], None]:
    if name.startswith(METADATA):
        path = name.removeprefix(METADATA).split(".")
        return lambda body, value: _nest(
            body.setdefault("metadata", {}), path, parse_metadata(value)
        )
    if part := parts_by_name(entity).get(name):
        write = PARTS.get(part.name, _plain_parts)
        return lambda body, value: body.update(
            {part_property(part): write(part, read_parts(value))}
        )
    column = entity[name]
    convert = CONVERTERS.get(column.kind, str)
    return lambda body, value: body.update({column.json: convert(value)})


def parse_metadata(value: str) -> Any:
    """Read a `metadata.*` cell: numbers, booleans and JSON get their type, everything else is text.

    A number stays text if JSON would spell it differently. So does text that looks like JSON but
    is not valid.
    """
    if value in ("true", "false"):
        return value == "true"
    if NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    if value[:1] in ("{", "[", '"'):
        return _parsed(value)
    return value


def filled_paths(column: str, value: str) -> list[str]:
    """Return the names that a cell fills: its column, or the paths in a `metadata.*` object.

    The value `{"b": 1}` in the column `metadata.a` fills `metadata.a.b`.
    """
    content = (
        parse_metadata(value) if column.startswith(METADATA) and value.startswith("{") else None
    )
    return list(_paths(column, content)) if isinstance(content, dict) else [column]


def _paths(name: str, value: Any) -> Iterator[str]:
    if not isinstance(value, dict) or not value:
        yield name
        return
    for key, inner in value.items():
        yield from _paths(f"{name}.{key}", inner)


def _parsed(text: str) -> Any:
    """Read JSON; return the text if it could not be written again, as 1e999 or half a character."""
    try:
        value = json.loads(text)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text
    return value


def _nest(metadata: Json, path: list[str], value: Any) -> None:
    """Put a value at a path of names; where a name already has a value, the rest stays dotted."""
    for position, name in enumerate(path[:-1]):
        inner = metadata.setdefault(name, {})
        if not isinstance(inner, dict):
            metadata[".".join(path[position:])] = value
            return
        metadata = inner
    metadata[path[-1]] = value


def _plain_parts(part: Entity, rows: list[Part]) -> list[Json]:
    return [_plain_part(part, cells) for cells in rows]


def _plain_part(part: Entity, cells: Part) -> Json:
    return {
        part[name].json: CONVERTERS.get(part[name].kind, str)(value)
        for name, value in cells.items()
    }


def _objectives(part: Entity, rows: list[Part]) -> list[Json]:
    """Group learning objectives by their source; those of results include their scores."""
    has_scores = "score" in part.by_name
    sets = []
    for source, group in groupby(sorted(rows, key=_source), key=_source):
        objectives = [
            _plain_part(
                part,
                {name: cells[name] for name in cells if name not in ("source", "sourcedId")},
            )
            for cells in group
        ]
        if has_scores:
            sets.append({"source": source, "learningObjectiveResults": objectives})
        else:
            ids = [one["learningObjectiveId"] for one in objectives]
            sets.append({"source": source, "learningObjectiveIds": ids})
    return sets


def _source(objective: Part) -> str:
    return objective["source"]


def _scale(_: Entity, rows: list[Part]) -> Json:
    """Return the one score scale of a record; the check rejects records with several."""
    return _reference(rows[0]["scoreScaleSourcedId"])


def _roles(part: Entity, rows: list[Part]) -> list[Json]:
    return [_role(part, cells) for cells in rows]


def _role(part: Entity, cells: Part) -> Json:
    profile = cells.pop("userProfileSourcedId", None)
    return _plain_part(part, cells) | ({"userProfile": profile_id(profile)} if profile else {})


def _profiles(part: Entity, rows: list[Part]) -> list[Json]:
    return [_profile(part, cells) for cells in rows]


def _profile(part: Entity, cells: Part) -> Json:
    credential = {"type": cells.pop("credentialType", ""), "username": cells.pop("username", "")}
    identity = profile_id(cells.pop("sourcedId"))
    return {"profileId": identity, **_plain_part(part, cells), "credentials": [credential]}


def profile_id(sourced_id: str) -> str:
    """Return the URI of a user profile. The REST binding requires it; the CSV binding has none."""
    return f"urn:oneroster:userProfile:{quote(sourced_id, safe='')}"


def _items(value: str) -> list[str]:
    return value.split(",")


def _items_in_braces(value: str) -> list[str]:
    """Split `{a:1},{b:2,3}`: a comma inside braces is text."""
    return value.removeprefix("{").removesuffix("}").split("},{")


def _reference(value: str) -> Json:
    return {"sourcedId": value}


def _references(value: str) -> list[Json]:
    return [_reference(item) for item in _items(value)]


def _user_ids(value: str) -> list[Json]:
    pairs = (item.partition(":") for item in _items_in_braces(value))
    return [{"type": kind, "identifier": identifier} for kind, _, identifier in pairs]


def _steps(value: str) -> list[Json]:
    pairs = (item.partition(":") for item in _items_in_braces(value))
    return [{"itemValueLHS": label, "itemValueRHS": worth} for label, _, worth in pairs]


def _whole(value: str) -> float:
    """Return a whole number, or the fraction that the REST binding allows in its place."""
    return float(value) if set(value) & FRACTION else int(value)


CONVERTERS: dict[Kind, Callable[[str], Any]] = {
    "reference": _reference,
    "references": _references,
    "texts": _items,
    "enums": _items,
    "integer": _whole,
    "number": float,
    "user_ids": _user_ids,
    "score_scale": _steps,
}
PARTS: dict[str, Callable[[Entity, list[Part]], Any]] = {
    "roles": _roles,
    "userProfiles": _profiles,
    "lineItemLearningObjectiveIds": _objectives,
    "resultLearningObjectiveIds": _objectives,
    "lineItemScoreScales": _scale,
    "resultScoreScales": _scale,
}


def parts_as_json(entity: Entity, name: str, text: str) -> Json:
    """Return a cell of parts as JSON, as the one property that holds them."""
    part = parts_by_name(entity)[name]
    return {part_property(part): PARTS.get(name, _plain_parts)(part, read_parts(text))}


def part_expression(columns: Iterable[str]) -> pl.Expr:
    """Return an expression that writes the named columns of a row as one part."""
    cells = [pl.lit(name + NAME) + pl.col(name) for name in sorted(columns)]
    return pl.concat_str(cells, separator=CELL, ignore_nulls=True)


def read_parts(text: str) -> list[Part]:
    """Read the parts in a cell."""
    return [dict(cell.split(NAME, 1) for cell in part.split(CELL)) for part in text.split(PART)]


def write_parts(parts: Iterable[Part]) -> str | None:
    """Write parts as a cell, in a fixed order; None if there are none."""
    texts = sorted(
        CELL.join(f"{name}{NAME}{value}" for name, value in sorted(part.items())) for part in parts
    )
    return PART.join(texts) or None


def map_parts(cells: pl.Series, change: Callable[[list[Part]], Iterable[Part]]) -> pl.Series:
    """Change the parts in every cell; each distinct cell is processed once."""
    changed = {text: write_parts(change(read_parts(text))) for text in cells.drop_nulls().unique()}
    return cells.replace_strict(changed, default=None, return_dtype=pl.String)


def part_values(cells: pl.Series, name: str) -> pl.Series:
    """Return the values of one name in all parts of each cell, sorted and joined by commas."""
    found = {
        text: ",".join(sorted({part[name] for part in read_parts(text) if name in part}))
        for text in cells.drop_nulls().unique()
    }
    return cells.replace_strict(found, default=None, return_dtype=pl.String)
