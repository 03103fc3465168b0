"""One JSON value -> the text of its cell, by the kind of its column.

Booleans and numbers may come as what they are or as texts. What is of no form that is known raises `Unreadable`,
so that its record is refused, and nothing of it is guessed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from transforms.payload import METADATA, typed
from transforms.schemas import Column
from transforms.schemas.entity import Kind

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
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else scalar(value)


def _user_id(value: Any) -> str:
    return _pair(value, "type", "identifier")


def _step(value: Any) -> str:
    return _pair(value, "itemValueLHS", "itemValueRHS")


def _pair(value: Any, first: str, second: str) -> str:
    if not isinstance(value, dict):
        raise Unreadable
    return f"{{{scalar(value.get(first))}:{scalar(value.get(second))}}}"


ITEMS: dict[Kind, Callable[[Any], str]] = {"references": identifier, "user_ids": _user_id, "score_scale": _step}
