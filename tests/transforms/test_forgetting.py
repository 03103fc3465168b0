"""Whoever is forgotten is withheld as if the feed file excluded them, and leaves no id in what is kept."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drops import read
from tests.judging import TODAY, Known, judged, ledger
from tests.laws.strategies import Dirt, dirt, rosters
from tests.learning import learning
from tests.rosters import Rows, changed, district, drop
from tests.strength import expensive
from transforms.changes import Counts, EntityChanges, imbalance
from transforms.checks import check
from transforms.diff import diff
from transforms.findings import Findings
from transforms.forget import (
    erase_people,
    forgotten_rows_of_drop,
    id_digest,
    rows_of_forgotten,
    withhold_forgotten,
    withhold_rows,
    without_forgotten_ids,
    without_their_errors,
)
from transforms.layouts.options import ReadingOptions
from transforms.records import RosterState
from transforms.share import SharingScope, share
from transforms.sources import normalize


def without(
    folder: Path, rows: Rows, *people: str, known: Known | None = None
) -> tuple[RosterState, Findings]:
    """Judge rows as a drop, and leave people out."""
    roster = normalize("oneroster", read(drop(folder / "drop", rows)), ReadingOptions(TODAY))
    checked = check(roster, known or {})
    digests = frozenset(map(id_digest, people))
    gone = forgotten_rows_of_drop(roster, digests)
    return withhold_rows(checked.standing, gone), without_their_errors(checked.findings, gone)


def withheld(standing: RosterState) -> dict[str, list[str]]:
    """The ids that are withheld, by entity."""
    ids = {name: sorted(judged.withheld["sourcedId"]) for name, judged in standing.items()}
    return {name: of_entity for name, of_entity in ids.items() if of_entity}


@pytest.mark.parametrize("person", ["ana", "bo", "tia", "mum"])
def test_forgotten_is_as_excluded(person: str, tmp_path: Path) -> None:
    """The same records are withheld, and the same are left."""
    standing, _ = without(tmp_path, district(), person)
    scope = SharingScope(exclude=frozenset({person}), demographics=True, contacts=True)
    excluded = share(judged(tmp_path, district()).standing, scope)

    assert withheld(excluded) == withheld(standing)
    assert all(excluded[name].accepted.equals(one.accepted) for name, one in standing.items())


def test_results_of_the_forgotten_are_withheld(tmp_path: Path) -> None:
    """So is whatever names them and cannot be without."""
    rows = learning()
    student = rows["results"][0]["studentSourcedId"]

    standing, _ = without(tmp_path, rows, student, known=ledger(users=[student]))

    mine = sorted(row["sourcedId"] for row in rows["results"] if row["studentSourcedId"] == student)
    assert mine == withheld(standing)["results"]


def test_a_row_with_a_fault_is_withheld_and_not_rejected(tmp_path: Path) -> None:
    """Its values would stand in the rejects; another person's faults are reported as always."""
    rows = changed(changed(district(), "e1", role="pupil"), "e2", role="pupil")

    standing, findings = without(tmp_path, rows, "ana")

    assert (["e2"], ["e1"]) == (
        list(standing["enrollments"].refused["sourcedId"]),
        withheld(standing)["enrollments"],
    )
    assert ["e2"] == findings.errors["sourcedId"].to_list()


def test_what_the_ledger_still_has_has_not_vanished(tmp_path: Path) -> None:
    """Until the target could be reached: no removal, no update."""
    known = ledger(
        users=["ana", "bo", "tia", "mum"], enrollments=["e1", "e2", "e3"], demographics=["ana"]
    )

    standing, _ = without(tmp_path, district(), "ana", known=known)
    changes = diff(standing, known).changes

    assert [] == [one for part in changes.values() for one in part.removals["sourcedId"]]
    assert {} == {
        name: off for name, part in changes.items() if (off := imbalance(part.counts | _sent(part)))
    }


def _sent(part: EntityChanges) -> Counts:
    return {"created": part.upserts.height}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that examples share."""
    return tmp_path_factory.mktemp("examples")


@expensive(15)
@given(rosters(), st.lists(dirt(), max_size=3), st.data())
def test_counts_balance_whoever_is_forgotten(
    folder: Path, rows: Rows, faults: list[Dirt], data: st.DataObject
) -> None:
    """Whatever is wrong with the drop, each record is counted once, and nobody's id is kept."""
    for fault in faults:
        rows = fault(rows)
    people = [row["sourcedId"] for row in rows["users"]]
    person = data.draw(st.sampled_from(people)) if people else "nobody"

    before = judged(folder, rows).standing
    standing, findings = without(folder, rows, person)

    assert {name: one.counts["read"] for name, one in before.items()} == {
        name: one.counts["read"] for name, one in standing.items()
    }
    assert person not in findings.errors.filter(entity="users")["sourcedId"]
    for judged_one in map(without_forgotten_ids, standing.values()):
        ids = [
            getattr(judged_one, name)["sourcedId"] for name in ("accepted", "refused", "withheld")
        ]
        assert judged_one.entity.name != "users" or person not in pl.concat(ids)


def test_nobody_forgotten_is_nothing_done(tmp_path: Path) -> None:
    """The roster is the same object: an ordinary night pays nothing."""
    standing = judged(tmp_path, district()).standing

    assert standing is withhold_rows(standing, rows_of_forgotten({}, frozenset()))
    assert withheld(withhold_forgotten(standing, frozenset({id_digest("somebody")}))) == {}


def test_a_roster_is_erased_of_a_person(tmp_path: Path) -> None:
    """What is not theirs stays the same object; those who name them do not any more."""
    standing = judged(tmp_path, district()).standing
    mum, none = pl.Series("sourcedId", ["mum"]), pl.Series("sourcedId", [], dtype=pl.String)

    users = erase_people(standing["users"], mum, mum)

    assert standing["enrollments"] is erase_people(standing["enrollments"], none, mum)
    assert ["ana", "bo", "tia"] == sorted(users.accepted["sourcedId"])
    assert [None] == users.accepted.filter(sourcedId="ana")["agentSourcedIds"].to_list()
