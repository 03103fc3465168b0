"""Check a roster against the standard: entity by entity, parents first, every error of every row.

A record is accepted or refused. Some checks also change records, for instance by removing a
dangling optional reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import ACTIVE
from transforms.checks.cells import check_table
from transforms.checks.classes import reconcile_classes
from transforms.checks.parts import (
    NEEDED_PARTS,
    ROLES,
    fold_parts,
    owners_with_errors,
    parts_of,
    profile_findings,
    role_findings,
    single_findings,
)
from transforms.checks.plausibility import shared_values, suggest_ids
from transforms.checks.references import (
    LedgerFrames,
    OtherFeedsIds,
    break_cycles,
    in_target,
    resolve_references,
    unread_cause,
)
from transforms.findings import (
    ROW,
    Findings,
    fault_location,
    file_finding,
    merge_findings,
    row_findings,
    row_location,
)
from transforms.moments import Timestamps, outdated_rows
from transforms.payload import owner_column
from transforms.records import EntityRecords, RosterState, without_references
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.vocabularies import TOBEDELETED

# The rules that a damaged id breaks, or a damaged cell that an id is made of.
DAMAGED = ("guid", "no_id", "required")


@dataclass(frozen=True)
class Checked:
    """A roster after the check."""

    standing: RosterState
    findings: Findings = field(default_factory=Findings)  # also of reading and normalizing
    # The rows that fold into the records, by file, as they were in the drop.
    parts: RosterState = field(default_factory=dict)


@dataclass
class _Check:
    """A check in progress."""

    roster: Roster
    known: LedgerFrames
    strict: bool
    elsewhere: OtherFeedsIds
    moments: Timestamps
    standing: RosterState = field(default_factory=dict)  # the entities checked so far
    found: list[Findings] = field(default_factory=list)
    older: dict[str, Findings] = field(default_factory=dict)  # outdated rows, by entity


def check(
    roster: Roster,
    known: LedgerFrames,
    strict: bool = False,
    elsewhere: OtherFeedsIds | None = None,
    moments: Timestamps | None = None,
) -> Checked:
    """Check every record of a drop.

    `known` are the ledger's frames (`sourcedId`, `fingerprint`, `status`), by entity. `elsewhere`
    are the ids of other feeds' records that this feed's records may refer to. `moments` are the
    timestamps of the newest accepted delta rows.
    """
    state = _Check(
        roster,
        known,
        strict,
        elsewhere or {},
        moments or {},
        found=[roster.findings, *_unexpectedly_empty(roster, known)],
    )
    for entity in ENTITIES.values():
        names = [entity.name, *(part.name for part in parts_of(entity))]
        if not entity.folds_into and any(name in roster.tables for name in names):
            _check_entity(state, entity)
    parts = {name: one for name, one in state.standing.items() if one.entity.folds_into}
    standing = {name: one for name, one in state.standing.items() if name not in parts}
    standing, class_findings = reconcile_classes(standing, roster)
    plausibility = [*shared_values(standing), *suggest_ids(state.found, roster)]
    return Checked(standing, merge_findings([*state.found, *class_findings, *plausibility]), parts)


def _unexpectedly_empty(roster: Roster, known: LedgerFrames) -> list[Findings]:
    """Refuse files without rows whose records were loaded before, until a person confirms it."""
    found = []
    for name, table in roster.tables.items():
        # The ledger does not have parts. A loaded record must have had the parts that it needs.
        in_ledger = (table.entity.folds_into or name) if name in NEEDED_PARTS else name
        loaded = known.get(in_ledger)
        if table.frame.height or table.lost.height or loaded is None:
            continue
        if loaded["status"].eq(ACTIVE).any():
            found.append(file_finding("emptied", table.file, entity=name))
    return found


def _check_entity(state: _Check, entity: Entity) -> None:
    """Check an entity, then the files that fold into it, and fold them."""
    table = state.roster.tables.get(entity.name) or _empty_table(entity)
    records = _check_table(state, table)
    state.standing[entity.name] = records
    parts = [
        _check_part(state, part, records)
        for part in parts_of(entity)
        if part.name in state.roster.tables
    ]
    records = state.standing[entity.name]  # errors in parts have refused records
    records, findings = fold_parts(records, parts, state.roster, state.known)
    state.found += findings
    if parts_of(entity):
        records = _without_refused_peers(state, records)
    state.standing[entity.name] = records


def _without_refused_peers(state: _Check, records: EntityRecords) -> EntityRecords:
    """Remove references to records of the same entity that were refused because of their parts.

    An example is the reference to an agent without a role.
    """
    name = records.entity.name
    lost = records.refused.filter(
        ~pl.col("sourcedId").is_in(in_target(state.known, name).implode())
    )
    left = without_references(records, {name: lost["sourcedId"]})
    for column in (one.name for one in records.entity.references if one.refers == name):
        changed = records.accepted[column].ne_missing(left.accepted[column])
        state.found.append(
            row_findings(
                "reference_left_out",
                records.accepted.filter(changed),
                file=records.file,
                entity=name,
                column=column,
                value=column,
            )
        )
    return left


def _empty_table(entity: Entity) -> Table:
    columns = [column.name for column in entity.columns if column.versions]
    return Table(
        entity,
        pl.DataFrame(schema={ROW: pl.UInt32} | dict.fromkeys(columns, pl.String)),
        entity.file,
        "unknown",
    )


def _check_table(state: _Check, table: Table) -> EntityRecords:
    """Check the rows of one file: each by itself, and its references."""
    table, extra, found = check_table(table, state.strict, state.roster.today)
    if not table.entity.folds_into:
        state.older[table.entity.name] = outdated_rows(table, state.moments.get(table.entity.name))
    gone = table.frame.filter(pl.col("status") == TOBEDELETED)
    if gone.height:
        table = replace(table, frame=table.frame.filter(pl.col("status").ne_missing(TOBEDELETED)))
    table, cycles = break_cycles(table, state.known.get(table.entity.name), state.strict)
    found += cycles
    standing = {name: _as_parents(state, records) for name, records in state.standing.items()}
    refused_rows = merge_findings(found).errors["row"].drop_nulls().unique()
    followed = resolve_references(
        table,
        state.roster,
        standing,
        state.known,
        state.elsewhere,
        refused_rows,
        gone["sourcedId"],
        state.strict,
    )
    found += [
        _one_parent_each(merge_findings(followed.findings), table.entity),
        state.older.get(table.entity.name, Findings()),
    ]
    found = [_without_inferred_schools(merge_findings(found), table)]
    state.found += found
    return _split(state, followed.table, gone, merge_findings(found).errors, extra)


def _as_parents(state: _Check, records: EntityRecords) -> EntityRecords:
    """Let other records refer to those whose row is outdated: a newer row was accepted before."""
    older = state.older.get(records.entity.name, Findings()).errors["sourcedId"]
    if not older.len():
        return records
    return replace(
        records, refused=records.refused.filter(~pl.col("sourcedId").is_in(older.implode()))
    )


def _one_parent_each(findings: Findings, entity: Entity) -> Findings:
    """Report one rejected parent for each row; none for a part that is rejected with its record."""
    follows = (
        pl.col("column") == owner_column(entity).name if entity.folds_into else pl.lit(value=False)
    )
    repeated = (pl.col("rule") == "parent_rejected") & (
        follows | ~pl.struct("row", "rule").is_first_distinct()
    )
    return Findings(findings.errors.filter(~repeated), findings.notices)


def _without_inferred_schools(findings: Findings, table: Table) -> Findings:
    """Leave out the missing schools of rows whose class is at fault, if the class has the school.

    No file has such a school, so nobody can fill it in.
    """
    column = "schoolSourcedId"
    if column in table.said - table.inferred:
        return findings
    errors = findings.errors
    at_fault = errors.filter(pl.col("column") == "classSourcedId")["row"]
    follows = (
        (pl.col("column") == column)
        & (pl.col("rule") == "required")
        & pl.col("row").is_in(at_fault.implode())
    )
    return Findings(errors.filter(~follows.fill_null(value=False)), findings.notices)


def _split(
    state: _Check, table: Table, gone: pl.DataFrame, errors: pl.DataFrame, extra: int
) -> EntityRecords:
    """Separate the accepted rows from those with an error, and name the first cause of each error.

    `gone` are the rows that say `tobedeleted`; `extra` is the number of exact duplicates.
    """
    first = errors.drop_nulls("row").unique("row", keep="first", maintain_order=True)
    cause = (
        pl.when(pl.col("rule") == "parent_rejected")
        .then("value")
        .otherwise(fault_location(table.file, "row"))
    )
    lost = table.lost.select("sourcedId", cause=row_location(table.file))
    refused = pl.concat([first.select("sourcedId", cause=cause), lost])
    with_id = refused.drop_nulls("sourcedId").unique("sourcedId", keep="first", maintain_order=True)
    without_id = refused.height - refused["sourcedId"].count()
    accepted = _without(table.frame, first["row"])
    # A row that does not fit its header may name a record that another row describes correctly.
    if with_id.height:
        with_id = with_id.filter(~pl.col("sourcedId").is_in(accepted["sourcedId"].implode()))
    uncertain = _uncertain_ids(table, errors)
    if table.entity.folds_into:
        blurred = uncertain.len() > 0
    else:
        blurred = without_id > 0 or _may_be_any_record(state, table, uncertain)
    return EntityRecords(
        table.entity,
        accepted,
        table.mode,
        table.file,
        refused=with_id,
        gone=_without(gone, first["row"])["sourcedId"],
        blurred=blurred,
        nameless=without_id,
        merged=extra,
        said=table.said,
        emptied=table.emptied,
        lacking=table.lacking,
        fed={table.entity.name: table.fed} if table.fed else {},
    )


def _without(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return frame.filter(~pl.col(ROW).is_in(rows.implode())) if rows.len() else frame


def _may_be_any_record(state: _Check, table: Table, uncertain: pl.Series) -> bool:
    """Tell whether an uncertain id is not in the target, so that its row may describe any record.

    The ids of rows that do not fit their header are uncertain too.
    """
    ids = pl.concat([table.lost["sourcedId"], uncertain])
    if not ids.len():
        return False
    return not ids.is_in(in_target(state.known, table.entity.name).implode()).all()


def _uncertain_ids(table: Table, errors: pl.DataFrame) -> pl.Series:
    """Return the ids of refused rows whose id is damaged, or made of damaged cells.

    For a part, these are the ids of parts whose record is uncertain.
    """
    keys = (
        [owner_column(table.entity).name] if table.entity.folds_into else ["sourcedId", *table.keys]
    )
    return errors.filter(pl.col("rule").is_in(DAMAGED) & pl.col("column").is_in(keys))["sourcedId"]


def _check_part(state: _Check, part: Entity, records: EntityRecords) -> EntityRecords:
    """Check a file that folds into another; an error in a row rejects the record it belongs to."""
    whole = state.roster.tables[part.name]
    of_deleted = pl.col(owner_column(part).name).is_in(records.gone.implode())
    table = replace(whole, frame=whole.frame.filter(~of_deleted))
    # An outdated part changes nothing: the newer one stays, and the record keeps its other parts.
    older = outdated_rows(table, state.moments.get(part.name))
    state.found.append(older)
    table = replace(table, frame=_without(table.frame, older.errors["row"]))
    before = len(state.found)
    table = _without_strangers(state, table, records)
    state.found.append(_unclear_removals(state, table))
    result = _check_table(state, table)
    state.found.append(single_findings(part, result.accepted, table.file))
    if part.name == "roles":
        profiles = (
            state.standing["userProfiles"].accepted if "userProfiles" in state.standing else None
        )
        state.found += role_findings(result.accepted, table.file, state.strict)
        state.found += profile_findings(result.accepted, profiles, table.file, state.strict)
    state.standing[part.name] = result
    errors = merge_findings(state.found[before:]).errors
    _reject_owners(state, result, owners_with_errors(result, whole.frame, errors))
    return result


def _without_strangers(state: _Check, table: Table, records: EntityRecords) -> Table:
    """Refuse parts whose record is not in the drop.

    In full snapshots, these are dangling references, and are reported as such.
    """
    if table.mode == "bulk" and records.mode == "bulk":
        return table
    ids = pl.concat([records.accepted["sourcedId"], records.refused["sourcedId"]])
    column = owner_column(table.entity).name
    there = pl.col(column).is_in(ids.implode())
    # A part of a record in the target may end without the record.
    ends = pl.col("status").eq_missing(TOBEDELETED) & pl.lit(table.entity.name == ROLES)
    ends &= pl.col(column).is_in(in_target(state.known, records.entity.name).implode())
    strangers = table.frame.filter(~there & ~ends.fill_null(value=False))
    unread = unread_cause(state.roster, records.entity.name)
    state.found.append(
        row_findings(
            "parent_rejected" if unread else "role_without_user",
            strangers.with_columns(pl.lit(unread).alias("#cause")),
            file=table.file,
            entity=table.entity.name,
            column=column,
            value="#cause" if unread else column,
        )
    )
    return replace(table, frame=table.frame.filter(there))


def _unclear_removals(state: _Check, table: Table) -> Findings:
    """Refuse a delta's removals of parts that cannot be found in the target's record."""
    if table.mode == "bulk" or table.entity.name == ROLES:
        return Findings()
    column = owner_column(table.entity).name
    loaded = pl.col(column).is_in(in_target(state.known, table.entity.folds_into or "").implode())
    rows = table.frame.filter(loaded & pl.col("status").eq_missing(TOBEDELETED))
    return row_findings(
        "part_removed", rows, file=table.file, entity=table.entity.name, column=column, value=column
    )


def _reject_owners(state: _Check, part: EntityRecords, owners: pl.DataFrame) -> None:
    """Refuse the records with an error in a part, including those that only the part mentions."""
    entity = part.entity.folds_into or ""
    records = state.standing[entity]
    accepted = owners.join(records.accepted.select("sourcedId"), on="sourcedId", how="semi")
    there = records.accepted.select(ROW, "sourcedId").join(
        accepted.drop(ROW), on="sourcedId", how="inner", maintain_order="left"
    )
    state.found.append(
        row_findings(
            "part_rejected",
            there,
            file=records.file,
            entity=entity,
            column=part.entity.name,
            value="cause",
        )
    )
    strangers = owners.join(records.refused, on="sourcedId", how="anti").join(
        accepted, on="sourcedId", how="anti"
    )
    records = records.refuse(accepted)
    refused = pl.concat([records.refused, strangers.select("sourcedId", "cause")])
    state.standing[entity] = replace(records, refused=refused)
