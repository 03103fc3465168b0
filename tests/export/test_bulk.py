"""A roster as the standard's files: which rows and columns they have, and what is reported about the rest."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.judging import judged, judged_drop
from tests.rosters import Rows, changed, delta, district, drop, without
from transforms.export import BulkExport, export_roster
from transforms.records import EntityRecords
from transforms.schemas import ENTITIES, LIFECYCLE

PROFILE = {
    "profileType": "LTI",
    "vendorId": "hedgerow",
    "credentialType": "basic",
    "username": "ana",
}


def exported(folder: Path, rows: Rows, *, strict: bool = False, mode: str = "bulk") -> BulkExport:
    """Read, check and export rows."""
    checked = judged(folder, rows, mode=mode)
    return export_roster(checked.standing, checked.parts, strict=strict)


def told(made: BulkExport) -> list[tuple[str, str, str, int]]:
    """Give (rule, file, column, count) of each notice."""
    return [
        (notice.rule, notice.file, notice.column, notice.count) for notice in made.findings.notices
    ]


def faults(made: BulkExport) -> list[tuple[str, int, str, str, str]]:
    """Give (file, row, sourcedId, column, rule) of each error."""
    return made.findings.errors.select("file", "row", "sourcedId", "column", "rule").rows()


def ids(made: BulkExport, entity: str) -> list[str]:
    """Give the ids of a file's rows, in their order."""
    return made.tables[entity]["sourcedId"].to_list()


def test_a_clean_district_is_exported_whole(tmp_path: Path) -> None:
    """Each file has its rows, and nothing is reported."""
    made = exported(tmp_path, district())

    assert {name: len(rows) for name, rows in district().items()} == {
        name: frame.height for name, frame in made.tables.items()
    }
    assert ((), 0) == (made.findings.notices, made.findings.errors.height)


@pytest.mark.parametrize("name", sorted(district()))
def test_a_file_has_the_columns_of_the_standard_in_order(name: str, tmp_path: Path) -> None:
    """All of them, blank ones too."""
    made = exported(tmp_path, district())

    assert list(ENTITIES[name].header("1.2")) == made.tables[name].columns


def test_extensions_stand_last_in_the_order_of_their_names(tmp_path: Path) -> None:
    """However the drop had them."""
    rows = changed(district(), "ana", **{"metadata.b": "2", "metadata.a": "1"})

    assert ["pronouns", "metadata.a", "metadata.b"] == exported(tmp_path, rows).tables[
        "users"
    ].columns[-3:]


def test_status_is_blank_whatever_the_drop_says(tmp_path: Path) -> None:
    """Bulk files must not fill it."""
    made = exported(
        tmp_path,
        changed(district(), "bo", status="active", dateLastModified="2026-11-24T00:00:00.000Z"),
    )

    assert [(None, None)] == made.tables["users"].select(LIFECYCLE).unique().rows()


def test_rows_stand_in_the_order_of_their_ids(tmp_path: Path) -> None:
    """The same roster in another order is the same file."""
    rows = district()
    rows["users"].reverse()

    assert ["ana", "bo", "mum", "tia"] == ids(exported(tmp_path, rows), "users")


def test_rows_that_were_refused_are_left_out_with_what_hangs_on_them(tmp_path: Path) -> None:
    """A user without a name takes roles, demographics and enrollments along, and is nobody's agent any more."""
    rows = district()
    rows["users"][0]["familyName"] = ""
    made = exported(tmp_path, changed(rows, "bo", agentSourcedIds="ana"))

    assert ["bo", "mum", "tia"] == ids(made, "users")
    assert (["r2", "r3", "r4"], ["e2", "e3"]) == (ids(made, "roles"), ids(made, "enrollments"))
    assert "demographics" not in made.tables
    assert [None] == made.tables["users"]["agentSourcedIds"].unique().to_list()


def test_rows_that_say_that_a_record_is_gone_are_left_out(tmp_path: Path) -> None:
    """A bulk zip says so by lacking them."""
    rows = changed(without(district(), "e2"), "e1", status="tobedeleted")

    assert ["e3"] == ids(exported(tmp_path, rows), "enrollments")


def test_a_link_that_leads_nowhere_is_left_out_of_a_part(tmp_path: Path) -> None:
    """The role stays; the profile that nobody has does not."""
    rows = changed(district(), "r1", userProfileSourcedId="nowhere")
    made = exported(tmp_path, rows)

    assert [None] * 4 == made.tables["roles"]["userProfileSourcedId"].to_list()
    assert [] == told(made)


def test_profiles_keep_their_ids(tmp_path: Path) -> None:
    """What folds into a user for the target is a file of its own again."""
    rows = district() | {"userProfiles": [{"sourcedId": "p1", "userSourcedId": "ana"} | PROFILE]}
    made = exported(tmp_path, changed(rows, "r1", userProfileSourcedId="p1"))

    assert [("p1", "ana")] == made.tables["userProfiles"].select(
        "sourcedId", "userSourcedId"
    ).rows()
    assert "p1" == made.tables["roles"]["userProfileSourcedId"][0]


def test_cells_are_data_and_have_no_line_breaks() -> None:
    """Whatever a spreadsheet would make of them; from where lines may break, such as an API, they come without."""
    entity = ENTITIES["categories"]
    cells = dict.fromkeys(entity.by_name) | {"sourcedId": "k", "title": "=1+1\r\nand more"}
    frame = pl.DataFrame([cells], schema=dict.fromkeys(cells, pl.String))
    made = export_roster({"categories": EntityRecords(entity, frame, "bulk", entity.file)}, {})

    assert "=1+1 and more" == made.tables["categories"]["title"][0]


def test_files_of_our_own_are_left_out_and_told(tmp_path: Path) -> None:
    """OneRoster has no components."""
    rows = district() | {
        "courseComponents": [{"sourcedId": "m1", "title": "Unit 1", "courseSourcedId": "co"}]
    }
    made = exported(tmp_path, rows)

    assert "courseComponents" not in made.tables
    assert [("export_beyond", "courseComponents.csv", "", 1)] == told(made)


def test_what_only_the_standard_wants_is_told_and_not_made_up(tmp_path: Path) -> None:
    """A user without a username loads; in the zip it is a breach."""
    made = exported(tmp_path, changed(district(), "bo", username=""))

    assert [("export_breach", "users.csv", "username", 1)] == told(made)
    assert None is made.tables["users"]["username"][1]


def test_strictly_such_rows_are_left_out(tmp_path: Path) -> None:
    """What remains is conformant, and no row names the mother who is not in it; each omitted row is reported with its place in the drop."""
    rows = changed(changed(district(), "mum", username=""), "r4", role="aide")
    rows["users"].reverse()
    made = exported(tmp_path, rows, strict=True)

    assert (["ana", "bo", "tia"], []) == (ids(made, "users"), told(made))
    assert [None] == made.tables["users"]["agentSourcedIds"].unique().to_list()
    assert ("users.csv", 1, "mum", "username", "required") in faults(made)


def test_strictly_what_hangs_on_such_rows_is_left_out_with_them(tmp_path: Path) -> None:
    """As it is where a row is rejected."""
    made = exported(tmp_path, changed(district(), "bo", username=""), strict=True)

    assert (["e1", "e3"], ["r1", "r3", "r4"]) == (ids(made, "enrollments"), ids(made, "roles"))
    assert ("enrollments.csv", 2, "e2", "userSourcedId", "parent_rejected") in faults(made)


def test_what_leads_out_of_the_zip_is_told(tmp_path: Path) -> None:
    """A record that another feed has loaded is not in it."""
    rows = without(district(), "co")
    checked = judged(tmp_path, rows, elsewhere={"courses": pl.Series(["co"])})
    whole, strict = (
        export_roster(checked.standing, checked.parts, strict=one) for one in (False, True)
    )

    assert [("export_outside", "classes.csv", "courseSourcedId", 2)] == told(whole)
    assert (["c1", "c2"], False) == (ids(whole, "classes"), "classes" in strict.tables)


def test_changes_are_no_roster(tmp_path: Path) -> None:
    """A bulk zip of them would say that everybody else is gone."""
    made = exported(tmp_path, delta(district()), mode="delta")

    assert ["export_delta"] == made.findings.fatal["rule"].to_list()


def test_a_drop_that_does_not_say_that_it_is_whole_is_told(tmp_path: Path) -> None:
    """Without a manifest nothing vanishes; with the zip it would."""
    folder = drop(tmp_path, district())
    (folder / "manifest.csv").unlink()
    checked = judged_drop(folder)
    made = export_roster(checked.standing, checked.parts)

    assert {"export_whole"} == {rule for rule, *_ in told(made)}


def test_a_roster_of_which_nothing_is_left_is_refused(tmp_path: Path) -> None:
    """A zip without files would say that nothing changed."""
    made = exported(tmp_path, {"orgs": [{"sourcedId": "d", "name": "", "type": "district"}]})

    assert ({}, ["export_empty"]) == (made.tables, made.findings.fatal["rule"].to_list())


def test_the_manifest_has_every_file_of_the_standard(tmp_path: Path) -> None:
    """In the standard's order: `bulk` for those with rows, `absent` for all others, and whose roster it is."""
    rows = exported(tmp_path, district()).files("larkspur-valley")["manifest.csv"].rows()

    assert [
        ("manifest.version", "1.0"),
        ("oneroster.version", "1.2"),
        ("file.academicSessions", "bulk"),
    ] == rows[:3]
    assert [("source.systemName", "roster"), ("source.systemCode", "larkspur-valley")] == rows[-2:]
    assert 25 == len(rows)
    assert {f"file.{name}" for name in district()} == {
        name for name, value in rows if value == "bulk"
    }


def test_nothing_of_the_standard_refers_to_what_is_not() -> None:
    """So leaving out our own files leaves nothing dangling."""
    standard = [entity for entity in ENTITIES.values() if entity.standard]
    named = {column.refers for entity in standard for column in entity.references}

    assert [] == [name for name in named if name and not ENTITIES[name].standard]
