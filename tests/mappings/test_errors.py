"""Everything that is wrong in a mapping file is reported at once: file, line, what is wrong, and what was meant."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.errors import SettingsError
from flows.feeds.mapping_file import read_mapping_file
from tests.strength import expensive
from transforms.mappings import read_mapping
from transforms.mappings.problems import lines_of
from transforms.mappings.tables import CELLS, CONDITIONS

GOOD = """\
[layout]
code = "own"
title = "Our own"
date_order = "dmy"

[[file]]
name = "pupils"
ignored = ["Tutor"]

[[file.users]]
sourcedId = "Id"
givenName = "First"
familyName = "Last"

[[file.roles]]
userSourcedId = "Id"
orgSourcedId = "School"
role.one_of = "Kind"
role.words.T = "teacher"

[[file]]
name = "houses"

[[file.demographics]]
sourcedId = "Id"
birthDate = {birth_date = "Born"}
"""

# What is written in place of what; on which line it is found wrong; and what is said of it.
WRONG = (
    ('code = "own"', 'cod = "own"', 2, "`layout.cod` is no key of this table: did you mean 'code'?"),
    ('code = "own"', 'cod = "own"', 1, "`layout` lacks `code`. Add it."),
    ('code = "own"', "code = 7", 2, "`layout.code` is 7; expected a text in quotes."),
    ('"dmy"', '"dym"', 4, "`layout.date_order` is 'dym': did you mean 'ymd'?"),
    ('date_order = "dmy"\n', "", 25, "`file.demographics.birthDate` reads a date, and nothing says in which order its parts are. Add `date_order = \"mdy\"`, \"dmy\" or \"ymd\" to [layout]."),
    ('"own"', '"clever"', 2, "`layout.code` is 'clever', which is the code of another layout. Give yours its own."),
    ("[layout]", "[layuot]", 1, "`layuot` is not a table of a mapping file: did you mean 'layout'?"),
    ("[layout]", "[layuot]", None, "The file lacks [layout]. Add it, with `code` and `title`."),
    ('"pupils"', "true", 7, "`file.name` is true; expected a text in quotes."),
    ('ignored = ["Tutor"]', "ignored = []", 8, "`file.ignored` is an empty list; leave the key out, or name what belongs there."),
    ('ignored = ["Tutor"]', 'ignored = ["Tutor", 3]', 8, "`file.ignored` is 3; expected a text in quotes."),
    ('ignored = ["Tutor"]', 'needed = "yes"', 8, "`file.needed` is 'yes'; expected true or false without quotes."),
    ('ignored = ["Tutor"]', 'aliases = "x"', 8, "`file.aliases` is 'x'; expected a table that is not empty, such as {key = ...}."),
    ('ignored = ["Tutor"]', 'aliases = {Frist = ["A"]}', 8, "`file.aliases` names 'Frist', which nothing reads of 'pupils': did you mean 'First'?"),
    ('ignored = ["Tutor"]', 'optional = "Lsat"', 8, "`file.optional` names 'Lsat', which nothing reads of 'pupils': did you mean 'Last'?"),
    ("[[file.users]]", "[[file.user]]", 10, "`file.user` is no key of this table: did you mean 'users'?"),
    ("[[file.users]]", "[[file.users]]\nwhere = \"Id\"", 11, "`file.users.where` is 'Id'; expected a condition, such as {filled = \"Email\"}."),
    ("[[file.users]]", "[[file.users]]\nwhere = {fild = \"Id\"}", 11, "`file.users.where` says 'fild', which is no word here: did you mean 'filled'?"),
    ("givenName =", "givnName =", 12, "`file.users.givnName` is no key of this table: did you mean 'givenName'?"),
    ('givenName = "First"', "", None, "The file gives users without `givenName`, which each of them needs. Add it to their rows."),
    ('sourcedId = "Id"\ngiven', 'email = "Id"\ngiven', 10, "`file.users` lacks `sourcedId`, without which it is not known which record is meant. Add it."),
    ('orgSourcedId = "School"', "", 15, "`file.roles` lacks `orgSourcedId`, without which it is not known which record is meant. Add it."),
    ('"First"', '{txt = "First"}', 12, "`file.users.givenName` says 'txt', which is no word here: did you mean 'text'?"),
    ('"First"', '{text = "First", constant = "x"}', 12, "`file.users.givenName` says text and constant at once. Keep one of them."),
    ('"First"', "2026-09-01", 12, "`file.users.givenName` is 2026-09-01; expected a column in quotes, or a word in braces, such as {constant = \"student\"}."),
    ('"First"', "{}", 12, "`file.users.givenName` is {}; expected a column in quotes, or a word in braces, such as {constant = \"student\"}."),
    ('"First"', "5", 12, "`file.users.givenName` is 5; expected a column in quotes, or a word in braces, such as {constant = \"student\"}."),
    ('"First"', '{joined = ["A"], seperator = "-"}', 12, "`file.users.givenName.seperator` is nothing that joined takes: did you mean 'separator'?"),
    ('"First"', '{first = ["A", {derived = "x"}]}', 12, "`file.users.givenName.first` lacks `parts`. Add it."),
    ('"First"', "{district = 1}", 12, "`file.users.givenName.district` is 1; expected true, as this word takes no column."),
    ('"First"', '{derived = "x", parts = "Id", needs = "1"}', 12, "`file.users.givenName.needs` is '1'; expected a whole number without quotes."),
    ('"First"', '"houses.Name"', 10, "`file.users` reads 'houses.Name', and no [[file.join]] of 'pupils' brings it. Add it to the `columns` of a join."),
    ('"First"', '"First"\n[[file.join]]\nfile = "hoses"\non = "H"\nkey = "K"\ncolumns = "N"\n[[file.users]]\nsourcedId = "Id"\ngivenName = "First"', 14, "`file.join.file` is 'hoses', which is no [[file]] here: did you mean 'houses'?"),
    ('"First"', '"First"\n[[file.join]]\nfile = "houses"\n[[file.users]]\nsourcedId = "Id"\ngivenName = "First"', 13, "`file.join` lacks `on`. Add it."),
    ('role.one_of = "Kind"\n', "", 18, "`file.roles.role` has 'words', and not the word that takes it. Add `one_of` or `status`."),
    ('"teacher"', '"teach"', 19, "`file.roles.role.words.T` is 'teach', which OneRoster does not know as role: did you mean 'teacher'?"),
    ('role.one_of = "Kind"\nrole.words.T = "teacher"', 'role = {first = ["Kind", {constant = "Learner"}]}', 18, "`file.roles.role.first.constant` is 'Learner', which OneRoster does not know as role: expected one of aide, counselor, districtAdministrator, guardian, parent, principal, proctor, relative, siteAdministrator, student, systemAdministrator, teacher."),
    ('"First"', '"*"', 6, "`file` reads a column '*', which stands for several. Give it another name in the export."),
    ('"First"', '"^a.*$"', 6, "`file` reads a column '^a.*$', which stands for several. Give it another name in the export."),
    ('"houses"', '"Pupils"', 22, "`file.name` is 'Pupils', as of a file before. Put all that it gives under one [[file]]."),
    ('[[file.demographics]]\nsourcedId', "[file]\nsourcedId", "24, column 6", "is not TOML: Cannot declare ('file',) twice. Correct that line."),
    ('title = "Our own"', 'title "Our own"', "3, column 7", "is not TOML: Expected '=' after a key in a key/value pair. Correct that line."),
)  # fmt: skip


def said_of(folder: Path, text: str) -> list[str]:
    """What is wrong with a mapping file, in sentences."""
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as error:
        read_mapping_file(path)
    return [problem.replace(str(path), "own.toml") for problem in error.value.problems]


def test_a_mapping_without_a_mistake_is_a_layout(tmp_path: Path) -> None:
    """The one in which the mistakes below are made."""
    (tmp_path / "own.toml").write_text(GOOD, "utf-8")

    assert ["pupils", "houses"] == [
        file.name for file in read_mapping_file(tmp_path / "own.toml").files
    ]


@pytest.mark.parametrize(("good", "wrong", "line", "says"), WRONG, ids=[says for *_, says in WRONG])
def test_a_mistake_is_told_with_its_line(
    good: str, wrong: str, line: int | str | None, says: str, tmp_path: Path
) -> None:
    """The key and what it holds, what was expected, and what may have been meant."""
    assert good in GOOD
    told = said_of(tmp_path, GOOD.replace(good, wrong, 1))

    assert f"own.toml{f', line {line}' if line else ''}: {says}" in told


ALONE = (
    ("", "own.toml: The file lacks [layout]. Add it, with `code` and `title`."),
    ("", "own.toml: The file describes no files. Add a [[file]] with a `name` for each."),
    ("layout = 3", "own.toml, line 1: `layout` is 3; expected a table."),
    ("file = [3]", "own.toml, line 1: `file` is 3; expected a table."),
    (
        "file = {name = 'x'}",
        "own.toml: The file describes no files. Add a [[file]] with a `name` for each.",
    ),
    ("[[file]]\nusers = 3", "own.toml, line 2: `file.users` is 3; expected a table."),
    ("[[file]]\njoin = 3", "own.toml, line 2: `file.join` is 3; expected a table."),
    ("a = [", "own.toml: is not TOML: Invalid value. Correct that line, the last."),
    ("a = " + "[" * 5000, "own.toml: its tables lie too deep in one another. Correct that."),
)


@pytest.mark.parametrize(
    ("text", "says"), ALONE, ids=[f"{text[:20]} {says}" for text, says in ALONE]
)
def test_a_file_that_is_no_mapping_is_told_so(text: str, says: str, tmp_path: Path) -> None:
    """Whatever it holds instead."""
    assert says in said_of(tmp_path, text)


def test_a_file_that_cannot_be_read_is_told_so(tmp_path: Path) -> None:
    """Missing, or not UTF-8."""
    missing, latin = tmp_path / "no.toml", tmp_path / "latin.toml"
    latin.write_bytes(b"# \xe9")

    for path, says in (
        (missing, "cannot be read (No such file or directory)"),
        (latin, "is not text in UTF-8"),
    ):
        with pytest.raises(SettingsError, match=re.escape(f"{path}: {says}")):
            read_mapping_file(path)


VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.text(max_size=5),
        st.sampled_from(["Id", "student", "users"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*CELLS, *CONDITIONS, "words", "parts", "columns", "name", "x"]),
            inner,
            max_size=3,
        ),
    ),
    max_leaves=6,
)


@expensive(300, 60)
@given(st.randoms(use_true_random=False), VALUES)
def test_whatever_stands_in_a_mapping_file_is_read_or_told(random: Random, value: object) -> None:
    """Anything may stand in the place of anything."""
    document = tomllib.loads(GOOD)
    table: Any = document
    while True:
        key = random.choice(list(table) if isinstance(table, dict) else range(len(table)))
        if random.random() < 0.3 or not isinstance(table[key], dict | list) or not table[key]:
            break
        table = table[key]
    table[key] = value

    found = read_mapping(document)

    assert (found.layout is None) == bool(found.problems)
    assert all(str(problem).endswith((".", "?")) for problem in found.problems)


TEXT = """\
# a comment with [brackets] and "quotes
a = 1
"b c".d = '''
x = 1 ''' # that was one value
e = [
  "]", # and that
  { f = 1 },
]
[g]
[g.h]
i = "#"
[[j]]
[[j.k]]
[[j.k]]
l."m.n" = ''
[[j]]
o = 1
"""


def test_lines_of_keys_are_found_however_values_are_written() -> None:
    """Over several lines, with brackets, quotes and signs of comments in them."""
    lines = lines_of(TEXT)

    expected = {
        ("a",): 2,
        ("b c",): 3,
        ("b c", "d"): 3,
        ("e",): 5,
        ("g",): 9,
        ("g", "h"): 10,
        ("g", "h", "i"): 11,
        ("j",): 12,
        ("j", 0): 12,
        ("j", 0, "k"): 13,
        ("j", 0, "k", 0): 13,
        ("j", 0, "k", 1): 14,
        ("j", 0, "k", 1, "l"): 15,
        ("j", 0, "k", 1, "l", "m.n"): 15,
        ("j", 1): 16,
        ("j", 1, "o"): 17,
    }
    assert expected == lines
