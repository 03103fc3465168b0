"""The target's words are the standard's again, where the target still says what was meant."""

from __future__ import annotations

from pathlib import Path

from connectors.drops import read
from connectors.oneroster.profile import TIMEBACK
from tests.judging import TODAY
from tests.rosters import Rows, changed, district, drop
from transforms.layouts.options import ReadingOptions
from transforms.roster import Roster
from transforms.sources import normalize
from transforms.target_values import map_from_target


def uncarry(folder: Path, rows: Rows) -> Roster:
    """Read rows as if they came from the target."""
    return map_from_target(
        normalize("oneroster", read(drop(folder, rows)), ReadingOptions(TODAY)), TIMEBACK.vocabulary
    )


def test_administrators_are_told_by_their_organisation(tmp_path: Path) -> None:
    """The target has one word for them; all others stay as they are."""
    rows = changed(
        changed(district(), "r1", role="administrator"),
        "r2",
        role="administrator",
        orgSourcedId="d",
    )
    roster = uncarry(tmp_path, changed(rows, "r3", role="system_administrator"))

    assert [
        "siteAdministrator",
        "districtAdministrator",
        "systemAdministrator",
        "parent",
    ] == roster.tables["roles"].frame["role"].to_list()


def test_nobody_becomes_an_administrator_of_the_system(tmp_path: Path) -> None:
    """Whoever administers a department does not, and the target would have said so."""
    rows = changed(
        changed(district(), "s2", type="department"), "r1", role="administrator", orgSourcedId="s2"
    )

    assert "siteAdministrator" == uncarry(tmp_path, rows).tables["roles"].frame["role"][0]


def test_what_is_not_there_is_not_made(tmp_path: Path) -> None:
    """Without roles there is nothing to undo."""
    rows = {"orgs": district()["orgs"]}

    assert ["orgs"] == list(uncarry(tmp_path, rows).tables)
