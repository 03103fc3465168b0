"""What a layout leaves to be understood: the organization above the schools, terms and school years, and whose ids are whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layouts.clever import clever
from tests.layouts.normalizing import column, judged, lines, normalized, rules, written

TERMS = "School_id,Section_id,Teacher_id,Name,Term_name,Term_start,Term_end\n"


def test_the_district_is_named_after_the_feed(tmp_path: Path) -> None:
    """Every school hangs under it; settings give it another id and name."""
    made = normalized(clever(tmp_path), district="Larkspur Valley")
    named = normalized(clever(tmp_path), district="Larkspur Valley", district_id="LV")

    assert [
        ("district/Larkspur@20Valley", "Larkspur Valley", "district", None),
        ("1", "Elm", "school", "district/Larkspur@20Valley"),
    ] == lines(made, "orgs", "sourcedId", "name", "type", "parentSourcedId")[:2]
    assert {"1": "LV", "2": "LV", "LV": None} == column(
        named.tables["orgs"].frame, "parentSourcedId"
    )


def test_a_district_of_the_drop_is_the_district(tmp_path: Path) -> None:
    """Nothing is made beside it."""
    drop = written(
        tmp_path,
        accounts="account_id,parent_account_id,name,status\nD,,Larkspur district,active\nE,D,Elm,active",
    )

    roster = normalized(drop)

    assert {"D": None, "E": "D"} == column(roster.tables["orgs"].frame, "parentSourcedId")
    assert "district_made" not in rules(roster.findings)


@pytest.mark.parametrize(
    ("first", "last", "year"),
    [
        ("8/17/2026", "12/18/2026", "2027"),
        ("1/4/2027", "5/28/2027", "2027"),
        ("7/1/27", "7/30/27", "2028"),
        ("6/30/2026", "6/30/2026", "2026"),
    ],
)
def test_the_school_year_of_a_term_is_the_one_that_it_begins_in(
    first: str, last: str, year: str, tmp_path: Path
) -> None:
    """School years begin with July; a year of two digits is of this century."""
    roster = normalized(clever(tmp_path, sections=f"{TERMS}1,c1,t1,Art,Term,{first},{last}"))

    terms = [
        line
        for line in lines(roster, "academicSessions", "type", "schoolYear", "parentSourcedId")
        if line[0] == "term"
    ]
    assert [("term", year, f"year/{year}")] == terms
    assert not judged(roster).findings.errors.height


def test_a_school_year_is_as_long_as_its_terms(tmp_path: Path) -> None:
    """Summer school may begin before the first of July and end after it."""
    roster = normalized(clever(tmp_path, sections=f"{TERMS}1,c1,t1,Art,Late,5/1/2027,8/20/2027"))

    assert [("schoolYear", "2026-07-01", "2027-08-21")] == [
        line
        for line in lines(roster, "academicSessions", "type", "startDate", "endDate")
        if line[0] == "schoolYear"
    ]


def test_school_years_may_be_calendar_years(tmp_path: Path) -> None:
    """South of the equator they mostly are."""
    roster = normalized(
        clever(tmp_path, sections=f"{TERMS}1,c1,t1,Art,Term,2/1/2027,6/28/2027"), year_begins=(1, 1)
    )

    assert ("2027", "schoolYear", "2027-01-01", "2028-01-01") in lines(
        roster, "academicSessions", "title", "type", "startDate", "endDate"
    )


def test_a_class_without_a_term_lasts_the_school_year(tmp_path: Path) -> None:
    """Told with the year, which the feed file may name."""
    now, other = normalized(clever(tmp_path)), normalized(clever(tmp_path), school_year=2031)

    assert {"c1": "year/2027"} == column(now.tables["classes"].frame, "termSourcedIds")
    assert {"c1": "year/2031"} == column(other.tables["classes"].frame, "termSourcedIds")
    assert "2026-2027, year/2027, for all classes" in [one.detail for one in now.findings.notices]


def test_terms_of_two_schools_with_the_same_days_are_one(tmp_path: Path) -> None:
    """And those with other days are two, so that none changes another's."""
    roster = normalized(
        clever(
            tmp_path,
            sections=f"{TERMS}1,c1,t1,Art,Fall,8/17/2026,12/18/2026\n2,c2,t1,Bio,Fall,8/17/2026,12/18/2026\n2,c3,t1,Law,Fall,8/24/2026,12/18/2026",
        )
    )

    terms = column(roster.tables["classes"].frame, "termSourcedIds")
    assert terms["c1"] == terms["c2"] != terms["c3"]


def test_classes_are_scheduled_unless_somebody_says_else(tmp_path: Path) -> None:
    """A setting, for the feed of a layout without homerooms."""
    assert {"c1": "scheduled"} == column(
        normalized(clever(tmp_path)).tables["classes"].frame, "classType"
    )
    assert {"c1": "homeroom"} == column(
        normalized(clever(tmp_path), class_type="homeroom").tables["classes"].frame, "classType"
    )


def test_a_prefix_stands_before_every_id_and_every_reference(tmp_path: Path) -> None:
    """Lists too; the roster is the same but for it."""
    students = "School_id,Student_id,First_name,Last_name,Contact_name,Contact_type,Contact_sis_id\n1,s1,Ann,Lee,Eve Lee,guardian,g1\n1,s1,Ann,Lee,Max Lee,guardian,g2"
    plain, other = (
        normalized(clever(tmp_path, students=students)),
        normalized(clever(tmp_path, students=students), prefix="n-"),
    )

    for name, table in plain.tables.items():
        assert [f"n-{one}" for one in table.frame["sourcedId"]] == other.tables[name].frame[
            "sourcedId"
        ].to_list()
    assert (
        "n-contact/g1,n-contact/g2"
        == column(other.tables["users"].frame, "agentSourcedIds")["n-s1"]
    )
    assert (
        judged(plain).findings.errors["rule"].to_list()
        == judged(other).findings.errors["rule"].to_list()
    )


def test_ids_by_a_rule_do_not_hang_on_the_order_of_rows(tmp_path: Path) -> None:
    """Tomorrow's export may be sorted otherwise."""
    lines_ = f"{TERMS}1,c1,t1,Art,Fall,8/17/2026,12/18/2026\n1,c2,t1,Bio,Spring,1/4/2027,5/28/2027".split(
        "\n"
    )
    here, there = (
        normalized(clever(tmp_path, sections="\n".join(order)))
        for order in (lines_, [lines_[0], *lines_[:0:-1]])
    )

    for name, table in here.tables.items():
        assert set(table.frame["sourcedId"]) == set(there.tables[name].frame["sourcedId"])


def test_a_quote_may_be_escaped_by_a_backslash_where_the_layout_says_so(tmp_path: Path) -> None:
    """Apple's files do; elsewhere a backslash is a sign like any other."""
    apple = written(
        tmp_path / "apple",
        locations='location_id,location_name\n1,"The \\"Elm\\", north"',
        students="person_id,first_name,last_name,location_id\ns1,Ann,Lee,1",
        staff="person_id,first_name,last_name,location_id\nt1,Cy,Dow,1",
        courses="course_id,location_id\nc,1",
        classes="class_id,course_id,location_id\nk,c,1",
        rosters="roster_id,class_id,student_id\nr,k,s1",
    )
    other = clever(tmp_path / "clever", schools="School_id,School_name\n1,Elm \\ Oak")

    assert 'The "Elm", north' == column(normalized(apple).tables["orgs"].frame, "name")["1"]
    assert "Elm \\ Oak" == column(normalized(other).tables["orgs"].frame, "name")["1"]
