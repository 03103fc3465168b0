"""Plausibility: report values that are valid and look like mistakes; nothing is changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import polars as pl

from transforms.findings import Findings, file_finding, merge_findings, row_findings
from transforms.records import RosterState
from transforms.roster import Roster
from transforms.schemas import ENTITIES

CLOSE = 0.8
# To find the nearest of many ids takes long. Among many ids, a near one is also likely by chance.
MOST_MISSING, MOST_IDS = 20, 2000


def shared_addresses(standing: RosterState) -> list[Findings]:
    """Report people who share an e-mail address; case is ignored."""
    users = standing.get("users")
    if users is None:
        return []
    addresses = users.accepted["email"].drop_nulls().str.to_lowercase()
    if addresses.hash().n_unique() == addresses.len():
        return []
    shared = addresses.filter(addresses.is_duplicated()).unique()
    rows = users.accepted.filter(pl.col("email").str.to_lowercase().is_in(shared.implode()))
    return [
        row_findings(
            "email_shared", rows, file=users.file, entity="users", column="email", value="sourcedId"
        )
    ]


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
