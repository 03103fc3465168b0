"""Old ids for records that a source has renamed."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from connectors.drops import read, read_file
from tests.judging import TODAY
from tests.rosters import district, drop
from transforms.findings import Findings
from transforms.layouts.options import ReadingOptions
from transforms.renamed_ids import composite_new_ids, find_id_file, new_renames, restore_old_ids
from transforms.roster import Roster
from transforms.sources import normalize


def with_ids(folder: Path, text: str) -> Roster:
    """Read the district with a file of ids in its drop."""
    drop(folder, district())
    (folder / "ids.csv").write_text(text)
    raw = read(folder)
    return restore_old_ids(
        normalize("oneroster", raw, ReadingOptions(TODAY)), find_id_file(raw.files), Findings()
    )


def test_the_old_id_stands_wherever_the_new_one_did(tmp_path: Path) -> None:
    """In the record itself, in what refers to it, in lists, and in what has the same id because it is a part of it."""
    tables = with_ids(tmp_path, "old,new\nana-1,ana\nt-old,t1\n").tables

    assert "ana-1" in tables["users"].frame["sourcedId"].to_list()
    assert (
        "ana-1"
        == tables["demographics"].frame["sourcedId"][0]
        == tables["enrollments"].frame["userSourcedId"][0]
    )
    assert ["t-old", "y,t-old"] == tables["classes"].frame["termSourcedIds"].to_list()
    assert "ana" == tables["users"].frame["username"][0]


def test_a_line_may_name_its_entity(tmp_path: Path) -> None:
    """Ids of other kinds that look the same stay."""
    tables = with_ids(tmp_path, "old,new,entity\nkept,co,courses\nlost,s1,classes\n").tables

    assert ["kept", "kept"] == tables["classes"].frame["courseSourcedId"].to_list()
    assert {"s1", "s2"} == set(tables["classes"].frame["schoolSourcedId"])


@pytest.mark.parametrize("lines", [("ana-1,tmp", "tmp,ana"), ("tmp,ana", "ana-1,tmp")])
def test_an_id_that_changed_twice_leads_to_the_first(
    lines: tuple[str, str], tmp_path: Path
) -> None:
    """Whatever the order of lines; a line that changes nothing is no circle."""
    tables = with_ids(tmp_path, "\n".join(("old,new", *lines, "bo,bo"))).tables

    assert {"ana-1", "bo"} < set(tables["users"].frame["sourcedId"])


def test_what_is_remembered_of_earlier_nights_leads_on() -> None:
    """An id may change on one night, and again on another, and back."""
    ids = pl.DataFrame(
        {"old": ["c", "b", "x"], "new": ["d", "c", "y"], "entity": ["users", "users", "group"]}
    )

    found = new_renames(ids, {("users", "b"): "a"})

    assert {("users", "c"): "a", ("users", "d"): "a"} == found
    assert {("users", "a"): "a"} == new_renames(
        pl.DataFrame({"old": ["b"], "new": ["a"], "entity": ["users"]}), {("users", "b"): "a"}
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("new,id\na,b\n", "lacks the column old"),
        ("old,new\na,b\na,c\n", "names the old id a twice"),
        ("old,new\na,c\nb,c\n", "names the new id c twice"),
        ("old,new\na,\n", "without an old or a new id"),
        (
            "old,new\na,b\nc,a\nb,c\n",
            "leads in a circle, so that nobody can say which id was the first: b <- a <- c <- b",
        ),
        ("old,new,entity\na,b,\nc,b,users\n", "names the new id b twice"),
    ],
)
def test_an_unclear_file_refuses_the_drop(text: str, said: str, tmp_path: Path) -> None:
    """Without it everybody would seem to be somebody else."""
    fatal = with_ids(tmp_path, text).findings.fatal

    assert ("", "ids_unclear") == fatal.select("file", "rule").row(0)
    assert said in fatal["value"][0]


def test_a_file_outside_the_drop_that_is_not_there(tmp_path: Path) -> None:
    """It is named, and refuses the drop."""
    outside = read_file(tmp_path / "ids.csv")

    roster = restore_old_ids(Roster({}), None, outside.findings)

    assert ["ids_unclear"] == roster.findings.fatal["rule"].to_list()


@pytest.mark.parametrize(
    ("text", "ids"),
    [("old,new\na,contact/b\nc,d\n", {"contact/b"}), ("old\na\n", set()), ("old,new\na,\n", set())],
)
def test_ids_that_are_made_of_something_are_known_by_their_sign(
    text: str, ids: set[str], tmp_path: Path
) -> None:
    """A file that cannot be used has none."""
    (tmp_path / "ids.csv").write_text(text)

    assert ids == composite_new_ids(find_id_file(read_file(tmp_path / "ids.csv").files))


def test_without_a_file_of_ids_there_are_none() -> None:
    """Nobody was named."""
    assert frozenset() == composite_new_ids(None)
