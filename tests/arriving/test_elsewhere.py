"""Drops that lie at an address are fetched for as long as they are read, from servers that are known, and leave nothing behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.arriving.conftest import Syncs
from tests.arriving.servers import SshServer
from tests.rosters import district, drop, without
from tests.running import roster

SAMPLES = Path(__file__).parents[2] / "sample_data"


def left_in(state: Path) -> list[str]:
    """The files of drops, or their zips, below the state folder."""
    return [
        str(path)
        for path in state.rglob("*")
        if path.suffix in (".zip", ".part") or path.name == "users.csv"
    ]


def zipped(folder: Path, into: Path) -> Path:
    """Zip a folder."""
    return Path(shutil.make_archive(str(into.with_suffix("")), "zip", folder))


def test_the_newest_zip_of_a_server_is_loaded(ssh: SshServer, sync: Syncs, tmp_path: Path) -> None:
    """By the day in its name, whenever it was uploaded; and nothing of it stays on this machine."""
    there = tmp_path / "there"
    there.mkdir()
    zipped(drop(tmp_path / "new", district()), there / "roster_2026-11-24.zip")
    zipped(
        drop(tmp_path / "old", without(district(), "enrollments", "e2")),
        there / "roster_2026-11-23.zip",
    )

    run = sync(ssh.address(there) + "/roster_*.zip", ssh.pickup)

    assert (0, len(district()["enrollments"])) == (
        run.code,
        run.json["entities"]["enrollments"]["created"],
    )
    assert [] == left_in(tmp_path / "state")


def test_a_folder_of_a_server_is_loaded(ssh: SshServer, sync: Syncs, tmp_path: Path) -> None:
    """In whatever layout; the same again sends nothing."""
    shutil.copytree(SAMPLES / "canvas", tmp_path / "canvas")

    first, again = (sync(ssh.address(tmp_path / "canvas"), ssh.pickup) for _ in range(2))

    assert (0, 0, 0) == (first.code, again.code, again.json["requests"])
    assert first.total("created")
    assert [] == left_in(tmp_path / "state")


def test_a_server_that_is_not_known_is_not_asked(
    ssh: SshServer, sync: Syncs, tmp_path: Path
) -> None:
    """The next step is named: whoever runs it confirms its key."""
    (tmp_path / "known_hosts").touch()

    run = sync(
        ssh.address(tmp_path),
        ssh.pickup.replace(f"{ssh.folder}/known_hosts", str(tmp_path / "known_hosts")),
    )

    assert 1 == run.code
    assert "is not among the known hosts of" in run.err
    assert f"ssh-keyscan -p {ssh.port} 127.0.0.1" in run.err


def test_a_server_with_another_key_is_not_trusted(
    ssh: SshServer, sync: Syncs, tmp_path: Path
) -> None:
    """It may be somebody else who wants the roster, or to give us one."""
    key = (ssh.folder / "other.pub").read_text()
    (tmp_path / "known_hosts").write_text(f"[127.0.0.1]:{ssh.port} {key}")

    run = sync(
        ssh.address(tmp_path),
        ssh.pickup.replace(f"{ssh.folder}/known_hosts", str(tmp_path / "known_hosts")),
    )

    assert (1, True) == (run.code, "has a different host key than" in run.err)


def test_a_key_that_does_not_open_is_told(ssh: SshServer, sync: Syncs, tmp_path: Path) -> None:
    """With what to look at."""
    run = sync(
        ssh.address(tmp_path), ssh.pickup.replace(f"{ssh.folder}/user", f"{ssh.folder}/other")
    )

    assert (1, True) == (run.code, "rejected our login" in run.err)


def test_a_drop_that_is_not_there_is_told(ssh: SshServer, sync: Syncs, tmp_path: Path) -> None:
    """A pattern with what is there, a name by itself."""
    (tmp_path / "notes.txt").touch()

    nothing = sync(ssh.address(tmp_path) + "/roster_*.zip", ssh.pickup)
    missing = sync(ssh.address(tmp_path) + "/roster.zip", ssh.pickup)

    assert "fits 'roster_*.zip'. There are: " in nothing.err
    assert "roster.zip cannot be read (FileNotFoundError" in missing.err
    assert (2, 1) == (nothing.code, missing.code)


def test_the_newest_drop_of_a_store_is_loaded(s3: Any, sync: Syncs, tmp_path: Path) -> None:
    """S3, with the credentials of the environment; folders and zips."""
    s3.put(
        str(
            zipped(
                drop(tmp_path / "old", without(district(), "enrollments", "e2")),
                tmp_path / "old.zip",
            )
        ),
        "drops/larkspur-2026-11-23.zip",
    )
    for path in drop(tmp_path / "new", district()).iterdir():
        s3.put(str(path), f"drops/larkspur-2026-11-24/{path.name}")

    run = sync("s3://drops/larkspur-*")

    assert (0, len(district()["enrollments"])) == (
        run.code,
        run.json["entities"]["enrollments"]["created"],
    )
    assert [] == left_in(tmp_path / "state")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://sis.example.edu/roster.zip", "is not encrypted"),
        ("ftp://sis.example.edu/roster.zip", "is not encrypted"),
        (
            "webhdfs://sis.example.edu:50070/roster.zip",
            "Use one of https://, sftp://, ssh://, s3://",
        ),
        ("HDFS://sis.example.edu/roster.zip", "is not encrypted"),
        ("smb://sis.example.edu/drops/roster.zip", "is not encrypted"),
        ("newer://sis.example.edu/roster.zip", "as far as is known"),
        ("sftp://ana:hush@sis.example.edu/roster.zip", "given with a password"),
        ("https://sis.example.edu/roster.zip?signature=hush", "given with a password or a query"),
        ("https://sis.example.edu/roster_*.zip", "cannot be listed"),
        ("s3://drops/*/roster.zip", "in a folder's name"),
    ],
)
def test_an_address_that_cannot_be_meant_is_refused(
    address: str, words: str, sync: Syncs, tmp_path: Path
) -> None:
    """Before anybody is asked, and without what is secret in it."""
    run = sync(address)

    assert 2 == run.code
    assert words in " ".join(run.err.split())
    assert "hush" not in run.err


def test_a_store_that_is_reached_in_the_clear_is_refused(
    sync: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its address is fine, and the environment leads elsewhere."""
    import s3fs  # type: ignore[import-untyped]  # noqa: PLC0415

    for name, value in (
        ("ENDPOINT_URL", "http://store.example.edu:9000"),
        ("ACCESS_KEY_ID", "roster"),
        ("SECRET_ACCESS_KEY", "roster"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()

    run = sync("s3://drops/larkspur-*")

    assert 2 == run.code
    assert "is reached at http://store.example.edu:9000, which is not encrypted" in " ".join(
        run.err.split()
    )


def test_an_address_on_the_command_line_is_told_where_it_belongs(tmp_path: Path) -> None:
    """What is fetched, and how, stands in a feed file."""
    run = roster("check", "s3://drops/larkspur.zip", state=tmp_path)

    assert (2, True) == (
        run.code,
        "is an address. Write it into a feed file" in " ".join(run.err.split()),
    )
