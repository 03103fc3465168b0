"""Ids of a source that OneRoster does not allow: escaped, reversibly, and never two into one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.layouts.clever import clever
from tests.layouts.normalizing import judged, lines, normalized, rules, written
from tests.layouts.test_nights import CANVAS
from transforms.layouts.ids import escape, escape_source_id, unescape_source_id

IDS = st.text(st.sampled_from("a4Zé:@/# .-_3"), min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("TERM:2026-D", "TERM@3a2026-D"),
        ("UID 801", "UID@20801"),
        ("C#1", "C@231"),
        ("a/b:c", "a@2fb@3ac"),
        ("TERM@3a2026-D", "TERM@403a2026-D"),
        ("ann@example.edu", "ann@example.edu"),
        ("ann@cafe.example.edu", "ann@cafe.example.edu"),
        ("course/1/a@3ab", "course/1/a@3ab"),
        ("s-1_a.b", "s-1_a.b"),
    ],
)
def test_an_id_stays_unless_oneroster_does_not_allow_it(written: str, sent: str) -> None:
    """Or unless it would be taken for an escaped one."""
    assert sent == escape_source_id(written)
    assert written == unescape_source_id(sent)


@given(IDS, IDS)
@example("a:b", "a@3ab")
@example("a@3ab", "a@403ab")
def test_two_ids_never_become_one(one: str, other: str) -> None:
    """Of the source, or of the source and derived."""
    assert (one == other) == (escape_source_id(one) == escape_source_id(other))
    assert one == unescape_source_id(escape_source_id(one))
    if one != f"kind/{escape(other)}":
        assert escape_source_id(one) != f"kind/{escape(other)}"


def test_records_and_references_are_escaped_alike(tmp_path: Path) -> None:
    """Canvas takes any text as an id; ids that are made of such an id are allowed too."""
    files = {name: text.replace("u1", "UID 1") for name, text in CANVAS.items()}
    files["sections"] = files["sections"].replace("S,C", "SEC:1,C")
    files["enrollments"] += "\nSEC:1,UID 1,student,active"

    roster = normalized(written(tmp_path, **files))

    checked = judged(roster)
    assert [] == checked.findings.errors.filter(rule="guid").rows()
    assert "ids_escaped" in rules(checked.findings)
    assert ("SEC@3a1", "UID@201", "enrollment/SEC@403a1/UID@40201/student") in lines(
        roster, "enrollments", "classSourcedId", "userSourcedId", "sourcedId"
    )


@pytest.mark.parametrize("cell", ["#REF!", "3.60E+11", "??", "#N/A!?"])
def test_what_is_no_id_is_rejected(cell: str, tmp_path: Path) -> None:
    """What a spreadsheet leaves, and cells without a letter or digit; the last one is an id."""
    students = f"School_id,Student_id,First_name,Last_name\n1,{cell},Ann,Lee\n1,s2,Bo,Ray"

    checked = judged(normalized(clever(tmp_path, students=students)))

    assert (cell != "#N/A!?") == (cell in set(checked.standing["users"].refused["sourcedId"]))


def test_a_row_that_does_not_fit_keeps_its_record(tmp_path: Path) -> None:
    """Its id is escaped too, so that the record does not count as missing."""
    students = "School_id,Student_id,First_name,Last_name\n1,s:1,Ann,Lee,x,y\n1,s2,Bo,Ray"

    roster = normalized(clever(tmp_path, students=students))

    assert ["s@3a1"] == roster.tables["users"].lost["sourcedId"].to_list()


@pytest.mark.parametrize("known", [{}, {("users", "n@3a1"): "u@3a1"}])
def test_changed_ids_are_remembered_as_the_target_has_them(
    known: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    """Of this drop, and of drops before it."""
    files = {name: text.replace("u1", "n:1") for name, text in CANVAS.items()}
    changes = {} if known else {"change_sis_id": "old_id,new_id,type\nu:1,n:1,user"}

    roster = normalized(written(tmp_path, **files, **changes), renamed=known)

    assert {"u@3a1", "u2"} == set(roster.tables["users"].frame["sourcedId"])
    assert ({} if known else {("users", "n@3a1"): "u@3a1"}) == dict(roster.renamed)


def test_an_id_that_was_given_up_is_rejected(tmp_path: Path) -> None:
    """Its text is no id, and is not made one."""
    roster = normalized(written(tmp_path, **CANVAS), renamed={("users", "n1"): "u1"})

    checked = judged(roster)

    assert "id_given_up" in rules(checked.findings)
    assert {"u2"} == set(checked.standing["users"].accepted["sourcedId"])
