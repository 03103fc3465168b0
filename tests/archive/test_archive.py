"""The archive: what a run accepted comes back as it was, is stored once, and is never half there."""

from __future__ import annotations

import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from connectors.ledger import FeedKey
from connectors.roster_archive import Archive, ArchiveError
from tests.judging import Known, judged
from tests.rosters import Rows, changed, delta, district, without
from transforms.changes import FINGERPRINT
from transforms.diff import diff
from transforms.forget import erase_people, id_digest, withhold_forgotten
from transforms.records import RosterState

KEY = FeedKey("sandbox", "springfield/high school")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Give an archive that holds nothing yet."""
    return Archive(tmp_path / "rosters", KEY)


def standing(
    folder: Path, rows: Rows, known: Known | None = None, mode: str = "bulk"
) -> RosterState:
    """Judge rows as a drop."""
    return judged(folder / "drop", rows, known, mode=mode).standing


def loaded(accepted: RosterState) -> Known:
    """Give the ledger as it is after a roster was loaded."""
    return {
        name: entity.upserts.select("sourcedId", fingerprint=FINGERPRINT, status=pl.lit("active"))
        for name, entity in diff(accepted, {}).changes.items()
    }


def differences(accepted: RosterState, known: Known) -> dict[str, list[str]]:
    """Name the records that a roster would send or remove, entity by entity."""
    changes = diff(accepted, known).changes
    found = {
        name: [*entity.upserts["sourcedId"], *entity.removals["sourcedId"]]
        for name, entity in changes.items()
    }
    return {name: ids for name, ids in found.items() if ids}


def files(archive: Archive, kind: str = "*") -> set[Path]:
    """Name the files of an archive."""
    return set(archive.folder.glob(kind))


def test_a_roster_comes_back_as_it_was(archive: Archive, tmp_path: Path) -> None:
    """Compared with a ledger that has it, nothing is to be sent; compared with an empty one, everything."""
    accepted = standing(tmp_path, district())
    archive.keep("monday", accepted)

    back = archive.standing("monday")

    assert {} == differences(back, loaded(accepted))
    assert loaded(accepted)["users"].equals(loaded(back)["users"])
    assert list(accepted) == list(back)
    assert [one.said for one in accepted.values()] == [one.said for one in back.values()]


def test_who_was_refused_or_withheld_has_not_vanished(archive: Archive, tmp_path: Path) -> None:
    """They come back as ids, and a comparison leaves their records alone."""
    before = loaded(standing(tmp_path, district()))
    accepted = standing(tmp_path, changed(district(), "e1", role="pupil"), before)
    hidden = pl.DataFrame({"sourcedId": ["e2"], "cause": ["not shared"]})
    accepted["enrollments"] = accepted["enrollments"].withhold(hidden)
    archive.keep("monday", accepted)

    back = archive.standing("monday")["enrollments"]

    assert (["e1"], ["e2"]) == (
        back.refused["sourcedId"].to_list(),
        back.withheld["sourcedId"].to_list(),
    )
    assert {} == differences({"enrollments": back}, before)


def test_an_unchanged_night_writes_one_small_file(archive: Archive, tmp_path: Path) -> None:
    """In another order of rows it has the same digest."""
    first = archive.keep("monday", standing(tmp_path, district()))
    before = files(archive)
    reversed_rows = {name: table[::-1] for name, table in district().items()}
    second = archive.keep("tuesday", standing(tmp_path, reversed_rows), "monday")

    assert first == second == archive.digest("tuesday")
    assert ["00000002-tuesday.json"] == [path.name for path in files(archive) - before]


def test_only_what_changed_is_written(archive: Archive, tmp_path: Path) -> None:
    """Two students who swap their classes change the enrollments, and nothing else."""
    archive.keep("monday", standing(tmp_path, district()))
    before = files(archive, "*.parquet")
    swapped = changed(changed(district(), "e1", userSourcedId="bo"), "e2", userSourcedId="ana")

    archive.keep("tuesday", standing(tmp_path, swapped), "monday")

    assert ["enrollments"] == [
        path.name.partition("-")[0] for path in files(archive, "*.parquet") - before
    ]
    assert {"e1": "ana", "e2": "bo", "e3": "tia"} == _users_of(archive, "monday")
    assert {"e1": "bo", "e2": "ana", "e3": "tia"} == _users_of(archive, "tuesday")


def _users_of(archive: Archive, run: str) -> dict[str, str]:
    frame = archive.frame(run, "enrollments")
    assert frame is not None
    return dict(frame.select("sourcedId", "userSourcedId").iter_rows())


def test_known_fingerprints_give_the_same_digest(archive: Archive, tmp_path: Path) -> None:
    """So a run need not compute them twice."""
    accepted = standing(tmp_path, district())
    marks = {name: known["fingerprint"] for name, known in loaded(accepted).items()}

    assert archive.keep("monday", accepted) == archive.keep("tuesday", accepted, marks=marks)


def test_a_delta_is_laid_over_the_roster_before(archive: Archive, tmp_path: Path) -> None:
    """What it does not name stays, what it says is gone goes, and the other entities are not even read."""
    accepted = standing(tmp_path, district())
    archive.keep("monday", accepted)
    (courses,) = files(archive, "courses-*")
    courses.write_bytes(b"damaged")
    rows = delta(
        {
            "users": [
                row
                for row in changed(district(), "bo", givenName="Boris")["users"]
                if row["sourcedId"] == "bo"
            ]
        }
    )
    rows |= delta(
        {"enrollments": [row for row in district()["enrollments"] if row["sourcedId"] == "e1"]},
        "tobedeleted",
    )

    archive.keep("tuesday", standing(tmp_path, rows, loaded(accepted), "delta"), "monday")

    users, enrollments = archive.frame("tuesday", "users"), archive.frame("tuesday", "enrollments")
    assert users is not None
    assert enrollments is not None
    names = dict(users.select("sourcedId", "givenName").iter_rows())
    assert {"ana": "Ana", "bo": "Boris", "tia": "Tia", "mum": "Eva"} == names
    assert 4 == users["roles"].count()
    assert ["e2", "e3"] == enrollments["sourcedId"].to_list()


def test_of_deltas_alone_no_one_can_say_who_is_gone(archive: Archive, tmp_path: Path) -> None:
    """A roster that never was a snapshot removes nothing."""
    known = loaded(standing(tmp_path, district()))
    users = delta({"users": [row for row in district()["users"] if row["sourcedId"] == "bo"]})
    archive.keep("monday", standing(tmp_path, users, known, "delta"))

    back = archive.standing("monday")

    assert "unknown" == back["users"].mode
    assert 0 == diff(back, known).changes["users"].removals.height


def test_a_refused_row_of_a_delta_stays_as_it_was(archive: Archive, tmp_path: Path) -> None:
    """The target still holds what came before."""
    accepted = standing(tmp_path, district())
    archive.keep("monday", accepted)
    wrong = delta({"enrollments": [district()["enrollments"][0] | {"role": "pupil"}]})

    archive.keep("tuesday", standing(tmp_path, wrong, loaded(accepted), "delta"), "monday")

    assert archive.digest("monday") == archive.digest("tuesday")
    assert {} == differences(archive.standing("tuesday"), loaded(accepted))


def test_old_rosters_are_forgotten_and_what_later_ones_need_stays(
    archive: Archive, tmp_path: Path
) -> None:
    """One that is spared stays as well; so does the last, whatever is asked."""
    rosters = [district(), without(district(), "e1"), without(district(), "e2"), district()]
    for day, rows in enumerate(rosters):
        archive.keep(f"day-{day}", standing(tmp_path, rows))
    (archive.folder / "users-half.parquet.part").write_bytes(b"PAR1")

    gone = archive.forget(1, spare=["day-1"])

    assert (["day-0", "day-2"], ["day-1", "day-3"]) == (gone, archive.runs())
    assert [2, 3] == [
        archive.standing(run)["enrollments"].accepted.height for run in archive.runs()
    ]
    assert 2 == len(files(archive, "enrollments-*"))
    assert not files(archive, "*.part")
    assert ["day-1"] == archive.forget(0)
    assert ["day-3"] == archive.runs()


def test_feeds_have_folders_of_their_own(tmp_path: Path) -> None:
    """Whatever their names hold; nothing leaves the folder that was given."""
    names = ["springfield/high school", "springfield high school", "../../etc", "..", "", "日本"]
    folders = [Archive(tmp_path, FeedKey("sandbox", name)).folder for name in names]
    elsewhere = Archive(tmp_path, FeedKey("https://api.example.edu", names[0])).folder

    assert len({*folders, elsewhere}) == len(names) + 1
    assert {tmp_path} == {folder.parent for folder in folders}
    assert folders[0].name.startswith("springfield-high-school-")


def test_only_its_owner_may_read_it(archive: Archive, tmp_path: Path) -> None:
    """Names of people stand in it."""
    archive.keep("monday", standing(tmp_path, district()))

    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files(archive)}
    assert [0o700] * 2 == [
        stat.S_IMODE(path.stat().st_mode) for path in (archive.folder, archive.folder.parent)
    ]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [100, 1000])
def test_a_full_disk_leaves_the_archive_as_it_was(
    archive: Archive, size: int, tmp_path: Path
) -> None:
    """Nothing half-written stands there, and the sentence says what to do."""
    archive.keep("monday", standing(tmp_path, district()))
    before = files(archive)
    after = standing(tmp_path, changed(district(), "bo", givenName="Boris"))

    with (
        room_for(size),
        pytest.raises(ArchiveError, match="Free some space on its disk, and run again"),
    ):
        archive.keep("tuesday", after)

    assert before == files(archive)


@pytest.mark.parametrize("content", [b"", b"not a roster", b"PAR1" * 9, b'{"version": 2}'])
def test_damage_is_told_with_the_next_step(
    archive: Archive, content: bytes, tmp_path: Path
) -> None:
    """Of a manifest and of the records alike, and it names the file."""
    archive.keep("monday", standing(tmp_path, district()))
    (users,) = files(archive, "users-*")
    users.write_bytes(content)
    with pytest.raises(
        ArchiveError, match=f"{users.name}.*a file that cannot be read.*Restore it from a copy"
    ):
        archive.standing("monday")
    with pytest.raises(ArchiveError, match=users.name):
        archive.frame("monday", "users")

    (manifest,) = files(archive, "*.json")
    manifest.write_bytes(content)

    with pytest.raises(ArchiveError, match=manifest.name):
        archive.standing("monday")


def test_a_file_that_is_gone_is_told(archive: Archive, tmp_path: Path) -> None:
    """A later snapshot does not need it, and neither does one whose roster before is not kept any more."""
    archive.keep("monday", standing(tmp_path, district()))
    for path in files(archive, "users-*"):
        path.unlink()
    with pytest.raises(ArchiveError, match=r"found no file, .* delete its folder"):
        archive.judged("monday", "users")

    archive.keep("tuesday", standing(tmp_path, district()), "monday")
    archive.keep("wednesday", standing(tmp_path, district()), "the-day-before")

    users = archive.judged("monday", "users")
    assert users is not None
    assert 4 == users.accepted.height
    assert ["monday", "tuesday", "wednesday"] == archive.runs()


def test_an_archive_that_holds_nothing_is_empty(archive: Archive) -> None:
    """It has no folder yet, and nothing to forget."""
    assert ([], []) == (archive.runs(), archive.forget(1))


def test_a_run_that_is_not_there_is_told(archive: Archive, tmp_path: Path) -> None:
    """With the runs that are; a name is never a path."""
    archive.keep("monday", standing(tmp_path, district()))

    with pytest.raises(
        ArchiveError, match=r"no roster of run '\.\./monday', expected one of the last runs: monday"
    ):
        archive.standing("../monday")


def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    """Instead of a traceback."""
    (tmp_path / "rosters").write_text("a file")

    with pytest.raises(ArchiveError, match="Let this user write there"):
        Archive(tmp_path / "rosters", KEY).keep("monday", standing(tmp_path, district()))


def test_an_entity_that_no_drop_has_is_nothing(archive: Archive, tmp_path: Path) -> None:
    """It differs from an entity without records."""
    accepted = standing(tmp_path, district())
    users = accepted["users"]
    archive.keep("monday", {"users": replace(users, accepted=users.accepted.clear())})

    frame = archive.frame("monday", "users")

    assert frame is not None
    assert 0 == frame.height
    assert archive.frame("monday", "results") is None
    assert archive.judged("monday", "results") is None


def test_a_person_is_taken_out_of_every_roster(archive: Archive, tmp_path: Path) -> None:
    """The others stay as they were, each content is rewritten once, and nothing of the old files is left."""
    for run, before, name in (
        ("monday", "", "Bo"),
        ("tuesday", "monday", "Robert"),
        ("wednesday", "tuesday", "Robert"),
    ):
        archive.keep(run, standing(tmp_path, changed(district(), "bo", givenName=name)), before)
    digests = {run: archive.digest(run) for run in archive.runs()}
    ana = pl.Series("sourcedId", ["ana"])

    changed_ones = archive.rewrite(
        lambda judged: erase_people(
            judged, ana if judged.entity.name == "users" else ana.clear(), ana
        )
    )

    assert {run: archive.digest(run) for run in archive.runs()} == changed_ones
    assert all(digests[run] != digest for run, digest in changed_ones.items())
    assert changed_ones["tuesday"] == changed_ones["wednesday"] != changed_ones["monday"]
    assert not any(
        "Ana" in pl.read_parquet(path).write_json() for path in files(archive, "*.parquet")
    )
    gone = without(changed(district(), "bo", givenName="Bo"), "ana", "e1")
    assert {} == differences(
        archive.standing("monday"), loaded(standing(tmp_path, gone | {"demographics": []}))
    )


def test_a_roster_that_is_rewritten_is_the_one_that_the_next_night_keeps(
    archive: Archive, tmp_path: Path
) -> None:
    """Whoever is forgotten leaves no id in it, so that the same drop writes one small file."""
    archive.keep("monday", standing(tmp_path, district()))
    ana, digests = pl.Series("sourcedId", ["ana"]), frozenset({id_digest("ana")})
    archive.rewrite(lambda judged: erase_people(judged, ana, ana))
    before = files(archive)

    archive.keep("tuesday", withhold_forgotten(standing(tmp_path, district()), digests), "monday")

    assert ["00000002-tuesday.json"] == [path.name for path in files(archive) - before]
    assert archive.digest("monday") == archive.digest("tuesday")


def test_rosters_without_the_person_are_not_written(archive: Archive, tmp_path: Path) -> None:
    """Nothing is rewritten for nobody's sake; what a killed rewriting left behind is swept up."""
    archive.keep("monday", standing(tmp_path, district()))
    before = files(archive)
    (archive.folder / "users-0123.parquet").write_bytes(b"left behind")

    nobody = pl.Series("sourcedId", ["nobody"])
    assert {} == archive.rewrite(lambda judged: erase_people(judged, nobody, nobody))
    assert before == files(archive)


def test_rosters_of_another_archive_come_before_ours(tmp_path: Path) -> None:
    """Killed midway, it goes on; what a killed write left is not taken along. There may be none."""
    old, new = (
        Archive(tmp_path, FeedKey("sandbox", "old")),
        Archive(tmp_path, FeedKey("sandbox", "new")),
    )
    standing = judged(tmp_path / "drop", district()).standing
    for archive, run in ((old, "20260901-a"), (old, "20260902-b"), (new, "20260903-c")):
        archive.keep(run, standing)
    (old.folder / "left.unfinished").write_text("")

    new.take_over(old)
    new.take_over(old)

    assert (["20260901-a", "20260902-b", "20260903-c"], False) == (new.runs(), old.folder.exists())
    assert 4 == new.standing("20260902-b")["users"].accepted.height


def test_rosters_that_are_taken_over_keep_their_order(archive: Archive, tmp_path: Path) -> None:
    """Whatever their runs are called: some begin within one second, or in an hour that comes twice in autumn."""
    accepted = standing(tmp_path, {"orgs": district()["orgs"]})
    for run in ("b", "c", "a"):
        archive.keep(run, accepted)
    second, third = (
        Archive(tmp_path / "rosters", FeedKey("sandbox", name)) for name in ("second", "third")
    )
    second.keep("0", accepted)

    second.take_over(archive)
    second.keep("1", accepted)
    third.take_over(second)
    third.keep("2", accepted)

    assert ["b", "c", "a", "0", "1", "2"] == third.runs()
