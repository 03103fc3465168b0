"""Exports as real systems write them load with no setting, or with the one that `check` names.

Each export is in a folder beside this file; its README names the source of every peculiarity. What must arrive is counted here from its rows.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.rosters import Row
from tests.running import Run, roster
from tests.serving import Served

HERE = Path(__file__).parent
EMAIL_TEMPLATE = 'email_template = "{sourcedId}@students.example.edu"'
Counts = dict[str, int]


@dataclass(frozen=True)
class Export:
    """A raw export, and what is true about it."""

    system: str
    # How many records of each kind must arrive.
    arriving: Callable[[str], Counts]
    # The line of [target] that it needs; `check` must name it.
    setting: str = ""
    # How many warnings it gets, by rule, when it is loaded. It gets no errors.
    warnings: Counts = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The folder of its files."""
        return HERE / self.system / "export"

    def feed(self, folder: Path) -> Path:
        """Write the feed file, with its setting if it needs one."""
        path = folder / f"{self.system}.toml"
        lines = [f'district = "{self.system}"', f'drop = "{self.folder.as_posix()}"']
        path.write_text("\n".join([*lines, "[target]", 'url = "env"', self.setting, ""]))
        return path


@cache
def rows(system: str, name: str) -> tuple[Row, ...]:
    """Read a file of an export; none if it is not there."""
    path = HERE / system / "export" / f"{name}.csv"
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def distinct(system: str, name: str, *columns: str) -> int:
    """Count the different values of some columns that are not all blank."""
    values = {tuple(row[column] for column in columns) for row in rows(system, name)}
    return len({value for value in values if any(value)})


def of_oneroster(system: str) -> Counts:
    """Every row is a record."""
    files = (
        "orgs",
        "academicSessions",
        "users",
        "demographics",
        "courses",
        "classes",
        "enrollments",
    )
    return {name: len(rows(system, name)) for name in files if rows(system, name)}


def of_clever(system: str) -> Counts:
    """A district above the schools; courses, terms and a school year are made of the sections."""
    teachers = ("Teacher_id", "Teacher_2_id")
    sections = rows(system, "sections")
    return {
        "orgs": len(rows(system, "schools")) + 1,
        "academicSessions": distinct(system, "sections", "Term_name", "Term_start", "Term_end") + 1,
        "users": len(rows(system, "students")) + len(rows(system, "teachers")),
        "demographics": len(rows(system, "students")),
        "courses": distinct(system, "sections", "School_id", "Course_number"),
        "classes": len(sections),
        "enrollments": len(rows(system, "enrollments"))
        + sum(bool(row.get(column)) for row in sections for column in teachers),
    }


def of_school_data_sync(system: str) -> Counts:
    """A district above the school, a school year, and a course for each section."""
    sections = len(rows(system, "Section"))
    return {
        "orgs": len(rows(system, "School")) + 1,
        "academicSessions": 1,
        "users": len(rows(system, "Student")) + len(rows(system, "Teacher")),
        "courses": sections,
        "classes": sections,
        "enrollments": len(rows(system, "StudentEnrollment")) + len(rows(system, "TeacherRoster")),
    }


EXPORTS = (
    Export(
        "aeries",
        of_oneroster,
        # Classes of elementary schools have no title.
        warnings={"title_of_course": 1},
    ),
    Export("blackbaud", of_oneroster),
    # The files of the grade book are empty, and one person has two records: neither is an alarm.
    Export("infinite_campus", of_oneroster),
    # Words for subjects that the target does not know.
    Export("powerschool", of_clever, EMAIL_TEMPLATE, warnings={"target_value": 3}),
    Export("sims", of_school_data_sync, EMAIL_TEMPLATE),
    # Addresses that were cut off before their `@`, and two usernames that are the same since then.
    Export(
        "skyward", of_clever, EMAIL_TEMPLATE, warnings={"email_replaced": 6, "username_shared": 2}
    ),
)
SAID = re.compile(r"^(fatal|error|warning|note) +(\w+) +(\d+)$", re.MULTILINE)


def said(run: Run, *severities: str) -> Counts:
    """Count what a run reports, by rule."""
    found = SAID.findall(run.err)
    return {rule: int(count) for severity, rule, count in found if severity in severities}


def arrived(run: Run, term: str) -> Counts:
    """Count the records of a run under a term, by kind."""
    counts = {name: terms[term] for name, terms in run.json["entities"].items()}
    return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.system)
def test_a_raw_export_loads(export: Export, tmp_path: Path, sandbox: Sandbox) -> None:
    """All that can arrive arrives, nothing is left to do, and the second night sends nothing."""
    target, feed = Served(sandbox, tmp_path / "state"), export.feed(tmp_path)
    arriving = export.arriving(export.system)

    checked, planned, loaded, verified, again = (
        target.roster(command, feed) for command in ("check", "plan", "sync", "verify", "sync")
    )

    assert [0] * 5 == [run.code for run in (checked, planned, loaded, verified, again)]
    assert [arriving] * 3 == [arrived(run, "created") for run in (checked, planned, loaded)]
    assert ({}, export.warnings) == (said(checked, "fatal", "error"), said(checked, "warning"))
    assert ("equal", 0, arriving) == (
        verified.json["status"],
        again.json["requests"],
        arrived(again, "unchanged"),
    )
    assert [] == target.writes


@pytest.mark.parametrize(
    "export",
    [export for export in EXPORTS if export.setting],
    ids=lambda export: export.system,
)
def test_check_names_the_setting(export: Export, tmp_path: Path) -> None:
    """Without it, the message has the very line, and says where it goes."""
    run = roster("check", export.folder, state=tmp_path / "state")

    text = " ".join(run.said.split())
    assert 0 == run.code
    assert f"Add `{export.setting}` under [target] in the feed file." in text
