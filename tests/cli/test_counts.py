"""The one table of counts that runs and exports are shown by."""

from __future__ import annotations

import io

from flows.reports.counts import markdown_counts, print_counts, terms_to_show
from flows.reports.screen import Screen

COUNTS = {
    "users": {"read": 1200, "left_out": 0, "exported": 1200},
    "orgs": {"read": 0, "left_out": 0, "exported": 0},
}


def printed(width: int) -> list[str]:
    """What a terminal of some width gets."""
    screen = Screen()
    screen.file, screen.width = io.StringIO(), width
    print_counts(screen, COUNTS, ["read", "left_out", "exported"])
    return [line.rstrip() for line in str(screen.file.getvalue()).splitlines()]


def test_a_table_has_a_dot_for_nothing() -> None:
    """So that the eye finds what there is."""
    assert [
        "        read  left out  exported",
        "users  1,200         ·     1,200",
        "orgs       ·         ·         ·",
    ] == printed(80)


def test_where_a_table_would_be_cut_each_entity_has_its_lines() -> None:
    """With what there is of it."""
    assert [
        "users",
        "        1,200 read, 1,200",
        "        exported",
        "orgs",
        "        nothing",
    ] == printed(26)


def test_terms_that_no_entity_has_are_left_out() -> None:
    """But for those that people look for."""
    terms = ["read", "left_out", "exported"]

    assert ["read", "exported"] == terms_to_show(COUNTS, terms, ())
    assert terms == terms_to_show(COUNTS, terms, ("left_out",))


def test_a_report_has_the_same_table_as_markdown() -> None:
    """With plain numbers."""
    assert [
        "| entity | read |",
        "|---|---:|",
        "| users | 1200 |",
        "| orgs | 0 |",
    ] == markdown_counts(COUNTS, ["read"])
