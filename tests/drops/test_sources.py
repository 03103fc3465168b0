"""Folders and zips: which files of them are read, and when the drop is refused."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.drops import ZipLimits, read
from transforms.roster import Raw

USERS = b"id,name\n1,Ana\n"
FIXTURES = os.environ.get("ROSTER_FIXTURES")
Entry = str | zipfile.ZipInfo


def zipped(path: Path, *members: tuple[Entry, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """Make a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data, method)
    return path


def outcome(raw: Raw) -> tuple[set[str], set[str]]:
    """Name the files that were read and the rules that were broken."""
    return set(raw.files), {
        *raw.findings.errors["rule"],
        *(notice.rule for notice in raw.findings.notices),
    }


def of_type(kind: int, name: str) -> zipfile.ZipInfo:
    """Describe a member of a type, such as a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.external_attr = (kind | 0o600) << 16
    return info


def nameless() -> zipfile.ZipInfo:
    """Describe a member of whose name Python's reader leaves nothing."""
    info = zipfile.ZipInfo("users.csv")
    info.filename = "\0sers.csv"
    return info


MEMBERS: tuple[tuple[str, list[Entry], set[str], set[str]], ...] = (
    ("at the top", ["users.csv", "orgs.CSV"], {"users.csv", "orgs.CSV"}, set()),
    (
        "one wrapper folder",
        ["drop/users.csv", "drop/orgs.csv"],
        {"users.csv", "orgs.csv"},
        {"wrapper_folder"},
    ),
    ("Windows separators", ["drop\\users.csv"], {"users.csv"}, {"wrapper_folder"}),
    ("two folders deep", ["a/b/users.csv"], set(), {"zip_nested"}),
    ("two folders", ["a/users.csv", "b/orgs.csv"], set(), {"zip_nested"}),
    ("top and folder", ["users.csv", "b/orgs.csv"], set(), {"zip_nested"}),
    (
        "noise",
        ["users.csv", "__MACOSX/._users.csv", "._users.csv", ".DS_Store", "Thumbs.db"],
        {"users.csv"},
        set(),
    ),
    ("other members", ["users.csv", "readme.txt", "docs/a.pdf"], {"users.csv"}, {"unknown_file"}),
    ("nothing but others", ["readme.txt"], set(), {"unknown_file"}),
    ("zip in zip", ["users.csv", "more.zip"], set(), {"zip_nested"}),
    ("names in one case", ["users.csv", "Users.csv", "orgs.csv"], {"orgs.csv"}, {"file_twice"}),
    ("traversal", ["../users.csv"], set(), {"zip_unsafe"}),
    ("hidden traversal", ["a\\..\\..\\users.csv"], set(), {"zip_unsafe"}),
    ("absolute", ["/etc/users.csv"], set(), {"zip_unsafe"}),
    ("drive", ["C:users.csv"], set(), {"zip_unsafe"}),
    ("symbolic link", [of_type(stat.S_IFLNK, "users.csv")], set(), {"zip_unsafe"}),
    ("device", [of_type(stat.S_IFBLK, "users.csv")], set(), {"zip_unsafe"}),
    ("filled through a pipe", [of_type(stat.S_IFIFO, "users.csv")], {"users.csv"}, set()),
    ("a name that begins with NUL", [nameless()], set(), {"zip_unsafe"}),
    ("accents", ["ñ.csv"], {"ñ.csv"}, set()),
    ("no members", [], set(), set()),
)


@pytest.mark.parametrize(
    ("names", "files", "rules"), [case[1:] for case in MEMBERS], ids=[case[0] for case in MEMBERS]
)
def test_members_of_a_zip(
    names: list[Entry], files: set[str], rules: set[str], tmp_path: Path
) -> None:
    """Which members are read, under which names, and what is found."""
    raw = read(zipped(tmp_path / "drop.zip", *((name, USERS) for name in names)))

    assert (files, rules) == outcome(raw)


@pytest.mark.parametrize("name", ["readme.txt", "__MACOSX/._users.csv"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice(name: str, tmp_path: Path) -> None:
    """Two members with one name refuse that file; other members do not matter."""
    path = zipped(
        tmp_path / "drop.zip",
        ("users.csv", USERS),
        ("users.csv", USERS),
        (name, b"x"),
        ("orgs.csv", USERS),
    )

    raw = read(path)

    assert ({"orgs.csv"}, {"users.csv"}) == (set(raw.files), set(raw.broken))


def test_a_zip_is_known_by_its_content(tmp_path: Path) -> None:
    """The suffix does not matter."""
    assert ({"users.csv"}, set()) == outcome(
        read(zipped(tmp_path / "drop.bin", ("users.csv", USERS)))
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_compressions(method: int, tmp_path: Path) -> None:
    """What every program writes is read."""
    assert ({"users.csv"}, set()) == outcome(
        read(zipped(tmp_path / "d.zip", ("users.csv", USERS), method=method))
    )


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_cannot_be_unpacked_piece_by_piece_is_refused(
    method: int, tmp_path: Path
) -> None:
    """A few hundred bytes of it could fill the memory before they are counted."""
    path = zipped(tmp_path / "d.zip", ("users.csv", USERS), method=method)

    assert (set(), {"drop_unreadable"}) == outcome(read(path))


def patched(offset: int, value: bytes) -> Callable[[bytes], bytes]:
    """Overwrite a field of the only member, in its own header and in the directory."""

    def patch(data: bytes) -> bytes:
        directory = data.index(b"PK\x01\x02")
        local, central = 4 + offset, directory + 6 + offset
        data = data[:local] + value + data[local + len(value) :]
        return data[:central] + value + data[central + len(value) :]

    return patch


DAMAGE: tuple[tuple[str, Callable[[bytes], bytes], str], ...] = (
    ("encrypted", patched(2, b"\x01\x00"), "zip_encrypted"),
    ("unsupported compression", patched(4, b"\x61\x00"), "drop_unreadable"),
    ("bad checksum", patched(10, b"\x00\x00\x00\x00"), "zip_damaged"),
    ("cut short", lambda data: data[: len(data) // 2], "zip_damaged"),
    ("fewer files than its end counts", lambda data: data[:-12] + b"\x05\x00" + data[-10:], "zip_damaged"),
    ("first bytes only", lambda data: data[:4], "zip_damaged"),
    ("name flagged UTF-8 that is not", lambda data: patched(2, b"\x00\x08")(data).replace(b"users", b"us\xffrs"), "zip_damaged"),
    ("name in an unknown encoding", lambda data: data.replace(b"users", b"us\xe9rs"), "zip_unsafe"),
    ("damaged contents", lambda data: data[:42] + b"\xff" * 8 + data[50:], "zip_damaged"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("damage", "rule"), [case[1:] for case in DAMAGE], ids=[case[0] for case in DAMAGE]
)
def test_a_damaged_zip_is_refused(
    damage: Callable[[bytes], bytes], rule: str, tmp_path: Path
) -> None:
    """No file of a damaged zip is read."""
    path = zipped(tmp_path / "drop.zip", ("users.csv", USERS * 20))
    path.write_bytes(damage(path.read_bytes()))

    assert (set(), {rule}) == outcome(read(path))


@pytest.mark.parametrize(
    ("limits", "refused"),
    [
        (ZipLimits(), True),
        (ZipLimits(ratio=5000), False),
        (ZipLimits(ratio=5000, total_bytes=3_000_000), True),
        (ZipLimits(ratio=5000, members=1), True),
    ],
)
def test_a_zip_that_unpacks_to_too_much(limits: ZipLimits, refused: bool, tmp_path: Path) -> None:
    """Files, bytes and ratio are limited, each by itself."""
    row = b"1," + b"a" * 1022 + b"\n"
    path = zipped(
        tmp_path / "drop.zip", *((f"{name}.csv", b"id,name\n" + row * 2000) for name in "ab")
    )

    files, rules = outcome(read(path, limits=limits))

    assert (
        (set(), {"zip_too_large"}) == (files, rules)
        if refused
        else ({"a.csv", "b.csv"}, set()) == (files, rules)
    )


def test_a_header_that_lies_about_its_size(tmp_path: Path) -> None:
    """A member that says it is small is cut off there by its checksum, not believed."""
    path = zipped(tmp_path / "drop.zip", ("users.csv", USERS * 100))
    path.write_bytes(patched(18, b"\x05\x00\x00\x00")(path.read_bytes()))

    assert (set(), {"zip_damaged"}) == outcome(read(path))


def test_a_zip_without_bytes_has_no_files(tmp_path: Path) -> None:
    """What is missing, the layout says."""
    path = tmp_path / "drop.zip"
    path.touch()

    assert (set(), set()) == outcome(read(path))


def test_a_folder(tmp_path: Path) -> None:
    """CSV files are read; folders and noise are passed over, other files are reported."""
    for name in ("users.csv", "Orgs.CSV", "notes.txt", ".DS_Store", "._users.csv", ".hidden.csv"):
        (tmp_path / name).write_bytes(USERS)
    (tmp_path / "old.csv").mkdir()

    assert ({"users.csv", "Orgs.CSV"}, {"unknown_file"}) == outcome(read(tmp_path))


def test_names_that_differ_in_case(tmp_path: Path) -> None:
    """Neither of the two files is read."""
    for name in ("users.csv", "USERS.csv", "orgs.csv"):
        (tmp_path / name).write_bytes(USERS)
    if len(list(tmp_path.iterdir())) < 3:
        pytest.skip("this file system does not tell case apart")

    raw = read(tmp_path)

    assert ({"orgs.csv"}, {"users.csv", "USERS.csv"}) == (set(raw.files), set(raw.broken))


def test_a_zip_beside_csv_files(tmp_path: Path) -> None:
    """A zip in a folder is not read; a file both in it and beside it is refused."""
    (tmp_path / "users.csv").write_bytes(USERS)
    zipped(tmp_path / "old.zip", ("orgs.csv", USERS))
    assert ({"users.csv"}, {"unknown_file"}) == outcome(read(tmp_path))

    zipped(tmp_path / "new.zip", ("in/Users.csv", USERS))

    raw = read(tmp_path)
    assert (set(), {"unknown_file", "file_twice"}) == outcome(raw)
    assert {"Users.csv in new.zip, users.csv"} == set(raw.findings.fatal["value"])


def test_a_folder_with_nothing_but_a_zip(tmp_path: Path) -> None:
    """The one who asks has to name the zip."""
    zipped(tmp_path / "drop.zip", ("users.csv", USERS))

    raw = read(tmp_path)

    assert (set(), {"drop_unreadable"}) == outcome(raw)
    assert "name the zip itself" in raw.findings.errors["value"][0]


def test_files_that_are_no_files(tmp_path: Path) -> None:
    """A FIFO, a dangling link and a link to itself refuse that file, and nothing waits."""
    (tmp_path / "orgs.csv").write_bytes(USERS)
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "gone.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")

    raw = read(tmp_path)

    assert ({"orgs.csv"}, {"drop_unreadable"}) == outcome(raw)
    assert {"pipe.csv", "gone.csv", "loop.csv"} == raw.broken


@pytest.mark.parametrize("name", ["nowhere", "users.csv", "pipe", "loop", "a\0b", "x" * 5000])
def test_a_drop_that_cannot_be_opened(name: str, tmp_path: Path) -> None:
    """A path to nothing, to a CSV file or to no file at all refuses the drop."""
    (tmp_path / "users.csv").write_bytes(USERS)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    assert (set(), {"drop_unreadable"}) == outcome(read(tmp_path / name))


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """Such a file is refused, and the others are read."""
    (tmp_path / "users.csv").symlink_to(tmp_path / "nowhere")
    (tmp_path / "orgs.csv").write_bytes(USERS)

    assert ({"orgs.csv"}, {"drop_unreadable"}) == outcome(read(tmp_path))


def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    """Such a name does not break the report."""
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/us\xffrs.csv")).write_bytes(USERS)
    except OSError:
        pytest.skip("this file system has only UTF-8 names")

    assert (set(), {"unknown_file"}) == outcome(read(tmp_path))


@pytest.mark.parametrize(
    ("member", "rule"),
    [("drop/users.csv", "wrapper_folder"), ("notes.txt", "unknown_file")],
)
def test_strict_refuses(member: str, rule: str, tmp_path: Path) -> None:
    """Under `--strict` lenient readings of a zip are fatal."""
    raw = read(zipped(tmp_path / "drop.zip", (member, USERS)), strict=True)

    assert ({}, [rule]) == (raw.files, raw.findings.fatal["rule"].to_list())


@pytest.mark.skipif(not FIXTURES, reason="ROSTER_FIXTURES names no folder of real drops")
def test_real_drops_are_read() -> None:
    """Every file of the real drops is read, each of its records accounted for."""
    folders = {path.parent for path in Path(FIXTURES or "").rglob("*.csv")}
    zips = set(Path(FIXTURES or "").rglob("valid/*.zip"))

    for drop in sorted(folders | zips):
        raw = read(drop)
        assert frozenset() == raw.broken, drop
        assert [] == raw.findings.errors["rule"].to_list(), drop
        assert raw.files, drop
