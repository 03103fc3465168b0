"""`roster map`: looks at a drop of an unknown layout, and begins its mapping file, with a reason for each line."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.errors import SettingsError
from flows.feeds.mapping_file import read_mapping_file
from tests.layouts.normalizing import written
from tests.mappings.loading import SAMPLE, held, loaded
from tests.running import QUIET, Run
from transforms import sources
from transforms.layouts import Layout
from transforms.sources import LAYOUTS

GOLDEN = Path(__file__).parent / "golden" / "own_layout.toml"
DATA = SAMPLE.parent
# What a person writes in place of the lines that are open.
FINISHED = {
    '# name = {constant = ""} ': 'name = {constant = "Hawthorn Academy"} ',
    '# grades.words."Year 7" = ""': 'grades.words."Year 7" = "06"',
    '# grades.words."Year 8" = ""': 'grades.words."Year 8" = "07"',
    '# role.words.Cover = ""': 'role.words.Cover = "aide"',
    '# role.words.Head = ""': 'role.words.Head = "principal"',
    "# snapshot = true": "snapshot = true",
}


def roster_map(drop: Path, *more: str | Path) -> Run:
    """Run the command."""
    done = CliRunner().invoke(app, ["map", str(drop), *map(str, more)], env=QUIET)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return Run(done.exit_code, done.stdout, done.stderr)


def test_the_guess_of_the_sample_is_what_was_reviewed(tmp_path: Path) -> None:
    """Every line, and its reason."""
    out = tmp_path / "mapping.toml"

    run = roster_map(SAMPLE / "drop", "--out", out)

    assert (0, GOLDEN.read_text("utf-8")) == (run.code, out.read_text("utf-8"))
    assert 0o600 == stat.S_IMODE(out.stat().st_mode)
    assert "Pupils.csv: students" in run.out
    assert "6 lines are for you to finish" in run.out


def test_a_guess_that_a_person_has_finished_loads_as_the_mapping_by_hand(tmp_path: Path) -> None:
    """The same records arrive, and until it is finished, what is missing is reported."""
    text = GOLDEN.read_text("utf-8")
    unfinished, finished = tmp_path / "unfinished.toml", tmp_path / "finished.toml"
    unfinished.write_text(text, "utf-8")
    for todo, done in FINISHED.items():
        assert 1 == text.count(todo)
        text = text.replace(todo, done)
    finished.write_text(text, "utf-8")

    results = [
        loaded(SAMPLE / "drop", mapping, tmp_path / mapping.stem)
        for mapping in (finished, SAMPLE / "mapping.toml")
    ]

    assert [0, 0] == [result.exit_code for result in results]
    assert held(tmp_path / "finished") == held(tmp_path / "mapping")
    with pytest.raises(SettingsError, match=r"line 30: `file\.users\.grades` lacks `words`"):
        read_mapping_file(unfinished)


def test_nobody_is_named_in_a_guess() -> None:
    """Values stand in it only of grades, sexes and roles: no names, ids, addresses or dates of people."""
    text = GOLDEN.read_text("utf-8")

    for name in ("Pupils", "Staff"):
        with (SAMPLE / "drop" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            values = {
                row[key].strip()
                for row in csv.DictReader(file)
                for key in row
                if key
                in (
                    "UPN",
                    "Forename",
                    "Surname",
                    "Known As",
                    "DOB",
                    "School Email",
                    "Staff Code",
                    "Work Email",
                )
            }
        assert [] == [value for value in values if value and f'"{value}"' in text]


def test_the_answer_for_programs_says_what_each_file_is_taken_for(tmp_path: Path) -> None:
    """And how much there is left to do."""
    out = tmp_path / "mapping.toml"

    answer = json.loads(roster_map(SAMPLE / "drop", "--out", out, "--json").out)

    files = {
        "Pupils.csv": "students",
        "Staff.csv": "staff",
        "Classes.csv": "classes",
        "Timetable.csv": "enrollments",
    }
    assert {
        "status": "guessed",
        "mapping": str(out),
        "lines": 46,
        "todo": 6,
        "files": files,
    } == answer


@pytest.mark.parametrize("code", [*LAYOUTS, "oneroster_1_1", "oneroster_1_2"])
def test_a_layout_that_is_known_needs_no_mapping(code: str, tmp_path: Path) -> None:
    """It is named, with what says so, and nothing is written."""
    run = roster_map(DATA / code, "--out", tmp_path / "mapping.toml", "--json")

    assert (0, "known", True) == (run.code, run.json["status"], code.startswith(run.json["layout"]))
    assert [] == list(tmp_path.iterdir())


def test_two_layouts_that_fit_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for a person to choose."""
    monkeypatch.setitem(
        sources.LAYOUTS, "twin", Layout("twin", "Twin", files=LAYOUTS["clever"].files)
    )

    run = roster_map(DATA / "clever", "--out", tmp_path / "mapping.toml")

    assert (2, True) == (run.code, "clever and twin both fit" in run.err)


def test_a_feeds_file_says_where_the_drop_is_and_how_it_is_encoded(tmp_path: Path) -> None:
    """The drop is read as a sync would read it."""
    drop = written(tmp_path / "drop", pupils="Id,First Name,Last Name\n1,A,B\n2,C,D")
    (drop / "pupils.csv").write_bytes("Id,Prénom,First Name,Last Name\n1,é,A,B\n".encode("cp1252"))
    feed = tmp_path / "feed.toml"
    feed.write_text('drop = "drop"\nencoding = "cp1252"\n[target]\nurl = "sandbox"\n')

    run = roster_map(feed, "--out", tmp_path / "mapping.toml")

    assert (0, True) == (
        run.code,
        'ignored = ["Prénom"]' in (tmp_path / "mapping.toml").read_text("utf-8"),
    )


def test_files_of_which_nothing_is_known_are_left_out(tmp_path: Path) -> None:
    """They are listed, and so are those without rows, and those that cannot be read."""
    drop = written(
        tmp_path / "drop",
        pupils="Id,Forename,Surname\n1,A,B",
        lunches="Dish,Price\nsoup,1",
        clubs="Club,Day",
    )
    (drop / "photos.csv").write_bytes(b"\x1f\x8bgzip")
    out = tmp_path / "mapping.toml"

    run = roster_map(drop, "--out", out)

    assert "lunches.csv: nothing says what it holds" in run.out
    assert "photos.csv was left out: the file is not a CSV file" in run.out
    assert "# clubs.csv: it has no rows" in out.read_text("utf-8")


WRONG = (
    ("nowhere", ["--out", "{tmp}/m.toml"], 2, "does not exist"),
    ("drop", ["--out", "{tmp}/m.txt"], 2, "does not end in .toml"),
    ("drop", ["--out", "{tmp}/no/m.toml"], 2, "does not exist. Make it first"),
    ("drop", ["--out", "{tmp}/folder.toml"], 2, "is a folder"),
    ("drop", ["--out", "{tmp}/there.toml"], 2, "exists already, and may hold your work"),
    ("drop", ["--out", "{tmp}/there.toml", "--force"], 0, "Wrote"),
    ("feed.toml", ["--out", "{tmp}/feed.toml", "--force"], 2, "exists already"),
    ("there.toml", ["--out", "{tmp}/m.toml"], 2, "`drop` is missing"),
    ("empty", ["--out", "{tmp}/m.toml"], 4, "there are no CSV files in it"),
    ("headless", ["--out", "{tmp}/m.toml"], 4, "pupils.csv: "),
    ("text.zip", ["--out", "{tmp}/m.toml"], 4, "the drop cannot be opened"),
)


@pytest.mark.parametrize(("drop", "words", "code", "said"), WRONG)
def test_wrong_use_is_told_with_the_next_step(
    drop: str, words: list[str], code: int, said: str, tmp_path: Path
) -> None:
    """What is there is not replaced, unless that is said."""
    written(tmp_path / "drop", pupils="Id,Forename,Surname\n1,A,B")
    written(tmp_path / "headless", pupils="101,Ann,Ash,ann@example.edu\n102,Bo,Bay,bo@example.edu")
    (tmp_path / "feed.toml").write_text('drop = "drop"\n[target]\nurl = "sandbox"\n')
    (tmp_path / "there.toml").write_text("# mine\n")
    (tmp_path / "text.zip").write_text("no zip")
    for folder in ("folder.toml", "empty"):
        (tmp_path / folder).mkdir()

    run = roster_map(tmp_path / drop, *(word.format(tmp=tmp_path) for word in words))

    assert (code, True) == (run.code, said in run.said)
