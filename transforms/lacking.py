"""Which files of earlier drops a roster lacks: where several hold records of one entity, one of them may fail to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from transforms.findings import SEVERAL, files_of, gather, of_file
from transforms.layouts.layout import plain
from transforms.roster import Roster, Table


def with_lacking(roster: Roster, earlier: Mapping[str, str]) -> Roster:
    """Note the files that hold records of an entity in the newest roster, as in `Table.file`, and that are not here.

    Only a snapshot can lack a file. An entity that has one file only is empty without it, which is judged elsewhere. What is lacking stays among the
    files of its table, so that it is still known to be lacking of the next drop.
    """
    tables = {name: _with_lacking(table, files_of(earlier.get(name, ""))) for name, table in roster.tables.items()}
    lacking = dict.fromkeys(file for table in tables.values() for file in table.lacking)
    if not lacking:
        return roster
    told = [of_file("file_gone", file) for file in lacking]
    return replace(roster, tables=tables, findings=gather([roster.findings, *told]))


def _with_lacking(table: Table, earlier: list[str]) -> Table:
    if table.mode != "bulk" and not table.emptied:
        return table
    spellings = {plain(file) for file in files_of(table.file)}
    lacking = tuple(file for file in earlier if plain(file) not in spellings) if len(earlier) > 1 else ()
    return replace(table, file=SEVERAL.join([table.file, *lacking]), lacking=lacking) if lacking else table
