"""The statements that each database spells in its own way: to write many rows, to insert what may be there."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy import ARRAY, Column, Connection, Delete, Table, Text, Update, any_, bindparam, func, select

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

    Insert = sqlite.Insert | postgresql.Insert


def upsert(connection: Connection, table: Table) -> Insert:
    """Insert a row, or overwrite the one that has its key."""
    statement = _insert(connection, table)
    changed = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=changed)


def unless_there(connection: Connection, table: Table) -> Insert:
    """Insert a row, unless it is there already."""
    return _insert(connection, table).on_conflict_do_nothing()


def put_all(connection: Connection, table: Table, rows: pl.DataFrame) -> None:
    """Insert rows of different keys, or overwrite those that are there; columns are called as the table's."""
    statement = upsert(connection, table)
    if _takes_arrays(connection):
        arrays = [bindparam(name, rows[name].to_list(), ARRAY(table.c[name].type)) for name in rows.columns]
        unnested = func.unnest(*arrays).table_valued(*rows.columns).render_derived()
        connection.execute(statement.from_select(rows.columns, select(unnested)))
    else:
        connection.execute(statement, rows.to_dicts())


def each_of(connection: Connection, statement: Update | Delete, column: Column[str], values: Sequence[str]) -> None:
    """Run a statement on each of the rows that have one of the values."""
    if _takes_arrays(connection):
        connection.execute(statement.where(column == any_(bindparam("all", list(values), ARRAY(Text)))))
    else:
        connection.execute(statement.where(column == bindparam("one")), [{"one": value} for value in values])


def _takes_arrays(connection: Connection) -> bool:
    """Whether all rows can go in one statement, instead of one after the other over a network."""
    return connection.dialect.name == "postgresql"


def _insert(connection: Connection, table: Table) -> Insert:
    # Only the one in use is imported: each brings its drivers along.
    statement: Insert = import_module(f"sqlalchemy.dialects.{connection.dialect.name}").insert(table)
    return statement
