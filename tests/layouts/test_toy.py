"""A layout takes one file: everything is declared here, and the layout is recognized, read, checked and reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts.normalizing import column, judged, lines, normalized, rules, written
from transforms import sources
from transforms.layouts import (
    File,
    Layout,
    constant,
    derived,
    first,
    grades,
    iso_date,
    one_of,
    rows,
    text,
)

PUPILS = File(
    "pupils",
    needed=True,
    required=("number", "name"),
    gives=(
        rows(
            "users",
            sourcedId=text("number"),
            username=text("number"),
            givenName=text("name"),
            familyName=text("surname"),
            grades=grades("year"),
        ),
        rows(
            "roles",
            userSourcedId=text("number"),
            orgSourcedId=constant("toy-school"),
            role=one_of("kind", {"p": "student", "t": "teacher"}),
        ),
        rows("demographics", sourcedId=text("number"), birthDate=iso_date("born", "dmy")),
    ),
    ignored=("shoe size",),
    aliases={"born": ("date of birth",)},
)
GROUPS = File(
    "groups",
    required=("group", "pupil"),
    gives=(
        rows("orgs", derived=True, sourcedId=constant("toy-school"), name=constant("Toys"), type=constant("school")),
        rows("courses", derived=True, sourcedId=derived("course", text("group")), title=text("group"), orgSourcedId=constant("toy-school")),
        rows(
            "classes",
            derived=True,
            sourcedId=text("group"),
            title=text("group"),
            courseSourcedId=derived("course", text("group")),
            schoolSourcedId=constant("toy-school"),
        ),
        rows("enrollments", classSourcedId=text("group"), userSourcedId=text("pupil"), role=first(text("role"), constant("student"))),
    ),
)  # fmt: skip
TOY = Layout("toy", "Toy", files=(PUPILS, GROUPS), snapshot=True, district=True)


@pytest.fixture
def toy_drop(tmp_path: Path) -> Path:
    """Two pupils and a teacher in one group."""
    return written(
        tmp_path / "toy",
        pupils="""number,Name,surname,year,kind,Date of Birth,shoe_size,hobby
                  01,Ann,Ash,3,p,24/12/2017,31,chess
                  02,Bea,Birch,K,P,1/2/20,,
                  03,Cyd,Cole,,t,,,""",
        groups="group,pupil,role\nblue,01,\nblue,02,\nblue,03,teacher",
    )


def test_a_toy_becomes_a_roster(toy_drop: Path) -> None:
    """Every record is there, with what the layout does not say added, and nothing rejected."""
    checked = judged(normalized(toy_drop, TOY, district="toyland"))
    accepted = {name: judged.accepted for name, judged in checked.standing.items()}

    assert [] == checked.findings.errors.rows()
    assert {"01": "03", "02": "KG", "03": None} == column(accepted["users"], "grades")
    assert {"01": "2017-12-24", "02": "2020-02-01"} == {
        key: day for key, day in column(accepted["demographics"], "birthDate").items() if day
    }
    assert {"toy-school": "district/toyland", "district/toyland": None} == column(
        accepted["orgs"], "parentSourcedId"
    )
    assert {
        "enrollment/blue/01/student",
        "enrollment/blue/02/student",
        "enrollment/blue/03/teacher",
    } == set(accepted["enrollments"]["sourcedId"])
    assert {"blue": "year/2027"} == column(accepted["classes"], "termSourcedIds")


def test_what_a_toy_does_not_know_is_told(toy_drop: Path) -> None:
    """A column that nobody knows, one that is ignored on purpose, and what was added."""
    found = normalized(toy_drop, TOY).findings

    told = {notice.rule: (notice.file, notice.column, notice.detail) for notice in found.notices}
    assert ("pupils.csv", "hobby", "") == told["header_unknown"]
    assert ("pupils.csv", "", "shoe_size") == told["column_ignored"]
    assert {"name": "'Name'", "born": "'Date of Birth'"} == {
        notice.column: notice.detail for notice in found.notices if notice.rule == "header_renamed"
    }
    assert {"district_made", "year_made"} <= set(told)


def test_a_toy_is_recognised_among_the_others(
    toy_drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files and columns say which it is."""
    monkeypatch.setitem(sources.LAYOUTS, "toy", TOY)

    roster = normalized(toy_drop)

    assert "toy: pupils.csv with number, name" in [
        notice.detail for notice in roster.findings.notices if notice.rule == "layout_recognised"
    ]
    assert 3 == len(lines(roster, "users", "sourcedId"))


def test_two_layouts_that_fit_are_refused(toy_drop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for a person to say which is meant."""
    monkeypatch.setitem(sources.LAYOUTS, "toy", TOY)
    monkeypatch.setitem(sources.LAYOUTS, "twin", Layout("twin", "Twin", files=TOY.files))

    roster = normalized(toy_drop)

    assert {} == roster.tables
    assert [("layout_unclear", "toy and twin")] == roster.findings.fatal.select(
        "rule", "value"
    ).rows()


def test_a_column_that_the_entity_lacks_is_refused_where_it_is_declared() -> None:
    """A layout with a mistake is no layout."""
    with pytest.raises(ValueError, match="users has no column surname"):
        rows("users", surname=text("name"))


def test_an_ignored_file_is_no_unknown_file(toy_drop: Path) -> None:
    """A file that does not belong to the layout is reported, and not read."""
    written(toy_drop, lunches="pupil,dish\n01,soup")

    assert "unknown_file" in rules(normalized(toy_drop, TOY).findings)
