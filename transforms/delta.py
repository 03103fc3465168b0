"""Drops that are not full snapshots, laid over the roster from before.

`overlay` merges a drop with the earlier roster. `add_unsent` adds unsent records: accepted in an
earlier drop, and not in the target yet. `find_missing_sources` finds source files that earlier
drops had and this one does not.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import polars as pl

from transforms import payload as parts
from transforms.binding.names import comparable_name
from transforms.changes import ACTIVE, IN_TARGET
from transforms.checks.references import LedgerFrames
from transforms.diff import fingerprints_by_entity
from transforms.findings import ROW, Findings, file_finding, merge_findings
from transforms.payload import Part, part_property, parts_by_name
from transforms.records import EntityRecords, RosterState
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES

OVER = "#over:"
FINGERPRINT_COLUMNS = {"sourcedId": pl.String, "fingerprint": pl.Int64}


def overlay(before: EntityRecords, drop: EntityRecords) -> EntityRecords:
    """Lay the records of a drop over those `before`, by `sourcedId`, and remove the `gone` ones.

    A column that the drop does not have keeps its cells, as it does in the target. A record that
    the drop refuses stays as it was. A record that the drop withholds is withheld.
    """
    gone = pl.concat([drop.gone, drop.withheld["sourcedId"]])
    accepted = _merge(_without(before.accepted, gone), drop)
    settled = pl.concat([accepted["sourcedId"], drop.gone])
    withheld = _without(
        pl.concat([drop.withheld, before.withheld]).unique("sourcedId", maintain_order=True),
        settled,
    )
    refused = pl.concat([drop.refused, before.refused]).unique("sourcedId", maintain_order=True)
    return replace(
        drop,
        accepted=accepted,
        mode=before.mode,
        refused=_without(refused, pl.concat([settled, withheld["sourcedId"]])),
        withheld=withheld,
        gone=drop.gone.clear(),
        blurred=before.blurred or drop.blurred,
        said=before.said | drop.said,
        partial=before.partial - _complete_parts(drop) | drop.partial - _complete_parts(before),
        settled=False,
    )


def _without(frame: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col("sourcedId").is_in(ids.implode())) if ids.len() else frame


def _merge(before: pl.DataFrame, drop: EntityRecords) -> pl.DataFrame:
    """Return the records of both, each once; cells missing in the drop are taken from `before`."""
    new = drop.accepted.drop(ROW)
    old = before.drop(ROW)
    joined = new.join(
        old.rename(lambda name: name if name == "sourcedId" else OVER + name),
        on="sourcedId",
        how="left",
        maintain_order="left",
    )
    names = dict.fromkeys((*new.columns, *old.columns))
    merged = joined.select([_cell(name, joined, drop) for name in names])
    stay = old.join(new.select("sourcedId"), on="sourcedId", how="anti", maintain_order="left")
    return pl.concat([stay, merged], how="diagonal").with_row_index(ROW, 1)


def _cell(name: str, joined: pl.DataFrame, drop: EntityRecords) -> pl.Expr | pl.Series:
    part = parts_by_name(drop.entity).get(name)
    if name == "sourcedId" or OVER + name not in joined.columns:
        return pl.col(name)
    if name not in joined.columns:
        return pl.col(OVER + name).alias(name)
    if part and part_property(part) in drop.partial and not drop.settled:
        pairs = joined.select(name, OVER + name).iter_rows()
        return pl.Series(name, [_union(new, old) for new, old in pairs], dtype=pl.String)
    if name in drop.said or part:
        return pl.col(name)
    return pl.coalesce(name, OVER + name)


def _union(new: str | None, old: str | None) -> str | None:
    """Add the parts of one cell to those of another, each once."""
    both: list[Part] = [part for text in (new, old) if text for part in parts.read_parts(text)]
    return parts.write_parts(part for place, part in enumerate(both) if part not in both[:place])


def _complete_parts(records: EntityRecords) -> frozenset[str]:
    """Return the kinds of parts that a drop has completely."""
    return frozenset(
        part_property(part)
        for name, part in parts_by_name(records.entity).items()
        if name in records.said
    )


def add_unsent(
    standing: RosterState, roster: RosterState, known: LedgerFrames, decided: pl.DataFrame
) -> tuple[RosterState, Findings]:
    """Add the unsent records to a drop, and report how many there are.

    `roster` is the whole roster with this drop laid over it. `decided` has the changes that a plan
    holds or that a person has decided on, which are left to them: `entity`, `sourcedId`, and
    `fingerprint`, null for a removal.
    """
    found: RosterState = {}
    count = 0
    for name in (name for name in ENTITIES if name in standing or name in roster):
        if name not in roster or (name in standing and standing[name].mode == "bulk"):
            found[name] = standing[name]
            continue
        drop = standing.get(name) or _empty_delta(roster[name])
        unsent = _unsent(drop, roster[name], known.get(name), decided.filter(entity=name))
        gone = _undeleted(drop, roster[name], known.get(name), decided.filter(entity=name))
        count += unsent.height + gone.len()
        if name in standing or unsent.height or gone.len():
            found[name] = _with_unsent(drop, unsent, gone)
    return found, file_finding("arrears", "", count=count) if count else Findings()


def _empty_delta(whole: EntityRecords) -> EntityRecords:
    return replace(
        whole,
        accepted=whole.accepted.clear(),
        mode="delta",
        refused=whole.refused.clear(),
        withheld=whole.withheld.clear(),
        blurred=False,
    )


def _unsent(
    drop: EntityRecords, whole: EntityRecords, ledger: pl.DataFrame | None, decided: pl.DataFrame
) -> pl.DataFrame:
    """Return the roster's records that differ in the target and that the drop does not cover."""
    marks = fingerprints_by_entity({whole.entity.name: whole})[whole.entity.name]
    there = (
        _ledger(ledger)
        .filter(pl.col("status").is_in([ACTIVE, "kept"]))
        .select(*FINGERPRINT_COLUMNS)
    )
    now = pl.DataFrame(
        {"sourcedId": whole.accepted["sourcedId"], "fingerprint": marks}, schema=FINGERPRINT_COLUMNS
    )
    known = pl.concat([there, decided.select(*FINGERPRINT_COLUMNS)])
    unsent = now.join(known, on=list(FINGERPRINT_COLUMNS), how="anti").filter(
        ~pl.col("sourcedId").is_in(_covered(drop).implode())
    )
    return whole.accepted.filter(pl.col("sourcedId").is_in(unsent["sourcedId"].implode()))


def _undeleted(
    drop: EntityRecords, whole: EntityRecords, ledger: pl.DataFrame | None, decided: pl.DataFrame
) -> pl.Series:
    """Return the records that an earlier drop deleted and that the target still has."""
    if whole.mode != "bulk" or whole.blurred:
        return drop.gone.clear()
    active = _ledger(ledger).filter(pl.col("status") == ACTIVE)["sourcedId"]
    others = [
        whole.accepted["sourcedId"],
        whole.refused["sourcedId"],
        whole.withheld["sourcedId"],
        _covered(drop),
        drop.refused["sourcedId"],
        decided.filter(pl.col("fingerprint").is_null())["sourcedId"],
    ]
    return active.filter(~active.is_in(pl.concat(others).implode()))


def _with_unsent(drop: EntityRecords, unsent: pl.DataFrame, gone: pl.Series) -> EntityRecords:
    rows = pl.concat([drop.accepted.drop(ROW), unsent.drop(ROW)], how="diagonal")
    accepted = rows.with_row_index(ROW, 1)
    columns = frozenset(name for name in unsent.columns if unsent.height and unsent[name].count())
    return replace(
        drop, accepted=accepted, gone=pl.concat([drop.gone, gone]), said=drop.said | columns
    )


def _covered(drop: EntityRecords) -> pl.Series:
    """Return the ids that the drop has news of.

    A record whose row was refused is not among them: it stays as it was, and may be unsent.
    """
    return pl.concat([drop.accepted["sourcedId"], drop.withheld["sourcedId"], drop.gone])


def _ledger(known: pl.DataFrame | None) -> pl.DataFrame:
    if known is None:
        return pl.DataFrame(schema=FINGERPRINT_COLUMNS | {"status": pl.String})
    return known.filter(pl.col("status").is_in(IN_TARGET)).select(*FINGERPRINT_COLUMNS, "status")


def find_missing_sources(
    roster: Roster, earlier: Mapping[str, Collection[str]], without: Collection[str] = ()
) -> Roster:
    """Find the files and columns that had records of an entity in `earlier` drops, and are missing.

    `earlier` has them by entity, as in `Table.fed`; only a full snapshot can miss one. A missing
    file or column stays in `Table.fed`, so that the next drop is compared with it again. This ends
    when a person lists it as one that the source is now `without`.
    """
    known = {comparable_name(one) for one in without}
    tables = {
        name: _with_missing_sources(table, earlier.get(name, ()), known)
        for name, table in roster.tables.items()
    }
    lacking = dict.fromkeys(one for table in tables.values() for one in table.lacking)
    if not lacking:
        return roster
    missing = [
        file_finding("file_gone", file, column=column.strip())
        for file, _, column in (one.partition(":") for one in lacking)
    ]
    return replace(roster, tables=tables, findings=merge_findings([roster.findings, *missing]))


def _with_missing_sources(
    table: Table, earlier: Collection[str], without: Collection[str]
) -> Table:
    if table.mode != "bulk" and not table.emptied:
        return table
    there = {*map(comparable_name, table.fed), *without}
    lacking = tuple(one for one in earlier if comparable_name(one) not in there)
    return replace(table, fed=(*table.fed, *lacking), lacking=lacking) if lacking else table
