"""A difference names the record, the line and the command, and a text that differs little is shown by what differs."""

from __future__ import annotations

from pathlib import Path

from tests.golden.comparing import ADVICE, difference
from tests.golden.text import against, escaped, lines, spread

RECORD = """$ roster check drop --json
  exit 0
  output:
    read 5

$ roster plan drop --json
  exit 0
  output:
    one
    two
    Planned: 5 records would be sent.
"""


def test_the_same_texts_have_no_difference(tmp_path: Path) -> None:
    """Nothing is shown."""
    (tmp_path / "1_first_load.commands.txt").write_text(RECORD)

    assert "" == difference(tmp_path, {"1_first_load.commands.txt": RECORD})


def test_a_difference_names_record_line_and_command(tmp_path: Path) -> None:
    """One count has changed in the eleventh line, which the plan printed."""
    path = tmp_path / "1_first_load.commands.txt"
    path.write_text(RECORD)

    shown = difference(tmp_path, {path.name: RECORD.replace("Planned: 5", "Planned: 6")})

    assert [
        f"--- {path}",
        "+++ now",
        "@@ -9,3 +9,3 @@ $ roster plan drop --json",
        "     one",
        "     two",
        "-    Planned: 5 records would be sent.",
        "+    Planned: 6 records would be sent.",
        ADVICE,
    ] == shown.splitlines()


def test_a_difference_marks_what_has_changed_in_a_long_line(tmp_path: Path) -> None:
    """Bodies of requests are long lines."""
    path = tmp_path / "1_first_load.requests.txt"
    line = (
        f"PUT /users/1 200 {'.' * 100}"
        '{"user":{"email":"a@example.edu","phone":"","grades":["3"],"agents":[]}}'
    )
    path.write_text(line)

    shown = difference(tmp_path, {path.name: line.replace('"phone":""', '"sms":"1"')})

    assert [
        '? .........{"user":{"email":"a@example.edu","[-phone":"-]{+sms":"1+}","grades":["3"],"agents":[]}}...'
    ] == [one for one in shown.splitlines() if one.startswith("?")]


def test_a_record_that_is_missing_differs_and_so_does_one_too_many(tmp_path: Path) -> None:
    """Neither passes unseen."""
    (tmp_path / "old.txt").write_text("gone\n")

    shown = difference(tmp_path, {"new.txt": "come\n"})

    assert [f"--- {tmp_path / 'new.txt'}", f"--- {tmp_path / 'old.txt'}"] == [
        line for line in shown.splitlines() if line.startswith("---")
    ]
    assert {"-gone", "+come"} < set(shown.splitlines())


def test_a_text_is_shown_by_what_differs_from_the_one_before() -> None:
    """With the place, so that nothing is lost; a text that is quite another stands as it is."""
    before = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]

    assert ["(as before)"] == list(against(before, before))
    assert ["(as before, but for)", "@ line 3", "- c", "+ C"] == list(
        against(before, [*"abC", *before[3:]])
    )
    assert ["(as before, but for)", "@ line 11", "+ k"] == list(against(before, [*before, "k"]))
    assert ["x", "y"] == list(against(before, ["x", "y"]))
    assert ["x", "y"] == list(against([], ["x", "y"]))


def test_an_object_is_spread_over_lines() -> None:
    """Two levels deep, so that a count that changed stands in a short line."""
    counts = {"run": "r", "entities": {"users": {"read": 5, "held": 0}, "orgs": {}}, "plan": None}

    assert [
        "{",
        ' "run": "r",',
        ' "entities": {',
        '  "users": {"read": 5, "held": 0},',
        '  "orgs": {}',
        " },",
        ' "plan": null',
        "}",
    ] == list(spread(counts))


def test_what_nobody_sees_is_shown() -> None:
    """Ends of lines of Windows, tabs and marks; letters of any script stay, and the end of a long text is a digest."""
    text = "\n".join(f"line {number}" for number in range(1, 403))

    assert r"Łucja\tO'Brien\r" == escaped("Łucja\tO'Brien\r")
    assert [r"\ufeffid\r", "1"] == list(lines("\ufeffid\r\n1   \n"))
    assert ["line 400", "... 2 more lines, "] == [line[:18] for line in list(lines(text))[-2:]]


def test_a_record_that_lost_its_last_line_end_is_named(tmp_path: Path) -> None:
    """Editors and merge tools do that; no line of it differs."""
    path = tmp_path / "1_first_load.commands.txt"
    path.write_text(RECORD.removesuffix("\n"))

    assert f"{path} differs only in how its last line ends.\n{ADVICE}" == difference(
        tmp_path, {path.name: RECORD}
    )
