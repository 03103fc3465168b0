"""What an API holds, exported and read again, is the same roster."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import SandboxStore
from tests.oneroster.odd import Met, Reply, odd
from tests.rosters import district, drop
from tests.running import Run, roster
from tests.serving import Served

SAMPLE = Path(__file__).parents[2] / "sample_data"
FEED = """
district = "{name}"
drop = "{drop}"
time_zone = "America/Denver"
[target]
url = "sandbox"
email_template = "{{sourcedId}}@students.example.edu"
"""
Records = dict[str, dict[str, Any]]


def sync(state: Path, source: Path) -> Run:
    """Load a drop into the sandbox of a state folder, by a feed of its own."""
    return roster("sync", feed(state, source), "--json", state=state)


def feed(state: Path, source: Path) -> Path:
    """Write a feed file, which says in which time zone its days are."""
    path = state.parent / f"{source.stem}.toml"
    path.write_text(FEED.format(name=source.stem, drop=source))
    return path


def held(state: Path, collection: str) -> Records:
    """The active records of a collection, but for when they were written."""
    store = SandboxStore(state / "sandbox.db")
    found = {one: store.get(collection, one) or {} for one in store.ids(collection)}
    store.close()
    return {
        one: {name: value for name, value in record.items() if name != "dateLastModified"}
        for one, record in found.items()
    }


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Load the samples into one sandbox, export that, and load the zip into another one."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    for name in ("oneroster_1_2", "learning"):
        assert sync(first, SAMPLE / name).code == 0
    out = second.with_suffix(".zip")
    assert (
        roster("export", "--from-api", feed(first, SAMPLE / "learning"), out, state=first).code == 0
    )
    run = sync(second, out)
    assert (0, 0) == (run.code, run.total("rejected"))
    return first, second


@pytest.mark.parametrize(
    "name", [name for name, one in TIMEBACK.collections.items() if one.entity.standard]
)
def test_each_collection_comes_back_as_it_was(name: str, states: tuple[Path, Path]) -> None:
    """Every record and every property that the target carries, with parts, links and days."""
    first, second = states

    assert held(first, name)
    assert held(first, name) == held(second, name)


@pytest.mark.parametrize(
    "name", [name for name, one in TIMEBACK.collections.items() if not one.entity.standard]
)
def test_what_only_the_target_has_is_not_in_the_zip(name: str, states: tuple[Path, Path]) -> None:
    """The standard's bulk files have no place for it."""
    first, second = states

    assert held(first, name)
    assert {} == held(second, name)


def test_a_target_is_exported_without_a_feed(tmp_path: Path) -> None:
    """Nothing is sent to it."""
    state, out = tmp_path / "state", tmp_path / "roster.zip"
    roster("sync", drop(tmp_path / "drop", district()), state=state)

    run = roster("export", "--from-api", "--target", "sandbox", out, "--json", state=state)

    assert (0, True) == (run.code, run.json["conformant"])
    assert {name: len(rows) for name, rows in district().items()} == run.json["rows"]
    with zipfile.ZipFile(out) as made:
        assert "manifest.csv" in made.namelist()


def test_a_target_that_does_not_show_a_needed_collection_is_not_exported(tmp_path: Path) -> None:
    """A zip without users would say that there are none."""

    def meet(met: Met) -> Reply | None:
        return Reply(403) if (met.method, met.collection) == ("GET", "users") else None

    with odd(meet) as sandbox:
        out, target = tmp_path / "roster.zip", Served(sandbox, tmp_path / "state")
        target.sandbox.store.put(
            "orgs", {"sourcedId": "d", "status": "active", "name": "D", "type": "district"}
        )

        run = target.roster("export", "--from-api", out)

    assert (4, False) == (run.code, out.exists())
    assert "collection_unread" in run.said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["drop"], "name the drop"),
        (["drop", "roster.zip", "--target", "sandbox"], "Say --from-api too"),
        (["--from-api", "roster.zip"], "--from-api needs --target"),
        (["--from-api", "--target", "sandbox", "drop", "roster.zip"], "reads no drop"),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, words: list[str], said: str) -> None:
    """Of an API or of a drop, and of which one."""
    run = roster("export", *words, state=tmp_path)

    assert (2, True) == (run.code, said in " ".join(run.said.replace("│", " ").split()))
