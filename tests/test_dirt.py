"""The catalog of dirt: each line names a test that exists, or says why there is none."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from transforms.rules import RULES

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs/dirt.md").read_text(encoding="utf-8")
LINES = TEXT[TEXT.index("\n## ") :].split("\n- **")[1:]
TEST = re.compile(r"  - Test: `(tests/[\w/]+\.py)::(test_\w+)`(?: with (.+))?")
# Why changes are on hold, as the guard says it.
HOLDS = {
    "claimed",
    "id_width",
    "older_drop",
    "rekeyed",
    "renumbered",
    "recycled",
    "vanished",
    "updated",
    "rejected",
    "school_missing",
    "blackout",
}
REASON = re.compile(r"  - No test: \S.{20,}")


@cache
def written_in(file: str) -> tuple[set[str], set[str]]:
    """Return the names of a module's tests, and the texts in it, such as names of cases."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    names = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return names, {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.partition("**")[0])
def test_a_line_has_tests_or_a_reason(line: str) -> None:
    """A test that is renamed or removed must be changed here too."""
    shown = [below for below in line.split("\n") if below.startswith("  - ")]

    assert shown
    assert [] == [
        below for below in shown if not (TEST.fullmatch(below) or REASON.fullmatch(below))
    ]
    for file, name, cases in (
        found.groups() for below in shown if (found := TEST.fullmatch(below))
    ):
        names, texts = written_in(file)
        assert name in names
        assert set(re.findall("`([^`]+)`", cases or "")) <= texts


def test_rules_are_called_by_their_codes() -> None:
    """Each rule in the catalog is one that reports use, and each rule that reports use is in it."""
    words = {
        word for line in LINES for word in re.findall(r"\((`[^()]*)\)", line.partition("\n")[0])
    }
    codes = {code for word in words for code in re.findall(r"`([a-z0-9_]+)`", word)}

    assert (set(), set()) == (codes - set(RULES) - HOLDS, set(RULES) - codes)
