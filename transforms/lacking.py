"""Which files and columns of earlier drops a roster lacks: where several hold records of one entity, one of them may fail to come."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from transforms.findings import gather, of_file
from transforms.layouts.layout import plain
from transforms.roster import Roster, Table


def with_lacking(roster: Roster, earlier: Mapping[str, Collection[str]], without: Collection[str] = ()) -> Roster:
    """Note what held records of an entity in the newest roster, as in `Table.fed`, and is not here; only a snapshot can lack it.

    What is lacking stays among what feeds the table, so that it is still known to be lacking of the next drop. A
    person ends that by naming it as one that the source is now `without`.
    """
    known = {plain(one) for one in without}
    tables = {name: _with_lacking(table, earlier.get(name, ()), known) for name, table in roster.tables.items()}
    lacking = dict.fromkeys(one for table in tables.values() for one in table.lacking)
    if not lacking:
        return roster
    told = [
        of_file("file_gone", file, column=column.strip()) for file, _, column in (one.partition(":") for one in lacking)
    ]
    return replace(roster, tables=tables, findings=gather([roster.findings, *told]))


def _with_lacking(table: Table, earlier: Collection[str], without: Collection[str]) -> Table:
    if table.mode != "bulk" and not table.emptied:
        return table
    there = {*map(plain, table.fed), *without}
    lacking = tuple(one for one in earlier if plain(one) not in there)
    return replace(table, fed=(*table.fed, *lacking), lacking=lacking) if lacking else table
