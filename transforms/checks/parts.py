"""Parts: rows that belong to a record of another file, such as a user's roles and profiles.

An error in a part rejects the record that it belongs to. A user is never sent without a role
because of a typing error.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

import polars as pl

from transforms.checks.references import in_target, unread_cause
from transforms.findings import ROW, Findings, fault_location, row_findings, row_location
from transforms.payload import PART, owner_column, part_expression, part_property
from transforms.records import ENDED, EntityRecords
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, LIFECYCLE, Entity
from transforms.schemas.vocabularies import TOBEDELETED

# The REST binding does not have these cells of parts, so a new value in them changes nothing.
ANONYMOUS = {
    "roles": ("sourcedId",),
    "lineItemLearningObjectiveIds": ("sourcedId",),
    "resultLearningObjectiveIds": ("sourcedId",),
    "lineItemScoreScales": ("sourcedId", "title"),
    "resultScoreScales": ("sourcedId", "title"),
}
# The parts that can end one by one: their cells identify them among a record's parts.
ROLES = "roles"
IDENTIFYING_CELLS = ("sourcedId", "orgSourcedId", "role", "#of")
# Records that must have at least one part (REST binding: user.roles, at least one), and the rules
# that they break without: in OneRoster's own files, and in layouts without a file of such parts.
NEEDED_PARTS = {"roles": ("role_missing", "role_unknown")}


def fold_parts(
    records: EntityRecords,
    parts: list[EntityRecords],
    roster: Roster,
    known: dict[str, pl.DataFrame],
) -> tuple[EntityRecords, list[Findings]]:
    """Add the records' parts as columns of text, one for each kind of part that the drop has.

    Refuses the records without a part that they need.
    """
    for part in parts:
        records = _fold_kind(records, part, roster.tables[part.entity.name])
    found: list[Findings] = []
    for kind in parts_of(records.entity):
        if kind.name in NEEDED_PARTS:
            records, findings = _refuse_without(records, kind, roster, known)
            found.append(findings)
    return records, found


def _fold_kind(records: EntityRecords, part: EntityRecords, table: Table) -> EntityRecords:
    """Add one kind of part to the records.

    A part has ended if a complete table without damaged rows does not have it, or if its row says
    so.
    """
    complete = (table.mode == "bulk" or table.complete) and not (
        table.lost.height or table.lacking or part.blurred
    )
    name, column = part.entity.name, owner_column(part.entity).name
    omitted = {*LIFECYCLE, *ANONYMOUS.get(name, ()), column}
    cells = [cell.name for cell in part.entity.current if cell.name not in omitted]
    known_by = [cell for cell in IDENTIFYING_CELLS if cell in part.accepted.columns]
    accepted = _with_texts(records.accepted, part.accepted, column, cells, name)
    if name == ROLES and (table.named or "#of" in known_by):
        accepted = _with_texts(accepted, part.accepted, column, known_by, f"#{name}")
    records = replace(records, accepted=accepted, fed={**records.fed, **part.fed})
    if complete:
        return replace(records, said=records.said | {name})
    if name == ROLES:
        records = replace(records, ended=_ended_parts(table.frame, column))
    return replace(records, partial=records.partial | {part_property(part.entity)})


def _with_texts(
    frame: pl.DataFrame, rows: pl.DataFrame, column: str, cells: list[str], name: str
) -> pl.DataFrame:
    """Add the parts of each record as a cell of the column `name`."""
    texts = rows.select(pl.col(column).alias("sourcedId"), part_expression(cells).alias(name))
    # Most records have one part, which need not be grouped.
    several = texts["sourcedId"].is_duplicated()
    joined = texts.filter(several).group_by("sourcedId").agg(pl.col(name).sort().str.join(PART))
    texts = pl.concat([texts.filter(~several), joined])
    return frame.join(texts, on="sourcedId", how="left", maintain_order="left")


def _ended_parts(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    gone = rows.filter(pl.col("status").eq_missing(TOBEDELETED))
    return gone.select(
        pl.col(column).alias("sourcedId"), "orgSourcedId", "role", part="sourcedId"
    ).select(*ENDED)


def _refuse_without(
    records: EntityRecords, part: Entity, roster: Roster, known: dict[str, pl.DataFrame]
) -> tuple[EntityRecords, Findings]:
    """Refuse records without a part that they need.

    If the drop has no full snapshot of the parts, records that the target has are not refused: they
    may have parts there.
    """
    name, rule = part.name, rule_without(part.name, records)
    without = records.accepted
    if name in without.columns:
        without = without.filter(pl.col(name).is_null())
    table = roster.tables.get(name)
    if table is None or table.mode != "bulk" or table.lacking:
        without = without.filter(
            ~pl.col("sourcedId").is_in(in_target(known, records.entity.name).implode())
        )
    own = pl.concat_str(row_location(records.file), pl.lit(f": {rule}"))
    unread = unread_cause(roster, name)
    causes = without.select(ROW, "sourcedId", cause=pl.lit(unread) if unread else own)
    found = row_findings(
        "part_rejected" if unread else rule,
        causes,
        file=records.file,
        entity=records.entity.name,
        column=name,
        value="cause" if unread else None,
    )
    return records.refuse(causes.drop(ROW)), found


def rule_without(part: str, records: EntityRecords) -> str:
    """Return the rule of records without a part that they need.

    A layout without a file of such parts finds them elsewhere.
    """
    sources = {name.partition(":")[0] for names in records.fed.values() for name in names}
    has_file = not sources or any(PurePath(name).stem.casefold() == part for name in sources)
    return NEEDED_PARTS[part][not has_file]


def owners_with_errors(
    part: EntityRecords, frame: pl.DataFrame, errors: pl.DataFrame
) -> pl.DataFrame:
    """Return the records (`sourcedId`, `#row`, `cause`) with an error in a part of `frame`."""
    column = owner_column(part.entity).name
    first = errors.drop_nulls("row").unique("row", keep="first", maintain_order=True)
    rows = frame.select(ROW, sourcedId=column).join(
        first.drop("sourcedId"), left_on=ROW, right_on="row", how="inner"
    )
    return (
        rows.drop_nulls("sourcedId")
        .select(
            "sourcedId",
            ROW,
            cause=pl.when(pl.col("rule") == "parent_rejected")
            .then("value")
            .otherwise(fault_location(part.file)),
        )
        .unique("sourcedId", keep="first", maintain_order=True)
    )


def parts_of(entity: Entity) -> list[Entity]:
    """Return the entities that fold into this one, in the order of checking."""
    return [part for part in ENTITIES.values() if part.folds_into == entity.name]


def single_findings(part: Entity, rows: pl.DataFrame, file: str) -> Findings:
    """Refuse all parts of a record but the first, if it has room for one only."""
    if not part.single:
        return Findings()
    column = owner_column(part).name
    further = rows.filter(~pl.col(column).is_first_distinct())
    return row_findings(
        "second_part", further, file=file, entity=part.name, column=column, value=column
    )


def role_findings(roles: pl.DataFrame, file: str, strict: bool) -> list[Findings]:
    """Check that a user has exactly one primary role in each organization (REST, User.roles)."""
    places = roles.with_columns(
        primaries=(pl.col("roleType") == "primary").sum().over("userSourcedId", "orgSourcedId"),
    )
    several = places.filter((pl.col("primaries") > 1) & (pl.col("roleType") == "primary"))
    none = places.filter(pl.col("primaries") == 0)
    return [
        row_findings(
            rule,
            rows,
            file=file,
            entity="roles",
            column="roleType",
            value="roleType",
            strict=strict,
        )
        for rule, rows in (("two_primary_roles", several), ("no_primary_role", none))
    ]


def profile_findings(
    roles: pl.DataFrame, profiles: pl.DataFrame | None, file: str, strict: bool
) -> list[Findings]:
    """Check that a role's profile belongs to the role's user."""
    if profiles is None:
        return []
    owners = profiles.select(userProfileSourcedId="sourcedId", profileOwner="userSourcedId").unique(
        "userProfileSourcedId"
    )
    rows = roles.drop_nulls("userProfileSourcedId").join(
        owners, on="userProfileSourcedId", how="inner", maintain_order="left"
    )
    rows = rows.filter(pl.col("profileOwner") != pl.col("userSourcedId"))
    return [
        row_findings(
            "profile_of_another",
            rows,
            file=file,
            entity="roles",
            column="userProfileSourcedId",
            value="userProfileSourcedId",
            strict=strict,
        )
    ]
