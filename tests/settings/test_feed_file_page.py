"""The page about the feed file has every table and key, with the defaults of the program."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from flows.feeds.feed import TABLES, read_feed

PAGE = (Path(__file__).parents[2] / "docs" / "feed_file.md").read_text("utf-8")
SECTIONS: dict[str, str] = dict(re.findall(r"^#+ (.+)\n((?:(?!#+ ).*\n)*)", PAGE, re.MULTILINE))
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
# These have pages of their own, with tests of their own.
ELSEWHERE = {"rest", "limits", "limits.once"}
# These are described in the section of `[source]`.
INNER = {"source.district", "source.words"}
HERE = [table for table in TABLES if table not in ELSEWHERE]


def section(table: str) -> str:
    """Return the section of a table of the feed file."""
    return SECTIONS[f"`[{table.partition('.')[0]}]`" if table else "Top level"]


def defaults(table: str) -> dict[str, str]:
    """Return the keys of a section's tables, each with its default as the page has it."""
    rows = re.findall(r"^\| (`[^|]+`) \|.*\| ([^|]*) \|$", section(table), re.MULTILINE)
    return {
        name: default.strip() for names, default in rows for name in re.findall(r"`(\w+)`", names)
    }


@pytest.mark.parametrize("table", HERE)
def test_every_key_is_on_the_page(table: str) -> None:
    """In the section of its table; a table of its own has its name there, or a section."""
    names = {
        name: f"[{table}.{name}]" if table else f"[{name}]" for name in TABLES[table].model_fields
    }

    missing = [
        name
        for name, own in names.items()
        if f"`{name}`" not in section(table) and f"`{own}`" not in PAGE
    ]
    assert [] == missing


@pytest.mark.parametrize("table", [table for table in HERE if table not in INNER])
def test_defaults_are_those_of_the_program(table: str) -> None:
    """A number, a word or a list; what the program works out is described in words."""
    for name, written in defaults(table).items():
        default = TABLES[table].model_fields[name].default
        if isinstance(default, bool | int | str) and default != "":
            expected = {str(default).lower() if isinstance(default, bool) else str(default)}
        else:
            expected = set(default) if isinstance(default, frozenset) else set()
        assert expected == set(re.findall(r"`([^`]+)`", written)), name


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_can_be_read(example: str, tmp_path: Path) -> None:
    """Those without a drop or a target get one."""
    given = tomllib.loads(example)
    path = tmp_path / "larkspur.toml"
    drop = "" if "drop" in given else 'drop = "larkspur"\n'
    target = "" if "url" in given.get("target", {}) else '[target]\nurl = "sandbox"\n'
    path.write_text(f"{drop}{example}{target}", encoding="utf-8")

    assert given.get("drop", "larkspur") == read_feed(path).drop
