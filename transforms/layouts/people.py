"""Who is who: names, and what else shows whether two rows describe one person."""

from __future__ import annotations

import polars as pl

from transforms.findings import ROW, SPAN, Findings, row_findings
from transforms.layouts.assemble import FULL_NAME, NAMES, EntityRows
from transforms.names import comparable
from transforms.schemas.vocabularies import TOBEDELETED

NAME, BIRTH_DATE, ADDRESS, IDENTIFIER = "#name", "#birthDate", "#address", "#identifier"
# What shows that rows with different names describe one person.
EVIDENCE = (BIRTH_DATE, ADDRESS, IDENTIFIER)
# The file of a row, and its number there: the same for all records that the row describes.
SOURCE, NUMBER = "#source", "#number"


def with_one_name(part: EntityRows) -> tuple[EntityRows, list[Findings]]:
    """Use the only name of a person as both names, because both are required.

    If a file has a column for each name, and one of the two is blank throughout, the names are
    missing: nobody in the file has only one.
    """
    given, family = (pl.col(name) for name in NAMES)
    single = (given.is_null() != family.is_null()) & pl.col("status").ne_missing(TOBEDELETED)
    rows = part.frame.filter(single)
    if not rows.height:
        return part, []
    by_place = part.frame.group_by(pl.col(ROW) // SPAN).agg(
        (pl.col(FULL_NAME).any() | (given.is_not_null().any() & family.is_not_null().any())).alias(
            "#certain"
        )
    )
    places = by_place.filter("#certain")[ROW]
    certain = single & (pl.col(ROW) // SPAN).is_in(places.implode())
    names = (
        pl.when(certain).then(pl.coalesce(*NAMES)).otherwise(name).alias(name) for name in NAMES
    )
    findings = [
        row_findings(
            "one_name",
            part.frame.filter(certain & pl.col(name).is_null()),
            file=part.file,
            entity="users",
            column=name,
            value="sourcedId",
        )
        for name in NAMES
    ]
    return part.having(part.frame.with_columns(*names), *NAMES), findings


def with_source(part: EntityRows) -> pl.DataFrame:
    """Add to each row the file that it comes from, and its number there."""
    files = dict(enumerate(part.files))
    source = (pl.col(ROW) // SPAN).replace_strict(files, default=None, return_dtype=pl.String)
    return part.frame.with_columns(source.alias(SOURCE), (pl.col(ROW) % SPAN).alias(NUMBER))


def with_evidence(users: EntityRows, demographics: EntityRows | None) -> pl.DataFrame:
    """Add to the rows of people what they can be compared by.

    These are their name and address as people compare them (blank: null), the birth date that the
    same row of the file has, and the row's source. An identifier proves nothing if it is the id
    itself, or in two files: students and staff have numbers of their own kind each.
    """
    in_file = pl.concat_str(pl.col(ROW) // SPAN, pl.lit("/"), "identifier")
    plain = pl.concat_str([comparable(pl.col(name)) for name in NAMES], separator="|")
    frame = with_source(users).with_columns(
        pl.when(pl.any_horizontal(pl.col(NAMES).is_not_null())).then(plain).alias(NAME),
        pl.col("email").str.strip_chars().str.to_lowercase().alias(ADDRESS),
        pl.when(pl.col("identifier") != pl.col("sourcedId")).then(in_file).alias(IDENTIFIER),
    )
    if demographics is None:
        return frame.with_columns(pl.lit(None, pl.String).alias(BIRTH_DATE))
    born = (
        with_source(demographics)
        .select(SOURCE, NUMBER, "sourcedId", pl.col("birthDate").alias(BIRTH_DATE))
        .drop_nulls()
        .unique([SOURCE, NUMBER, "sourcedId"], keep="first", maintain_order=True)
    )
    return frame.join(born, on=[SOURCE, NUMBER, "sourcedId"], how="left", maintain_order="left")


def agreeing_ids(rows: pl.DataFrame) -> pl.Series:
    """Return the ids whose rows, in spite of different names, describe one person.

    `rows` are those of `with_evidence`. Rows of each name must have the same birth date, address or
    number.
    """
    values = (
        rows.drop_nulls(NAME)
        .group_by("sourcedId", NAME)
        .agg(
            pl.when(pl.col(one).n_unique() == 1).then(pl.col(one).first()).alias(one)
            for one in EVIDENCE
        )
    )
    same = values.group_by("sourcedId").agg(
        pl.any_horizontal(
            (pl.col(one).n_unique() == 1) & pl.col(one).is_not_null().all() for one in EVIDENCE
        ).alias("#same")
    )
    return same.filter("#same")["sourcedId"]
