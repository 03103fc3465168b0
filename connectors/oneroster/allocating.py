"""Under which ids a target says that it keeps what was written.

Source: API reference, section 2.6: a POST answers `sourcedIdPairs`, an object or a list; others answer the record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.oneroster.answers import value_of
from connectors.oneroster.collections import COLLECTIONS
from connectors.oneroster.compare import is_reference
from transforms.payload import Json

WRAPPERS = tuple(dict.fromkeys(collection.wrapper for collection in COLLECTIONS.values()))


def allocated(body: bytes, supplied: str) -> list[str] | None:
    """The ids under which the target keeps what was supplied under an id; none if it says something else.

    None if it says nothing: no body, an empty one, or one that is no JSON.
    """
    answer = value_of(body)
    if answer in (None, {}, []):
        return None
    if not isinstance(answer, dict):
        return []
    if "sourcedIdPairs" in answer:
        return _paired(answer["sourcedIdPairs"], supplied)
    return [str(record["sourcedId"]) for record in _records(answer) if record.get("sourcedId") is not None][:1]


def _paired(pairs: Any, supplied: str) -> list[str]:
    """The allocated ids of the pairs that are of what was supplied, or of all if none says so."""
    told = [pair for pair in (pairs if isinstance(pairs, list) else [pairs]) if isinstance(pair, dict)]
    ours = [pair for pair in told if pair.get("suppliedSourcedId") == supplied] or told
    return [str(one) for pair in ours if (one := pair.get("allocatedSourcedId")) not in (None, "")]


def _records(answer: Json) -> Iterator[Json]:
    """The record in an answer, bare or wrapped; a reference of a bare one is none."""
    yield answer
    for name in WRAPPERS:
        record = answer.get(name)
        if isinstance(record, dict) and (len(answer) == 1 or not is_reference(record)):
            yield record
