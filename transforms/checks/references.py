"""References: each one leads to a record of the drop or, where the drop cannot know it, of an earlier one.

Source: reference sections 5 and 5.1. A required reference that leads nowhere rejects the record; an
optional one is left out. A record whose required parent was rejected is rejected with it, once, with
the root cause.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import IN_TARGET
from transforms.findings import ROW, Findings, gather, of_rows, place
from transforms.records import RosterState
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, Column, Entity

EXTENSION = "ext:"
Known = dict[str, pl.DataFrame]
Elsewhere = dict[str, pl.Series]


@dataclass(frozen=True)
class Parents:
    """The records that one entity may be referred to by.

    `found` are ids that a reference may lead to; `refused` (`sourcedId`, `cause`) are in the drop and
    were rejected; `gone` are those whose rows say so; `known` is the ledger's frame of them. `unsure` is true if the
    drop cannot know all of them and the ledger does not either, so that a dangling reference proves nothing.
    """

    found: pl.Series
    refused: pl.DataFrame
    known: Known
    entity: str
    gone: pl.Series
    unsure: bool = False

    @property
    def earlier(self) -> pl.Series:
        """The ids that the target holds of ours."""
        return in_target(self.known, self.entity)


@dataclass
class Resolved:
    """A table whose optional references lead somewhere, and what was found on the way."""

    table: Table
    findings: list[Findings] = field(default_factory=list)


def resolved(
    table: Table,
    roster: Roster,
    standing: RosterState,
    known: Known,
    elsewhere: Elsewhere,
    bad: pl.Series,
    strict: bool,
) -> Resolved:
    """Follow every reference of the table's rows; `bad` are rows that are refused already."""
    done = Resolved(table)
    # References to records of the same file come last: by then it is known which of those are refused.
    for column in sorted(table.entity.references, key=lambda one: one.refers == table.entity.name):
        done.findings += _wrong_types(column, done.table, standing, strict)
        if column.refers == table.entity.name:
            bad = pl.concat([bad, gather(done.findings).errors["row"].drop_nulls()]).unique()
        falls = table.entity.needs(column) and column.refers == table.entity.name
        fallen = bad.clear()
        # In a tree whose places are meant, what hangs on a row that is refused here is refused in its turn.
        while True:
            parents = _parents(
                column, table, roster, standing, known, elsewhere, pl.concat([bad, fallen])
            )
            astray = _astray(column, done.table, parents).filter(
                ~pl.col(ROW).is_in(fallen.implode())
            )
            if not astray.height:
                break
            _settle(column, done, astray, parents, strict)
            if not falls:
                break
            fallen = pl.concat([fallen, astray[ROW]])
    return done


def in_target(known: Known, entity: str) -> pl.Series:
    """The ids of an entity that the target holds of ours, whether they vanished from the drops or not."""
    frame = known.get(entity)
    if frame is None:
        return pl.Series("sourcedId", dtype=pl.String)
    return frame.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"]


def _parents(
    column: Column,
    table: Table,
    roster: Roster,
    standing: RosterState,
    known: Known,
    elsewhere: Elsewhere,
    bad: pl.Series,
) -> Parents:
    refers = column.refers or ""
    if refers == table.entity.name:
        rows = table.frame.select(ROW, "sourcedId").filter(~pl.col(ROW).is_in(bad.implode()))
        found, refused = rows["sourcedId"], standing_of(table, bad)
    elif refers in standing:
        found, refused = standing[refers].accepted["sourcedId"], standing[refers].refused
    else:
        found, refused = (
            pl.Series("sourcedId", dtype=pl.String),
            pl.DataFrame(schema={"sourcedId": pl.String, "cause": pl.String}),
        )
    others = elsewhere.get(refers)
    if others is not None:
        found = pl.concat([found, others])
    whole = (
        refers in roster.tables and roster.tables[refers].mode == "bulk" and table.mode == "bulk"
    )
    gone = standing[refers].gone if refers in standing else found.clear()
    if whole:
        return Parents(found, refused, known, refers, gone)
    unsure = table.mode != "bulk" and refers not in known
    earlier = in_target(known, refers)
    earlier = earlier.filter(~earlier.is_in(gone.implode()))
    return Parents(pl.concat([found, earlier]), refused, known, refers, gone, unsure)


def wanted_elsewhere(roster: Roster) -> list[str]:
    """The entities to which a drop's records refer and of which it has no full snapshot itself."""
    refers = {
        column.refers for table in roster.tables.values() for column in table.entity.references
    }
    whole = {name for name, table in roster.tables.items() if table.mode == "bulk"}
    return sorted(name for name in refers - whole if name)


def trees_to_know(roster: Roster) -> list[str]:
    """The entities whose records form trees of which the drop may hold a part only."""
    return [
        name
        for name, table in roster.tables.items()
        if table.mode != "bulk" and parent_column(table.entity)
    ]


def standing_of(table: Table, bad: pl.Series) -> pl.DataFrame:
    """The ids of rows that are refused already (`sourcedId`, `cause`)."""
    rows = table.frame.filter(pl.col(ROW).is_in(bad.implode())).drop_nulls("sourcedId")
    return rows.select("sourcedId", cause=place(table.file))


def _astray(column: Column, table: Table, parents: Parents) -> pl.DataFrame:
    """The references (`#row`, `sourcedId`, `value`) that do not lead to an accepted record."""
    values = table.frame.select(ROW, "sourcedId", value=column.name).drop_nulls("value")
    if column.is_list:
        values = values.with_columns(pl.col("value").str.split(",")).explode(
            "value", empty_as_null=True, keep_nulls=True
        )
    # Those in the drop that were rejected are no way to go, even if the ledger knows them.
    accepted = pl.col("value").is_in(parents.found.implode())
    if parents.refused.height:
        accepted &= ~pl.col("value").is_in(parents.refused["sourcedId"].implode())
    return values.filter(~accepted)


def _settle(
    column: Column, done: Resolved, astray: pl.DataFrame, parents: Parents, strict: bool
) -> None:
    table = done.table
    astray = astray.join(
        parents.refused, left_on="value", right_on="sourcedId", how="left", maintain_order="left"
    )
    nowhere = astray.filter(pl.col("cause").is_null())
    rejected = astray.filter(pl.col("cause").is_not_null())
    if parents.unsure:
        nowhere = nowhere.filter(pl.col("value").is_in(parents.gone.implode()))
    told = {
        "file": table.file,
        "entity": table.entity.name,
        "column": column.name,
        "strict": strict,
    }
    if table.entity.needs(column):
        done.findings += [
            of_rows("dangling", nowhere, value="value", **told),  # type: ignore[arg-type]
            of_rows("parent_rejected", rejected, value="cause", **told),  # type: ignore[arg-type]
        ]
        return
    # A rejected parent that the target holds already is still there: leaving it out would change this record.
    lost = (
        rejected.clear()
        if strict
        else rejected.filter(~pl.col("value").is_in(parents.earlier.implode()))
    )
    out = pl.concat([nowhere, lost])
    done.findings.append(of_rows("dangling_optional", out, value="value", **told))  # type: ignore[arg-type]
    done.table = replace(table, frame=_left_out(table.frame, column, out))


def _left_out(frame: pl.DataFrame, column: Column, astray: pl.DataFrame) -> pl.DataFrame:
    """Remove references that lead nowhere."""
    if not astray.height:
        return frame
    if not column.is_list:
        return frame.with_columns(
            pl.when(~pl.col(ROW).is_in(astray[ROW].implode())).then(column.name).alias(column.name)
        )
    gone = astray.group_by(ROW).agg(pl.col("value").alias("#gone"))
    joined = frame.join(gone, on=ROW, how="left", maintain_order="left")
    items = pl.col(column.name).str.split(",").list.set_difference(pl.col("#gone").fill_null([]))
    kept = items.list.join(",")
    return joined.with_columns(
        pl.when(pl.col("#gone").is_null())
        .then(column.name)
        .otherwise(pl.when(kept != "").then(kept))
        .alias(column.name)
    ).drop("#gone")


def _wrong_types(
    column: Column, table: Table, standing: RosterState, strict: bool
) -> list[Findings]:
    """Report references to a record of another type than is meant; `ext:` types are allowed (reference section 5)."""
    meant = standing.get(column.refers or "")
    if not column.refers_types or meant is None:
        return []
    types = meant.accepted.select("sourcedId", "type").drop_nulls()
    wrong = types.filter(
        ~pl.col("type").is_in(column.refers_types) & ~pl.col("type").str.starts_with(EXTENSION)
    )
    rows = table.frame.filter(pl.col(column.name).is_in(wrong["sourcedId"].implode()))
    return [
        of_rows(
            "wrong_type",
            rows,
            file=table.file,
            entity=table.entity.name,
            column=column.name,
            value=column.name,
            strict=strict,
        )
    ]


def parent_column(entity: Entity) -> Column | None:
    """The column by which an entity's records form a tree; None if they do not."""
    return next(
        (
            column
            for column in entity.current
            if column.refers == entity.name and column.kind == "reference"
        ),
        None,
    )


def without_cycles(
    table: Table, known: pl.DataFrame | None, strict: bool
) -> tuple[Table, list[Findings]]:
    """Leave out the parents of records that are their own ancestors; in files of our own, refuse those records.

    `known` is what the ledger knows of the entity: the places of records of which a delta does not speak.
    """
    column = parent_column(table.entity)
    if column is None:
        return table, []
    rows = dict(table.frame.select("sourcedId", column.name).iter_rows())
    parents = {
        record: parent for record, parent in (_loaded(table, known) | rows).items() if parent
    }
    caught = [start for start in parents if _is_own_ancestor(start, parents)]
    if not caught:
        return table, []
    circle = table.frame.filter(pl.col("sourcedId").is_in(caught))
    rule = "cycle" if table.entity.standard else "cycle_refused"
    found = of_rows(
        rule,
        circle,
        file=table.file,
        entity=table.entity.name,
        column=column.name,
        value=column.name,
        strict=strict,
    )
    if not table.entity.standard:
        return table, [found]
    cut = pl.when(~pl.col(ROW).is_in(circle[ROW].implode())).then(column.name).alias(column.name)
    return replace(table, frame=table.frame.with_columns(cut)), [found]


def _loaded(table: Table, known: pl.DataFrame | None) -> dict[str, str | None]:
    """The parents of the records that are loaded, where the drop is no full snapshot of them."""
    if table.mode == "bulk" or known is None or "parents" not in known.columns:
        return {}
    rows = (
        known.filter(pl.col("status").is_in(IN_TARGET)).select("sourcedId", "parents").iter_rows()
    )
    return {record: parent_in(parents, table.entity) for record, parents in rows}


def parent_in(parents: str | None, entity: Entity) -> str | None:
    """Find a record's parent of its own kind among `entity:sourcedId` words."""
    prefix = f"{entity.name}:"
    return next(
        (word.removeprefix(prefix) for word in words(parents) if word.startswith(prefix)), None
    )


def _is_own_ancestor(start: str, parents: dict[str, str]) -> bool:
    seen = {start}
    place = parents[start]
    while place in parents and place not in seen:
        seen.add(place)
        place = parents[place]
    return place == start


def depths(ids: list[str], parents: dict[str, str]) -> list[int]:
    """How many ancestors each record has among `ids`; without cycles."""
    known: dict[str, int] = {}
    among = set(ids)

    def depth(record: str) -> int:
        chain = []
        while record in among and record not in known:
            chain.append(record)
            known[record] = 0  # a cycle, if there were one, ends here
            record = parents.get(record, "")
        level = known[record] + 1 if record in among else 0
        for one in reversed(chain):
            known[one] = level
            level += 1
        return level

    for record in ids:
        depth(record)
    return [known[record] for record in ids]


# An id may hold spaces, so that words are told apart by the entity with which each begins.
_NAMES = "|".join(ENTITIES)
_BETWEEN = re.compile(rf" (?=(?:{_NAMES}):)")
_SEPARATOR = "\x1f"


def words(text: str | None) -> list[str]:
    """Split one record's parents."""
    return _BETWEEN.split(text) if text else []


def words_in(parents: pl.Expr) -> pl.Expr:
    """Split a column of parents into lists."""
    return parents.str.replace_all(rf" ((?:{_NAMES}):)", f"{_SEPARATOR}${{1}}").str.split(
        _SEPARATOR
    )


def ids_in(parents: pl.Expr, entity: str) -> pl.Expr:
    """The ids of one entity among each record's parents, as lists."""
    mine = pl.element().filter(pl.element().str.starts_with(f"{entity}:"))
    return words_in(parents).list.eval(mine.str.strip_prefix(f"{entity}:"))
