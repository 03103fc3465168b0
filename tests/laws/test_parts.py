"""Roles and profiles are parts of a user: what a drop does not say of them stays in the target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.laws.conftest import World, world
from tests.rosters import DISTRICT, Rows, delta, district

SECOND = {
    "sourcedId": "r9",
    "userSourcedId": "bo",
    "roleType": "secondary",
    "role": "aide",
    "orgSourcedId": "s1",
}
PROFILE = {
    "sourcedId": "p1",
    "userSourcedId": "bo",
    "profileType": "app",
    "vendorId": "v",
    "credentialType": "name",
    "username": "bo",
}
BO = DISTRICT["users"][1]


def loaded() -> Rows:
    """Give a district in which bo has two roles and a profile."""
    rows = district()
    return {**rows, "roles": [*rows["roles"], SECOND], "userProfiles": [PROFILE]}


def parts(one: World) -> tuple[list[str], list[str]]:
    """The roles and profiles that the target holds of bo."""
    user = one.sandbox.store.get("users", "bo") or {}
    return sorted(role["role"] for role in user["roles"]), [
        profile["profileType"] for profile in user.get("userProfiles") or []
    ]


def cut(name: str) -> Callable[[Path], None]:
    """Leave only the header of a file."""

    def leave_header(folder: Path) -> None:
        file = folder / f"{name}.csv"
        file.write_text(file.read_text().splitlines()[0] + "\r\n", newline="")

    return leave_header


def shift(name: str, row: str) -> Callable[[Path], None]:
    """Give a row one cell too many."""

    def add_cell(folder: Path) -> None:
        file = folder / f"{name}.csv"
        lines = [
            line + (",x,x" if line.startswith(row) else "")
            for line in file.read_text().splitlines()
        ]
        file.write_text("\r\n".join(lines) + "\r\n", newline="")

    return add_cell


BULK = (
    ("a header without profiles", cut("userProfiles")),
    ("a header without roles", cut("roles")),
    ("a broken role", shift("roles", "r9")),
    ("a broken profile", shift("userProfiles", "p1")),
    ("no file of profiles", lambda folder: (folder / "userProfiles.csv").unlink()),
)


@pytest.mark.parametrize("damage", [case[1] for case in BULK], ids=[case[0] for case in BULK])
def test_damaged_files_of_parts_take_nothing(
    damage: Callable[[Path], None], sandbox: Sandbox
) -> None:
    """The same people, and files of their parts that came out wrong."""
    with world(sandbox) as one:
        one.sync(loaded())

        result = one.sync(loaded(), damage=damage)

        assert (["aide", "student"], ["app"]) == parts(one)
        assert result.status != "failed"


DELTAS: tuple[tuple[str, Rows, list[str]], ...] = (
    ("the user alone", {"users": [BO]}, ["aide", "student"]),
    ("one of the two roles", {"users": [BO], "roles": [DISTRICT["roles"][1]]}, ["aide", "student"]),
    (
        "a third role",
        {"users": [BO], "roles": [{**SECOND, "sourcedId": "r10", "role": "proctor"}]},
        ["aide", "proctor", "student"],
    ),
    (
        "the roles of another",
        {"users": [BO, DISTRICT["users"][2]], "roles": [DISTRICT["roles"][2]]},
        ["aide", "student"],
    ),
)


@pytest.mark.parametrize(
    ("rows", "roles"), [case[1:] for case in DELTAS], ids=[case[0] for case in DELTAS]
)
def test_a_delta_takes_no_role_that_it_does_not_mention(
    rows: Rows, roles: list[str], sandbox: Sandbox
) -> None:
    """It adds, and leaves the others."""
    with world(sandbox) as one:
        one.sync(loaded())

        result = one.sync(
            delta({**rows, "users": [user | {"givenName": "Boris"} for user in rows["users"]]}),
            mode="delta",
        )

        assert ("done", roles) == (result.status, parts(one)[0])
        assert "Boris" == (sandbox.store.get("users", "bo") or {})["givenName"]


def test_a_role_that_a_delta_takes_away_ends(sandbox: Sandbox) -> None:
    """The others stay."""
    with world(sandbox) as one:
        one.sync(loaded())
        rows = {
            "users": delta({"users": [BO]})["users"],
            "roles": delta({"roles": [SECOND]}, "tobedeleted")["roles"],
        }

        result = one.sync(rows, mode="delta")

        assert (0, ["student"]) == (result.findings.errors.height, parts(one)[0])


def test_a_bulk_drop_takes_the_role_that_is_gone(sandbox: Sandbox) -> None:
    """A sound and full snapshot of roles is complete."""
    with world(sandbox) as one:
        one.sync(loaded())

        one.sync(district())

        assert ["student"] == parts(one)[0]


def test_a_moved_class_is_told_every_night(sandbox: Sandbox) -> None:
    """The target cannot move it; nothing is written for it, and it is not forgotten."""
    rows = loaded()
    rows["courses"] = [*rows["courses"], {**rows["courses"][0], "sourcedId": "co2"}]
    with world(sandbox) as one:
        one.sync(rows)
        moved = {
            **rows,
            "classes": [rows["classes"][0] | {"courseSourcedId": "co2"}, rows["classes"][1]],
        }

        nights = [one.sync(moved) for _ in range(2)]

        assert all(
            "class_moved" in {notice.rule for notice in night.findings.notices} for night in nights
        )
        assert [] == [
            request
            for request in one.writes[-1:]
            if request[0] == "PUT" and "classes" in request[1]
        ]
