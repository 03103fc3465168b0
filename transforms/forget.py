"""Forgotten people: withhold them and all records that need them.

Only digests of their ids are stored.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import polars as pl
import polars_hash  # noqa: F401 (registers the namespace chash)

from transforms.findings import ROW, Findings
from transforms.records import EntityRecords, RosterState, without_references
from transforms.roster import Roster
from transforms.schemas import ENTITIES, Column, Entity

CAUSE = "forgotten"
PEOPLE = "users"
Frames = Mapping[str, pl.DataFrame]
ROWS: dict[str, type[pl.DataType]] = {ROW: pl.UInt32, "sourcedId": pl.String}


def id_digest(sourced_id: str) -> str:
    """Return the SHA-256 of an id in UTF-8, as 64 hex digits."""
    return hashlib.sha256(sourced_id.encode()).hexdigest()


def forgotten_rows_of_drop(roster: Roster, digests: frozenset[str]) -> Frames:
    """Find the rows of forgotten people in a drop, as `forgotten` does; include misfit rows."""
    if not digests:
        return {}
    tables = roster.tables.items()
    return rows_of_forgotten(
        {name: pl.concat([table.frame, table.lost], how="diagonal") for name, table in tables},
        digests,
    )


def rows_of_forgotten(frames: Frames, digests: frozenset[str]) -> Frames:
    """Return the rows of people whose ids have these digests, and the rows that need them.

    The result has the columns `#row` and `sourcedId`, by entity. `users` has every such id that
    occurs anywhere; its `#row` is null if the frames have no row of that person.
    """
    if not digests:
        return {}
    # mypy does not know the plugin's namespace.
    digest: pl.Expr = pl.col("sourcedId").chash.sha2_256()  # type: ignore[attr-defined]
    people = _mentioned_people(frames).to_frame().filter(digest.is_in(list(digests)))
    return _rows_needing(frames, people["sourcedId"]) if people.height else {}


def withhold_forgotten(standing: RosterState, digests: frozenset[str]) -> RosterState:
    """Withhold forgotten people from a roster."""
    return withhold_rows(
        standing,
        rows_of_forgotten({name: records.accepted for name, records in standing.items()}, digests),
    )


def withhold_rows(standing: RosterState, found: Frames) -> RosterState:
    """Withhold the `found` records, accepted or refused, and remove the references to people."""
    if not found:
        return standing
    return {name: _withhold(records, found) for name, records in standing.items()}


def without_their_errors(findings: Findings, found: Frames) -> Findings:
    """Remove the errors of the `found` rows, since errors contain values of these people."""
    errors = findings.errors
    for name, rows in found.items():
        mine = pl.col("row").is_in(rows[ROW].drop_nulls().implode()) | pl.col("sourcedId").is_in(
            rows["sourcedId"].drop_nulls().implode()
        )
        errors = errors.filter(~((pl.col("entity") == name) & mine.fill_null(value=False)))
    return replace(findings, errors=errors)


def without_forgotten_ids(records: EntityRecords) -> EntityRecords:
    """Remove the ids that were withheld as forgotten, so that they are not stored."""
    return replace(records, withheld=records.withheld.filter(pl.col("cause") != CAUSE))


def erase_people(records: EntityRecords, ids: pl.Series, people: pl.Series) -> EntityRecords:
    """Erase people from one entity's records: their rows, rows that need them, references to them.

    `ids` are the refused and withheld records of this entity that are theirs. Returns the same
    object if it has nothing of these people.
    """
    accepted = records.accepted.filter(~_belongs_to(records.entity, records.accepted, people))
    left = without_references(replace(records, accepted=accepted), {PEOPLE: people})
    left = replace(left, refused=_without(left.refused, ids), withheld=_without(left.withheld, ids))
    same = all(
        getattr(left, name).equals(getattr(records, name))
        for name in ("accepted", "refused", "withheld")
    )
    return records if same else left


def users_naming(users: pl.DataFrame, people: pl.Series) -> pl.Series:
    """Return the other users whose records name one of these people."""
    names_them = _names(ENTITIES[PEOPLE], users, people, needed=False)
    return users.filter(names_them & ~pl.col("sourcedId").is_in(people.implode()))["sourcedId"]


def ids_belonging_to(records: EntityRecords, people: pl.Series) -> pl.Series:
    """Return the ids of the accepted records that belong to these people."""
    belongs = _belongs_to(records.entity, records.accepted, people)
    return records.accepted.filter(belongs)["sourcedId"]


def _rows_needing(frames: Frames, people: pl.Series) -> Frames:
    found = {PEOPLE: _rows_of(frames.get(PEOPLE), people)}
    for name, entity in ENTITIES.items():
        if name in frames and name != PEOPLE:
            rows = frames[name].filter(_needs(entity, frames[name], found)).select(ROW, "sourcedId")
            if rows.height:
                found[name] = rows
    return found


def _belongs_to(entity: Entity, frame: pl.DataFrame, people: pl.Series) -> pl.Expr:
    mine = (
        pl.col("sourcedId").is_in(people.implode())
        if entity.name == PEOPLE
        else pl.lit(value=False)
    )
    return mine | _names(entity, frame, people, needed=True)


def _names(entity: Entity, frame: pl.DataFrame, people: pl.Series, *, needed: bool) -> pl.Expr:
    """Tell whether a record names one of these people, in a reference that it needs or another."""
    columns = [
        column for column in _references(entity, frame, PEOPLE) if entity.needs(column) is needed
    ]
    return pl.any_horizontal(
        pl.lit(value=False), *(_contains(column, people) for column in columns)
    )


def _contains(column: Column, ids: pl.Series) -> pl.Expr:
    cell = pl.col(column.name)
    if column.is_list:
        return (
            cell.str.split(",")
            .list.eval(pl.element().is_in(ids.implode()))
            .list.any()
            .fill_null(value=False)
        )
    return cell.is_in(ids.implode()).fill_null(value=False)


def _references(entity: Entity, frame: pl.DataFrame, to: str) -> list[Column]:
    return [
        column
        for column in entity.references
        if column.refers == to and column.name in frame.columns
    ]


def _needs(entity: Entity, frame: pl.DataFrame, found: Frames) -> pl.Expr:
    """Tell whether a row needs one of the `found` records."""
    needs = [
        _contains(column, rows["sourcedId"].drop_nulls())
        for name, rows in found.items()
        for column in _references(entity, frame, name)
        if entity.needs(column)
    ]
    return pl.any_horizontal(pl.lit(value=False), *needs)


def _mentioned_people(frames: Frames) -> pl.Series:
    """Return every person's id that occurs anywhere, each once."""
    found = [pl.Series("sourcedId", [], dtype=pl.String)]
    for name, frame in frames.items():
        if name == PEOPLE:
            found.append(frame["sourcedId"])
        for column in _references(ENTITIES[name], frame, PEOPLE):
            cells = frame[column.name].drop_nulls().unique()
            found.append(
                (cells.str.split(",").explode() if column.is_list else cells).alias("sourcedId")
            )
    return pl.concat(found).drop_nulls().unique()


def _rows_of(users: pl.DataFrame | None, people: pl.Series) -> pl.DataFrame:
    named = people.alias("sourcedId").to_frame()
    rows = (
        pl.DataFrame(schema=ROWS)
        if users is None
        else users.select(pl.col(ROW).cast(pl.UInt32), "sourcedId")
    )
    return named.join(rows, on="sourcedId", how="left").select(*ROWS)


def _withhold(records: EntityRecords, found: Frames) -> EntityRecords:
    rows = found.get(records.entity.name, pl.DataFrame(schema=ROWS))
    ids = (
        rows.drop_nulls("sourcedId")
        .select("sourcedId", cause=pl.lit(CAUSE))
        .unique("sourcedId", maintain_order=True)
    )
    accepted = ids.join(
        records.accepted.select("sourcedId"), on="sourcedId", how="semi", maintain_order="left"
    )
    refused = ids.join(records.refused, on="sourcedId", how="semi", maintain_order="left")
    records = records.withhold(accepted)
    if refused.height:
        records = replace(
            records,
            refused=_without(records.refused, refused["sourcedId"]),
            withheld=pl.concat([records.withheld, refused]),
        )
    return without_references(records, {PEOPLE: found[PEOPLE]["sourcedId"]})


def _without(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return rows.filter(~pl.col("sourcedId").is_in(ids.implode()))
