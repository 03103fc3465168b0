"""Exported and read again, it is the same roster, whatever layout it came in."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import assume, given

from connectors.drops import read
from flows.feeds.mapping_file import read_mapping_file
from tests.export.conformance import breaches
from tests.export.rereading import assert_same, content, made_of, records, zipped
from tests.judging import judged_drop
from tests.laws.strategies import Dirt, dirt, rosters
from tests.layouts.normalizing import normalized
from tests.rosters import Rows, drop
from tests.strength import expensive
from transforms.roster import Roster
from transforms.schemas import ENTITIES
from transforms.sources import LAYOUTS

SAMPLES = Path(__file__).parents[2] / "sample_data"
OWN = SAMPLES / "own_layout"
FIXTURES = (
    "oneroster-1.1-district", "canvas", "sds-v1-other-headers", "sds/SDS UK/25 Users", "sds/SDS v1/100 Users", "sds/SDS v2", "sds/SDS v2.1",
)  # fmt: skip
BULK = ("full", "gradebook", "resources", "rostering")


def assert_comes_back(roster: Roster, folder: Path) -> None:
    """What the zip has of a roster is what it has of the zip."""
    made = made_of(roster)
    again = made_of(normalized(zipped(made, folder), "oneroster"))

    assert made.tables
    assert_same(made.tables, again.tables)


def assert_conformant(roster: Roster, folder: Path) -> None:
    """Exported strictly, nothing in the zip breaks the standard."""
    path = zipped(made_of(roster, strict=True), folder)
    checked = judged_drop(path, strict=True)

    assert [] == breaches(path)
    assert [] == checked.findings.errors.select("file", "column", "rule").rows()


@expensive(10)
@given(rosters())
def test_a_clean_roster_comes_back_as_it_was(rows: Rows) -> None:
    """Every record, each cell as it was exported, and nothing to find fault with.

    But a title such as `NÂ¡`, which looks like text in a wrong encoding, is reported each time.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = made_of(normalized(drop(Path(folder) / "drop", rows)))
        again = normalized(zipped(made, Path(folder)))

    standard = {name: table for name, table in rows.items() if table and ENTITIES[name].standard}
    assert {name: {row["sourcedId"] for row in table} for name, table in standard.items()} == {
        name: set(frame["sourcedId"]) for name, frame in made.tables.items()
    }
    assert_same(content(made.tables), records(again))
    assert {"mojibake"} >= {notice.rule for notice in again.findings.notices}
    assert 0 == again.findings.errors.height


@expensive(10)
@given(rosters(), dirt())
def test_whatever_is_wrong_with_a_roster_a_strict_zip_is_conformant(
    rows: Rows, spoil: Dirt
) -> None:
    """Rows that are not, and whatever needs them, are left out."""
    with tempfile.TemporaryDirectory() as folder:
        roster = normalized(drop(Path(folder) / "drop", spoil(rows)), "oneroster")
        assume(made_of(roster, strict=True).tables)

        assert_conformant(roster, Path(folder))


@pytest.mark.parametrize("name", ["oneroster_1_1", "oneroster_1_2", "learning", *LAYOUTS])
def test_a_sample_comes_back(name: str, tmp_path: Path) -> None:
    """Of each layout, with its dirt: what was accepted of it."""
    assert_comes_back(normalized(SAMPLES / name), tmp_path)


@pytest.mark.parametrize("name", ["oneroster_1_1", "oneroster_1_2", "learning", *LAYOUTS])
def test_a_sample_is_conformant_if_that_is_asked_for(name: str, tmp_path: Path) -> None:
    """However it was written."""
    assert_conformant(normalized(SAMPLES / name), tmp_path)


def test_a_drop_in_a_layout_of_ones_own_comes_back(tmp_path: Path) -> None:
    """Read by its mapping file, exported, and read without one."""
    roster = normalized(OWN / "drop", read_mapping_file(OWN / "mapping.toml"))

    assert_comes_back(roster, tmp_path)


@pytest.mark.parametrize("name", FIXTURES)
def test_a_real_drop_comes_back(name: str, real_drops: Path, tmp_path: Path) -> None:
    """And is conformant, if that is asked for."""
    roster = normalized(real_drops / name)

    assert_comes_back(roster, tmp_path)
    assert_conformant(roster, tmp_path)


@pytest.mark.parametrize("name", BULK)
def test_a_conformant_zip_comes_back_whole(name: str, real_drops: Path, tmp_path: Path) -> None:
    """Every row of it, with nothing to find fault with even by the letter."""
    roster = normalized(
        real_drops / "oneroster-1.2-longsight" / "valid" / f"{name}-bulk-package.zip"
    )
    path = zipped(made_of(roster), tmp_path)

    assert_same(records(roster), records(normalized(path)))
    assert ((), 0) == (
        (findings := read(path, strict=True).findings).notices,
        findings.errors.height,
    )
    assert 0 == judged_drop(path, strict=True).findings.errors.height
