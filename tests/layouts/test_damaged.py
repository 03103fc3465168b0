"""Ids that a spreadsheet damaged: who had them is in the drop, and has not left."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.clever import FILES, clever
from tests.layouts.normalizing import judged, normalized
from tests.layouts.test_nights import gone, synced
from tests.serving import Served

OPEN = "[limits]\nrejected_percent = 100\nvanished_percent = 100\nschool_percent = 100\nweek_percent = 100\n"
DAMAGED = "3.60E+11"


def test_whose_id_is_damaged_has_not_left(tmp_path: Path, sandbox: Sandbox) -> None:
    """Nobody of that kind has: neither people nor their enrollments, whose ids are made of theirs."""
    at = Served(sandbox, tmp_path / "state")
    folder = clever(tmp_path / "drop")
    synced(at, folder)
    clever(
        folder, **{name: FILES[name].replace("s1", DAMAGED) for name in ("students", "enrollments")}
    )

    run = synced(at, folder, OPEN)

    assert (0, 0) == (gone(run), run.json["entities"]["enrollments"]["deleted"])
    assert "not_absent" in run.err
    assert ("true", "active") == (
        at.record("users", "s1")["enabledUser"],
        at.record("enrollments", "enrollment/c1/s1/student")["status"],
    )


@pytest.mark.parametrize(
    ("file", "word", "entity"),
    [
        ("students", "s1", "users"),
        ("enrollments", "s1", "enrollments"),
        ("enrollments", "c1", "enrollments"),
        ("sections", "t1", "enrollments"),
        ("sections", "c1", "classes"),
    ],
)
def test_records_whose_ids_are_made_of_damaged_ones_are_not_certain(
    file: str, word: str, entity: str, tmp_path: Path
) -> None:
    """Those of other kinds are."""
    standing = judged(
        normalized(clever(tmp_path, **{file: FILES[file].replace(word, DAMAGED)}))
    ).standing

    assert standing[entity].blurred
    assert not standing["orgs"].blurred
