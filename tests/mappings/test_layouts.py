"""A district's own layout, in a mapping file: a drop that fits no other loads by it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from flows.feeds.mapping_file import read_mapping_file
from tests.layouts.normalizing import column, judged, lines, normalized, written
from tests.mappings.loading import SAMPLE, held, loaded
from tests.running import roster
from transforms import layouts
from transforms.layouts.ids import DigestIds
from transforms.mappings.tables import CELLS, CONDITIONS


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a file of the sample."""
    with (SAMPLE / "drop" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_sample_loads_by_its_mapping(tmp_path: Path) -> None:
    """All but the date that does not exist, the pupil who left, and what is there twice."""
    pupils, staff, classes, timetable = map(rows_of, ("Pupils", "Staff", "Classes", "Timetable"))
    gone = [row for row in timetable if row["Pupil UPN"] not in {pupil["UPN"] for pupil in pupils}]
    twice = len(timetable) - len({(row["Class"], row["Pupil UPN"]) for row in timetable})

    result = loaded(SAMPLE / "drop", SAMPLE / "mapping.toml", tmp_path)

    assert 0 == result.exit_code
    assert {
        "orgs": 1,
        "academicSessions": 1,
        "users": len(pupils) + len(staff),
        "demographics": len(pupils) - 1,
        "courses": len({row["Subject"] for row in classes}),
        "classes": len(classes),
        "enrollments": len(timetable) - len(gone) - twice + len(classes),
    } == held(tmp_path)


def test_a_feeds_file_names_the_mapping_file(tmp_path: Path) -> None:
    """Relative to itself; what is wrong in it is reported before anything is read."""
    run = roster("sync", SAMPLE / "hawthorn.toml", "--json", state=tmp_path)
    feed = tmp_path / "feed.toml"
    feed.write_text((SAMPLE / "hawthorn.toml").read_text("utf-8"), "utf-8")
    wrong = roster("sync", feed, state=tmp_path)

    assert (0, "done", 2) == (run.code, run.json["status"], run.total("rejected"))
    assert (2, True) == (wrong.code, f"{tmp_path / 'mapping.toml'}: cannot be read" in wrong.err)


def test_the_sample_is_read_as_its_mapping_says() -> None:
    """Values by table, dates in the order of the file, constants, and names as they are."""
    roster = normalized(SAMPLE / "drop", read_mapping_file(SAMPLE / "mapping.toml"))
    accepted = judged(roster).standing

    assert "2013-11-02" == column(accepted["demographics"].accepted, "birthDate")["H820200114002"]
    assert ("06", "07") == tuple(
        column(accepted["users"].accepted, "grades")[upn]
        for upn in ("H820200114006", "H820200114010")
    )
    assert {"principal", "teacher", "aide", "student"} == set(roster.tables["roles"].frame["role"])
    assert "class/7A@20Ma" in set(accepted["classes"].accepted["sourcedId"])


def test_every_word_of_layouts_can_be_said() -> None:
    """A mapping file has the vocabulary of layouts, and nothing beside it."""
    words = {name for name in layouts.__all__ if name.islower()} - {"rows", "races"}

    assert words == CELLS.keys() | CONDITIONS.keys()


# Each word as it is written, the column of an entity that it makes, and what it makes of the row below.
SAID = (
    ("users", 'middleName = "Middle"', "Bo"),
    ("users", 'middleName = {text = "Middle"}', "Bo"),
    ("users", 'middleName = {constant = "X"}', "X"),
    ("users", 'middleName = {first = ["Blank", "Middle", {constant = "X"}]}', "Bo"),
    ("users", 'middleName = {joined = ["Middle", "Name"], separator = "+"}', "Bo+Lee, Ann"),
    ("users", 'middleName = {given = {constant = "X"}, columns = ["Blank"]}', None),
    ("users", 'username = {lowered = "Middle"}', "bo"),
    ("users", 'agentSourcedIds = {texts = "Items"}', "a,B"),
    ("users", 'agentSourcedIds = {derived_each = "p", column = "Items"}', "p/a,p/b"),
    ("users", 'identifier = {derived = "id", parts = ["Middle", "Blank"], needs = 1}', "id/Bo"),
    ("users", 'agentSourcedIds = {digested_each = "p", column = "Items"}', ",".join(map(DigestIds().id_of, ("p/a", "p/b")))),
    ("users", 'identifier = {digested = "id", parts = ["Middle", "Blank"], needs = 1}', DigestIds().id_of("id/Bo")),
    ("users", 'grades = {grades = "Year"}', "06,07,08"),
    ("users", 'enabledUser = {yes_no = "Flag"}', "true"),
    ("users", 'userIds = {user_ids = {MIS = "Id"}}', "{MIS:1}"),
    ("users", 'preferredGivenName = {given_name = "Name"}', "Ann"),
    ("users", 'preferredFamilyName = {family_name = "Name"}', "Lee"),
    ("users", '"metadata.house" = "Middle"', "Bo"),
    ("users", 'status = {status = "State"}', "tobedeleted"),
    ("users", 'status = {status = "Flag", words = {Y = "tobedeleted"}}', "tobedeleted"),
    ("users", 'primaryOrgSourcedId = {district = true}', None),
    ("demographics", 'birthDate = {birth_date = "Born"}', "2015-02-01"),
    ("demographics", 'birthDate = {birth_date = "Born", order = "mdy"}', "2015-01-02"),
    ("demographics", 'birthDate = {iso_date = "Born", century = "this"}', "2015-02-01"),
    ("demographics", 'sex = {sex = "Sex"}', "female"),
    ("demographics", 'sex.one_of = "Sex"\nsex.words.F = "other"', "other"),
    ("demographics", 'races = "Race"\ncityOfBirth = "Middle"', "true"),
    ("demographics", 'races = {first = ["Blank", "Race"]}\ncityOfBirth = "Middle"', "true"),
    ("orgs", 'type = {org_type = "Kind"}', "school"),
    ("roles", 'role = {role = "Role"}', "teacher"),
    ("enrollments", 'role = {class_role = "Role"}', "teacher"),
)  # fmt: skip
ROW = {
    "Id": "1", "Middle": "Bo", "Name": '"Lee, Ann"', "Blank": "", "Items": "a;B", "Year": "6-8", "Flag": "Y", "State": "deleted",
    "Born": "1/2/15", "Sex": "f", "Race": "A", "Kind": "Campus", "Role": "Lecturer",
}  # fmt: skip
KEYS = {
    "roles": ("userSourcedId", "orgSourcedId"),
    "enrollments": ("classSourcedId", "userSourcedId"),
}
BEGIN = '[layout]\ncode = "own"\ntitle = "Own"\ndate_order = "dmy"\n\n[[file]]\nname = "all"\n'
NEEDED = {
    "orgs": {"name", "type"}, "users": {"givenName", "familyName"}, "roles": {"role"}, "enrollments": {"role"},
}  # fmt: skip


def mapping(folder: Path, entity: str, cells: str, *more: str) -> Path:
    """Write a mapping file of one entity, with the cells that it cannot do without."""
    wanted = [
        *KEYS.get(entity, ("sourcedId",)),
        *(name for name in NEEDED.get(entity, ()) if not cells.startswith(f"{name} ")),
    ]
    path = folder / "own.toml"
    lines = [f"[[file.{entity}]]", cells, *(f'{name} = "Id"' for name in wanted), *more]
    path.write_text(f"{BEGIN}{chr(10).join(lines)}\n", "utf-8")
    return path


@pytest.mark.parametrize(("entity", "cells", "made"), SAID, ids=[cells for _, cells, _ in SAID])
def test_a_word_says_in_a_mapping_what_it_says_in_a_layout(
    entity: str, cells: str, made: str | None, tmp_path: Path
) -> None:
    """Its first parameter stands at its own name, the others at theirs."""
    drop = written(tmp_path / "drop", all=f"{','.join(ROW)}\n{','.join(ROW.values())}")
    name = (
        "asian"
        if cells.startswith("races")
        else cells.split(maxsplit=1)[0].strip('"').partition(".one_of")[0]
    )

    roster = normalized(drop, read_mapping_file(mapping(tmp_path, entity, cells)))

    assert [(made,)] == lines(roster, entity, name)


# Conditions, and how many of the two rows below they pick.
WHERE = (
    ('{filled = "Kind"}', 1),
    ('{blank = "Kind"}', 1),
    ('{is_any = "Kind", words = ["a", "B"]}', 1),
    ('{is_none = "Kind", words = "c"}', 2),
    ('{both = [{filled = "Kind"}, {is_any = "Id", words = "2"}]}', 0),
)


@pytest.mark.parametrize(("where", "count"), WHERE, ids=[where for where, _ in WHERE])
def test_a_condition_picks_rows(where: str, count: int, tmp_path: Path) -> None:
    """Conditions stand in `where`."""
    drop = written(tmp_path / "drop", all="Id,Kind\n1,b\n2,")

    roster = normalized(
        drop, read_mapping_file(mapping(tmp_path, "demographics", f"where = {where}"))
    )

    assert count == sum(
        table.frame.height for name, table in roster.tables.items() if name == "demographics"
    )


def test_columns_of_another_file_are_joined(tmp_path: Path) -> None:
    """By a key, and written with that file's name in front."""
    drop = written(tmp_path / "drop", all="Id,Town\n1,t", towns="Key,Name\nt,Elmham\nu,Oakham")
    join = '[[file.join]]\nfile = "towns"\non = "Town"\nkey = "Key"\ncolumns = ["Name"]\n[[file]]\nname = "towns"'

    roster = normalized(
        drop,
        read_mapping_file(mapping(tmp_path, "demographics", 'cityOfBirth = "towns.Name"', join)),
    )

    assert [("Elmham",)] == lines(roster, "demographics", "cityOfBirth")


MISSING = (
    ("Id,Cty", "City", "did you mean 'Cty'?", 'cityOfBirth = "City"', ""),
    ("Id,Zed", "City", "found instead: Zed", 'cityOfBirth = "City"', ""),
    ("Id,Zed", "", "", 'cityOfBirth = "City"', 'optional = ["City"]\n'),
    ("Id,Town", "", "", 'cityOfBirth = "City"', 'aliases = {City = ["Town"]}\n'),
)


@pytest.mark.parametrize(("header", "missing", "said", "cells", "setting"), MISSING)
def test_a_column_that_the_mapping_names_must_be_there(
    header: str, missing: str, said: str, cells: str, setting: str, tmp_path: Path
) -> None:
    """Unless the mapping says that it may be missing, or how else it is spelt."""
    drop = written(tmp_path / "drop", all=f"{header}\n1,x")
    path = mapping(tmp_path, "demographics", cells)
    path.write_text(path.read_text().replace('name = "all"\n', f'name = "all"\n{setting}'))

    fatal = normalized(drop, read_mapping_file(path)).findings.fatal

    assert ([("all.csv", missing, said)] if missing else []) == fatal.select(
        "file", "column", "value"
    ).rows()


def test_a_single_table_needs_no_double_brackets(tmp_path: Path) -> None:
    """`[file.users]` is what `[[file.users]]` is, for one."""
    one, many = (
        mapped_users("[file.demographics]", tmp_path),
        mapped_users("[[file.demographics]]", tmp_path),
    )

    assert one == many == ("Id",)


def mapped_users(header: str, folder: Path) -> tuple[str, ...]:
    """The columns that rows under a header read."""
    path = mapping(folder, "demographics", "")
    path.write_text(path.read_text().replace("[[file.demographics]]", header))
    return read_mapping_file(path).files[0].columns
