"""The probes that concern what is read and what is sent: P1, P5, P6 and E1, E2, E3 and E5 (there is no E4)."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from connectors.oneroster.sandbox.store import SandboxStore
from tests.rosters import DISTRICT, Rows, changed, csv_text, district, drop
from tests.running import Run, roster


def hundred() -> Rows:
    """A district with a hundred students more."""
    users = [
        DISTRICT["users"][1] | {"sourcedId": f"u{number:03}", "username": f"u{number}"}
        for number in range(100)
    ]
    roles = [
        DISTRICT["roles"][0] | {"sourcedId": f"r{u['sourcedId']}", "userSourcedId": u["sourcedId"]}
        for u in users
    ]
    enrollments = [
        {
            "sourcedId": f"e{u['sourcedId']}",
            "classSourcedId": "c1",
            "schoolSourcedId": "s1",
            "userSourcedId": u["sourcedId"],
            "role": "student",
        }
        for u in users
    ]
    return {
        **district(),
        "users": [*DISTRICT["users"], *users],
        "roles": [*DISTRICT["roles"], *roles],
        "enrollments": [*DISTRICT["enrollments"], *enrollments],
    }


def sync(folder: Path, rows: Rows | None = None) -> Run:
    """Load rows; None loads the drop as it lies there."""
    if rows is not None:
        drop(folder / "drop", rows)
    return roster("sync", folder / "drop", "--json", state=folder / "state")


def name_of(folder: Path, user: str) -> object:
    """The given name that the target holds."""
    store = SandboxStore(folder / "state" / "sandbox.db")
    try:
        return (store.get("users", user) or {}).get("givenName")
    finally:
        store.close()


def test_p1_there_and_back_again_is_delivered(tmp_path: Path) -> None:
    """A, B, A: the third drop is as new as the second was, whatever was sent before."""
    runs = [
        sync(tmp_path, changed(hundred(), "u007", givenName=name)) for name in ("Ada", "Bea", "Ada")
    ]

    assert [(0, 1), (0, 1)] == [(run.code, run.total("updated")) for run in runs[1:]]
    assert "Ada" == name_of(tmp_path, "u007")


def test_p5_columns_in_another_order_send_nothing(tmp_path: Path) -> None:
    """Nor rows in another order."""
    sync(tmp_path, hundred())
    path = tmp_path / "drop" / "users.csv"
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0])[::-1])
        writer.writeheader()
        writer.writerows(rows[::-1])

    again = sync(tmp_path)

    assert (0, 0, 104) == (
        again.code,
        again.json["requests"],
        again.json["entities"]["users"]["unchanged"],
    )


def test_p6_half_of_the_rows_removed_is_held_and_then_deleted(tmp_path: Path) -> None:
    """Neither lost from sight nor deleted unseen."""
    sync(tmp_path, hundred())
    rows = hundred()
    rows["enrollments"] = rows["enrollments"][:53]

    held = sync(tmp_path, rows)
    approved = roster(
        "sync",
        tmp_path / "drop",
        "--json",
        "--approve",
        held.json["plan"],
        state=tmp_path / "state",
    )

    assert (3, 50, 0) == (held.code, held.total("held"), held.json["requests"])
    assert (0, 50, 50) == (approved.code, approved.total("deleted"), approved.json["requests"])


def three(extra: str = "") -> str:
    """A file of two good users and a line more."""
    return csv_text("users", DISTRICT["users"][:2]) + extra


def rejects(run: Run) -> list[dict[str, str]]:
    """The rows of rejects.csv."""
    return list(csv.DictReader(Path(run.json["rejects"]).read_text("utf-8").splitlines()))


def test_e1_a_ragged_row_is_quarantined_with_its_line(tmp_path: Path) -> None:
    """The two good ones are delivered."""
    folder = drop(
        tmp_path / "drop",
        {
            name: table
            for name, table in district().items()
            if name not in ("demographics", "enrollments")
        },
    )
    folder.joinpath("users.csv").write_text(three('tia,,,"one cell, and no more"\r\n'), newline="")

    run = sync(tmp_path)

    assert (0, 2) == (run.code, run.json["entities"]["users"]["created"])
    (bad,) = (one for one in rejects(run) if one["rule"] == "ragged_row")
    assert ("users.csv", "3", "tia") == (bad["file"], bad["row"], bad["sourcedId"])


def test_e2_a_row_that_breaks_a_rule_is_quarantined_with_its_id(tmp_path: Path) -> None:
    """With column, rule and value; the rest is delivered."""
    run = sync(tmp_path, changed(district(), "bo", enabledUser="perhaps"))

    (bad,) = (one for one in rejects(run) if one["rule"] == "boolean")
    assert ("users.csv", "2", "bo", "enabledUser", "perhaps") == tuple(
        bad[name] for name in ("file", "row", "sourcedId", "column", "value")
    )
    assert (0, 3) == (run.code, run.json["entities"]["users"]["created"])


def test_e3_quotes_and_backslashes_arrive_as_they_are(tmp_path: Path) -> None:
    """In the target, and as valid JSON on the way."""
    name = 'Zoe "Z\\" O\'Neil'

    run = sync(tmp_path, changed(district(), "bo", givenName=name))

    assert (0, name) == (run.code, name_of(tmp_path, "bo"))
    assert name == json.loads(json.dumps(name_of(tmp_path, "bo")))


def test_e5_one_id_twice_is_decided_by_a_rule(tmp_path: Path) -> None:
    """Equal rows are one; different ones are both refused, and neither is sent."""
    equal, different = district(), district()
    equal["users"].append(dict(equal["users"][1]))
    different["users"].append(different["users"][1] | {"givenName": "Another"})

    merged = sync(tmp_path / "equal", equal)
    refused = sync(tmp_path / "different", different)

    assert (1, 4) == (
        merged.json["entities"]["users"]["merged"],
        merged.json["entities"]["users"]["created"],
    )
    assert (1, 3, None) == (
        refused.json["entities"]["users"]["rejected"],
        refused.json["entities"]["users"]["created"],
        name_of(tmp_path / "different", "bo"),
    )
