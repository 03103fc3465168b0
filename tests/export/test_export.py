"""`roster export`: what is in the zip, and what is reported about the rest."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.export.exporting import SAMPLES, export, feed, member, rows, said
from tests.rosters import changed, district, drop
from tests.running import roster

USERS = (
    "sourcedId,status,dateLastModified,enabledUser,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,"
    "agentSourcedIds,grades,password,userMasterIdentifier,preferredGivenName,preferredMiddleName,preferredFamilyName,"
    "primaryOrgSourcedId,pronouns\r\n"
)


def test_a_district_is_exported_whole(tmp_path: Path) -> None:
    """Exit 0; the object says how many records there were and what became of them."""
    run = rows(tmp_path, district())

    counts = {
        "read": 4,
        "vanished": 0,
        "merged": 0,
        "rejected": 0,
        "unshared": 0,
        "left_out": 0,
        "exported": 4,
    }
    assert (0, "done", True, str(tmp_path / "out.zip"), None) == (
        run.code,
        *(run.json[name] for name in ("status", "conformant", "zip", "rejects")),
    )
    assert counts == run.json["entities"]["users"]
    assert {name: len(table) for name, table in district().items()} == run.json["rows"]


def test_users_have_22_columns_and_no_byte_order_mark(tmp_path: Path) -> None:
    """Byte for byte as the standard's 1.2.1 has them, in a file that only its owner can read."""
    rows(tmp_path, district())

    assert (USERS, 22) == (member(tmp_path, "users.csv")[: len(USERS)], USERS.count(",") + 1)
    assert 0o600 == stat.S_IMODE((tmp_path / "out.zip").stat().st_mode)


def test_the_same_roster_is_the_same_bytes(tmp_path: Path) -> None:
    """Whenever it is exported, and in whatever order its rows come."""
    mixed = {name: table[::-1] for name, table in district().items()}
    first, second = tmp_path / "first", tmp_path / "second"

    codes = [rows(first, district()).code, rows(second, mixed).code]

    assert [0, 0] == codes
    assert (first / "out.zip").read_bytes() == (second / "out.zip").read_bytes()


def test_what_is_rejected_is_counted_and_told(tmp_path: Path) -> None:
    """Exit 0: the zip has the rest. Whoever takes it for the whole roster would take them for gone."""
    run = rows(tmp_path, changed(district(), "bo", familyName=""))

    assert (0, True) == (run.code, run.json["conformant"])
    assert (1, 3) == tuple(run.json["entities"]["users"][term] for term in ("rejected", "exported"))
    assert "Not in it: 2 records, rejected or left out" in said(run)
    assert "users.csv,2,users,bo,familyName,required" in Path(run.json["rejects"]).read_text()


def test_a_record_that_is_said_to_be_gone_is_left_out(tmp_path: Path) -> None:
    """It is counted as vanished, and nobody is warned of it."""
    run = rows(tmp_path, changed(district(), "e1", status="tobedeleted"))

    counts = run.json["entities"]["enrollments"]
    assert (2, 1, 1, 2) == tuple(
        counts[term] for term in ("read", "vanished", "left_out", "exported")
    )
    assert "Not in it" not in said(run)


@pytest.mark.parametrize(("more", "kept"), [([], 4), (["--strict"], 3)])
def test_what_the_standard_does_not_take_is_told_or_left_out(
    more: list[str], kept: int, tmp_path: Path
) -> None:
    """A user without a username loads, but is not conformant."""
    run = rows(tmp_path, changed(district(), "bo", username=""), *more)
    checked = roster("check", tmp_path / "out.zip", "--strict", state=tmp_path / "state")

    assert (0, kept) == (run.code, run.json["entities"]["users"]["exported"])
    assert (kept == 3, kept == 4) == (
        run.json["conformant"],
        "Not conformant to the letter" in said(run),
    )
    assert (kept == 3) == (checked.code == 0)


def test_what_leads_out_of_the_zip_is_told(tmp_path: Path) -> None:
    """Content whose organizations are loaded by another feed is not complete by itself."""
    state = tmp_path / "state"
    roster("sync", SAMPLES / "oneroster_1_2", state=state)

    run = export(tmp_path, SAMPLES / "learning", "--district", "learning")

    assert (0, False, True) == (
        run.code,
        run.json["conformant"],
        "Not complete by itself" in said(run),
    )
    assert "courseComponents.csv" in said(run)


def test_an_export_has_what_a_feed_does_not_share(tmp_path: Path) -> None:
    """The zip is the district's own file; a target is sent less when it is loaded."""
    source = drop(tmp_path / "drop", district())
    path = feed(tmp_path, source, '[share]\ndemographics = false\nroles = ["teacher"]\n')

    run = export(tmp_path, path)

    assert (4, 1) == tuple(
        run.json["entities"][name]["exported"] for name in ("users", "demographics")
    )


@pytest.mark.parametrize(("more", "kept"), [("", False), ("[share]\npasswords = true\n", True)])
def test_passwords_are_exported_only_if_the_feed_shares_them(
    more: str, kept: bool, tmp_path: Path
) -> None:
    """They are dropped as soon as they are read."""
    source = drop(tmp_path / "drop", changed(district(), "bo", password="Hedgehog-1"))

    export(tmp_path, feed(tmp_path, source, more))

    assert kept == ("Hedgehog-1" in member(tmp_path, "users.csv"))


def test_whoever_is_forgotten_is_not_exported(tmp_path: Path) -> None:
    """Nor what belongs to that person, nor who names that person."""
    source = drop(tmp_path / "drop", district())
    roster("sync", source, state=tmp_path / "state")
    roster("forget", "mum", state=tmp_path / "state")

    run = export(tmp_path, source)

    assert (0, [False, False]) == (
        run.code,
        ["mum" in member(tmp_path, name) for name in ("users.csv", "roles.csv")],
    )
