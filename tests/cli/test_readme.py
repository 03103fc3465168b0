"""What the README of the sample says of it is so; `test_pages.py` runs the commands of all pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from connectors.oneroster.profile import TIMEBACK
from tests.running import roster
from transforms.rules import RULES

SAMPLE = Path(__file__).parents[2] / "sample_data"


# Records that are read, rejected and sent of each drop of the sample, as its README counts them.
COUNTS = {
    "oneroster_1_2": {"orgs": (3, 0, 3), "academicSessions": (8, 0, 8), "users": (62, 5, 57), "demographics": (37, 5, 32),
                      "courses": (33, 0, 33), "classes": (40, 3, 37), "enrollments": (280, 28, 251)},
    "oneroster_1_1": {"orgs": (3, 0, 3), "academicSessions": (8, 0, 8), "users": (63, 0, 63), "demographics": (37, 0, 37),
                      "courses": (33, 0, 33), "classes": (40, 0, 40), "enrollments": (276, 0, 276)},
    "district.toml": {"orgs": (3, 0, 3), "academicSessions": (8, 0, 8), "users": (62, 4, 58), "demographics": (37, 4, 33),
                      "courses": (33, 0, 33), "classes": (40, 3, 37), "enrollments": (280, 27, 252)},
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_the_sample_loads_as_it_says(name: str, tmp_path: Path) -> None:
    """What is clean arrives, what is planted is rejected; the same again sends nothing."""
    run, again = (roster("sync", SAMPLE / name, "--json", state=tmp_path) for _ in range(2))

    counts = {
        entity: (one["read"], one["rejected"], one["created"])
        for entity, one in run.json["entities"].items()
    }
    assert (0, COUNTS[name]) == (run.code, counts)
    assert (0, 0) == (again.code, again.json["requests"])


def test_every_planted_fault_is_found(tmp_path: Path) -> None:
    """Each rule that the sample's README lists is in the report of a check."""
    listed = set(
        re.findall(r"`([a-z_]+)`", (SAMPLE / "README.md").read_text(encoding="utf-8"))
    ) & set(RULES)

    run = roster("check", SAMPLE / "oneroster_1_2", state=tmp_path)

    assert len(listed) > 30
    assert set() == {rule for rule in listed if rule not in run.said}


def test_every_collection_can_be_read(tmp_path: Path) -> None:
    """By `roster get`, with as many records as were sent."""
    roster("sync", SAMPLE / "oneroster_1_1", state=tmp_path)

    lines = {
        name: len(roster("get", name, "--target", "sandbox", state=tmp_path).out.splitlines())
        for name in TIMEBACK.collections
    }

    sent = {name: counts[2] for name, counts in COUNTS["oneroster_1_1"].items()}
    assert dict.fromkeys(TIMEBACK.collections, 0) | sent == lines
