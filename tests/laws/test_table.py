"""The table of laws is complete: each law has a property test, and each test that it names is there and is a property."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test

from tests.laws.table import LAWS

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"


def test_every_law_is_in_the_table() -> None:
    """In the words and the order of CONTRIBUTING.md."""
    text = CONTRIBUTING.read_text(encoding="utf-8")

    assert re.findall(r"^\d+\. \*\*(.+?)\.\*\*", text, re.MULTILINE) == list(LAWS)


@pytest.mark.parametrize("name", [name for names in LAWS.values() for name in names])
def test_every_test_of_the_table_is_a_property(name: str) -> None:
    """Hypothesis looks for a counterexample, with `@given` or as a state machine."""
    module, _, test = name.partition(":")

    found = getattr(import_module(module), test)

    assert is_hypothesis_test(getattr(found, "runTest", found))
