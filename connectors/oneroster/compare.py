"""Whether a record in the target says the same as ours, however the target spells it.

Source: API reference, section 8. It returns booleans as text, school years as numbers, dates as
date-times at midnight, and fills in what was left out.
"""

from __future__ import annotations

import re
from typing import Any
from unicodedata import normalize

from transforms.payload import Json

REFERENCE = frozenset({"sourcedId", "href", "type", "name"})
DEFAULTS = {"primary": "false"}
BLANKS: tuple[Any, ...] = (None, "", [], {})
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.0+)?(?:Z|[+-]00:?00)")


def covers(theirs: Json, ours: Json) -> bool:
    """Tell whether `theirs` has each property of `ours` with an equal value; what else it has is not looked at."""
    return all(equal(_filled(name, value), _filled(name, theirs.get(name))) for name, value in ours.items())


def same(one: Json, other: Json) -> bool:
    """Tell whether two records say the same in every property that either has."""
    return covers(one, other) and covers(other, one)


def alike(theirs: Json, ours: Json) -> bool:
    """Tell whether `theirs` covers `ours` but for how a target may spell a text.

    It may trim it, draw spaces in it together, change its case and compose its accents; an id is as it is.
    """
    return covers(theirs, ours) or covers(_settled(theirs), _settled(ours))


def equal(ours: Any, theirs: Any) -> bool:
    """Compare one property."""
    if blank(ours) or blank(theirs):
        return blank(ours) and blank(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return covers(theirs, ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return _equal_lists(ours, theirs)
    return _equal_values(ours, theirs)


def blank(value: Any) -> bool:
    """Tell whether a property holds nothing: null, an empty text, list or object, or not there."""
    return value in BLANKS


def is_reference(value: Any) -> bool:
    """Tell whether a value refers to a record: an id, perhaps with the decoration that a read adds."""
    return isinstance(value, dict) and "sourcedId" in value and value.keys() <= REFERENCE


def _settled(value: Any) -> Any:
    """Give a value in the one spelling by which `alike` compares."""
    if isinstance(value, str):
        return " ".join(normalize("NFC", normalize("NFC", _plain(value)).casefold()).split())
    if isinstance(value, dict):
        return {name: inner if name == "sourcedId" else _settled(inner) for name, inner in value.items()}
    return [_settled(item) for item in value] if isinstance(value, list) else value


def _filled(name: str, value: Any) -> Any:
    return DEFAULTS[name] if name in DEFAULTS and blank(value) else value


def _equal_lists(ours: list[Any], theirs: list[Any]) -> bool:
    if all(map(is_reference, ours)) and all(map(is_reference, theirs)):
        return {item["sourcedId"] for item in ours} == {item["sourcedId"] for item in theirs}
    if len(ours) != len(theirs):
        return False
    if all(isinstance(item, dict) for item in ours):
        return _paired(ours, theirs)
    return all(map(equal, ours, theirs))


def _paired(ours: list[Json], theirs: list[Any]) -> bool:
    """Find each of ours among theirs in any order, the most detailed first so that none takes another's place."""
    left = list(theirs)
    for item in sorted(ours, key=len, reverse=True):
        match = next((other for other in left if equal(item, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _equal_values(ours: Any, theirs: Any) -> bool:
    one, other = _plain(ours), _plain(theirs)
    if isinstance(one, str) == isinstance(other, str):
        return bool(one == other)
    text, number = (one, other) if isinstance(one, str) else (other, one)
    try:
        return bool(float(text) == number)
    except ValueError:
        return False


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower()
        found = MIDNIGHT.fullmatch(value) or MOMENT.fullmatch(value)
        return found[1] if found else value
    return value
