"""Under which ids a target says that it keeps what was written.

Source: API reference, section 2.6: a POST answers `sourcedIdPairs`, an object or a list; others answer the record.
"""

from __future__ import annotations

from typing import Any

from connectors.oneroster.answers import value_of
from transforms.payload import Json


def allocated(body: bytes, supplied: str, wrapper: str) -> list[str] | None:
    """The ids under which the target keeps what was supplied under an id, in a wrapper; none if it says something else.

    None if it says nothing: no body, an empty one, or one that is no JSON.
    """
    answer = value_of(body)
    if answer in (None, {}, []):
        return None
    if not isinstance(answer, dict):
        return []
    if "sourcedIdPairs" in answer:
        return _paired(answer["sourcedIdPairs"], supplied)
    return _named(answer, wrapper)


def _paired(pairs: Any, supplied: str) -> list[str]:
    """The allocated ids of the pairs that are of what was supplied, or of all if none says so."""
    told = [pair for pair in (pairs if isinstance(pairs, list) else [pairs]) if isinstance(pair, dict)]
    ours = [pair for pair in told if pair.get("suppliedSourcedId") == supplied] or told
    return [str(one) for pair in ours if (one := pair.get("allocatedSourcedId")) not in (None, "")]


def _named(answer: Json, wrapper: str) -> list[str]:
    """The id of the record in an answer: bare, in its wrapper, or in one that is all there is."""
    records = [answer, answer.get(wrapper), *(answer.values() if len(answer) == 1 else ())]
    ids = (record.get("sourcedId") for record in records if isinstance(record, dict))
    return [str(one) for one in ids if one is not None][:1]
