"""Odd wordings must not come back, in code, messages, tests or pages."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.figures import HERE

# Each wording (a pattern), and what is said in its place.
ODD = {
    r"wait for a person": "are on hold until someone approves them",
    r"leads to no record": "points to an ID that is not in this export",
    r"all of them were refused": "neither was loaded",
    r"Nothing, if it is right": "No action needed if this is correct",
    r"Export anew": "Export again",
    r"if it shall be another": "to use a different one",
    r"shall hold again": "to go back to",
    r"another type than is meant": "the wrong kind of record",
    r"See to that record": "Fix that record; this one will then load",
    r"for a fault of their own": "because of errors in those rows",
    r"mend what is not ok": 'fix the items marked "not ok"',
    r"\b(run|runs|process|installation) (that )?broke off": "stopped early",
    r"which gives out tokens": "the login server",
    r"does not let us in": "rejected our login",
    r"it is somebody else's": "not loaded by roster",
    r"are not any more as": "have changed since",
    r"was [0-9,{}a-z_:]+ as a rule": "usually",
    r"and one was made": "so roster created one",
    r"takes them for gone": "will treat those records as deleted",
    r"\b(is|are|was|were|be|been) told\b": "is reported, is listed",
    r"\btold of\b": "reported",
    r"\btells? of\b": "names, reports",
    r"Nobody else loads": "No other run is loading",
    r"How feeds stand": "Feed status",
    r"why a record is as it is": "why a record looks the way it does",
    r"feed's file": "feed file",
    r"\blets? go\b": "removed",
    r"(?<![=+>] )\b1 ((record|row|change|file|user|line|request|error)s|classes)\b": "1 row",
}
# Where the wording of others stands, or what a program wrote before.
SKIPPED = (
    "constraints.txt",
    "CHANGELOG.md",
    "tests/golden/whole/",
    "tests/test_wording.py",
    "sample_data/",
)


@cache
def texts() -> dict[str, str]:
    """Each file of the project by its path, in one line: a wording may go on in the next."""
    folders = [HERE / name for name in ("flows", "connectors", "transforms", "tests", "docs")]
    paths = [
        path
        for folder in folders
        for kind in ("*.py", "*.md", "*.toml")
        for path in folder.rglob(kind)
    ]
    paths += [path for kind in ("*.md", "*.toml", "Makefile") for path in HERE.glob(kind)]
    named = {path.relative_to(HERE).as_posix(): path for path in paths}
    return {name: in_one_line(path) for name, path in named.items() if not name.startswith(SKIPPED)}


def in_one_line(path: Path) -> str:
    """Join the lines of a text, and of a comment."""
    return re.sub(r"\s*\n\s*(#:? ?)?", " ", path.read_text("utf-8"))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_wording_is_not_used(odd: str) -> None:
    """The dictionary above says what is written instead."""
    used = {
        name: count
        for name, text in texts().items()
        if (count := len(re.findall(odd, text, re.IGNORECASE)))
    }

    assert {} == used, ODD[odd]
