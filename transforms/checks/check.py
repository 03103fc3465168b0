"""Judge a roster by the standard: entity after entity, parents first, every error of every row."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import ACTIVE
from transforms.checks.cells import table_findings
from transforms.checks.classes import settled_classes
from transforms.checks.parts import (
    ENDING,
    NEEDED_PARTS,
    faulty_owners,
    folded,
    parts_of,
    profile_findings,
    role_findings,
    single_findings,
)
from transforms.checks.plausibility import near_misses, shared_addresses
from transforms.checks.references import Elsewhere, Known, in_target, resolved, without_cycles
from transforms.findings import ROW, Findings, fault, gather, of_file, of_rows, place
from transforms.moments import Moments, outdated
from transforms.payload import owner
from transforms.records import EntityRecords, RosterState, without_references
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.vocabularies import TOBEDELETED

# What is said of an id, or of what an id is made of, that cannot be the one that was meant.
DAMAGED = ("guid", "required")


@dataclass(frozen=True)
class Checked:
    """The roster after the check; `findings` are those of reading and normalising too.

    `parts` are the rows that fold into the records of `standing`, file by file, as they came.
    """

    standing: RosterState
    findings: Findings = field(default_factory=Findings)
    parts: RosterState = field(default_factory=dict)


@dataclass
class _Check:
    """A check in progress."""

    roster: Roster
    known: Known
    strict: bool
    elsewhere: Elsewhere
    moments: Moments
    standing: RosterState = field(default_factory=dict)
    found: list[Findings] = field(default_factory=list)
    older: dict[str, Findings] = field(default_factory=dict)


def check(
    roster: Roster,
    known: Known,
    strict: bool = False,
    elsewhere: Elsewhere | None = None,
    moments: Moments | None = None,
) -> Checked:
    """Judge every record of a drop; `known` is what the ledger knows (`sourcedId`, `fingerprint`, `status`).

    `elsewhere` are ids of records of others to which this feed's may refer, by entity. `moments` say when what was
    accepted of a delta's records was last changed.
    """
    state = _Check(
        roster,
        known,
        strict,
        elsewhere or {},
        moments or {},
        found=[roster.findings, *_emptied(roster, known)],
    )
    for entity in ENTITIES.values():
        if not entity.folds_into and (entity.name in roster.tables or _has_parts(entity, roster)):
            _judge_with_parts(state, entity)
    parts = {name: judged for name, judged in state.standing.items() if judged.entity.folds_into}
    records = {name: judged for name, judged in state.standing.items() if name not in parts}
    records, settled = settled_classes(records)
    found = [*state.found, *settled, *shared_addresses(records), *near_misses(state.found, roster)]
    return Checked(records, gather(found), parts)


def _emptied(roster: Roster, known: Known) -> list[Findings]:
    """Refuse a file without rows of which rows were loaded before: it is an accident until a person says otherwise."""
    return [
        of_file("emptied", table.file, entity=name)
        for name, table in roster.tables.items()
        if not table.frame.height
        and not table.lost.height
        and _was_loaded(known.get(_holder(name, table.entity)))
    ]


def _was_loaded(known: pl.DataFrame | None) -> bool:
    return known is not None and known["status"].eq(ACTIVE).any()


def _holder(name: str, entity: Entity) -> str:
    """The entity that the ledger knows: whoever was loaded had the parts that a record needs."""
    return entity.folds_into or name if name in NEEDED_PARTS else name


def _has_parts(entity: Entity, roster: Roster) -> bool:
    return any(part.name in roster.tables for part in parts_of(entity))


def _judge_with_parts(state: _Check, entity: Entity) -> None:
    """Judge an entity, then the files that fold into it, then fold them."""
    table = state.roster.tables.get(entity.name) or _nothing(entity)
    judged = _judge(state, table)
    state.standing[entity.name] = judged
    parts = [
        _judge_part(state, part, judged)
        for part in parts_of(entity)
        if part.name in state.roster.tables
    ]
    judged = state.standing[entity.name]  # faults in parts have moved records
    judged, told = folded(judged, parts, state.roster, state.known)
    state.found += told
    state.standing[entity.name] = (
        _without_lost_friends(state, judged) if parts_of(entity) else judged
    )


def _without_lost_friends(state: _Check, judged: EntityRecords) -> EntityRecords:
    """Leave out references to records of the same kind that fell with their parts, such as agents without a role."""
    lost = judged.refused.filter(
        ~pl.col("sourcedId").is_in(in_target(state.known, judged.entity.name).implode())
    )
    left = without_references(judged, {judged.entity.name: lost["sourcedId"]})
    for column in (
        column.name for column in judged.entity.references if column.refers == judged.entity.name
    ):
        rows = judged.accepted.filter(judged.accepted[column].ne_missing(left.accepted[column]))
        state.found.append(
            of_rows(
                "dangling_optional",
                rows,
                file=judged.file,
                entity=judged.entity.name,
                column=column,
                value=column,
            )
        )
    return left


def _nothing(entity: Entity) -> Table:
    columns = [column.name for column in entity.columns if column.versions]
    return Table(
        entity,
        pl.DataFrame(schema={ROW: pl.UInt32} | dict.fromkeys(columns, pl.String)),
        entity.file,
        "unknown",
    )


def _judge(state: _Check, table: Table) -> EntityRecords:
    """Judge the rows of one file by themselves and by what they refer to."""
    table, extra, found = table_findings(table, state.strict, state.roster.today)
    if not table.entity.folds_into:
        state.older[table.entity.name] = outdated(table, state.moments.get(table.entity.name))
    gone = table.frame.filter(pl.col("status") == TOBEDELETED)
    if gone.height:
        table = replace(table, frame=table.frame.filter(pl.col("status").ne_missing(TOBEDELETED)))
    table, cycles = without_cycles(table, state.known.get(table.entity.name), state.strict)
    found += cycles
    standing = {name: _to_refer(state, judged) for name, judged in state.standing.items()}
    followed = resolved(
        table, state.roster, standing, state.known, state.elsewhere, _bad(found), state.strict
    )
    found += [
        *_once(followed.findings, table.entity),
        state.older.get(table.entity.name, Findings()),
    ]
    state.found += found
    return _judged(state, followed.table, gone, gather(found).errors, extra)


def _to_refer(state: _Check, judged: EntityRecords) -> EntityRecords:
    """Let others refer to a record whose row is older than what was accepted of it: that is there."""
    older = state.older.get(judged.entity.name, Findings()).errors["sourcedId"]
    if not older.len():
        return judged
    return replace(
        judged, refused=judged.refused.filter(~pl.col("sourcedId").is_in(older.implode()))
    )


def _once(found: list[Findings], entity: Entity) -> list[Findings]:
    """Tell a row that hangs on several rejected parents of one of them; a part follows its record without a word."""
    gathered = gather(found)
    follows = pl.col("column") == owner(entity).name if entity.folds_into else pl.lit(value=False)
    told = (pl.col("rule") == "parent_rejected") & (
        follows | ~pl.struct("row", "rule").is_first_distinct()
    )
    return [Findings(gathered.errors.filter(~told), gathered.notices)]


def _bad(found: list[Findings]) -> pl.Series:
    return gather(found).errors["row"].drop_nulls().unique()


def _judged(
    state: _Check, table: Table, gone: pl.DataFrame, errors: pl.DataFrame, extra: int
) -> EntityRecords:
    """Part the accepted rows from those with an error, and name the first cause of each."""
    first = errors.drop_nulls("row").unique("row", keep="first", maintain_order=True)
    cause = (
        pl.when(pl.col("rule") == "parent_rejected")
        .then("value")
        .otherwise(fault(table.file, "row"))
    )
    refused = pl.concat([first.select("sourcedId", cause=cause), _lost(table)])
    named = refused.drop_nulls("sourcedId").unique("sourcedId", keep="first", maintain_order=True)
    nameless = refused.height - refused["sourcedId"].count()
    accepted = _without(table.frame, first["row"])
    # A row that does not fit its header may name a record that another row describes well.
    if named.height:
        named = named.filter(~pl.col("sourcedId").is_in(accepted["sourcedId"].implode()))
    ids = _without(gone, first["row"])["sourcedId"]
    unsure = _unsure(table, errors)
    return EntityRecords(
        table.entity,
        accepted,
        table.mode,
        table.file,
        refused=named,
        gone=ids,
        blurred=unsure.len() > 0
        if table.entity.folds_into
        else nameless > 0 or _blurred(state, table, unsure),
        nameless=nameless,
        merged=extra,
        said=table.said,
        emptied=table.emptied,
        lacking=table.lacking,
        fed={table.entity.name: table.fed} if table.fed else {},
    )


def _without(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col(ROW).is_in(rows.implode())) if rows.len() else frame


def _lost(table: Table) -> pl.DataFrame:
    return table.lost.select("sourcedId", cause=place(table.file))


def _blurred(state: _Check, table: Table, unsure: pl.Series) -> bool:
    """Whether a row that does not fit its header, or has a damaged id, names no record that the ledger knows: then it may be any."""
    ids = pl.concat([table.lost["sourcedId"], unsure])
    return (
        not ids.is_in(in_target(state.known, table.entity.name).implode()).all()
        if ids.len()
        else False
    )


def _unsure(table: Table, errors: pl.DataFrame) -> pl.Series:
    """The ids under which rows were refused that are not theirs for certain: damaged, or made of cells that are.

    Of a part it is not certain to which record it belongs.
    """
    keys = [owner(table.entity).name] if table.entity.folds_into else ["sourcedId", *table.keys]
    return errors.filter(pl.col("rule").is_in(DAMAGED) & pl.col("column").is_in(keys))["sourcedId"]


def _judge_part(state: _Check, part: Entity, judged: EntityRecords) -> EntityRecords:
    """Judge a file that folds into another; its faults reject the records that its rows belong to."""
    whole = state.roster.tables[part.name]
    table = _without_older(state, _without_gone(whole, judged))
    before = len(state.found)
    table = _without_strangers(state, table, judged)
    state.found.append(_taken_away(state, table))
    result = _judge(state, table)
    state.found.append(single_findings(part, result.accepted, table.file))
    if part.name == "roles":
        profiles = (
            state.standing["userProfiles"].accepted if "userProfiles" in state.standing else None
        )
        state.found += role_findings(result.accepted, table.file, state.strict)
        state.found += profile_findings(result.accepted, profiles, table.file, state.strict)
    state.standing[part.name] = result
    errors = gather(state.found[before:]).errors
    _reject_owners(state, result, faulty_owners(result, whole.frame, errors))
    return result


def _taken_away(state: _Check, table: Table) -> Findings:
    """Refuse what a delta takes from a record that the target holds, where what it is does not say which part that was."""
    if table.mode == "bulk" or table.entity.name == ENDING:
        return Findings()
    column = owner(table.entity).name
    held = pl.col(column).is_in(in_target(state.known, table.entity.folds_into or "").implode())
    rows = table.frame.filter(held & pl.col("status").eq_missing(TOBEDELETED))
    return of_rows(
        "part_removed", rows, file=table.file, entity=table.entity.name, column=column, value=column
    )


def _without_gone(table: Table, judged: EntityRecords) -> Table:
    """Leave out the parts of records whose rows say that they are gone."""
    return replace(
        table,
        frame=table.frame.filter(~pl.col(owner(table.entity).name).is_in(judged.gone.implode())),
    )


def _without_older(state: _Check, table: Table) -> Table:
    """Refuse parts that are older than what was accepted of them: that stays, and the record has its other ones."""
    older = outdated(table, state.moments.get(table.entity.name))
    state.found.append(older)
    return replace(table, frame=_without(table.frame, older.errors["row"]))


def _without_strangers(state: _Check, table: Table, judged: EntityRecords) -> Table:
    """Refuse parts whose record is not in the drop; in full snapshots they dangle, and are told so."""
    if table.mode == "bulk" and judged.mode == "bulk":
        return table
    ids = pl.concat([judged.accepted["sourcedId"], judged.refused["sourcedId"]])
    column = owner(table.entity).name
    there = pl.col(column).is_in(ids.implode())
    # A part of a record that was loaded before may end by itself.
    ends = pl.col("status").eq_missing(TOBEDELETED) & pl.lit(table.entity.name == ENDING)
    ends &= pl.col(column).is_in(in_target(state.known, judged.entity.name).implode())
    strangers = table.frame.filter(~there & ~ends.fill_null(value=False))
    state.found.append(
        of_rows(
            "role_without_user",
            strangers,
            file=table.file,
            entity=table.entity.name,
            column=column,
            value=column,
        )
    )
    return replace(table, frame=table.frame.filter(there))


def _reject_owners(state: _Check, part: EntityRecords, owners: pl.DataFrame) -> None:
    """Refuse the records that have a faulty part; records that only a part describes are refused as well."""
    entity = part.entity.folds_into or ""
    judged = state.standing[entity]
    accepted = owners.join(judged.accepted.select("sourcedId"), on="sourcedId", how="semi")
    there = judged.accepted.select(ROW, "sourcedId").join(
        accepted.drop(ROW), on="sourcedId", how="inner", maintain_order="left"
    )
    state.found.append(
        of_rows(
            "part_rejected",
            there,
            file=judged.file,
            entity=entity,
            column=part.entity.name,
            value="cause",
        )
    )
    strangers = owners.join(judged.refused, on="sourcedId", how="anti").join(
        accepted, on="sourcedId", how="anti"
    )
    judged = judged.refuse(accepted)
    refused = pl.concat([judged.refused, strangers.select("sourcedId", "cause")])
    state.standing[entity] = replace(judged, refused=refused)
