"""Passwords: removed from a drop as soon as it is read, unless its feed keeps them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl

from transforms.findings import Findings, file_finding
from transforms.payload import Json
from transforms.roster import Table
from transforms.schemas import ENTITIES

# The JSON properties that hold passwords.
SECRET = frozenset(
    column.json for entity in ENTITIES.values() for column in entity.columns if column.secret
)


def remove_passwords(
    tables: dict[str, Table], keep: bool
) -> tuple[dict[str, Table], list[Findings]]:
    """Blank every secret column, and report how many passwords each file had."""
    if keep:
        return tables, []
    done, found = {}, []
    for name, table in tables.items():
        secrets = [
            one.name
            for one in table.entity.columns
            if one.secret and one.name in table.frame.columns
        ]
        counts = {secret: table.frame[secret].count() for secret in secrets}
        found += [
            file_finding("secrets_dropped", table.file, column=secret, count=count)
            for secret, count in counts.items()
            if count
        ]
        blank = (pl.lit(None, pl.String).alias(secret) for secret in secrets)
        done[name] = replace(table, frame=table.frame.with_columns(blank)) if secrets else table
    return done, found


def without_secrets(record: Json) -> Json:
    """Remove passwords from a record and from its parts."""
    return {name: _redact(value) for name, value in record.items() if name not in SECRET}


def _redact(value: Any) -> Any:
    if isinstance(value, dict):
        return without_secrets(value)
    return [_redact(item) for item in value] if isinstance(value, list) else value
