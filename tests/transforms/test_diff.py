"""What the ledger makes of a roster: creates, updates, revivals, removals, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.judging import Known, judged, judged_drop, ledger
from tests.rosters import DISTRICT, Rows, changed, csv_text, delta, district, drop, without
from transforms.changes import ACTION, FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL, imbalance
from transforms.diff import Difference, diff


def loaded(folder: Path, rows: Rows) -> Known:
    """Give the ledger as it is after rows were loaded."""
    changes = diff(judged(folder, rows).standing, {}).changes
    return {
        name: entity.upserts.select("sourcedId", fingerprint=FINGERPRINT, status=pl.lit("active"))
        for name, entity in changes.items()
    }


def with_status(known: Known, entity: str, sourced_id: str, status: str) -> Known:
    """Give a ledger in which a record has another status."""
    other = (
        pl.when(pl.col("sourcedId") == sourced_id)
        .then(pl.lit(status))
        .otherwise("status")
        .alias("status")
    )
    return {**known, entity: known[entity].with_columns(other)}


def compared(folder: Path, rows: Rows, known: Known, mode: str = "bulk") -> Difference:
    """Compare rows with a ledger."""
    return diff(judged(folder, rows, known, mode=mode).standing, known)


def actions(difference: Difference) -> dict[str, str]:
    """Give what is to be done with each record."""
    return {
        one: action
        for entity in difference.changes.values()
        for frame in (entity.upserts, entity.removals)
        for one, action in frame.select("sourcedId", ACTION).iter_rows()
    }


def test_what_the_ledger_does_not_know_is_created(tmp_path: Path) -> None:
    """Everything, the first time."""
    ids = {row["sourcedId"] for name, table in DISTRICT.items() if name != "roles" for row in table}

    assert dict.fromkeys(ids, "create") == actions(compared(tmp_path, district(), {}))


def test_nothing_changed_nothing_to_send(tmp_path: Path) -> None:
    """The second time, nothing."""
    known = loaded(tmp_path, district())

    difference = compared(tmp_path, district(), known)

    assert {} == actions(difference)
    assert 3 == difference.changes["enrollments"].counts["unchanged"]


SAME = (
    ("rows in another order", {name: table[::-1] for name, table in DISTRICT.items()}),
    ("terms in another order", changed(district(), "c2", termSourcedIds="t1,y")),
    ("another id of a role", changed(district(), "r1", sourcedId="r1x")),
    ("spaces", changed(district(), "bo", givenName=" Bo ")),
    ("a blank metadata column", changed(district(), "bo", **{"metadata.bus": ""})),
)


@pytest.mark.parametrize("rows", [case[1] for case in SAME], ids=[case[0] for case in SAME])
def test_what_means_the_same_changes_nothing(rows: Rows, tmp_path: Path) -> None:
    """No request for another spelling of the same roster."""
    assert {} == actions(compared(tmp_path, rows, loaded(tmp_path / "before", district())))


CHANGES = (
    ("a name", changed(district(), "bo", givenName="Boris"), {"bo": "update"}),
    ("a name that is gone", changed(district(), "bo", grades=""), {"bo": "update"}),
    ("a role", changed(district(), "r1", role="aide"), {"ana": "update"}),
    ("metadata", changed(district(), "c1", **{"metadata.room": "9"}), {"c1": "update"}),
    ("a record more", {**district(), "enrollments": [*DISTRICT["enrollments"], DISTRICT["enrollments"][0] | {"sourcedId": "e9"}]}, {"e9": "create"}),
    ("a record less", without(district(), "e1"), {"e1": "delete"}),
    ("a child and its parent less", without(district(), "e2", "c2"), {"e2": "delete", "c2": "delete"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"), [case[1:] for case in CHANGES], ids=[case[0] for case in CHANGES]
)
def test_one_change_is_one_action(rows: Rows, expected: dict[str, str], tmp_path: Path) -> None:
    """What changed, and nothing else."""
    assert expected == actions(compared(tmp_path, rows, loaded(tmp_path / "before", district())))


def test_rejected_is_not_absent(tmp_path: Path) -> None:
    """A class whose row went bad stays, and so do its enrollments."""
    known = loaded(tmp_path / "before", district())

    assert {} == actions(compared(tmp_path, changed(district(), "c1", classType="circus"), known))


def test_rows_without_a_certain_id_keep_everybody(tmp_path: Path) -> None:
    """Nobody can say then who is missing, and that is reported."""
    known = loaded(tmp_path / "before", district())

    difference = compared(tmp_path, changed(without(district(), "e3"), "e1", sourcedId=""), known)

    assert {} == actions(difference)
    assert [("not_absent", 2)] == [
        (notice.rule, notice.count) for notice in difference.findings.notices
    ]


def test_a_missing_file_deletes_nothing(tmp_path: Path) -> None:
    """Declared absent, or not there at all."""
    known = loaded(tmp_path / "before", district())
    rows = district()
    del rows["enrollments"], rows["demographics"]

    assert {} == actions(compared(tmp_path, rows, known))


def test_a_header_without_rows_is_no_snapshot(tmp_path: Path) -> None:
    """What seems to have vanished is named, so that the guard can hold it; nothing that refers to it falls."""
    known = loaded(tmp_path / "before", district())
    folder = drop(tmp_path, district())
    (folder / "classes.csv").write_text(csv_text("classes", []), newline="")

    difference = diff(judged_drop(folder, known).standing, known)

    assert ({"c1": "delete", "c2": "delete"}, False) == (
        actions(difference),
        difference.changes["classes"].whole,
    )


@pytest.mark.parametrize("status", ["disabled", "ended"])
def test_whoever_was_disabled_or_ended_is_brought_up_to_date(status: str, tmp_path: Path) -> None:
    """Also if nothing else changed: the target holds another state than the drop."""
    known = with_status(loaded(tmp_path / "before", district()), "enrollments", "e1", status)

    assert {"e1": "update"} == actions(compared(tmp_path, district(), known))


def test_what_was_kept_returns_without_a_request(tmp_path: Path) -> None:
    """It vanished, stayed in the target, and is back as it was; while it is away it does not vanish again."""
    known = with_status(loaded(tmp_path / "before", district()), "enrollments", "e1", "kept")

    back, away = (
        compared(tmp_path, district(), known),
        compared(tmp_path / "2", without(district(), "e1"), known),
    )

    assert ({}, ["e1"]) == (actions(back), back.changes["enrollments"].returned.to_list())
    assert {} == actions(away)


def test_a_delta_deletes_only_what_it_says(tmp_path: Path) -> None:
    """What it does not mention stays; what the ledger does not know is kept."""
    known = loaded(tmp_path / "before", district())
    rows = delta(
        {
            "enrollments": [
                DISTRICT["enrollments"][0],
                DISTRICT["enrollments"][1] | {"sourcedId": "e77"},
            ]
        },
        "tobedeleted",
    )

    difference = compared(tmp_path, rows, known, "delta")

    assert {"e1": "delete", "e77": "kept"} == actions(difference)
    assert (2, 1, 0) == tuple(
        difference.changes["enrollments"].counts[term] for term in ("vanished", "kept", "read")
    )


def test_whoever_returns_is_revived(tmp_path: Path) -> None:
    """The target still has the record, marked as deleted."""
    known = with_status(loaded(tmp_path / "before", district()), "enrollments", "e1", "deleted")

    assert {"e1": "revive"} == actions(compared(tmp_path, district(), known))


def test_what_the_ledger_keeps_of_a_record(tmp_path: Path) -> None:
    """Its school, its parents, who it is and which columns were filled."""
    users = compared(tmp_path, district(), {}).changes["users"].upserts.filter(sourcedId="ana")

    assert (
        "agentSourcedIds,email,enabledUser,familyName,givenName,grades,roles,sourcedId,username",
        "s1",
        "orgs:s1",
        "Ana Diaz",
    ) == users.select(FIELDS, SCHOOL, PARENTS, LABEL).row(0)


def test_counts_balance_before_anything_is_sent(tmp_path: Path) -> None:
    """Upserts and deletes are what is left."""
    rows = changed(without(district(), "e1"), "bo", grades="07")
    rows["enrollments"].append(rows["enrollments"][0])

    difference = compared(tmp_path, rows, loaded(tmp_path / "before", district()))

    for entity in difference.changes.values():
        assert imbalance(entity.counts) == entity.upserts.height + entity.of("delete").height


def test_ledger_rows_of_other_entities_do_not_matter(tmp_path: Path) -> None:
    """An id is one of its entity."""
    known = {
        **loaded(tmp_path / "before", district()),
        "courses": ledger(courses=["e1"])["courses"],
    }

    assert {"co": "create", "e1": "delete"} == actions(compared(tmp_path, district(), known))
