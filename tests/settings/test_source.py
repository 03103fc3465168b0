"""`[source]` of a feed file: in every layout, each setting changes what is read, or is refused with the layouts that have it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.drops import read
from flows.errors import SettingsError
from flows.feeds.feed import read_feed
from flows.feeds.source import SourceSettings
from tests.judging import TODAY
from tests.layouts.normalizing import written
from tests.rosters import district, drop
from transforms.findings import ROW
from transforms.layouts import File, Layout
from transforms.layouts.idle_settings import OF_ONEROSTER, settings_read_by, settings_used
from transforms.layouts.match import file_by_name
from transforms.roster import Raw, RawFile, Roster
from transforms.sources import LAYOUTS, SOURCES, escape_character, normalize

ODD = "odd word"
SETTINGS: dict[str, dict[str, Any]] = {
    "snapshot": {"snapshot": False},
    "prefix": {"prefix": "lv-"},
    "date_order": {"date_order": "dmy"},
    "school_year": {"school_year": 2031},
    "year_begins": {"year_begins": "10-01"},
    "class_type": {"class_type": "homeroom"},
    "repair": {"repair": True},
    "escape_ids": {"escape_ids": True},
    "district.name": {"district": {"name": "Larkspur"}},
    "district.id": {"district": {"id": "larkspur"}},
    "words.grades": {"words": {"grades": {ODD: "PK"}}},
    "words.roles": {"words": {"roles": {ODD: "aide", "staff": "siteAdministrator"}}},
    "words.enrollment_roles": {"words": {"enrollment_roles": {ODD: "teacher"}}},
    "words.sex": {"words": {"sex": {ODD: "female"}}},
    "words.races": {"words": {"races": {ODD: "asian"}}},
    "words.org_types": {"words": {"org_types": {ODD: "local"}}},
    "words.session_types": {"words": {"session_types": {ODD: "semester"}}},
    "words.states": {"words": {"states": {ODD: "tobedeleted"}}},
    "without": {"without": ("students.csv",), "snapshot": True},
    "set_apart": {"set_apart": ("students.csv",)},
}
# What a drop must have for a setting to change something.
CELLS = {
    "date_order": "3/4/2026",
    **dict.fromkeys((name for name in SETTINGS if name.startswith("words.")), ODD),
}
NEEDLESS = {"year_begins": {"schoolyear"}, "district": {"parentsourcedid", "parent_account_id"}}
# Apple's files have no days, and those of School Data Sync V2 have them in one that need not be there.
UNDATED = {"apple_school_manager"}
OF = {"oneroster": "oneroster_1_2"}


def sample(code: str) -> Path:
    """Give the sample of a layout."""
    return Path("sample_data") / OF.get(code, code)


def roster(code: str, raw: Raw, settings: dict[str, Any]) -> Roster:
    """Read a drop by some settings."""
    return normalize(code, raw, SourceSettings(**settings).dialect("larkspur", TODAY))


@cache
def sample_of(code: str) -> Raw:
    """Read a layout's sample."""
    folder = sample(code)
    return read(folder, escape=escape_character(code, read(folder)))


def raw_for(code: str, setting: str) -> Raw:
    """Give a layout's sample, with such cells that a setting changes something."""
    raw = sample_of(code)
    if code not in LAYOUTS:
        change = FOR_ONEROSTER.get(setting)
        return change(raw) if change else raw
    layout = LAYOUTS[code]
    files = {name: with_cells(file, layout, setting) for name, file in raw.files.items()}
    if not any(
        one and reading(one, setting) for one in (file_by_name(layout, name) for name in files)
    ):
        files |= {
            f"{file.name}.csv": made(file, CELLS[setting])
            for file in layout.files
            if reading(file, setting)
        }
    return Raw(files, raw.broken, raw.findings)


def with_doubtful_days(raw: Raw) -> Raw:
    """Give OneRoster enrollments a first day that can mean two days."""
    return with_enrollments(raw, beginDate=pl.lit(CELLS["date_order"]))


def with_colons(raw: Raw) -> Raw:
    """Give OneRoster enrollments ids that OneRoster does not allow."""
    return with_enrollments(raw, sourcedId=pl.lit("e:") + pl.col("sourcedId"))


def with_enrollments(raw: Raw, **cells: pl.Expr) -> Raw:
    """Change a column of OneRoster enrollments."""
    file = raw.files["enrollments.csv"]
    frame = file.frame.with_columns(**cells)
    return replace(raw, files={**raw.files, file.name: replace(file, frame=frame)})


# What the sample of OneRoster must have for a setting to change something.
FOR_ONEROSTER = {"date_order": with_doubtful_days, "escape_ids": with_colons}


def made(file: File, word: str) -> RawFile:
    """Give a file that the sample lacks, of one row that has a word in every cell."""
    frame = pl.DataFrame(
        {ROW: [1], **{key: [word] for key in file.columns}}, schema_overrides={ROW: pl.UInt32}
    )
    return RawFile(f"{file.name}.csv", frame, file.columns)


def with_cells(file: RawFile, layout: Layout, setting: str) -> RawFile:
    """Write a word that needs the setting into each column that it reads; leave out what makes it needless."""
    frame, one = file.frame, file_by_name(layout, file.name)
    if one and setting in CELLS:
        spelt = {name.casefold(): name for name in frame.columns}
        names = {spelt.get(name.casefold(), name) for name in reading(one, setting)}
        frame = frame.with_columns(pl.lit(CELLS[setting]).alias(name) for name in names)
    blank = [
        name
        for name in frame.columns
        if name.casefold() in NEEDLESS.get(setting.partition(".")[0], ())
    ]
    if blank and setting.startswith("district"):
        frame = frame.slice(1)
    frame = frame.with_columns(pl.lit(None, pl.String).alias(name) for name in blank)
    return RawFile(
        file.name, frame, tuple(name for name in frame.columns if name != ROW), file.ragged
    )


def reading(file: File, setting: str) -> set[str]:
    """The columns of a file that a setting is about."""
    cells = [
        cell
        for one in file.gives
        for cell in (*one.columns.values(), *([one.where] if one.where else []))
    ]
    return {
        name
        for cell in cells
        if setting in settings_read_by(cell)
        for name in cell.reads
        if "." not in name
    }


def same(one: Roster, other: Roster) -> bool:
    """Whether two rosters say the same."""
    tables = one.tables.keys() == other.tables.keys() and all(
        table.frame.equals(other.tables[name].frame) and table.mode == other.tables[name].mode
        for name, table in one.tables.items()
    )
    return tables and one.findings.notices == other.findings.notices


@pytest.mark.parametrize("code", SOURCES)
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_works_or_is_refused(setting: str, code: str, tmp_path: Path) -> None:
    """In a feed file that names the layout, and for a drop that is recognized."""
    has = OF_ONEROSTER if code == "oneroster" else settings_used(LAYOUTS[code])
    raw = raw_for(code, setting)
    with_it = roster(code, raw, SETTINGS[setting])
    refused = "setting_idle" in with_it.findings.fatal["rule"].to_list()

    if setting in ("without", "set_apart"):
        # What it names must be a file of the layout; what it does is a matter of other tests.
        assert refused is (code not in ("clever", "apple_school_manager"))
    elif setting in has:
        assert (False, False) == (
            refused,
            same(with_it, roster(code, raw, {})) and not expected_same(code, setting),
        )
    else:
        assert refused
        assert (
            code == "oneroster"
            or setting not in ("snapshot", "prefix", "repair", "date_order")
            or code in UNDATED
        )
        others = ["oneroster"] if setting in OF_ONEROSTER else []
        others += [other for other in LAYOUTS if setting in settings_used(LAYOUTS[other])]
        assert (
            f"`{setting}`, which layout {code} has no use for; these have: {', '.join(others)}"
            in with_it.findings.fatal["value"][0]
        )


def expected_same(code: str, setting: str) -> bool:
    """Of a layout that is none, nothing is a snapshot by itself; samples that are sound have nothing to mend."""
    return (
        setting == "snapshot" and not (code == "oneroster" or LAYOUTS[code].snapshot)
    ) or setting == "repair"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            'layout = "oneroster"\n{drop}[source]\nyear_begins = "10-01"',
            "`source` has `year_begins`, which layout oneroster has no use for; these have: ",
        ),
        (
            '{drop}[rest]\nurl = "https://sis.example.edu"\naccess_token_env = "SIS_TOKEN"\n[source]\nrepair = true',
            "`source.repair` is about what spreadsheets do to files, and [rest] reads none",
        ),
        (
            '{drop}[rest]\nurl = "https://sis.example.edu"\naccess_token_env = "SIS_TOKEN"\n[source]\nsnapshot = false',
            "`source.snapshot` is about files, and what [rest] reads says itself",
        ),
        (
            'layout = "canvas"\n{drop}[source]\nwithout = ["users.csv"]',
            "`source` has `without`, which is for drops that hold all there is",
        ),
        (
            'layout = "clever"\n{drop}[source]\nwithout = ["stuff.csv"]',
            "`source` has `without` of 'stuff.csv', which is no file of layout clever",
        ),
    ],
)
def test_a_feeds_file_is_refused_for_a_setting_that_does_nothing(
    text: str, said: str, tmp_path: Path
) -> None:
    """At once, where the layout is known."""
    file = tmp_path / "larkspur.toml"
    origin = "" if "[rest]" in text else 'drop = "drop"\n'
    file.write_text(text.format(drop=origin) + '\n[target]\nurl = "sandbox"\n')

    with pytest.raises(SettingsError) as caught:
        read_feed(file)

    assert said in caught.value.problems[0]


def test_files_are_missing_of_snapshots_only(tmp_path: Path) -> None:
    """Canvas says of each record that it has left, unless the feed file calls its drops whole."""
    file = tmp_path / "larkspur.toml"
    text = (
        'layout = "canvas"\ndrop = "drop"\ntarget.url = "sandbox"\nsource.without = ["users.csv"]\n'
    )
    file.write_text(text)
    with pytest.raises(SettingsError, match="or say `snapshot = true`"):
        read_feed(file)

    file.write_text(text + "source.snapshot = true\n")

    assert read_feed(file).source.snapshot


def test_what_is_set_to_nothing_is_no_setting(tmp_path: Path) -> None:
    """A file that was written by a program may name them all."""
    file = tmp_path / "larkspur.toml"
    file.write_text(
        'layout = "oneroster"\ndrop = "drop"\n[source]\nrepair = false\nwithout = []\n[target]\nurl = "sandbox"\n'
    )

    assert frozenset() == read_feed(file).source.said


@pytest.mark.parametrize(
    ("manifest", "snapshot", "mode"),
    [
        (True, None, "bulk"),
        (True, False, "unknown"),
        (False, None, "unknown"),
        (False, False, "unknown"),
        (False, True, "bulk"),
    ],
)
def test_whether_a_drop_of_oneroster_is_a_snapshot(
    manifest: bool, snapshot: bool | None, mode: str, tmp_path: Path
) -> None:
    """The manifest says so; without one the feed file may, and with one it may say that nothing counts as vanished."""
    folder = drop(tmp_path, district())
    if not manifest:
        (folder / "manifest.csv").unlink()

    found = roster("oneroster", read(folder), {} if snapshot is None else {"snapshot": snapshot})

    assert {mode} == {table.mode for table in found.tables.values()}


def test_a_manifest_is_not_overruled(tmp_path: Path) -> None:
    """What it calls a delta is none of everything."""
    found = roster("oneroster", read(drop(tmp_path, district(), "delta")), {"snapshot": True})

    assert "says itself which files hold all there is" in found.findings.fatal["value"][0]


def test_a_setting_of_another_layout_refuses_a_drop_that_is_recognised(tmp_path: Path) -> None:
    """Nobody could know it before."""
    users = "sourcedId,orgSourcedIds,username,givenName,familyName,role\ns1,1,ann,Ann,Lee,Student"
    folder = written(tmp_path, orgs="sourcedId,name,type\n1,Elm,school", users=users)

    found = roster("auto", read(folder), {"words": {"states": {ODD: "tobedeleted"}}})

    assert {"setting_idle"} == set(found.findings.fatal["rule"])
