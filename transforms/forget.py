"""Who is forgotten: known by the digest of an id alone, and withheld with all that needs that person."""

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


def digest_of(sourced_id: str) -> str:
    """The SHA-256 of an id in UTF-8, as 64 hex digits."""
    return hashlib.sha256(sourced_id.encode()).hexdigest()


def forgotten_in(roster: Roster, digests: frozenset[str]) -> Frames:
    """As `forgotten`, of every row of a drop, those too that do not fit their header."""
    if not digests:
        return {}
    tables = roster.tables.items()
    return forgotten(
        {name: pl.concat([table.frame, table.lost], how="diagonal") for name, table in tables},
        digests,
    )


def forgotten(frames: Frames, digests: frozenset[str]) -> Frames:
    """The rows (`#row`, `sourcedId`), entity by entity, of people whose ids have these digests, and all that need them.

    `users` has every such id that is named anywhere, its `#row` null where the frames have no row of that person.
    """
    if not digests:
        return {}
    # A plugin, which mypy cannot see.
    digest: pl.Expr = pl.col("sourcedId").chash.sha2_256()  # type: ignore[attr-defined]
    people = _named(frames).to_frame().filter(digest.is_in(list(digests)))
    return _of_people(frames, people["sourcedId"]) if people.height else {}


def without_forgotten(standing: RosterState, digests: frozenset[str]) -> RosterState:
    """Withhold from a roster whoever is forgotten."""
    return left_out(
        standing, forgotten({name: records.accepted for name, records in standing.items()}, digests)
    )


def left_out(standing: RosterState, found: Frames) -> RosterState:
    """Withhold the records that were found, accepted or refused; leave out the references to these people."""
    return (
        {name: _left_out(records, found) for name, records in standing.items()}
        if found
        else standing
    )


def untold(findings: Findings, found: Frames) -> Findings:
    """Leave out the errors of the rows that were found: values of these people stand in them."""
    errors = findings.errors
    for name, rows in found.items():
        mine = pl.col("row").is_in(rows[ROW].drop_nulls().implode()) | pl.col("sourcedId").is_in(
            rows["sourcedId"].drop_nulls().implode()
        )
        errors = errors.filter(~((pl.col("entity") == name) & mine.fill_null(value=False)))
    return replace(findings, errors=errors)


def nameless(records: EntityRecords) -> EntityRecords:
    """Let go of the ids that were withheld as forgotten: nobody is to keep them."""
    return replace(records, withheld=records.withheld.filter(pl.col("cause") != CAUSE))


def erased(records: EntityRecords, ids: pl.Series, people: pl.Series) -> EntityRecords:
    """Take people out of a roster's records of one entity: their rows, what needs them, the references to them.

    `ids` are those of this entity by which what was refused or withheld is theirs. Gives the same object if
    nothing of them is in it.
    """
    accepted = records.accepted.filter(~_is_of(records.entity, records.accepted, people))
    left = without_references(replace(records, accepted=accepted), {PEOPLE: people})
    left = replace(left, refused=_without(left.refused, ids), withheld=_without(left.withheld, ids))
    same = all(
        getattr(left, name).equals(getattr(records, name))
        for name in ("accepted", "refused", "withheld")
    )
    return records if same else left


def friends(users: pl.DataFrame, people: pl.Series) -> pl.Series:
    """The other users whose records name one of these people."""
    named = _names(ENTITIES[PEOPLE], users, people, needed=False) & ~pl.col("sourcedId").is_in(
        people.implode()
    )
    return users.filter(named)["sourcedId"]


def is_of(records: EntityRecords, people: pl.Series) -> pl.Series:
    """The ids of the accepted records that are of these people."""
    return records.accepted.filter(_is_of(records.entity, records.accepted, people))["sourcedId"]


def _of_people(frames: Frames, people: pl.Series) -> Frames:
    found = {PEOPLE: _rows_of(frames.get(PEOPLE), people)}
    for name, entity in ENTITIES.items():
        if name in frames and name != PEOPLE:
            rows = frames[name].filter(_needs(entity, frames[name], found)).select(ROW, "sourcedId")
            if rows.height:
                found[name] = rows
    return found


def _is_of(entity: Entity, frame: pl.DataFrame, people: pl.Series) -> pl.Expr:
    mine = (
        pl.col("sourcedId").is_in(people.implode())
        if entity.name == PEOPLE
        else pl.lit(value=False)
    )
    return mine | _names(entity, frame, people, needed=True)


def _names(entity: Entity, frame: pl.DataFrame, people: pl.Series, *, needed: bool) -> pl.Expr:
    """Whether a record names one of these people, in a reference that it needs or in another one."""
    columns = [
        column for column in _references(entity, frame, PEOPLE) if entity.needs(column) is needed
    ]
    return pl.any_horizontal(pl.lit(value=False), *(_holds(column, people) for column in columns))


def _holds(column: Column, ids: pl.Series) -> pl.Expr:
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
    """Whether a row cannot be without one of the records that were found."""
    needs = [
        _holds(column, rows["sourcedId"].drop_nulls())
        for name, rows in found.items()
        for column in _references(entity, frame, name)
        if entity.needs(column)
    ]
    return pl.any_horizontal(pl.lit(value=False), *needs)


def _named(frames: Frames) -> pl.Series:
    """Every id of a person that stands anywhere, each once."""
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


def _left_out(records: EntityRecords, found: Frames) -> EntityRecords:
    rows = found.get(records.entity.name, pl.DataFrame(schema=ROWS))
    ids = (
        rows.drop_nulls("sourcedId")
        .select("sourcedId", cause=pl.lit(CAUSE))
        .unique("sourcedId", maintain_order=True)
    )
    there = ids.join(
        records.accepted.select("sourcedId"), on="sourcedId", how="semi", maintain_order="left"
    )
    refused = ids.join(records.refused, on="sourcedId", how="semi", maintain_order="left")
    left = records.withhold(there)
    if refused.height:
        left = replace(
            left,
            refused=_without(left.refused, refused["sourcedId"]),
            withheld=pl.concat([left.withheld, refused]),
        )
    return without_references(left, {PEOPLE: found[PEOPLE]["sourcedId"]})


def _without(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    return rows.filter(~pl.col("sourcedId").is_in(ids.implode()))
