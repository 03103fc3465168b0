"""Check single values of a write. Each check returns the fault, or a blank.

Source: API reference, section 8 and appendix A.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.oneroster.profile import TargetProfile
from transforms.payload import Json
from transforms.schemas import Column
from transforms.schemas.entity import Kind
from transforms.schemas.vocabularies import ROLE_TYPES
from transforms.target_values import EMAIL

Check = Callable[[Any], str]
# By property, or by `collection.property` for the property of one collection.
Checks = Mapping[str, Check]
REFERENCE = "must be {sourcedId}"
# Collections that accept flags only as text; users and enrollments accept booleans too.
TEXT_FLAGS = frozenset({"demographics"})
# Objects in the metadata of an enrollment that accept these numbers and nothing else.
CLOSED = {
    "enrollments": {
        "goals": {
            "dailyXp",
            "dailyLessons",
            "dailyActiveMinutes",
            "dailyAccuracy",
            "dailyMasteredUnits",
        },
        "metrics": {"totalXp", "totalLessons"},
    }
}
# The values of `type` in the metadata of a resource.
RESOURCE_TYPES = (
    "qti",
    "text",
    "audio",
    "video",
    "interactive",
    "visual",
    "course-material",
    "assessment-bank",
)


def value_fault(checks: Checks, collection: str, column: Column, value: Any) -> str:
    """Return the fault of a property's value, blank if it is valid."""
    special = checks.get(f"{collection}.{column.json}") or checks.get(column.json)
    if column.moment:
        special = _timestamp
    if column.kind == "boolean" and collection in TEXT_FLAGS:
        special = one_of(column.values)
    if special is None and column.values and column.kind == "enum":
        special = one_of(column.values)
    return (special or KINDS.get(column.kind, _anything))(value)


def one_of(vocabulary: Collection[str]) -> Check:
    """Return a check for a word of a vocabulary."""
    return lambda value: (
        ""
        if isinstance(value, str) and value in vocabulary
        else f"must be one of {', '.join(vocabulary)}"
    )


def is_id(value: Any) -> bool:
    """Return whether a value can be an id."""
    return isinstance(value, str) and value != ""


def part_faults(checks: Checks, name: str, parts: Any) -> Iterator[tuple[str, str]]:
    """Yield the faults of a record's parts, by property. They must be objects, roles complete."""
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        yield name, "must be a list of objects"
    elif name == "roles":
        yield from _role_faults(checks["roles.role"], parts)
    elif name == "learningObjectiveSet" and not all(map(_is_objective_set, parts)):
        shapes = "{source, learningObjectiveIds} or {source, learningObjectiveResults}"
        yield name, f"must be a list of {shapes}"


def _role_faults(role_fault: Check, roles: list[Json]) -> Iterator[tuple[str, str]]:
    for role in roles:
        for name, check in (
            ("roleType", one_of(ROLE_TYPES)),
            ("role", role_fault),
            ("org", _reference),
        ):
            if fault := check(role.get(name)):
                yield f"roles.{name}", fault


def _is_objective_set(part: Json) -> bool:
    lists = [
        part[name] for name in ("learningObjectiveIds", "learningObjectiveResults") if name in part
    ]
    return isinstance(part.get("source"), str) and len(lists) == 1 and isinstance(lists[0], list)


def closed_metadata(collection: str, metadata: Json) -> Iterator[tuple[str, str]]:
    """Yield the faults of objects in metadata that accept only certain properties."""
    if collection == "resources" and metadata.get("type", RESOURCE_TYPES[0]) not in RESOURCE_TYPES:
        yield "metadata.type", f"must be one of {', '.join(RESOURCE_TYPES)}"
    for name, known in CLOSED.get(collection, {}).items():
        inner = metadata.get(name) or {}
        if (
            not isinstance(inner, dict)
            or not inner.keys() <= known
            or not all(map(_is_number, inner.values()))
        ):
            yield f"metadata.{name}", f"must hold numbers named {', '.join(sorted(known))}"


def _anything(_: Any) -> str:
    return ""


def _text(value: Any) -> str:
    return "" if isinstance(value, str) else "must be a text"


def _reference(value: Any) -> str:
    return "" if isinstance(value, dict) and is_id(value.get("sourcedId")) else REFERENCE


def _full_reference(value: Any) -> str:
    full = isinstance(value, dict) and all(
        is_id(value.get(name)) for name in ("href", "sourcedId", "type")
    )
    return "" if full else "must be {href, sourcedId, type}"


def _list_of(check: Check) -> Check:
    def fault(value: Any) -> str:
        if not isinstance(value, list):
            return "must be a list"
        return next((f"each {fault}" for item in value if (fault := check(item))), "")

    return fault


def _matching(pattern: str, shape: str) -> Check:
    return lambda value: (
        "" if isinstance(value, str) and re.fullmatch(pattern, value) else f"must be {shape}"
    )


def _flag(value: Any) -> str:
    return (
        ""
        if value is True or value is False or value in ("true", "false")
        else "must be true or false"
    )


def _day(value: Any) -> str:
    try:
        datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return "must be a date or a date-time"
    return ""


def _timestamp(value: Any) -> str:
    return _day(value) or ("" if "T" in value else "must be a date-time")


def _step(value: Any) -> str:
    whole = isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in ("itemValueLHS", "itemValueRHS")
    )
    return "" if whole else "must be {itemValueLHS, itemValueRHS}"


def _number(value: Any) -> str:
    return "" if _is_number(value) else "must be a number"


def _grade(grades: tuple[str, ...]) -> Check:
    """Return a check for grades, as text or numbers, with or without a leading zero (11b)."""

    def fault(value: Any) -> str:
        text = (
            str(value)
            if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
            else ""
        )
        known = text in grades or (text[:1] == "0" and text[1:] in grades[1:])
        return "" if known else f"must be one of {', '.join(grades)}"

    return fault


def _user_id(value: Any) -> str:
    whole = isinstance(value, dict) and all(
        isinstance(value.get(name), str) for name in ("type", "identifier")
    )
    return "" if whole else "must be {type, identifier}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


KINDS: dict[Kind, Check] = {
    "text": _text,
    "enum": _text,
    "texts": _list_of(_text),
    "enums": _list_of(_text),
    "reference": _reference,
    "references": _list_of(_reference),
    "boolean": _flag,
    "date": _day,
    "year": _matching(r"[0-9]{4}", "a text of four digits"),
    "user_ids": _list_of(_user_id),
    "integer": _number,
    "number": _number,
    "score_scale": _list_of(_step),
}


def checks_of(profile: TargetProfile) -> Checks:
    """Return the checks in which the API of a profile demands more than the standard."""
    words = profile.vocabulary.words
    full_references = {
        f"{collection.name}.{name}": _full_reference
        for collection in profile.collections.values()
        for name, *_ in collection.full_references
    }
    checks: dict[str, Check] = {
        **full_references,
        "birthDate": _matching(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", "YYYY-MM-DD"),
        "roles.role": one_of(words["roles"]) if "roles" in words else _text,
    }
    if "grades" in words:
        checks["grades"] = _list_of(_grade(words["grades"]))
    if "subjects" in words:
        checks["subjects"] = _list_of(one_of(words["subjects"]))
    if "sex" in words:
        checks["sex"] = one_of(words["sex"])
    if "resource_roles" in words:
        checks["resources.roles"] = _list_of(one_of(words["resource_roles"]))
    if profile.vocabulary.wants_email:
        checks["email"] = _matching(EMAIL, "an e-mail address")
    return checks
