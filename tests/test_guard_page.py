"""The page about the guard: each limit and each reason to hold is on it, with its numbers."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from flows.feeds.tables import LimitSettings, OnceSettings
from transforms.guard import GuardLimits

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/guard.md").read_text(encoding="utf-8")
RULES = {
    rule
    for module in sorted((ROOT / "transforms/guard").glob("*.py"))
    for rule in re.findall(
        r'(?:stop|tell|_everything)\(\s*(?:stops,\s*)?"([a-z_]+)"',
        module.read_text(encoding="utf-8"),
    )
}


@pytest.mark.parametrize("rule", sorted(RULES | {"renumbered", "rekeyed"}))
def test_a_reason_to_hold_is_described(rule: str) -> None:
    """A reader of a report can look it up on the page."""
    assert f"`{rule}`" in PAGE
    assert f"- `{rule}`: " in PAGE  # with an example


@pytest.mark.parametrize("setting", [one.name for one in fields(GuardLimits)])
def test_a_limit_is_described_and_can_be_set(setting: str) -> None:
    """A feed file can set it, for every run and for one."""
    assert f"`{setting}`" in PAGE
    assert setting in LimitSettings.model_fields
    assert setting in OnceSettings.model_fields or setting == "entities"


def test_the_numbers_of_the_page_are_those_of_the_program() -> None:
    """The page has the number that the program uses."""
    limits = GuardLimits()
    rows: dict[str, str] = {}
    for line in (line for line in PAGE.splitlines() if line.startswith("| `")):
        rows.setdefault(line.split("|")[1].strip(), line.split("|")[3].strip())

    assert f"{limits.vanished_percent:g} %, {limits.vanished_records} records" == rows["`vanished`"]
    assert f"{limits.week_percent:g} %, {limits.week_records} records" == rows["`vanished_in_week`"]
    assert (
        f"{limits.class_percent:g} %, classes of {limits.class_records} and more"
        == rows["`class_emptied`"]
    )
    assert f"{limits.identity_percent:g} %, {limits.identity_records} records" == rows["`identity`"]
    assert f"{limits.moved_percent:g} %, {limits.moved_records} records" == rows["`moved`"]
    assert f"| {limits.person_records} classes |" in PAGE
    assert f"{limits.created_percent:g} %, {limits.created_records} records" == rows["`created`"]
    assert f"{limits.updated_percent:g} %, {limits.updated_records} records" == rows["`updated`"]
    assert f"{limits.rejected_percent:g} %" == rows["`rejected`"]
    assert (
        f"{limits.school_percent:g} %; of students, staff and contacts, and of enrollments by "
        f"role: {limits.school_percent:g} %, {limits.school_records} records"
    ) == rows["`vanished_of_school`"]
