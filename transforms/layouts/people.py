"""One person in several rows, files or schools is one user with several roles.

What two rows say differently of one person is a contradiction only if it cannot be one person: names that differ, or
two rows of one school. Those stay as they are, and the check refuses them all.
"""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from transforms.findings import ROW, SPAN, Findings, of_rows
from transforms.layouts.assembling import REPEATS, Part
from transforms.schemas import ENTITIES, LIFECYCLE
from transforms.schemas.vocabularies import TOBEDELETED

PLACE = "primaryOrgSourcedId"
NAMES = ("givenName", "familyName")
APART = frozenset({"sourcedId", *LIFECYCLE, PLACE})


def people(part: Part) -> tuple[Part, list[Findings]]:
    """Give each person once, with what all rows say; a row that was exported twice stays twice, and is merged later."""
    frame = still_here(part.frame)
    several = pl.col("sourcedId").is_duplicated() & pl.col("sourcedId").is_not_null()
    rows = frame.filter(several)
    if not rows.height:
        return part.having(frame.with_columns(pl.col("enabledUser").fill_null("true")), "enabledUser"), []
    rows = rows.filter(~pl.col("sourcedId").is_in(_contradictions(rows).implode()))
    single = frame.join(rows.select(ROW, "sourcedId"), on=[ROW, "sourcedId"], how="anti", maintain_order="left")
    whole = pl.concat([single, _whole(rows)], how="diagonal").sort(ROW, maintain_order=True)
    whole = whole.with_columns(pl.col("enabledUser").fill_null("true"))
    return part.having(whole, "enabledUser"), list(_differences(rows, part))


def once(part: Part) -> tuple[Part, list[Findings]]:
    """Give what is said of a person beside the user (demographics) once, the first word winning."""
    part = part.having(still_here(part.frame))
    rows = part.frame.filter(pl.col("sourcedId").is_duplicated() & pl.col("sourcedId").is_not_null())
    single = part.frame.join(rows.select(ROW), on=ROW, how="anti", maintain_order="left")
    merged = _merged(rows)
    return part.having(pl.concat([single, merged], how="diagonal").sort(ROW)), list(_differences(rows, part))


def still_here(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out rows that say that a record is gone, where another row has it."""
    gone = pl.col("status").eq_missing(TOBEDELETED)
    if not frame.select(gone.any()).item():
        return frame
    here = frame.filter(~gone)["sourcedId"].drop_nulls()
    return frame.filter(~(gone & pl.col("sourcedId").is_in(here.implode())))


def _contradictions(rows: pl.DataFrame) -> pl.Series:
    """The ids that cannot each be one person."""
    name = pl.concat_str([_alike(one) for one in NAMES], separator="|")
    named = rows.filter(pl.any_horizontal(pl.col(one).is_not_null() for one in NAMES)).with_columns(name.alias("#name"))
    differing = named.group_by("sourcedId").agg(pl.col("#name").n_unique()).filter(pl.col("#name") > 1)["sourcedId"]
    place = [pl.col(ROW) // SPAN, pl.col(PLACE).fill_null("")]
    contents = rows.filter(~pl.col(REPEATS)).select("sourcedId", *place, pl.struct(_singles(rows)).alias("#content"))
    twice = contents.unique().filter(pl.struct("sourcedId", ROW, PLACE).is_duplicated())["sourcedId"]
    return pl.concat([differing, twice]).unique()


def _alike(name: str) -> pl.Expr:
    """A name in lower case, with single spaces: other spellings are no other name."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"\s+", " ").fill_null("")


def _singles(rows: pl.DataFrame) -> list[str]:
    """The columns of which a person has one value."""
    entity = ENTITIES["users"]
    lists = {column.name for column in entity.current if column.is_list or column.name == "grades"}
    return [name for name in rows.columns if not name.startswith("#") and name not in APART | lists]


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    """Each person's first row with what all of them say, and once more for each row that is there twice."""
    merged = _merged(rows)
    cells = [name for name in rows.columns if name != ROW]
    same = [pl.col(ROW) // SPAN, *(pl.col(name) for name in cells)]
    twins = rows.filter(~pl.col(REPEATS) & ~pl.struct(same).is_first_distinct()).select(ROW, "sourcedId")
    copies = twins.join(merged.drop(ROW), on="sourcedId", how="left", maintain_order="left")
    return pl.concat([merged, copies.select(merged.columns)])


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    lists = ("agentSourcedIds", "grades", "userIds")
    columns = [name for name in rows.columns if name != "sourcedId"]
    # By file, and then by what rows say: the order of rows may be another tomorrow.
    order = [pl.col(ROW) // SPAN, *(pl.col(name) for name in rows.columns if not name.startswith("#"))]
    each = rows.sort(order, nulls_last=True, maintain_order=True).group_by("sourcedId", maintain_order=True)
    return each.agg(*(_items(name) if name in lists else _first(name) for name in columns)).select(rows.columns)


def _first(name: str) -> pl.Expr:
    return pl.col(name).drop_nulls().first()


def _items(name: str) -> pl.Expr:
    items = pl.col(name).drop_nulls().str.split(",").explode().unique(maintain_order=True).str.join(",")
    return pl.when(items != "").then(items).alias(name)


def _differences(rows: pl.DataFrame, part: Part) -> Iterator[Findings]:
    """Tell of which people rows say different things, by column; the first row counts."""
    for name in _singles(rows):
        counts = pl.col(name).n_unique() - pl.col(name).null_count().cast(pl.Boolean).cast(pl.UInt32)
        differing = rows.group_by("sourcedId").agg(counts).filter(pl.col(name) > 1)["sourcedId"]
        if differing.len():
            first = rows.filter(pl.col("sourcedId").is_in(differing.implode())).unique(
                "sourcedId", keep="last", maintain_order=True
            )
            yield of_rows("person_differs", first, file=part.file, entity="users", column=name, value=name)
