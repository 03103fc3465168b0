"""Passwords in a record as JSON: sent where a feed says so, and never shown, nor given back by a target."""

from __future__ import annotations

from typing import Any

from transforms.payload import Json
from transforms.schemas import ENTITIES

SECRET = frozenset(column.json for entity in ENTITIES.values() for column in entity.columns if column.secret)


def without_secrets(record: Json) -> Json:
    """Leave passwords out of a record and of its parts."""
    return {name: _open(value) for name, value in record.items() if name not in SECRET}


def _open(value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(value)
    return [_open(item) for item in value] if isinstance(value, list) else value
