"""Records are sent in portions in which none refers to another."""

from __future__ import annotations

import polars as pl
import pytest

from connectors.oneroster.load import batches
from transforms.schemas import ENTITIES

TREES = {"orgs": "parentSourcedId", "academicSessions": "parentSourcedId"}


def sliced(entity: str, frame: pl.DataFrame, size: int) -> list[list[str]]:
    """Give the ids of each batch."""
    return [batch["sourcedId"].to_list() for batch in batches(ENTITIES[entity], frame, size)]


@pytest.mark.parametrize(("entity", "column"), TREES.items())
def test_batches_never_mix_levels(entity: str, column: str) -> None:
    """A parent that is not in the frame is in the target, or nobody knows it."""
    parents = {
        "school": "district",
        "district": None,
        "room": "school",
        "other": "elsewhere",
        "hall": "school",
    }
    frame = pl.DataFrame({"sourcedId": list(parents), column: list(parents.values())})

    assert sliced(entity, frame, 10) == [["district", "other"], ["school"], ["room", "hall"]]
    assert sliced(entity, frame, 1) == [["district"], ["other"], ["school"], ["room"], ["hall"]]


@pytest.mark.parametrize("entity", ["orgs", "users", "classes"])
def test_a_column_that_is_blank_throughout_may_be_missing(entity: str) -> None:
    """Then nobody refers to anybody."""
    assert sliced(entity, pl.DataFrame({"sourcedId": ["a", "b", "c"]}), 2) == [["a", "b"], ["c"]]


def test_users_without_agents_go_first() -> None:
    """Most agents have none of their own, so that those who need them can be sent whole."""
    frame = pl.DataFrame({"sourcedId": ["child", "parent"], "agentSourcedIds": ["parent", None]})

    assert sliced("users", frame, 10) == [["parent"], ["child"]]


def test_nothing_makes_no_batch() -> None:
    """An entity without changes sends nothing."""
    frame = pl.DataFrame(schema={"sourcedId": pl.String, "parentSourcedId": pl.String})

    assert sliced("orgs", frame, 10) == []
