"""Files of ids as people meet them: what is merged at the source, and what the target knows as two records."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.layouts.normalizing import written
from tests.layouts.test_nights import CANVAS, synced
from tests.rosters import district, drop, without
from tests.serving import Served


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


def test_a_new_id_of_another_record_refuses_the_drop(at: Served, tmp_path: Path) -> None:
    """Two records of one pupil were merged: the surviving one is neither overwritten nor disabled."""
    folder = drop(tmp_path / "drop", district())
    synced(at, folder)
    drop(folder, without(district(), "bo", "r2", "e2"))
    (folder / "ids.csv").write_text("old,new\nbo,ana\n")

    run = synced(at, folder)

    assert (4, []) == (run.code, at.writes)
    assert "ids.csv: users ana of bo" in " ".join(run.err.split())
    assert {("Ana", "true"), ("Bo", "true")} == {
        (at.record("users", one)["givenName"], at.record("users", one)["enabledUser"])
        for one in ("ana", "bo")
    }


def test_of_two_files_of_ids_neither_is_chosen(at: Served, tmp_path: Path) -> None:
    """One is in the drop, and the feed file names another."""
    folder = drop(tmp_path / "drop", district())
    (folder / "ids.csv").write_text("old,new\nold-bo,bo\n")
    (tmp_path / "more.csv").write_text("old,new\nold-ana,ana\n")
    feed = tmp_path / "larkspur.toml"
    feed.write_text('drop = "drop"\nids = "more.csv"\n[target]\nurl = "env"\n')

    run = at.roster("sync", feed)

    assert (2, []) == (run.code, at.writes), run.err
    assert "a file of ids of its own" in " ".join(run.err.split())


def test_a_record_that_got_the_id_of_another_refuses_the_drop(at: Served, tmp_path: Path) -> None:
    """Canvas merges two people with its file of changed ids, on one night or over two."""
    synced(at, written(tmp_path / "first", **CANVAS))
    new = {name: text.replace("u1", "n1") for name, text in CANVAS.items()}
    synced(at, written(tmp_path / "second", **new, change_sis_id="old_id,new_id,type\nu1,n1,user"))

    known = synced(
        at, written(tmp_path / "third", **CANVAS, change_sis_id="old_id,new_id,type\nu2,u1,user")
    )
    renamed = synced(
        at, written(tmp_path / "fourth", **new, change_sis_id="old_id,new_id,type\nu2,n1,user")
    )

    assert (4, 4) == (known.code, renamed.code)
    assert "users u1 of u2" in " ".join(known.err.split())
    assert "users n1 of u2, and it is the new id of u1 since an earlier night" in " ".join(
        renamed.err.split()
    )
    assert ("Ann", "Bo") == (
        at.record("users", "u1")["givenName"],
        at.record("users", "u2")["givenName"],
    )
