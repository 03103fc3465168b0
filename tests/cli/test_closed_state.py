"""A state folder to which everybody may write is closed, or not used."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from flows.errors import SettingsError
from flows.feeds.feed import state_folder
from tests.rosters import district, drop
from tests.running import roster

MINE = 0o700


def folder(path: Path, mode: int) -> Path:
    """Make a folder with a mode, and a file in it that others may write to."""
    path.mkdir()
    (path / "runs").mkdir()
    (path / "runs" / "old.csv").touch()
    for one in (path / "runs" / "old.csv", path / "runs", path):
        one.chmod(mode)
    return path


def modes(path: Path) -> set[str]:
    """The rights that others have in a folder."""
    return {oct(stat.S_IMODE(one.stat().st_mode) & 0o077) for one in (path, *path.rglob("*"))}


@pytest.mark.parametrize("command", ["sync", "plan", "check", "preflight"])
def test_a_state_folder_that_was_open_to_all_is_closed_with_all_that_is_in_it(
    tmp_path: Path, command: str
) -> None:
    """Whoever may write to it could put another ledger there."""
    state = folder(tmp_path / "state", 0o777)

    run = roster(command, drop(tmp_path / "drop", district()), state=state)

    assert (0, {"0o0"}) == (run.code, modes(state))


def test_what_a_group_may_do_is_left_alone(tmp_path: Path) -> None:
    """Where all others may do nothing, somebody has meant it."""
    state = folder(tmp_path / "state", 0o770)

    assert state == state_folder(str(state), {})
    assert {"0o70"} == modes(state)


def test_a_flow_closes_it_as_well(tmp_path: Path) -> None:
    """By its parameter, or by the setting of its worker."""
    state = folder(tmp_path / "state", 0o777)

    assert state == state_folder("", {"ROSTER_STATE": str(state)})
    assert {"0o0"} == modes(state)


def test_what_a_link_leads_to_keeps_its_mode(tmp_path: Path) -> None:
    """It is not in the folder."""
    state, other = folder(tmp_path / "state", 0o777), folder(tmp_path / "other", 0o777)
    (state / "link").symlink_to(other)

    state_folder(str(state), {})

    assert {"0o77"} == modes(other)


def test_a_folder_that_everybody_is_meant_to_write_to_is_refused(tmp_path: Path) -> None:
    """Such as /tmp, whose mode says so."""
    state = tmp_path / "state"
    state.mkdir()
    state.chmod(0o1777)

    run = roster("sync", drop(tmp_path / "drop", district()), state=state)

    assert (2, []) == (run.code, list(state.iterdir()))
    assert "Name a folder of your own with --state" in " ".join(run.said.split())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """It is its owner's to close."""
    state = folder(tmp_path / "state", 0o777)
    for one in (one for one in (tmp_path, *tmp_path.parents) if not one.stat().st_mode & 0o001):
        one.chmod(0o755)
    os.seteuid(65534)
    try:
        with pytest.raises(SettingsError, match="belongs to another user"):
            state_folder(str(state), {})
    finally:
        os.seteuid(0)
