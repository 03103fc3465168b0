"""`roster adopt`: a district that lost its state, or was loaded by other means, gets a ledger without a write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from tests.loads import Loads
from tests.rosters import changed, district, drop, without
from tests.running import Run
from tests.serving import Served

COUNTED = ("equal", "different", "absent", "others")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the drop of the district."""
    return drop(tmp_path / "drop", district())


@pytest.fixture
def target(tmp_path: Path, folder: Path, sandbox: Sandbox, loads: Loads) -> Served:
    """Give a target that holds the district, and whose state was lost."""
    place = Served(sandbox, tmp_path / "state")
    loads.begin(
        "the district", place.state, lambda: place.roster("sync", folder).code == 0, sandbox
    )
    shutil.rmtree(place.state)
    return place


def counted(run: Run) -> dict[str, int]:
    """Add up what was adopted of all entities."""
    return {name: sum(one[name] for one in run.json["entities"].values()) for name in COUNTED}


def test_after_a_lost_state_the_first_sync_sends_nothing(target: Served, folder: Path) -> None:
    """And adopting wrote nothing either."""
    run = target.roster("adopt", folder)
    writes = target.writes
    sync = target.roster("sync", folder)

    assert (0, {"equal": 16, "different": 0, "absent": 0, "others": 0}, []) == (
        run.code,
        counted(run),
        writes,
    )
    assert (0, "unchanged", 0) == (sync.code, sync.json["status"], sync.json["requests"])


def test_the_first_sync_sends_what_is_truly_different(target: Served, folder: Path) -> None:
    """A record that says something else is ours now, and is updated; what others wrote on it stays."""
    target.change("users", "bo", givenName="Robert", pronouns="he/him")
    target.lose("enrollments", "e1")
    target.change("enrollments", "e2", status="tobedeleted")
    target.lose("demographics", "ana")
    target.change("demographics", "zed", sex="male")

    run = target.roster("adopt", folder)
    sync = target.roster("sync", folder)

    assert {"equal": 12, "different": 1, "absent": 3, "others": 1} == counted(run)
    assert (0, 1, 3) == (sync.code, sync.total("updated"), sync.total("created"))
    assert ("Bo", "he/him") == tuple(
        target.record("users", "bo")[name] for name in ("givenName", "pronouns")
    )
    assert 0 == target.roster("sync", folder).json["requests"]


def test_what_the_drop_does_not_have_is_not_ours(target: Served, folder: Path) -> None:
    """It is counted, and no later sync deletes it."""
    drop(folder, without(district(), "e1"))

    run = target.roster("adopt", folder)
    sync = target.roster("sync", folder)

    assert 1 == run.json["entities"]["enrollments"]["others"]
    assert (0, 0, "active") == (
        sync.code,
        sync.total("vanished"),
        target.record("enrollments", "e1")["status"],
    )


def test_a_district_loaded_by_other_means_is_adopted(
    folder: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    """Its records are spelled as the target spells them, and need not be sent again."""
    place = Served(sandbox, tmp_path / "first")
    place.roster("sync", folder)
    user = place.record("users", "tia")
    place.change(
        "users",
        "tia",
        enabledUser=str(user["enabledUser"]).lower(),
        metadata={"app": 1},
        phone="555",
    )
    elsewhere = Served(place.sandbox, tmp_path / "second")

    run = elsewhere.roster("adopt", folder, "--district", "larkspur")
    sync = elsewhere.roster("sync", folder, "--district", "larkspur")

    assert (16, 0) == (counted(run)["equal"], sync.json["requests"])


def test_a_ledger_that_knows_the_feed_is_not_overwritten(target: Served, folder: Path) -> None:
    """Exit 2 with the way out; with `--again` it is adopted once more."""
    target.roster("adopt", folder)
    target.change("users", "bo", givenName="Robert")

    refused, again = target.roster("adopt", folder), target.roster("adopt", folder, "--again")

    assert (2, True) == (refused.code, "--again" in refused.said)
    assert (0, 1) == (again.code, counted(again)["different"])
    assert 1 == target.roster("sync", folder).total("updated")


def test_a_drop_that_would_not_load_is_not_adopted(target: Served, folder: Path) -> None:
    """Exit 4, and the ledger stays empty."""
    (folder / "users.csv").write_bytes(b"\x1f\x8bgzip")

    refused = target.roster("adopt", folder)
    drop(folder, district())

    assert 4 == refused.code
    assert 16 == counted(target.roster("adopt", folder))["equal"]


def test_a_class_in_another_school_is_told_by_the_first_sync(target: Served, folder: Path) -> None:
    """No update can move it, so it is adopted as different, and every sync says so."""
    drop(folder, changed(district(), "c1", schoolSourcedId="s2"))

    run = target.roster("adopt", folder)

    assert 1 == run.json["entities"]["classes"]["different"]
    assert "class_moved" in target.roster("sync", folder).err


def test_nobody_adopts_while_a_run_holds_the_feed(target: Served, folder: Path) -> None:
    """Exit 1, and the message names the run that holds it."""
    with (
        Ledger(target.state / "ledger.db") as ledger,
        ledger.hold(FeedKey(target.sandbox.url, "default"), "the-first"),
    ):
        run = target.roster("adopt", folder)

    assert (1, True) == (run.code, "the-first" in run.said)


def test_a_real_district_that_lost_its_state_is_adopted_whole(
    real_drops: Path, tmp_path: Path, sandbox: Sandbox
) -> None:
    """All that the target holds says what the drop says, however it spells it; so the first sync sends nothing."""
    folder = real_drops / "oneroster-1.1-district"
    place = Served(sandbox, tmp_path / "state")
    created = place.roster("sync", folder).total("created")
    shutil.rmtree(place.state)

    run, sync, verified = (place.roster(command, folder) for command in ("adopt", "sync", "verify"))

    assert (created, 0) == (counted(run)["equal"], counted(run)["different"])
    assert (0, 0, 0) == (sync.json["requests"], sync.code, verified.code)
