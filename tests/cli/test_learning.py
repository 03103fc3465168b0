"""Learning content as a feed of its own, from its file to the API and back."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.learning import learning
from tests.rosters import csv_text, district, drop, manifest
from tests.running import roster

ROOT = Path(__file__).parents[2]
SAMPLE = ROOT / "sample_data"
FEED = """
district = "learning"
drop = "learning"
{settings}
[target]
url = "sandbox"
email_template = "{{sourcedId}}@students.example.edu"
"""


def feed(folder: Path, settings: str = "", drop_path: str = "learning") -> Path:
    """Write a feed file."""
    path = folder / "learning.toml"
    path.write_text(
        FEED.format(settings=settings).replace('drop = "learning"', f'drop = "{drop_path}"')
    )
    return path


def read_back(collection: str, state: Path, *more: str) -> list[dict[str, Any]]:
    """Read a collection of the sandbox."""
    lines = roster(
        "get", collection, "--target", "sandbox", "--json", *more, state=state
    ).out.splitlines()
    return [json.loads(line) for line in lines]


def test_the_sample_is_read_back_whole(tmp_path: Path) -> None:
    """Four levels deep, with resources of several kinds, a class enrolled in it, and a gradebook."""
    roster("sync", SAMPLE / "oneroster_1_2", state=tmp_path)

    run, again = (
        roster("sync", SAMPLE / "learning.toml", "--json", state=tmp_path) for _ in range(2)
    )

    assert (0, 38, 0, "unchanged") == (
        run.code,
        run.total("created"),
        run.total("rejected"),
        again.json["status"],
    )
    parents = {
        one["sourcedId"]: (one.get("parent") or {}).get("sourcedId")
        for one in read_back("courseComponents", tmp_path)
    }
    chain: list[str] = []
    place: str | None = "lv-app-u1-m1-l1-a1"
    while place:
        chain.append(place)
        place = parents[place]
    assert (10, 4) == (len(parents), len(chain))
    ours = {
        name: len(
            [one for one in read_back(name, tmp_path) if one["sourcedId"].startswith("lv-app")]
        )
        for name in run.json["entities"]
    }
    assert {name: counts["created"] for name, counts in run.json["entities"].items()} == ours
    assert {"video", "text", "interactive", "qti", "assessment-bank"} == {
        one["metadata"]["type"] for one in read_back("resources", tmp_path)
    }
    due = {one["sourcedId"]: one["dueDate"] for one in read_back("lineItems", tmp_path)}
    assert "2026-09-12T05:59:59.000Z" == due["lv-app-item-1"]  # the end of that day in Denver


def test_references_resolve_in_other_feeds_of_the_target(tmp_path: Path) -> None:
    """What another feed has loaded is there; nothing is asked of the target for it."""
    roster("sync", drop(tmp_path / "district", district()), state=tmp_path / "state")
    drop(tmp_path / "learning", learning())

    run = roster("sync", feed(tmp_path), "--json", state=tmp_path / "state")

    assert (0, 0, 14) == (run.code, run.total("rejected"), run.total("created"))


@pytest.mark.parametrize(
    ("external", "rejected"),
    [("[]", 12), ('["orgs", "academicSessions", "courses", "classes", "users"]', 0)],
)
def test_references_resolve_in_the_target_if_the_feed_says_so(
    external: str, rejected: int, tmp_path: Path
) -> None:
    """Records that no ledger knows count where the feed file declares their kind external."""
    state = tmp_path / "state"
    roster("sync", drop(tmp_path / "district", district()), state=state)
    (state / "ledger.db").unlink()
    for rest in state.glob("ledger.db-*"):
        rest.unlink()
    drop(tmp_path / "learning", learning())

    run = roster("sync", feed(tmp_path, f"external = {external}"), "--json", state=state)

    assert (0, rejected) == (run.code, run.total("rejected"))


def test_a_gradebook_of_1_1_takes_its_schools_from_the_classes_that_are_loaded(
    tmp_path: Path,
) -> None:
    """1.1 has no column for them, and its classes came with another feed; grading periods become sessions."""
    state, folder = tmp_path / "state", tmp_path / "learning"
    roster("sync", drop(tmp_path / "district", district()), state=state)
    folder.mkdir()
    rows = learning()
    for item in rows["lineItems"]:
        item["gradingPeriodSourcedId"] = item.pop("academicSessionSourcedId")
        del item["schoolSourcedId"]
    for name in ("categories", "lineItems", "results"):
        for row in rows[name]:
            row.pop("weight", None)
        (folder / f"{name}.csv").write_text(csv_text(name, rows[name], "1.1"), newline="")
    (folder / "manifest.csv").write_text(
        manifest(dict.fromkeys(("categories", "lineItems", "results"), "bulk"), "1.1")
    )

    run = roster("sync", feed(tmp_path), "--json", state=state)

    assert (0, 3, 0) == (run.code, run.total("created"), run.total("rejected"))
    (held,) = read_back("lineItems", state)
    assert ("s1", "t1") == (held["school"]["sourcedId"], held["academicSession"]["sourcedId"])


def test_what_a_feed_keeps_is_not_removed(tmp_path: Path) -> None:
    """`removed` decides by kind: results stay, links go."""
    state = tmp_path / "state"
    roster("sync", drop(tmp_path / "district", district()), state=state)
    drop(tmp_path / "learning", learning())
    path = feed(tmp_path, '[removed]\nassessmentResults = "keep"\n[limits]\nschool_percent = 100\n')
    roster("sync", path, state=state)
    rows = learning()
    rows["assessmentResults"][0]["sourcedId"] = "g2"
    rows["componentResources"].pop()
    drop(tmp_path / "learning", rows)

    entities = roster("sync", path, "--json", state=state).json["entities"]

    assert (1, 0) == (entities["assessmentResults"]["kept"], entities["assessmentResults"]["held"])
    assert (0, 1) == (
        entities["componentResources"]["kept"],
        entities["componentResources"]["deleted"],
    )


PACKAGES = (
    (
        "gradebook",
        {
            "categories": ["category-1"],
            "lineItems": ["line-item-1"],
            "results": ["result-1"],
            "scoreScales": ["score-scale-1"],
        },
    ),
    ("resources", {"resources": ["resource-1"]}),
)


@pytest.mark.parametrize("modes", [("bulk", "delta"), ("delta",)], ids="-".join)
@pytest.mark.parametrize(("name", "held"), PACKAGES)
def test_real_packages_are_read_back(
    name: str, held: dict[str, list[str]], modes: tuple[str, ...], real_drops: Path, tmp_path: Path
) -> None:
    """Bulk, then the same as a delta, which changes nothing; or the delta at once."""
    folder = real_drops / "oneroster-1.2-longsight" / "valid"

    runs = [
        roster(
            "sync",
            feed(tmp_path, drop_path=str(folder / f"{name}-{mode}-package.zip")),
            "--json",
            state=tmp_path,
        )
        for mode in modes
    ]

    assert [0] * len(runs) == [run.code for run in runs]
    assert ["done", "unchanged"][: len(runs)] == [run.json["status"] for run in runs]
    assert held == {
        collection: [one["sourcedId"] for one in read_back(collection, tmp_path)]
        for collection in held
    }


def test_enrollments_tell_courses_classes_and_what_holds(tmp_path: Path) -> None:
    """One line for each, with the names that people know; CSV for a spreadsheet."""
    roster("sync", drop(tmp_path / "district", district()), state=tmp_path / "state")

    run = roster("enrollments", "ana", "--target", "sandbox", "--csv", state=tmp_path / "state")

    assert [
        {
            "course": "Math 5",
            "courseSourcedId": "co",
            "class": "Math 5 A",
            "classSourcedId": "c1",
            "role": "student",
            "beginDate": "2026-08-15",
            "active": "yes",
            "sourcedId": "e1",
        }
    ] == list(csv.DictReader(io.StringIO(run.out)))


def test_an_unknown_person_is_told_from_one_without_enrollments(tmp_path: Path) -> None:
    """The one is wrong use, the other an answer; quotes in ids are no danger."""
    roster("sync", drop(tmp_path / "district", district()), state=tmp_path / "state")

    unknown, blank, dot = (
        roster("enrollments", name, "--target", "sandbox", state=tmp_path / "state")
        for name in ("o'hara", " ", ".")
    )
    idle = roster("enrollments", "mum", "--target", "sandbox", state=tmp_path / "state")

    assert (2, True) == (unknown.code, 'has no user "o\'hara"' in unknown.said)
    assert (2, 2) == (blank.code, dot.code)
    assert (0, "") == (idle.code, idle.out)


def test_get_looks_into_objects(tmp_path: Path) -> None:
    """A name with dots leads there."""
    roster("sync", drop(tmp_path / "all", district() | learning()), state=tmp_path / "state")

    run = roster(
        "get",
        "resources",
        "--target",
        "sandbox",
        "--csv",
        "--fields",
        "sourcedId,metadata.seconds",
        state=tmp_path / "state",
    )

    assert "sourcedId,metadata.seconds\nv,90\n" == run.out


def test_get_gives_csv_with_harmless_cells(tmp_path: Path) -> None:
    """A title that a spreadsheet would run is quoted."""
    rows = district()
    rows["courses"][0]["title"] = "=1+1"
    roster("sync", drop(tmp_path / "district", rows), state=tmp_path / "state")

    run = roster(
        "get",
        "courses",
        "--target",
        "sandbox",
        "--csv",
        "--fields",
        "sourcedId,title",
        state=tmp_path / "state",
    )

    assert "sourcedId,title\nco,'=1+1\n" == run.out
