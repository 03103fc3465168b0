"""Exports that are almost OneRoster: `roster map` writes only the names that differ, and that loads."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from connectors.drops import read
from tests.layouts.normalizing import normalized
from tests.mappings.test_map import roster_map
from tests.rosters import district, drop
from tests.running import roster
from transforms.infer_mapping import infer_near_standard
from transforms.mappings import read_mapping

FEED = """
district = "larkspur"
drop = "drop"
layout = "mapping.toml"
[target]
url = "sandbox"
email_template = "{sourcedId}@example.edu"
"""


def almost(folder: Path, *changes: tuple[str, str, str]) -> Path:
    """Write the district with words of headers changed: file, word, other word."""
    made = drop(folder / "drop", district())
    for file, word, other in changes:
        path = made / f"{file}.csv"
        header, _, rest = path.read_text("utf-8").partition("\r\n")
        cells = [other if cell == word else cell for cell in header.split(",")]
        assert header.split(",") != cells
        path.write_text("\r\n".join([",".join(cells), rest]), "utf-8", newline="")
    return made


def test_only_what_differs_is_written(tmp_path: Path) -> None:
    """A column with a common word for it in each of two files."""
    made = almost(
        tmp_path,
        ("classes", "title", "className"),
        ("users", "givenName", "forename"),
    )

    guess = infer_near_standard(read(made), "rowan")
    assert guess is not None
    assert {
        "layout": {"code": "rowan", "title": "rowan", "base": "oneroster"},
        "file": [
            {"name": "classes", "aliases": {"title": "className"}},
            {"name": "users", "aliases": {"givenName": "forename"}},
        ],
    } == tomllib.loads(guess.text)
    assert 0 == guess.open


def test_the_mapping_reads_what_the_standard_would(tmp_path: Path) -> None:
    """Each cell of each file, also of a file with another name."""
    plain = normalized(drop(tmp_path / "plain", district())).tables
    made = almost(tmp_path, ("users", "givenName", "forename"))
    (made / "users.csv").rename(made / "people.csv")

    guess = infer_near_standard(read(made), "rowan")
    assert guess is not None
    layout = read_mapping(tomllib.loads(guess.text)).layout
    assert layout is not None
    tables = normalized(made, layout).tables
    assert plain.keys() == tables.keys()
    assert [] == [name for name in plain if not plain[name].frame.equals(tables[name].frame)]
    assert "people.csv" == tables["users"].file


def test_a_column_that_could_be_two_is_left_open(tmp_path: Path) -> None:
    """Each record needs it, so a person says which it is."""
    made = almost(tmp_path, ("users", "familyName", "nameB"))

    guess = infer_near_standard(read(made), "rowan")
    assert guess is not None
    assert (1, True) == (guess.open, '# aliases.familyName = ""  # TODO' in guess.text)
    assert "not read: nameB" in guess.text
    assert () == read_mapping(tomllib.loads(guess.text)).problems


def test_a_file_whose_ids_have_another_name_is_known_by_the_rest(tmp_path: Path) -> None:
    """Nobody is left out in silence: a person says which column has the ids."""
    made = almost(tmp_path, ("users", "sourcedId", "personID"))
    (made / "users.csv").rename(made / "user_export.csv")

    guess = infer_near_standard(read(made), "rowan")
    assert guess is not None
    assert "users" == guess.files["user_export.csv"]
    assert '# aliases.sourcedId = ""  # TODO' in guess.text


def test_an_export_as_the_standard_has_it_needs_no_mapping(tmp_path: Path) -> None:
    """Nothing differs."""
    assert infer_near_standard(read(drop(tmp_path / "drop", district())), "rowan") is None


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ('name = "user"', "`file.name` is 'user', which is no file of OneRoster: did you mean 'users'?"),
        ('name = "users"\naliases.firstName = "givenName"', "`file.aliases.firstName` is no column of users.csv"),
        ('name = "users"\nneeded = true', "`file.needed` is no key of this table"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(file: str, problem: str) -> None:
    """With what was probably meant."""
    head = '[layout]\ncode = "rowan"\ntitle = "Rowan"\nbase = "oneroster"\n[[file]]\n'
    (found,) = read_mapping(tomllib.loads(head + file)).problems

    assert str(found).startswith(problem)


def test_what_check_refuses_loads_with_the_mapping(tmp_path: Path) -> None:
    """`roster map` no longer sends people back to `check`; and the second night sends nothing."""
    made = almost(tmp_path, ("users", "givenName", "forename"))
    feed, mapping, state = tmp_path / "own.toml", tmp_path / "mapping.toml", tmp_path / "state"
    feed.write_text(FEED)

    refused = roster("check", made, state=state)
    begun = roster_map(made, "--out", mapping)
    runs = [roster(command, feed, "--json", state=state) for command in ("check", "sync", "sync")]

    assert (4, 0) == (refused.code, begun.code)
    assert [0] * 3 == [run.code for run in runs]
    assert len(district()["users"]) == runs[1].json["entities"]["users"]["created"]
    assert 0 == runs[1].total("rejected")
    assert 0 == sum(runs[2].total(term) for term in ("created", "updated", "deleted", "held"))


@pytest.mark.parametrize(
    ("file", "word", "other"),
    [("positions", "orgSourcedId", "schoolId"), ("people", ",true,", ',"true,')],
)
def test_a_needed_file_with_another_name_refuses_the_drop(
    file: str, word: str, other: str, tmp_path: Path
) -> None:
    """As one with OneRoster's own name does: nobody may take a load without it for a good one."""
    made = drop(tmp_path / "drop", district())
    (made / "roles.csv").rename(made / "positions.csv")
    (made / "users.csv").rename(made / "people.csv")
    damaged = made / f"{file}.csv"
    text = damaged.read_text("utf-8").replace(word, other, 1)
    damaged.write_text(text, "utf-8", newline="")
    feed, state = tmp_path / "own.toml", tmp_path / "state"
    feed.write_text(FEED)
    (tmp_path / "mapping.toml").write_text(
        '[layout]\ncode = "rowan"\ntitle = "Rowan"\nbase = "oneroster"\n'
        '[[file]]\nname = "users"\nnames = ["people"]\n'
        '[[file]]\nname = "roles"\nnames = ["positions"]\n'
    )

    run = roster("sync", feed, state=state)

    assert (4, True) == (run.code, f"{file}.csv" in run.out)
