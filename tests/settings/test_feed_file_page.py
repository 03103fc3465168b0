"""The page of the feed file has every table and key, with the defaults of the program."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from flows.feeds.settings import TABLES, read_feed

PAGE = (Path(__file__).parents[2] / "docs" / "feed_file.md").read_text("utf-8")
# What a key is described under; these two tables have pages of their own, with tests of their own.
ELSEWHERE = {"rest", "limits", "limits.once"}
SECTIONS = dict(re.findall(r"^#+ (.+)\n((?:(?!#+ ).*\n)*)", PAGE, re.MULTILINE))
HERE = [table for table in TABLES if table not in ELSEWHERE]


def rows(table: str) -> dict[str, str]:
    """Return the keys in the tables of a section, each with its default."""
    section = SECTIONS[f"`[{table}]`" if table else "Top level"]
    found = {}
    for names, default in re.findall(r"^\| (`[^|]+`) \|.*\| ([^|]*) \|$", section, re.MULTILINE):
        found |= dict.fromkeys(re.findall(r"`(\w+)`", names), default.strip())
    return found


@pytest.mark.parametrize("table", HERE)
def test_every_key_is_on_the_page(table: str) -> None:
    """Keys in its section, tables anywhere."""
    keys, tables = set(), set()
    for name, field in TABLES[table].model_fields.items():
        inner = f"{table}.{name}" if table else name
        (tables if inner in TABLES or inner.startswith("target.") and field.default == {} else keys).add(name)

    text = PAGE if table in ("", "source.district", "source.words") else SECTIONS[f"`[{table}]`"]
    assert [] == [name for name in keys if f"`{name}`" not in text and f"`[{name}]`" not in text]
    assert [] == [name for name in tables if f"[{table}.{name}]".replace("[.", "[") not in PAGE]


@pytest.mark.parametrize("table", [table for table in HERE if "." not in table])
def test_defaults_are_those_of_the_program(table: str) -> None:
    """A default that is written in two places only would be believed."""
    model: type[BaseModel] = TABLES[table]

    for name, written in rows(table).items():
        default = model.model_fields[name].default
        if isinstance(default, frozenset | tuple) and default:
            assert set(default) == set(re.findall(r"`(\w+)`", written)), name
        elif isinstance(default, bool | int | str) and (default or default is False):
            assert f"`{str(default).lower() if isinstance(default, bool) else default}`" == written, name
        else:
            assert "`" not in written, name


@pytest.mark.parametrize("number", range(len(re.findall(r"^```toml", PAGE, re.MULTILINE))))
def test_every_example_can_be_read(number: int, tmp_path: Path) -> None:
    """Alone, or with the target and the drop of the first one."""
    texts = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    first, text = tomllib.loads(texts[0]), texts[number]
    path = tmp_path / "larkspur.toml"
    needed = "".join(f'{key} = "{first[key]}"\n' for key in ("drop",) if key not in tomllib.loads(text))
    target = '[target]\nurl = "sandbox"\n' if "[target]" not in text else ""
    path.write_text((needed + text + target).replace("[target.", "[target."), encoding="utf-8")

    assert path == read_feed(path).path
