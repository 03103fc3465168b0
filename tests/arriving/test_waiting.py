"""A drop that is still being uploaded is waited for; one that does not arrive as a whole is refused, and nobody counts as gone."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from threading import Timer

import pytest

from tests.arriving.conftest import Syncs
from tests.arriving.servers import SshServer
from tests.rosters import district, drop, without

DAY = 24 * 60 * 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A drop that lies there as a whole."""
    return drop(tmp_path / "drop", district())


def test_a_file_that_grows_is_waited_for(folder: Path, sync: Syncs) -> None:
    """What was there at first would have been a roster without its last rows."""
    whole = (folder / "enrollments.csv").read_bytes()
    (folder / "enrollments.csv").write_bytes(whole[: len(whole) // 2])
    rest = Timer(0.5, (folder / "enrollments.csv").write_bytes, [whole])
    rest.start()

    run = sync(str(folder), '\n[arrival]\nsettle = "2s"\nwait = "30s"\n')

    rest.join()
    assert (0, len(district()["enrollments"])) == (
        run.code,
        run.json["entities"]["enrollments"]["created"],
    )


def test_an_upload_to_a_server_is_waited_for(folder: Path, ssh: SshServer, sync: Syncs) -> None:
    """The same over SFTP."""
    whole = (folder / "users.csv").read_bytes()
    (folder / "users.csv").write_bytes(whole[:100])
    rest = Timer(0.5, (folder / "users.csv").write_bytes, [whole])
    rest.start()

    run = sync(ssh.address(folder), ssh.pickup + '\n[arrival]\nsettle = "2s"\nwait = "30s"\n')

    rest.join()
    assert (0, len(district()["users"])) == (run.code, run.json["entities"]["users"]["created"])


def test_without_its_marker_a_drop_is_not_whole(folder: Path, sync: Syncs, tmp_path: Path) -> None:
    """With it, it is, and the marker is no file of the roster."""
    arrival = '\n[arrival]\nready = "_READY"\nwait = "1s"\n'

    before = sync(str(folder), arrival)
    (folder / "_READY").touch()
    after = sync(str(folder), arrival)

    assert (4, "refused") == (before.code, before.json["status"])
    assert "its marker _READY is not there" in " ".join(before.err.split())
    assert (0, False) == (after.code, "_READY" in after.err)


def test_a_marker_of_yesterday_is_not_todays(folder: Path, sync: Syncs) -> None:
    """Files that are newer than the marker are on their way again."""
    marker = folder / "_READY"
    marker.touch()
    os.utime(marker, (marker.stat().st_atime, marker.stat().st_mtime - DAY))

    run = sync(str(folder), '\n[arrival]\nready = "_READY"\nwait = "1s"\n')

    assert (4, True) == (run.code, "is newer than its marker _READY" in " ".join(run.err.split()))


def test_a_marker_may_lie_beside_a_zip(folder: Path, sync: Syncs, tmp_path: Path) -> None:
    """Named after it."""
    archive = Path(shutil.make_archive(str(tmp_path / "roster"), "zip", folder))
    arrival = '\n[arrival]\nready = "{drop}.done"\nwait = "1s"\n'

    before = sync(str(archive), arrival)
    (tmp_path / "roster.zip.done").touch()

    assert (4, 0) == (before.code, sync(str(archive), arrival).code)


def test_files_of_two_days_are_told(folder: Path, sync: Syncs) -> None:
    """One that was not exported anew may be older than the others."""
    path = folder / "users.csv"
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 2 * DAY))

    run = sync(str(folder), '\n[arrival]\nspread = "6h"\n')

    assert (0, True) == (run.code, "users.csv is of " in " ".join(run.err.split()))


def test_of_several_drops_the_newest_is_taken(folder: Path, sync: Syncs, tmp_path: Path) -> None:
    """By the days in their names; two of one day without times are refused, as is one that says no day among others that do."""
    for day in ("2026-11-22", "2026-11-24", "2026-11-23"):
        drop(tmp_path / "drops" / f"larkspur_{day}", district())

    newest = sync(str(tmp_path / "drops" / "larkspur_*"), command="check")
    drop(tmp_path / "drops" / "larkspur_24-11-2026_again_2026-11-24", district())
    twice = sync(str(tmp_path / "drops" / "larkspur_*"), command="check")
    drop(tmp_path / "drops" / "larkspur_whole", district())
    undated = sync(str(tmp_path / "drops" / "larkspur_*"), command="check")

    assert (0, 2, 2) == (newest.code, twice.code, undated.code)
    assert "which one is newer is not certain" in " ".join(twice.err.split())
    assert "larkspur_whole says no day in its name" in " ".join(undated.err.split())


def test_of_two_exports_of_a_day_the_later_one_is_taken(sync: Syncs, tmp_path: Path) -> None:
    """By the times in their names; the same two again send nothing."""
    drops = tmp_path / "drops"
    drop(drops / "larkspur_2026-11-24_0200", without(district(), "enrollments", "e2"))
    drop(drops / "larkspur_2026-11-24_1400", district())

    first, again = (sync(str(drops / "larkspur_*")) for _ in range(2))

    assert (0, len(district()["enrollments"])) == (
        first.code,
        first.json["entities"]["enrollments"]["created"],
    )
    assert (0, 0) == (again.code, again.json["requests"])


def test_what_the_names_do_not_order_the_named_setting_does(sync: Syncs, tmp_path: Path) -> None:
    """The message says which one, and how it is used."""
    drops = tmp_path / "drops"
    drop(drops / "larkspur_2026-11-24_9", without(district(), "enrollments", "e2"))
    drop(drops / "larkspur_2026-11-24_10", district())
    pattern = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)_(?P<number>\d+)"

    refused = sync(str(drops / "larkspur_*"))
    followed = sync(str(drops / "larkspur_*"), f"drop_date_pattern = '{pattern}'")

    assert (2, True) == (refused.code, "`drop_date_pattern`" in refused.err)
    assert (0, len(district()["enrollments"])) == (
        followed.code,
        followed.json["entities"]["enrollments"]["created"],
    )


def test_the_same_drop_again_is_known_by_its_content(
    folder: Path, sync: Syncs, tmp_path: Path
) -> None:
    """Under another name, and zipped; the run that accepted it first is named."""
    first = sync(str(folder))
    archive = shutil.make_archive(str(tmp_path / "tonight"), "zip", folder)

    again = sync(archive)

    assert f"run {first.json['run']} of" in " ".join(again.err.split())
    assert ("unchanged", 0) == (again.json["status"], again.json["requests"])
