"""What is right as it stands, and looks as if something else were meant: it is told, and nothing is changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import polars as pl

from transforms.findings import Findings, gather, of_file, of_rows
from transforms.records import RosterState
from transforms.roster import Roster
from transforms.schemas import ENTITIES

CLOSE = 0.8
# Looking for the nearest of many ids takes long; where there are many, it is also a matter of chance.
MOST_MISSING, MOST_IDS = 20, 2000


def shared_addresses(standing: RosterState) -> list[Findings]:
    """Tell of people who have one e-mail address between them, whatever its case."""
    users = standing.get("users")
    if users is None:
        return []
    addresses = users.accepted["email"].drop_nulls().str.to_lowercase()
    if addresses.hash().n_unique() == addresses.len():
        return []
    shared = addresses.filter(addresses.is_duplicated()).unique()
    rows = users.accepted.filter(pl.col("email").str.to_lowercase().is_in(shared.implode()))
    return [
        of_rows(
            "email_shared", rows, file=users.file, entity="users", column="email", value="sourcedId"
        )
    ]


def near_misses(found: list[Findings], roster: Roster) -> Iterator[Findings]:
    """Name the nearest id for each one that is missing, where there are few enough to choose from."""
    dangling = gather(found).errors.filter(pl.col("rule") == "dangling")
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
            for word in missing:
                alike = [one for one in ids if one != word and _digits(one) == _digits(word)]
                for near in difflib.get_close_matches(word, alike, 1, CLOSE):
                    detail = f"{word!r}: did you mean {near!r}?"
                    yield of_file("near_miss", str(file), detail, column=str(column))


def _digits(sourced_id: str) -> str:
    """The number in an id: ids that differ by a digit are two records, and not one that is misspelt."""
    return "".join(sign for sign in sourced_id if sign.isdigit()).lstrip("0")
