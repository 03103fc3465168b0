"""A mapping that `roster map` began and a person finished loads the drop, night after night."""

from __future__ import annotations

import re
from pathlib import Path

from tests.layouts.normalizing import written
from tests.mappings.test_guessing import SMALL
from tests.mappings.test_map import roster_map
from tests.running import roster

FEED = """
district = "own"
drop = "drop"
layout = "mapping.toml"
[target]
url = "sandbox"
email_template = "{sourcedId}@example.edu"
"""


def test_a_finished_mapping_loads(tmp_path: Path) -> None:
    """Whether drops are whole is all that is left to say; then every row arrives, once."""
    written(tmp_path / "drop", **SMALL)
    feed, mapping, state = tmp_path / "own.toml", tmp_path / "mapping.toml", tmp_path / "state"
    feed.write_text(FEED)
    begun = roster_map(tmp_path / "drop", "--out", mapping)
    text = mapping.read_text("utf-8")
    mapping.write_text(re.sub(r"(?m)^# (snapshot = true)", r"\1", text), "utf-8")

    runs = [
        roster(command, feed, "--json", state=state)
        for command in ("check", "sync", "verify", "sync")
    ]

    assert 1 == text.count("# TODO")
    assert [0] * 5 == [begun.code, *(run.code for run in runs)]
    students = sum("Dropped" not in row for row in SMALL["Links"].splitlines()[1:])
    teachers = len(SMALL["Sections"].splitlines()[1:])
    assert students + teachers == runs[1].json["entities"]["enrollments"]["created"]
    assert 0 == runs[1].total("rejected")
    assert 0 == sum(runs[3].total(term) for term in ("created", "updated", "deleted", "held"))
