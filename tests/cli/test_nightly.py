"""The nightly flow wraps the line, and ends in a state that says what happened."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.rosters import district, drop, without

ROOT = Path(__file__).parents[2]


@pytest.mark.filterwarnings("ignore")
def test_the_flow_ends_as_the_run_did(tmp_path: Path) -> None:
    """Completed, held, and failed for a drop that is refused; no server is needed to run the function."""
    # Prefect takes five seconds to import, and warns of itself while it does.
    from flows.nightly import nightly  # noqa: PLC0415

    folder, state = drop(tmp_path / "drop", district()), str(tmp_path / "state")
    first = nightly.fn(str(folder), state=state)
    drop(folder, without(district(), "e1"))
    second = nightly.fn(str(folder), state=state)
    (folder / "users.csv").write_bytes(b"")
    third = nightly.fn(str(folder), state=state)

    assert [("Completed", True), ("Held", True), ("Refused", False)] == [
        (one.name, one.is_completed()) for one in (first, second, third)
    ]


def test_the_deployment_names_the_flow() -> None:
    """Flow, file and deployment have one name, and its drop is there."""
    said = dict(re.findall(r"^ *-? *(name|entrypoint|drop): (\S+)$", (ROOT / "prefect.yaml").read_text(), re.MULTILINE))

    assert "flows/nightly.py:nightly" == said["entrypoint"]
    assert "- name: nightly\n" in (ROOT / "prefect.yaml").read_text()
    assert (ROOT / said["drop"]).exists()
