"""A drop that is no snapshot, laid over the roster before it: what it says wins, what it does not say stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.judging import judged, ledger
from tests.rosters import Rows, delta, district
from transforms.delta import overlay
from transforms.diff import digest, fingerprints_by_entity
from transforms.payload import part_values
from transforms.records import EntityRecords

USERS = ["ana", "bo", "tia", "mum"]


def users(folder: Path, rows: Rows, mode: str = "delta") -> EntityRecords:
    """Judge the users of a drop, of whom the target holds those of the district."""
    known = ledger(users=USERS, orgs=["d", "s1", "s2"])
    return judged(folder, rows, known, mode=mode).standing["users"]


@pytest.fixture
def before(tmp_path: Path) -> EntityRecords:
    """Give the users of the district as a snapshot has them."""
    return users(tmp_path, district(), "bulk")


def one(name: str, **cells: str) -> Rows:
    """Give a user of the district, changed, as a delta has it."""
    return delta(
        {"users": [row | cells for row in district()["users"] if row["sourcedId"] == name]}
    )


def cells(whole: EntityRecords, column: str) -> dict[str, str | None]:
    """Give a column by id."""
    return dict(whole.accepted.select("sourcedId", column).iter_rows())


def test_a_record_of_the_drop_replaces_the_one_before(
    before: EntityRecords, tmp_path: Path
) -> None:
    """Also where it is blank now; nobody else is touched."""
    whole = overlay(before, users(tmp_path, one("bo", givenName="Boris", grades="")))

    assert {"ana": "Ana", "bo": "Boris", "tia": "Tia", "mum": "Eva"} == cells(whole, "givenName")
    assert (None, "05") == (cells(whole, "grades")["bo"], cells(whole, "grades")["ana"])
    assert "bulk" == whole.mode


def test_what_the_drop_does_not_say_stays(before: EntityRecords, tmp_path: Path) -> None:
    """A drop without roles takes none; one without a column leaves its cells."""
    drop = users(tmp_path, one("bo", givenName="Boris"))
    silent = EntityRecords(
        drop.entity, drop.accepted, "delta", drop.file, said=drop.said - {"grades"}
    )
    blank = silent.accepted.with_columns(grades=None)

    whole = overlay(before, EntityRecords(drop.entity, blank, "delta", drop.file, said=silent.said))

    assert "06" == cells(whole, "grades")["bo"]
    assert cells(before, "roles") == cells(whole, "roles")


def test_parts_of_a_delta_are_added(before: EntityRecords, tmp_path: Path) -> None:
    """It may hold some roles only; those it lacks stay, each once."""
    second = district()["roles"][1] | {"sourcedId": "r9", "orgSourcedId": "s1"}
    drop = users(tmp_path, one("bo") | delta({"roles": [second]}))

    whole = overlay(before, drop)

    orgs = whole.accepted.select(
        "sourcedId", orgs=part_values(whole.accepted["roles"], "orgSourcedId")
    )
    assert {"ana": "s1", "bo": "s1,s2", "tia": "s1", "mum": "s1"} == dict(orgs.iter_rows())
    assert frozenset() == whole.partial
    assert digest(whole) == digest(overlay(whole, drop))


def test_who_is_gone_refused_or_withheld(before: EntityRecords, tmp_path: Path) -> None:
    """Gone is gone; refused stays as it was; withheld is not kept, and comes back when it is accepted again."""
    rows = delta({"users": [district()["users"][0]]}, "tobedeleted")
    rows["users"] += one("bo", enabledUser="perhaps")["users"] + one("tia")["users"]
    drop = users(tmp_path, rows)
    hidden = drop.accepted.filter(sourcedId="tia").select("sourcedId", cause="sourcedId")

    whole = overlay(before, drop.withhold(hidden))
    again = overlay(whole, users(tmp_path, one("tia")))

    assert ["bo", "mum"] == sorted(cells(whole, "givenName"))
    assert (0, ["tia"]) == (whole.refused.height, whole.withheld["sourcedId"].to_list())
    assert (["bo", "mum", "tia"], 0) == (sorted(cells(again, "givenName")), again.withheld.height)


def test_a_new_record_that_is_refused_is_known_as_refused(
    before: EntityRecords, tmp_path: Path
) -> None:
    """Until a later drop has it right."""
    new = {"sourcedId": "new", "username": "new", "email": "new@example.edu"}
    role = district()["roles"][0] | {"sourcedId": "r8", "userSourcedId": "new"}

    whole = overlay(
        before, users(tmp_path, one("bo", enabledUser="perhaps", **new) | delta({"roles": [role]}))
    )
    again = overlay(whole, users(tmp_path, one("bo", **new) | delta({"roles": [role]})))

    assert (["new"], 4) == (whole.refused["sourcedId"].to_list(), whole.accepted.height)
    assert (0, 5) == (again.refused.height, again.accepted.height)


def test_roles_that_change_their_ids_alone_are_another_content(
    before: EntityRecords, tmp_path: Path
) -> None:
    """Nothing is sent for it; a later delta goes by the ids."""
    roles = [row | {"sourcedId": f"new-{row['sourcedId']}"} for row in district()["roles"]]

    other = users(tmp_path, district() | {"roles": roles}, "bulk")

    assert fingerprints_by_entity({"users": before})["users"].equals(
        fingerprints_by_entity({"users": other})["users"]
    )
    assert digest(before) != digest(other)
