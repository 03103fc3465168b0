"""Every property follows the strength of the run: none has a number of examples of its own."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_only_the_strength_says_how_many_examples_there_are() -> None:
    """A fixed number would be the same in both strengths."""
    texts = {
        path.relative_to(TESTS).as_posix(): path.read_text(encoding="utf-8")
        for path in TESTS.rglob("*.py")
    }

    assert ["strength.py"] == [
        name for name, text in texts.items() if re.search(r"max_examples\s*=", text)
    ]
