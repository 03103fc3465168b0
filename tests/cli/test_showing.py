"""What drops and targets say is printed as text: it steers no terminal, and is no markup."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flows.reports.run import write_rejects
from flows.reports.screen import Screen, print_indented
from flows.safe_text import one_line, plain_text, readable_json
from tests.rosters import changed, district, drop
from tests.running import QUIET, roster
from transforms.findings import ERRORS, Findings

ROOT = Path(__file__).parents[2]

STEERING = "\x1b]0;title\x07\x9b31m\u202etxt\x7f"
SHOWN = "␛]0;title␇�31m�txt␡"


def printed(*what: object) -> str:
    """What a terminal gets."""
    screen = Screen()
    screen.file = io.StringIO()
    for one in what:
        screen.print(one)
    return str(screen.file.getvalue())


def test_signs_that_steer_a_terminal_are_shown() -> None:
    """As pictures of them, if there are any; line breaks and tabs are for texts of several lines."""
    assert SHOWN == plain_text(STEERING)
    assert "a\n\tb" == plain_text("a\n\tb")
    assert "a␊␉b" == one_line("a\n\tb")
    assert "��" == plain_text("\udcff\ufeff")


@pytest.mark.parametrize(
    "text", ["Biology [lab]", "[/A day]", "[bold]Art[/bold]", ":smile:", "\\[x]"]
)
def test_text_is_no_markup(text: str) -> None:
    """Neither alone nor in the header or a cell of a table."""
    table = Table(text)
    table.add_row(text)

    assert 3 == printed(text, table).count(text)


def test_whatever_is_printed_is_clean() -> None:
    """Texts, cells and what is inside of something else."""
    table = Table(STEERING)
    table.add_row(STEERING)
    table.add_row(Text(STEERING))

    out = printed(STEERING, Text(STEERING), Padding(Text(STEERING), (0, 2)), table)

    assert [] == [sign for sign in "\x1b\x07\x9b\u202e\x7f" if sign in out]
    assert out.count("␛") == 6


@pytest.mark.parametrize(
    ("line", "lines"),
    [
        ("  - 5 of 10 rows were rejected", ["  - 5 of 10 rows", "    were rejected"]),
        ("    5 of 10 rows were rejected", ["    5 of 10 rows", "    were rejected"]),
        ("Held: 5 of 10 rows were rejected", ["Held: 5 of 10 rows", "were rejected"]),
        ("  - users.csv", ["  - users.csv"]),
    ],
)
def test_a_reason_goes_on_under_its_first_word(line: str, lines: list[str]) -> None:
    """So that the eye finds where the next one begins."""
    screen = Screen()
    screen.file, screen.width = io.StringIO(), 19

    print_indented(screen, line)

    assert lines == screen.file.getvalue().splitlines()


def test_json_stays_json() -> None:
    """Letters are as they are, and what steers is escaped."""
    value = {"é": STEERING + "\udcff"}

    written = readable_json(value)

    assert value == json.loads(written)
    assert "é" in written
    assert [] == [sign for sign in "\x1b\x07\x9b\u202e\x7f\udcff" if sign in written]


def test_rejects_steer_no_terminal_and_run_in_no_spreadsheet(tmp_path: Path) -> None:
    """Whatever the column; other cells are as they were, and blank ones stay blank."""
    line = dict.fromkeys(ERRORS, None) | {
        "row": 1,
        "sourcedId": f"=a{STEERING}",
        "value": "\rb",
        "file": "users.csv",
        "column": "e,f",
    }

    write_rejects(tmp_path, Findings(pl.DataFrame([line], schema=ERRORS)))

    assert [f"users.csv,1,,'=a{SHOWN},\"e,f\",,,'␍b"] == (tmp_path / "rejects.csv").read_text(
        "utf-8"
    ).splitlines()[1:]


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="no terminals here")
def test_get_shows_values_as_they_are(tmp_path: Path) -> None:
    """On a terminal, in a table: no word is lost, and nothing ends in a traceback."""
    rows = changed(changed(district(), "c1", title="Biology [lab]"), "c2", title="[/A day] :x:")
    roster("sync", drop(tmp_path / "drop", rows), state=tmp_path / "state")
    seen, terminal = os.openpty()
    command = [
        "get",
        "classes",
        "--fields",
        "sourcedId,title",
        "--target",
        "sandbox",
        "--state",
        str(tmp_path / "state"),
    ]

    done = subprocess.run(
        [sys.executable, "-m", "flows", *command],
        stdout=terminal,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | QUIET,
        check=False,
    )
    os.close(terminal)
    out = os.read(seen, 10_000).decode()
    os.close(seen)

    assert (0, b"") == (done.returncode, done.stderr)
    assert [] == [title for title in ("Biology [lab]", "[/A day] :x:") if title not in out]
