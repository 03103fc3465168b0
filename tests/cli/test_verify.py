"""`roster verify`: what somebody else did to our records in the target is found, told, and repaired if asked for."""

from __future__ import annotations

import csv
import shutil
import stat
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.loads import Loads
from tests.rosters import changed, district, drop, without
from tests.running import Run, roster
from tests.serving import Served


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the drop of the district."""
    return drop(tmp_path / "drop", district())


@pytest.fixture
def target(tmp_path: Path, folder: Path, sandbox: Sandbox, loads: Loads) -> Served:
    """Give a target into which the district was loaded."""
    place = Served(sandbox, tmp_path / "state")
    loads.begin(
        "the district", place.state, lambda: place.roster("sync", folder).code == 0, sandbox
    )
    return place


def found(run: Run) -> dict[str, dict[str, list[str]]]:
    """Give the ids by entity and kind, where there are any."""
    kinds = ("missing", "extra", "different")
    ids = {
        name: {kind: one[kind] for kind in kinds if one[kind]}
        for name, one in run.json["entities"].items()
    }
    return {name: kinds for name, kinds in ids.items() if kinds}


def test_a_target_as_it_was_loaded_has_no_differences(target: Served, folder: Path) -> None:
    """Each record was compared with the roster, and nothing was sent."""
    run = target.roster("verify", folder)

    entities = run.json["entities"].values()
    assert (0, "equal", {}) == (run.code, run.json["status"], found(run))
    assert (16, 0) == (
        sum(one["equal"] for one in entities),
        sum(one["unchecked"] for one in entities),
    )
    assert [] == target.writes


def disturb(target: Served) -> None:
    """Let somebody delete, lose, change and add records."""
    target.change("enrollments", "e1", status="tobedeleted")
    target.lose("demographics", "ana")
    target.change("users", "bo", givenName="Robert", pronouns="he/him")
    target.change("users", "tia", metadata={"app": {"theme": "dark"}})
    target.change(
        "users", "zed", givenName="Zed", familyName="Ash", enabledUser=True, email="zed@example.edu"
    )


DISTURBED = {
    "users": {"different": ["bo"]},
    "demographics": {"missing": ["ana"]},
    "enrollments": {"missing": ["e1"]},
}


def test_what_others_did_is_found_and_left_alone(target: Served, folder: Path) -> None:
    """Exit 1; what they added is theirs, and is only counted."""
    disturb(target)

    run = target.roster("verify", folder)

    assert (1, "different", DISTURBED) == (run.code, run.json["status"], found(run))
    assert 1 == run.json["entities"]["users"]["others"]
    assert [] == target.writes


def test_a_repair_brings_back_ours_and_keeps_theirs(target: Served, folder: Path) -> None:
    """Three writes for three differences; afterwards there is nothing to find, and nothing for a sync to send."""
    disturb(target)

    run = target.roster("verify", folder, "--repair")
    writes = sorted(target.writes)
    again, sync = target.roster("verify", folder), target.roster("sync", folder)

    assert (0, DISTURBED, ["POST", "PUT", "PUT"]) == (run.code, found(run), writes)
    assert (0, {}, 0) == (again.code, found(again), sync.json["requests"])
    assert ("Bo", "he/him") == tuple(
        target.record("users", "bo")[name] for name in ("givenName", "pronouns")
    )
    assert {"app": {"theme": "dark"}} == target.record("users", "tia")["metadata"]
    assert "Zed" == target.record("users", "zed")["givenName"]
    assert "active" == target.record("enrollments", "e1")["status"]


def test_what_we_deleted_and_is_active_again_is_extra(target: Served, folder: Path) -> None:
    """It is ours, so that a repair deletes it again."""
    rows = district()
    rows["enrollments"] += [
        rows["enrollments"][0] | {"sourcedId": f"f{number}"} for number in range(5)
    ]
    assert 0 == target.roster("sync", drop(folder, rows)).code
    drop(folder, without(rows, "e1"))
    assert 0 == target.roster("sync", folder).code
    target.change("enrollments", "e1", status="active")

    run = target.roster("verify", folder, "--repair")

    assert (0, {"enrollments": {"extra": ["e1"]}}) == (run.code, found(run))
    assert "tobedeleted" == target.record("enrollments", "e1")["status"]
    assert {} == found(target.roster("verify", folder))


def test_deletes_of_a_repair_pass_the_guard(target: Served, folder: Path) -> None:
    """All enrollments of a school are more than the limit: they are on hold until someone approves the plan."""
    drop(folder, without(district(), "e1", "e3"))
    held = target.roster("sync", folder)
    assert 0 == target.roster("sync", folder, "--approve", held.json["plan"]).code
    for one in ("e1", "e3"):
        target.change("enrollments", one, status="active")

    run = target.roster("verify", folder, "--repair")
    active = [target.record("enrollments", one)["status"] for one in ("e1", "e3")]
    approved = target.roster("sync", folder, "--approve", run.json["repair"]["plan"])

    assert (3, ["active", "active"], 0) == (run.code, active, approved.code)
    assert ["tobedeleted"] * 2 == [
        target.record("enrollments", one)["status"] for one in ("e1", "e3")
    ]


def test_a_plan_goes_on_waiting_while_others_records_are_repaired(
    target: Served, folder: Path
) -> None:
    """A repair looks at what differs, and does not settle what a sync has held."""
    drop(folder, without(district(), "e1", "e3"))
    held = target.roster("sync", folder)
    target.change("users", "bo", givenName="Robert")

    run = target.roster("verify", folder, "--repair")
    approved = target.roster("sync", folder, "--approve", held.json["plan"])

    assert (3, held.json["plan"], 1) == (
        run.code,
        run.json["repair"]["plan"],
        run.json["repair"]["entities"]["users"]["updated"],
    )
    assert (0, 2) == (approved.code, approved.total("deleted"))


def test_what_waits_for_a_person_is_not_sent_by_a_repair(target: Served, folder: Path) -> None:
    """A record that the last roster has otherwise, and that was not sent, is there and cannot be compared."""
    drop(folder, changed(without(district(), "e1"), "bo", givenName="Boris"))
    held = target.roster("sync", folder, "--all-or-nothing")

    run = target.roster("verify", folder, "--repair")

    users, enrollments = (run.json["entities"][name] for name in ("users", "enrollments"))
    assert (3, 3, {}, []) == (held.code, run.code, found(run), target.writes)
    assert held.json["plan"] == run.json["repair"]["plan"]
    assert [(3, 1), (2, 1)] == [(one["equal"], one["unchecked"]) for one in (users, enrollments)]


def test_without_a_kept_roster_only_existence_is_compared(target: Served, folder: Path) -> None:
    """That is said; a repair notes in the ledger who is gone, and the next sync sends them."""
    shutil.rmtree(target.state / "rosters")
    disturb(target)

    run = target.roster("verify", folder, "--repair")
    writes = target.writes
    sync = target.roster("sync", folder)

    missing = {"demographics": {"missing": ["ana"]}, "enrollments": {"missing": ["e1"]}}
    assert (missing, None, []) == (found(run), run.json["roster"], writes)
    assert "No roster of this feed is kept yet" in run.said
    assert 2 == sync.total("created")


def test_what_the_target_works_out_by_itself_is_no_difference(target: Served, folder: Path) -> None:
    """An enrollment has the school of its class there, whatever the drop says."""
    assert (
        0
        == target.roster("sync", drop(folder, changed(district(), "e1", schoolSourcedId="d"))).code
    )

    run = target.roster("verify", folder)

    assert (0, 3) == (run.code, run.json["entities"]["enrollments"]["equal"])


def test_all_ids_stand_in_a_private_file_without_values(target: Served, folder: Path) -> None:
    """Names of properties say enough."""
    disturb(target)

    run = target.roster("verify", folder)

    path = Path(run.json["verify"])
    rows = list(csv.reader(path.read_text().splitlines()))
    assert [
        ["entity", "sourcedId", "kind", "detail"],
        ["users", "bo", "different", "givenName"],
        ["demographics", "ana", "missing", "not there"],
        ["enrollments", "e1", "missing", "tobedeleted"],
    ] == rows
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert "Robert" not in run.said + path.read_text()


def test_the_terminal_shows_counts_and_the_next_step(folder: Path, tmp_path: Path) -> None:
    """Of a feed that was never loaded, that there is nothing to compare."""
    never = roster("verify", folder, state=tmp_path / "state")
    roster("sync", folder, state=tmp_path / "state")
    run = roster("verify", folder, state=tmp_path / "state")

    assert (0, True) == (never.code, "roster adopt" in never.said)
    assert (0, True) == (run.code, "Compared with the roster of run" in run.said)


def test_a_target_that_cannot_be_read_is_told(target: Served, folder: Path) -> None:
    """Exit 1 and a sentence, also for a roster that is damaged."""
    for path in (target.state / "rosters").rglob("users-*"):
        path.write_bytes(b"damaged")

    run = target.roster("verify", folder)

    assert (1, True, False) == (
        run.code,
        "Restore it from a copy" in run.said,
        "Traceback" in run.said,
    )


def test_who_was_disabled_and_may_sign_in_again_is_found(target: Served, folder: Path) -> None:
    """Somebody let them; a repair takes it back."""
    rows = district()
    rows["users"] += [
        rows["users"][1]
        | {"sourcedId": f"g{number}", "username": f"g{number}", "givenName": f"Gil{number}"}
        for number in range(5)
    ]
    rows["roles"] += [
        rows["roles"][1] | {"sourcedId": f"rg{number}", "userSourcedId": f"g{number}"}
        for number in range(5)
    ]
    assert 0 == target.roster("sync", drop(folder, rows)).code
    left = without(rows, "g0", "rg0")
    assert 1 == target.roster("sync", drop(folder, left)).total("disabled")
    assert {} == found(target.roster("verify", folder))
    target.change("users", "g0", enabledUser=True)

    run = target.roster("verify", folder, "--repair")

    assert (0, {"users": {"different": ["g0"]}}, ["PUT"]) == (run.code, found(run), target.writes)
    assert target.record("users", "g0")["enabledUser"] in (False, "false")
    assert {} == found(target.roster("verify", folder))


def test_a_target_that_has_lost_too_much_is_not_filled_unasked(
    target: Served, folder: Path
) -> None:
    """It may be another one. Exit 2 and nothing is done; `--lost` says that it is meant."""
    rows = district()
    people = [
        rows["users"][1]
        | {
            "sourcedId": f"g{number}",
            "username": f"g{number}",
            "email": f"g{number}@example.edu",
            "givenName": f"Gil{number}",
        }
        for number in range(15)
    ]
    rows["users"] += people
    rows["roles"] += [
        rows["roles"][1] | {"sourcedId": f"r-{one['sourcedId']}", "userSourcedId": one["sourcedId"]}
        for one in people
    ]
    rows["enrollments"] += [
        rows["enrollments"][place]
        | {"sourcedId": f"f{number + 15 * place}", "userSourcedId": one["sourcedId"]}
        for place in (0, 1)
        for number, one in enumerate(people)
    ]
    assert 0 == target.roster("sync", drop(folder, rows)).code
    for number in range(30):
        target.lose("enrollments", f"f{number}")

    refused = target.roster("verify", folder, "--repair")
    writes = target.writes
    meant = target.roster("verify", folder, "--repair", "--lost")

    assert (2, True, []) == (
        refused.code,
        "30 of 33 enrollments are missing" in refused.said,
        writes,
    )
    assert (0, ["POST"] * 30) == (meant.code, target.writes)
