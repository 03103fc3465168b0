"""References: each one must point to a record of the drop or, in a delta, of an earlier drop.

A required reference without a record rejects its row, and an optional one is removed. A record
whose required parent was rejected is rejected too, once, with the root cause. This module also
checks that trees have no cycles, and reads the ledger's `parents` (`entity:sourcedId` words).

Source: reference sections 5 and 5.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.binding.names import entity_of_file
from transforms.changes import IN_TARGET
from transforms.findings import ROW, Findings, merge_findings, row_findings, row_location
from transforms.payload import owner_column
from transforms.records import RosterState
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, Column, Entity
from transforms.schemas.vocabularies import TOBEDELETED

EXTENSION_TYPE = "ext:"
# The ledger's frames (`sourcedId`, `fingerprint`, `status`, ...), by entity.
LedgerFrames = dict[str, pl.DataFrame]
# The ids of records of other feeds that this feed's records may refer to, by entity.
OtherFeedsIds = dict[str, pl.Series]
# An id may contain spaces: a word in `parents` ends where the next one begins with an entity.
_NAMES = "|".join(ENTITIES)
_BETWEEN = re.compile(rf" (?=(?:{_NAMES}):)")
_SEPARATOR = "\x1f"


@dataclass(frozen=True)
class Parents:
    """The records of one entity that references may point to."""

    found: pl.Series  # the ids that a reference may have
    refused: pl.DataFrame  # `sourcedId` and `cause` of the records that the drop has, rejected
    known: LedgerFrames
    entity: str
    unread: str  # why the file of these records could not be read; blank if it was
    gone: pl.Series  # the ids of the records that the drop deletes

    @property
    def earlier(self) -> pl.Series:
        """The ids of our records in the target."""
        return in_target(self.known, self.entity)


@dataclass
class Resolved:
    """A table without dangling optional references, and the findings."""

    table: Table
    findings: list[Findings] = field(default_factory=list)


def in_target(known: LedgerFrames, entity: str) -> pl.Series:
    """Return the ids of our records in the target, whether the drop still has them or not."""
    frame = known.get(entity)
    if frame is None:
        return pl.Series("sourcedId", dtype=pl.String)
    return frame.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"]


def entities_needed_from_ledger(roster: Roster) -> list[str]:
    """Return the entities that a drop's records refer to and that it has no full snapshot of."""
    refers = {
        column.refers for table in roster.tables.values() for column in table.entity.references
    }
    snapshots = {name for name, table in roster.tables.items() if table.mode == "bulk"}
    return sorted(name for name in refers - snapshots if name)


def partial_trees(roster: Roster) -> list[str]:
    """Return the entities whose records form trees, and that the drop has no full snapshot of."""
    return [
        name
        for name, table in roster.tables.items()
        if table.mode != "bulk" and parent_column(table.entity)
    ]


def resolve_references(
    table: Table,
    roster: Roster,
    standing: RosterState,
    known: LedgerFrames,
    elsewhere: OtherFeedsIds,
    bad: pl.Series,
    deleted: pl.Series,
    strict: bool,
) -> Resolved:
    """Check every reference in a table.

    `bad` are the numbers of rows that are already refused, and `deleted` the ids of records that
    the table's other rows delete.
    """
    done = Resolved(table)
    # References to the same file come last: by then it is known which of its rows are refused.
    for column in sorted(table.entity.references, key=lambda one: one.refers == table.entity.name):
        if not _type_is_inferred(column, roster):
            done.findings += _wrong_types(column, done.table, standing, strict)
        if column.refers == table.entity.name:
            bad = pl.concat(
                [bad, merge_findings(done.findings).errors["row"].drop_nulls()]
            ).unique()
        in_tree = table.entity.needs(column) and column.refers == table.entity.name
        refused = bad.clear()
        # In a tree of needed parents, the children of a row that is refused here are refused too,
        # and then their children.
        while True:
            parents = _parents(
                column, table, roster, standing, known, elsewhere, pl.concat([bad, refused])
            )
            if column.refers == table.entity.name:
                parents = replace(parents, gone=deleted)
            dangling = _dangling(column, done.table, parents).filter(
                ~pl.col(ROW).is_in(refused.implode())
            )
            if not dangling.height:
                break
            named_by_parts = _named_by_parts(column, table.entity, roster)
            _refuse_or_remove(column, done, dangling, parents, named_by_parts, strict)
            if not in_tree:
                break
            refused = pl.concat([refused, dangling[ROW]])
    return done


def _parents(
    column: Column,
    table: Table,
    roster: Roster,
    standing: RosterState,
    known: LedgerFrames,
    elsewhere: OtherFeedsIds,
    bad: pl.Series,
) -> Parents:
    refers = column.refers or ""
    if refers == table.entity.name:
        rows = table.frame.select(ROW, "sourcedId").filter(~pl.col(ROW).is_in(bad.implode()))
        found, refused = rows["sourcedId"], refused_ids(table, bad)
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
    gone = standing[refers].gone if refers in standing else found.clear()
    if table.mode == "bulk" and refers in roster.tables and roster.tables[refers].mode == "bulk":
        return Parents(found, refused, known, refers, "", gone)
    earlier = in_target(known, refers)
    earlier = earlier.filter(~earlier.is_in(gone.implode()))
    unread = unread_cause(roster, refers)
    return Parents(pl.concat([found, earlier]), refused, known, refers, unread, gone)


def unread_cause(roster: Roster, entity: str) -> str:
    """Name the fault for which the file of an entity could not be read; blank if it was read.

    It is the one cause for whatever needs the file's records.
    """
    if entity not in roster.broken:
        return ""
    faults = roster.findings.fatal.filter(pl.col("file") != "")
    own = [entity_of_file(file) == entity for file in faults["file"]]
    file, rule = (faults.filter(own) if any(own) else faults).select("file", "rule").row(0)
    return f"{file}: {rule}"


def refused_ids(table: Table, bad: pl.Series) -> pl.DataFrame:
    """Return the ids of rows that are already refused (`sourcedId`, `cause`)."""
    rows = table.frame.filter(pl.col(ROW).is_in(bad.implode())).drop_nulls("sourcedId")
    return rows.select("sourcedId", cause=row_location(table.file))


def _dangling(column: Column, table: Table, parents: Parents) -> pl.DataFrame:
    """Return the references to no accepted record (`#row`, `sourcedId`, `value`)."""
    values = table.frame.select(ROW, "sourcedId", value=column.name).drop_nulls("value")
    if column.is_list:
        values = values.with_columns(pl.col("value").str.split(",")).explode(
            "value", empty_as_null=True, keep_nulls=True
        )
    # A record that the drop has, rejected, does not count, even if the ledger knows it.
    accepted = pl.col("value").is_in(parents.found.implode())
    if parents.refused.height:
        accepted &= ~pl.col("value").is_in(parents.refused["sourcedId"].implode())
    return values.filter(~accepted)


def _named_by_parts(column: Column, entity: Entity, roster: Roster) -> pl.DataFrame:
    """Return the records (`sourcedId`, `value`) that parts of a record need, such as a role's org.

    If such a record does not exist, the part is rejected for it, and its owner with it.
    """
    pairs = [pl.DataFrame(schema={"sourcedId": pl.String, "value": pl.String})]
    for part in (one for one in ENTITIES.values() if one.folds_into == entity.name):
        if (table := roster.tables.get(part.name)) is None:
            continue
        for needed in part.references:
            if needed.refers == column.refers and part.needs(needed):
                rows = table.frame.filter(pl.col("status").ne_missing(TOBEDELETED))
                pairs.append(rows.select(sourcedId=owner_column(part).name, value=needed.name))
    return pl.concat(pairs)


def _refuse_or_remove(
    column: Column,
    done: Resolved,
    dangling: pl.DataFrame,
    parents: Parents,
    named_by_parts: pl.DataFrame,
    strict: bool,
) -> None:
    """Refuse rows that need a dangling reference; remove those that are optional."""
    table = done.table

    def finding(rule: str, rows: pl.DataFrame, value: str) -> Findings:
        return row_findings(
            rule,
            rows,
            file=table.file,
            entity=table.entity.name,
            column=column.name,
            value=value,
            strict=strict,
        )

    dangling = dangling.join(
        parents.refused, left_on="value", right_on="sourcedId", how="left", maintain_order="left"
    )
    if parents.unread:
        dangling = dangling.with_columns(pl.col("cause").fill_null(parents.unread))
    unknown = dangling.filter(pl.col("cause").is_null())
    rejected = dangling.filter(pl.col("cause").is_not_null())
    if table.entity.needs(column):
        deleted = pl.col("value").is_in(parents.gone.implode())
        done.findings += [
            finding("dangling", unknown.filter(~deleted), "value"),
            finding("parent_deleted", unknown.filter(deleted), "value"),
            finding("parent_rejected", rejected, "cause"),
        ]
        return
    # A rejected parent may still be in the target. Without the reference, this record would change.
    if strict:
        lost = rejected.clear()
    else:
        lost = rejected.filter(~pl.col("value").is_in(parents.earlier.implode()))
    removed = pl.concat([unknown, lost])
    reported = removed.join(
        named_by_parts, on=["sourcedId", "value"], how="anti", maintain_order="left"
    )
    follows = pl.col("cause").is_not_null() | pl.col("value").is_in(parents.gone.implode())
    done.findings += [
        finding("dangling_optional", reported.filter(~follows), "value"),
        finding("reference_left_out", reported.filter(follows), "value"),
    ]
    done.table = replace(table, frame=without_references(table.frame, column, removed))


def without_references(frame: pl.DataFrame, column: Column, removed: pl.DataFrame) -> pl.DataFrame:
    """Remove references (`#row`, `value`) from a column."""
    if not removed.height:
        return frame
    if not column.is_list:
        stays = ~pl.col(ROW).is_in(removed[ROW].implode())
        return frame.with_columns(pl.when(stays).then(column.name).alias(column.name))
    gone = removed.group_by(ROW).agg(pl.col("value").alias("#gone"))
    joined = frame.join(gone, on=ROW, how="left", maintain_order="left")
    items = pl.col(column.name).str.split(",").list.set_difference(pl.col("#gone").fill_null([]))
    kept = items.list.join(",")
    return joined.with_columns(
        pl.when(pl.col("#gone").is_null())
        .then(column.name)
        .otherwise(pl.when(kept != "").then(kept))
        .alias(column.name)
    ).drop("#gone")


def _type_is_inferred(column: Column, roster: Roster) -> bool:
    """Whether the type of the records that a column refers to is a conclusion of the layout."""
    table = roster.tables.get(column.refers or "")
    return table is not None and "type" in table.inferred


def _wrong_types(
    column: Column, table: Table, standing: RosterState, strict: bool
) -> list[Findings]:
    """Report references to a record of a wrong type; `ext:` types are allowed (section 5).

    The school of an enrollment is that of its class. If the drop has the class, its school is
    reported there.
    """
    parents = standing.get(column.refers or "")
    if not column.refers_types or parents is None:
        return []
    types = parents.accepted.select("sourcedId", "type").drop_nulls()
    wrong = types.filter(
        ~pl.col("type").is_in(column.refers_types) & ~pl.col("type").str.starts_with(EXTENSION_TYPE)
    )
    rows = table.frame.filter(pl.col(column.name).is_in(wrong["sourcedId"].implode()))
    classes = standing.get("classes")
    if table.entity.name == "enrollments" and classes is not None:
        judged = classes.accepted["sourcedId"].implode()
        rows = rows.filter(~pl.col("classSourcedId").is_in(judged).fill_null(value=False))
    return [
        row_findings(
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
    """Return the column that makes an entity's records a tree; None if they are none."""
    return next(
        (
            column
            for column in entity.current
            if column.refers == entity.name and column.kind == "reference"
        ),
        None,
    )


def break_cycles(
    table: Table, known: pl.DataFrame | None, strict: bool
) -> tuple[Table, list[Findings]]:
    """Remove the parents of records that are their own ancestors; refuse them in our own files.

    `known` is the ledger's frame of the entity, with the parents of records that a delta omits.
    """
    column = parent_column(table.entity)
    if column is None:
        return table, []
    rows = dict(table.frame.select("sourcedId", column.name).iter_rows())
    parents = {
        record: parent for record, parent in (_loaded(table, known) | rows).items() if parent
    }
    in_cycle = [record for record in parents if _is_own_ancestor(record, parents)]
    if not in_cycle:
        return table, []
    cycle = table.frame.filter(pl.col("sourcedId").is_in(in_cycle))
    rule = "cycle" if table.entity.standard else "cycle_refused"
    found = row_findings(
        rule,
        cycle,
        file=table.file,
        entity=table.entity.name,
        column=column.name,
        value=column.name,
        strict=strict,
    )
    if not table.entity.standard:
        return table, [found]
    stays = ~pl.col(ROW).is_in(cycle[ROW].implode())
    cells = pl.when(stays).then(column.name).alias(column.name)
    return replace(table, frame=table.frame.with_columns(cells)), [found]


def _loaded(table: Table, known: pl.DataFrame | None) -> dict[str, str | None]:
    """Return the parents of records in the target, unless the drop is a full snapshot of them."""
    if table.mode == "bulk" or known is None or "parents" not in known.columns:
        return {}
    rows = (
        known.filter(pl.col("status").is_in(IN_TARGET)).select("sourcedId", "parents").iter_rows()
    )
    return {record: parent_id(parents, table.entity) for record, parents in rows}


def parent_id(parents: str | None, entity: Entity) -> str | None:
    """Return a record's parent of its own kind among `entity:sourcedId` words; None without one."""
    prefix = f"{entity.name}:"
    return next(
        (word.removeprefix(prefix) for word in split_parents(parents) if word.startswith(prefix)),
        None,
    )


def _is_own_ancestor(start: str, parents: dict[str, str]) -> bool:
    seen = {start}
    ancestor = parents[start]
    while ancestor in parents and ancestor not in seen:
        seen.add(ancestor)
        ancestor = parents[ancestor]
    return ancestor == start


def depths(ids: list[str], parents: dict[str, str]) -> list[int]:
    """Return the number of ancestors that each record has among `ids`; there must be no cycles."""
    found: dict[str, int] = {}
    among = set(ids)
    for start in ids:
        chain = []
        record = start
        while record in among and record not in found:
            chain.append(record)
            found[record] = 0  # if there is a cycle, it ends here
            record = parents.get(record, "")
        depth = found[record] + 1 if record in among else 0
        for one in reversed(chain):
            found[one] = depth
            depth += 1
    return [found[record] for record in ids]


def split_parents(text: str | None) -> list[str]:
    """Split the parents of one record."""
    return _BETWEEN.split(text) if text else []


def split_parents_column(parents: pl.Expr) -> pl.Expr:
    """Split a column of parents into lists."""
    separated = parents.str.replace_all(rf" ((?:{_NAMES}):)", f"{_SEPARATOR}${{1}}")
    return separated.str.split(_SEPARATOR)


def parent_ids(parents: pl.Expr, entity: str) -> pl.Expr:
    """Return the ids of one entity among each record's parents, as lists."""
    of_entity = pl.element().filter(pl.element().str.starts_with(f"{entity}:"))
    return split_parents_column(parents).list.eval(of_entity.str.strip_prefix(f"{entity}:"))
