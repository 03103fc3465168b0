"""Plausibility: report values that are valid and look like mistakes; nothing is changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import polars as pl

from transforms.findings import ROW, Findings, file_finding, merge_findings, row_findings
from transforms.names import comparable
from transforms.payload import part_values
from transforms.records import RosterState
from transforms.roster import Roster
from transforms.schemas import ENTITIES

# Columns of users in which each person should have another value, and the rules that say so.
UNIQUE = {
    "email": "email_shared",
    "username": "username_shared",
    "identifier": "identifier_shared",
    "userMasterIdentifier": "master_identifier_shared",
}
WITHOUT_CASE = ("email", "username")
CLOSE = 0.8
# To find the nearest of many ids takes long. Among many ids, a near one is also likely by chance.
MOST_MISSING, MOST_IDS = 20, 2000


def shared_values(standing: RosterState) -> list[Findings]:
    """Report people who share an address, a username or a number.

    Some systems keep one record for each role of a person (Infinite Campus: a teacher who is also a
    guardian). Such records are noted once, and are nobody's fault.
    """
    users = standing.get("users")
    if users is None:
        return []
    found, same = list[Findings](), [users.accepted.clear()]
    for column, rule in UNIQUE.items():
        if column not in users.accepted.columns:
            continue
        rows = _sharing(users.accepted, column)
        one_person = _of_one_person(rows, column)
        same.append(rows.filter(one_person))
        found.append(
            row_findings(
                rule,
                rows.filter(~one_person),
                file=users.file,
                entity="users",
                column=column,
                value="sourcedId",
            )
        )
    noted = pl.concat(same).unique(ROW, maintain_order=True).sort(ROW)
    note = row_findings(
        "records_of_one_person", noted, file=users.file, entity="users", value="sourcedId"
    )
    return [*found, note]


def _of_one_person(rows: pl.DataFrame, column: str) -> pl.Series:
    """Tell whether the records with a row's value are one person's, each in another role.

    They have one name, no two of them have a role in common, and none is a student's.
    """
    if not rows.height or "roles" not in rows.columns:
        return pl.repeat(value=False, n=rows.height, dtype=pl.Boolean, eager=True)
    people = rows.select(
        ROW,
        value=_compared(column),
        name=pl.concat_str(
            comparable(pl.col("givenName")), comparable(pl.col("familyName")), separator="|"
        ),
        role=part_values(rows["roles"], "role").str.split(","),
    )
    roles = people.explode("role", empty_as_null=True, keep_nulls=True)
    doubtful = roles.group_by("value").agg(
        (pl.col("name").n_unique() > 1)
        | pl.col("role").is_null().any()
        | pl.col("role").is_duplicated().any()
        | (pl.col("role") == "student").any()
    )
    values = doubtful.filter(pl.nth(1))["value"]
    return ~people["value"].is_in(values.implode())


def _compared(column: str) -> pl.Expr:
    """Return the cells of a column as people compare them."""
    return pl.col(column).str.to_lowercase() if column in WITHOUT_CASE else pl.col(column)


def _sharing(users: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the users who share the value of a column."""
    cell = _compared(column)
    values = users.select(cell).to_series().drop_nulls()
    if values.hash().n_unique() == values.len():
        return users.clear()
    shared = values.filter(values.is_duplicated()).unique()
    rows = users.filter(cell.is_in(shared.implode()))
    if column != "identifier" or "roles" not in rows.columns:
        return rows
    # Students and staff have numbers of their own kind each.
    student = part_values(rows["roles"], "role").str.contains("student").fill_null(value=False)
    return rows.filter(pl.struct(cell, student.alias("#student")).is_duplicated())


def suggest_ids(found: list[Findings], roster: Roster) -> Iterator[Findings]:
    """Suggest the nearest id for each id that does not exist, if there are not too many of them."""
    dangling = merge_findings(found).errors.filter(pl.col("rule") == "dangling")
    for (file, entity, column), rows in dangling.group_by(
        "file", "entity", "column", maintain_order=True
    ):
        refers = ENTITIES[str(entity)][str(column)].refers or ""
        missing = rows["value"].unique(maintain_order=True).to_list()
        ids = (
            roster.tables[refers].frame["sourcedId"].drop_nulls().to_list()
            if refers in roster.tables
            else []
        )
        if len(missing) <= MOST_MISSING and len(ids) <= MOST_IDS:
            for unknown in missing:
                alike = [one for one in ids if one != unknown and _digits(one) == _digits(unknown)]
                for near in difflib.get_close_matches(unknown, alike, 1, CLOSE):
                    detail = f"{unknown!r}: did you mean {near!r}?"
                    yield file_finding("near_miss", str(file), detail, column=str(column))


def _digits(sourced_id: str) -> str:
    """Return the digits in an id: ids with different numbers are different records, not typos."""
    return "".join(sign for sign in sourced_id if sign.isdigit()).lstrip("0")
