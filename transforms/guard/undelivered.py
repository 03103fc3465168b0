"""Kinds of records that arrived and of which most cannot be delivered: such a night is never done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transforms.guard.limits import Limits
from transforms.guard.past import Past, Rejections
from transforms.guard.stops import Stops
from transforms.schemas import ENTITIES

# If more than this share of a kind is rejected, it is not delivered.
MOST = 0.5
AllCounts = Mapping[str, Mapping[Any, int]]


def undelivered(stops: Stops, past: Past, limits: Limits) -> None:
    """Tell of kinds that every roster needs, or that were loaded before, if most of their records were rejected.

    It stops nothing. A feed that takes any number of rejected rows (`rejected_percent = 100`) is not told.
    """
    if limits.rejected_percent >= 100:
        return
    parts = stops.idle | stops.parts
    counts = {name: part.counts for name, part in parts.items() if ENTITIES[name].needed or past.total(name)}
    for name, sentence in sentences(counts, past.rejections):
        stops.tell("undelivered", sentence, name, counts[name].get("rejected", 0))


def sentences(counts: AllCounts, rejections: Mapping[str, Rejections]) -> list[tuple[str, str]]:
    """Say of each entity that is at fault what became of it, and of those that were rejected with it."""
    hit = [name for name in ENTITIES if name in counts and _is_undelivered(counts[name], rejections.get(name))]
    roots = [name for name in hit if _at_fault(name, rejections)] or hit[:1]
    followers = [name for name in hit if name not in roots]
    return [(name, _sentence(name, followers if name == roots[0] else [], counts, rejections)) for name in roots]


def _is_undelivered(counts: Mapping[Any, int], file: Rejections | None) -> bool:
    """Whether most records of an entity were rejected, though rows arrived; many rows may be of one record by a damaged id."""
    rows = file is not None and file.faults > file.rows * MOST
    return rows or counts.get("rejected", 0) > counts.get("read", 0) * MOST


def _at_fault(name: str, rejections: Mapping[str, Rejections]) -> bool:
    return name in rejections and rejections[name].faults * 2 > rejections[name].rows


def _sentence(name: str, followers: list[str], counts: AllCounts, rejections: Mapping[str, Rejections]) -> str:
    with_them = f", and with them {', '.join(_of(one, counts) for one in followers)}" if followers else ""
    root = name if _at_fault(name, rejections) else _parent_at_fault(name, counts, rejections) or name
    because = f" So were {_of(root, counts)}, which they need." if root != name else ""
    file = rejections.get(root)
    cause = f" {file.cause}. {file.fix}" if file and file.cause else ""
    return f"{_of(name, counts)} were rejected{with_them}: most cannot be delivered.{because}{cause}"


def _parent_at_fault(name: str, counts: AllCounts, rejections: Mapping[str, Rejections]) -> str:
    """Of the kinds that the records of one kind need, that with the most rejected rows; blank if none has any."""
    entity = ENTITIES[name]
    needed = {column.refers or "" for column in entity.references if entity.needs(column)} & counts.keys()
    faulty = [one for one in needed if one in rejections and rejections[one].faults]
    return max(faulty, key=lambda one: (rejections[one].faults / rejections[one].rows, one), default="")


def _of(name: str, counts: AllCounts) -> str:
    return f"{counts[name].get('rejected', 0):,} of {counts[name].get('read', 0):,} {name}"
