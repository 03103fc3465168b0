"""Records of one collection, as JSON -> rows of the files that the CSV binding keeps them in.

Nothing is lost without a word: a record that is not understood is kept as a row that does not fit, so that it is
rejected, and never taken for gone; properties that no column has are counted.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from transforms.binding.manifest import SINCE_1_2
from transforms.payload import Json
from transforms.schemas import Entity
from transforms.schemas.entity import Version
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.unfolding.parts import Row, properties, rows
from transforms.unfolding.values import Unreadable, cell, extensions

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


def unfold(entity: Entity, records: list[Any], version: Version, zone: ZoneInfo, into: Unfolded) -> None:
    """Add the rows of some records; misfits are (sourcedId, property, rule)."""
    for record in records:
        into.count += 1
        sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
        known = sourced_id if isinstance(sourced_id, str) and not NO_TEXT.search(sourced_id) else ""
        if not isinstance(record, dict):
            into.misfits[into.count] = ("", "", "json_form")
            continue
        _unfold_one(entity, record, known, version, zone, into)


def _unfold_one(entity: Entity, record: Json, known: str, version: Version, zone: ZoneInfo, into: Unfolded) -> None:
    name = ""
    try:
        row: Row = {"#row": str(into.count)}
        made: dict[str, list[Row]] = {}
        columns = {column.json: column for column in entity.columns if version in column.versions}
        parts = {
            prop: part for prop, part in properties(entity).items() if version != "1.1" or part.name not in SINCE_1_2
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
    return {name: LINE_BREAKS.sub(" ", value).strip() or None if value else None for name, value in row.items()}
