"""The statements that each database spells in its own way: insert, unless or in place of what is there."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = sqlite.Insert | postgresql.Insert


def upsert(dialect: str, table: Table) -> Insert:
    """Insert a row, or overwrite the one that has its key; `dialect` is SQLAlchemy's name of the database."""
    statement = _insert(dialect, table)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)


def unless_there(dialect: str, table: Table) -> Insert:
    """Insert a row, unless it is there already."""
    return _insert(dialect, table).on_conflict_do_nothing()


def _insert(dialect: str, table: Table) -> Insert:
    # Only the one in use is imported: each brings its drivers along.
    statement: Insert = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    return statement
