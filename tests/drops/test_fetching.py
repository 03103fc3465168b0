"""Bringing drops from an address: only what is needed, for its owner only, and nothing of folders in folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest

from connectors.fetch import DropStore, FetchError

PLACE = "/fetching"


@pytest.fixture
def memory() -> Iterator[Any]:
    """A store with two drops, and what else may lie beside them."""
    system = fsspec.filesystem("memory")
    for name in (
        "a_2026-09-01/users.csv",
        "a_2026-09-01/old/users.csv",
        "b_2026-09-02.zip",
        "notes.txt",
        ".hidden/x.csv",
    ):
        system.pipe(f"{PLACE}/{name}", name.encode())
    yield system
    system.rm(PLACE, recursive=True)


def test_drops_are_folders_and_zips(memory: Any) -> None:
    """What an operating system left is none."""
    store = DropStore(f"memory:/{PLACE}")

    assert ["a_2026-09-01", "b_2026-09-02.zip"] == store.drops
    assert ["a_2026-09-01", "b_2026-09-02.zip", "notes.txt"] == store.names


def test_only_what_is_named_is_brought(memory: Any, tmp_path: Path) -> None:
    """With modes that keep others out."""
    folder = DropStore(f"memory:/{PLACE}").fetch(["a_2026-09-01"], tmp_path)

    brought = {
        str(path.relative_to(folder)): oct(path.stat().st_mode & 0o777)
        for path in folder.rglob("*")
    }
    assert {"a_2026-09-01": "0o700", "a_2026-09-01/users.csv": "0o600"} == brought
    assert "a_2026-09-01/users.csv" == (folder / "a_2026-09-01" / "users.csv").read_text()


def test_what_lies_here_is_used_where_it_is(tmp_path: Path) -> None:
    """A copy would only be one more place with names of people."""
    (tmp_path / "drops").mkdir()

    assert tmp_path / "drops" == DropStore(f"file://{tmp_path}/drops").fetch([], tmp_path / "into")


def test_a_folder_that_is_not_there_is_told(memory: Any) -> None:
    """In a sentence, without what is secret in its address."""
    with pytest.raises(FetchError, match="no folder"):
        DropStore("memory://elsewhere")
    with pytest.raises(FetchError) as told:
        DropStore("ftq://ana:hush@example.edu/drops")

    assert "hush" not in str(told.value)
