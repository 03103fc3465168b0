"""The page on sources that are APIs says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.oneroster.providers import PROVIDERS
from flows.feeds.feed import read_feed
from flows.feeds.source import RestSettings

PAGE = (Path(__file__).parents[2] / "docs" / "rest_source.md").read_text("utf-8")


def test_its_feeds_can_be_read(tmp_path: Path) -> None:
    """As they stand there."""
    path = tmp_path / "juniper.toml"
    versions = []
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        path.write_text(text)
        versions.append(getattr(read_feed(path).rest, "version", ""))

    assert ["1.2", "1.1"] == versions


def test_every_setting_is_on_it() -> None:
    """By its name."""
    assert [] == [
        name
        for name in RestSettings.model_fields
        if f"`{name}`" not in PAGE
        and f"{name} = " not in PAGE
        and not name.endswith(("_file", "_block"))
    ]


def test_every_profile_is_on_it() -> None:
    """With the name of its provider."""
    assert [] == [code for code, one in PROVIDERS.items() if f"| `{code}` | {one.name}" not in PAGE]


def test_its_defaults_are_those_of_the_settings() -> None:
    """The last cell of each line says what is meant where a line is left out."""
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| `([^`]*)`[^|`]*\|$", PAGE, re.MULTILINE))
    told = {name: str(RestSettings.model_fields[name].default) for name in rows}

    assert rows == {
        name: value.lower() if value in ("True", "False") else value for name, value in told.items()
    }
    assert {"version", "oauth", "full_days", "overlap_hours", "patience_seconds"} <= rows.keys()
