"""Parts and links of records come back as the rows of their own files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from tests.judging import TODAY, errors, judged
from tests.rosters import Row, Rows, district
from transforms.checks import Checked, check
from transforms.findings import ROW
from transforms.from_json.drop import make_raw
from transforms.from_json.records import CollectionRows, add_rows
from transforms.layouts.options import ReadingOptions
from transforms.payload import json_records
from transforms.roster import Raw
from transforms.schemas import ENTITIES
from transforms.sources import normalize

Json = dict[str, Any]
PROFILE = {
    "profileType": "LTI",
    "vendorId": "hedgerow",
    "credentialType": "basic",
    "username": "ana",
}
SCALE = {
    "title": "Letters",
    "type": "letter",
    "courseSourcedId": "co",
    "orgSourcedId": "s1",
    "classSourcedId": "c1",
    "scoreScaleValue": "{A:90},{B:80}",
}
ITEM = {
    "title": "Quiz",
    "assignDate": "2026-09-07",
    "dueDate": "2026-09-11",
    "classSourcedId": "c1",
    "schoolSourcedId": "s1",
    "categorySourcedId": "k",
    "academicSessionSourcedId": "t1",
}
RESULT = {
    "lineItemSourcedId": "li",
    "studentSourcedId": "ana",
    "scoreStatus": "fully graded",
    "score": "9.5",
    "scoreDate": "2026-09-14",
}
GOAL = {"source": "unknown", "learningObjectiveId": "goal-1"}


def graded() -> Rows:
    """Give a district with profiles and a gradebook, each part in a file of its own."""
    rows = district()
    rows["roles"][0]["userProfileSourcedId"] = "p1"
    goals: list[Row] = [
        {"sourcedId": "g1", "lineItemSourcedId": "li", **GOAL},
        {"sourcedId": "g2", "lineItemSourcedId": "li", **GOAL, "learningObjectiveId": "goal-2"},
    ]
    return rows | {
        "userProfiles": [{"sourcedId": "p1", "userSourcedId": "ana", **PROFILE}],
        "categories": [{"sourcedId": "k", "title": "Tests", "weight": "40"}],
        "scoreScales": [{"sourcedId": "letters", **SCALE}],
        "lineItems": [{"sourcedId": "li", **ITEM}],
        "lineItemLearningObjectiveIds": goals,
        "lineItemScoreScales": [
            {
                "sourcedId": "ls",
                "title": "Letters",
                "lineItemSourcedId": "li",
                "scoreScaleSourcedId": "letters",
            }
        ],
        "results": [{"sourcedId": "re", **RESULT}],
        "resultLearningObjectiveIds": [
            {"sourcedId": "rg", "resultSourcedId": "re", **GOAL, "score": "3"}
        ],
        "resultScoreScales": [
            {
                "sourcedId": "rs",
                "title": "Letters",
                "resultSourcedId": "re",
                "scoreScaleSourcedId": "letters",
            }
        ],
    }


def read(records: dict[str, list[Json]]) -> Raw:
    """Read records as a source."""
    found = {name: CollectionRows() for name in records}
    for name, unfolded in found.items():
        add_rows(ENTITIES[name], records[name], "1.2", unfolded)
    return make_raw(found, "1.2", whole=True)


def read_again(records: dict[str, list[Json]]) -> Checked:
    """Read records as a source, and check them."""
    return check(normalize("auto", read(records), ReadingOptions(TODAY)), {})


def held(checked: Checked) -> dict[str, pl.DataFrame]:
    """What was accepted, parts among it, but for where it stood and the ids that parts had."""
    frames = {
        name: one.accepted.drop(ROW).sort("sourcedId") for name, one in checked.standing.items()
    }
    return {
        name: frame.select(sorted(one for one in frame.columns if one[0] != "#"))
        for name, frame in frames.items()
    }


def test_parts_come_back_as_they_were(tmp_path: Path) -> None:
    """Roles with profiles, learning objectives with their sources, score scales."""
    first = judged(tmp_path, graded())

    again = read_again(
        {
            name: list(json_records(ENTITIES[name], one.accepted))
            for name, one in first.standing.items()
        }
    )

    assert ([], []) == (errors(first), errors(again))
    assert {name: frame.to_dicts() for name, frame in held(first).items()} == {
        name: frame.to_dicts() for name, frame in held(again).items()
    }


def test_a_score_scale_belongs_to_the_school_and_the_course_of_its_class(tmp_path: Path) -> None:
    """JSON has no organization of scales; a course that is said stays."""
    first = judged(tmp_path, district())
    records = {
        name: list(json_records(ENTITIES[name], one.accepted))
        for name, one in first.standing.items()
    }
    scale = {
        "status": "active",
        "title": "Letters",
        "type": "letter",
        "class": {"sourcedId": "c1"},
        "scoreScaleValue": [{"itemValueLHS": "A", "itemValueRHS": "90"}],
    }
    records["scoreScales"] = [
        scale | {"sourcedId": "a"},
        scale | {"sourcedId": "b", "course": {"sourcedId": "other"}},
    ]

    frame = read(records).files["scoreScales.csv"].frame

    assert [("s1", "co"), ("s1", "other")] == frame.select("orgSourcedId", "courseSourcedId").rows()


def test_resources_of_a_class_become_links(tmp_path: Path) -> None:
    """Each with an id that is the same every night."""
    first = judged(
        tmp_path,
        district()
        | {"resources": [{"sourcedId": "book", "title": "Book", "vendorResourceId": "1"}]},
    )
    records = {
        name: list(json_records(ENTITIES[name], one.accepted))
        for name, one in first.standing.items()
    }
    records["classes"][0]["resources"] = [{"sourcedId": "book", "type": "resource"}]

    links = [read_again(records).standing["classResources"].accepted for _ in range(2)]

    assert [("c1", "book")] == links[0].select("classSourcedId", "resourceSourcedId").rows()
    assert links[0]["sourcedId"].to_list() == links[1]["sourcedId"].to_list()
