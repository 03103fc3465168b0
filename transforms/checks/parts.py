"""Rows that are parts of another record: roles and profiles of users, links of the gradebook.

A part is not a record of its own: a fault in it rejects the record that it belongs to, so that a
user is never sent with a role missing for a typing error.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.checks.references import in_target
from transforms.findings import ROW, Findings, fault, of_rows, place
from transforms.payload import PART, folded_text, owner, part_property
from transforms.records import ENDED, EntityRecords
from transforms.roster import Roster, Table
from transforms.schemas import ENTITIES, LIFECYCLE, Entity
from transforms.schemas.vocabularies import TOBEDELETED

# The REST binding has no place for these cells of parts, so that a new one changes nothing.
ANONYMOUS = {
    "roles": ("sourcedId",),
    "lineItemLearningObjectiveIds": ("sourcedId",),
    "resultLearningObjectiveIds": ("sourcedId",),
    "lineItemScoreScales": ("sourcedId", "title"),
    "resultScoreScales": ("sourcedId", "title"),
}
# Parts that can end one by one: what they are says which of a record's they are.
ENDING = "roles"
KNOWN_BY = ("sourcedId", "orgSourcedId", "role", "#of")
# Records that must have at least one part (REST binding: user.roles, at least one).
NEEDED_PARTS = {"roles": "role_missing"}


def folded(
    judged: EntityRecords,
    parts: list[EntityRecords],
    roster: Roster,
    known: dict[str, pl.DataFrame],
) -> tuple[EntityRecords, list[Findings]]:
    """Give the records with their parts as columns of text, one for each kind of part that the drop has."""
    for part in parts:
        table = roster.tables[part.entity.name]
        judged = _one_kind(judged, part, table, _is_whole(table) and not part.blurred)
    found: list[Findings] = []
    for kind in parts_of(judged.entity):
        if kind.name in NEEDED_PARTS:
            judged, told = _missing(judged, kind, roster, known)
            found.append(told)
    return judged, found


def _is_whole(table: Table) -> bool:
    """Whether it holds all parts of their kind, so that one that is not there is gone."""
    return (table.mode == "bulk" or table.complete) and not table.lost.height and not table.lacking


def _one_kind(
    judged: EntityRecords, part: EntityRecords, table: Table, whole: bool
) -> EntityRecords:
    """Fold one kind of part; only a sound and `whole` snapshot of them, or a row that says so, says that a part is gone."""
    name, column = part.entity.name, owner(part.entity).name
    apart = {*LIFECYCLE, *ANONYMOUS.get(name, ()), column}
    cells = [cell.name for cell in part.entity.current if cell.name not in apart]
    known_by = [cell for cell in KNOWN_BY if cell in part.accepted.columns]
    accepted = _with_texts(judged.accepted, part.accepted, column, cells, name)
    if name == ENDING and (table.named or "#of" in known_by):
        accepted = _with_texts(accepted, part.accepted, column, known_by, f"#{name}")
    judged = replace(judged, accepted=accepted, fed={**judged.fed, **part.fed})
    if name == ENDING and not whole:
        judged = replace(judged, ended=_ended(table.frame, column))
    if whole:
        return replace(judged, said=judged.said | {name})
    return replace(judged, partial=judged.partial | {part_property(part.entity)})


def _with_texts(
    records: pl.DataFrame, rows: pl.DataFrame, column: str, cells: list[str], name: str
) -> pl.DataFrame:
    texts = rows.select(pl.col(column).alias("sourcedId"), folded_text(cells).alias(name))
    several = texts["sourcedId"].is_duplicated()
    joined = texts.filter(several).group_by("sourcedId").agg(pl.col(name).sort().str.join(PART))
    texts = pl.concat([texts.filter(~several), joined])
    return records.join(texts, on="sourcedId", how="left", maintain_order="left")


def _ended(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    gone = rows.filter(pl.col("status").eq_missing(TOBEDELETED))
    return gone.select(
        pl.col(column).alias("sourcedId"), "orgSourcedId", "role", part="sourcedId"
    ).select(*ENDED)


def _missing(
    judged: EntityRecords, part: Entity, roster: Roster, known: dict[str, pl.DataFrame]
) -> tuple[EntityRecords, Findings]:
    """Refuse records without a part; one that the target holds may lack it, if the drop has no snapshot of parts."""
    name, rule = part.name, NEEDED_PARTS[part.name]
    lacking = judged.accepted
    if name in lacking.columns:
        lacking = lacking.filter(pl.col(name).is_null())
    if not (
        name in roster.tables
        and roster.tables[name].mode == "bulk"
        and not roster.tables[name].lacking
    ):
        lacking = lacking.filter(
            ~pl.col("sourcedId").is_in(in_target(known, judged.entity.name).implode())
        )
    found = of_rows(rule, lacking, file=judged.file, entity=judged.entity.name, column=name)
    causes = lacking.select(
        "sourcedId", cause=pl.concat_str(place(judged.file), pl.lit(f": {rule}"))
    )
    return judged.refuse(causes), found


def faulty_owners(part: EntityRecords, frame: pl.DataFrame, errors: pl.DataFrame) -> pl.DataFrame:
    """The records (`sourcedId`, `cause`) that have a part with an error; `frame` are the part's rows."""
    column = owner(part.entity).name
    first = errors.drop_nulls("row").unique("row", keep="first", maintain_order=True)
    rows = frame.select(ROW, sourcedId=column).join(
        first.drop("sourcedId"), left_on=ROW, right_on="row", how="inner"
    )
    return (
        rows.drop_nulls("sourcedId")
        .select("sourcedId", ROW, cause=fault(part.file))
        .unique("sourcedId", keep="first", maintain_order=True)
    )


def parts_of(entity: Entity) -> list[Entity]:
    """The entities that fold into this one, in order of checking."""
    return [part for part in ENTITIES.values() if part.folds_into == entity.name]


def single_findings(part: Entity, rows: pl.DataFrame, file: str) -> Findings:
    """Refuse further parts of a record that has room for one."""
    if not part.single:
        return Findings()
    column = owner(part).name
    further = rows.filter(~pl.col(column).is_first_distinct())
    return of_rows("second_part", further, file=file, entity=part.name, column=column, value=column)


def role_findings(roles: pl.DataFrame, file: str, strict: bool) -> list[Findings]:
    """Check that a user has one primary role, and only one, in each organisation (REST binding, User.roles)."""
    places = roles.with_columns(
        primaries=(pl.col("roleType") == "primary").sum().over("userSourcedId", "orgSourcedId"),
    )
    told = {
        "file": file,
        "entity": "roles",
        "column": "roleType",
        "value": "roleType",
        "strict": strict,
    }
    several = places.filter((pl.col("primaries") > 1) & (pl.col("roleType") == "primary"))
    none = places.filter(pl.col("primaries") == 0)
    return [of_rows("two_primary_roles", several, **told), of_rows("no_primary_role", none, **told)]  # type: ignore[arg-type]


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
        of_rows(
            "profile_of_another",
            rows,
            file=file,
            entity="roles",
            column="userProfileSourcedId",
            value="userProfileSourcedId",
            strict=strict,
        )
    ]
