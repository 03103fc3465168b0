"""Flows take feed files of the folder of feeds, and no other file of the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SettingsError
from flows.feeds.feed import SAMPLES, feeds_folder, find_feed_file


@pytest.fixture
def feeds(tmp_path: Path) -> Path:
    """A folder with a feed file, and what else may lie beside it."""
    folder = tmp_path / "feeds"
    (folder / "north").mkdir(parents=True)
    (folder / "drop").mkdir()
    for file in (
        folder / "larkspur.toml",
        folder / "north" / "aspen.toml",
        tmp_path / "other.toml",
        folder / "a.zip",
    ):
        file.touch()
    (folder / "same.toml").symlink_to(folder / "larkspur.toml")
    (folder / "away.toml").symlink_to(tmp_path / "other.toml")
    (folder / "out").symlink_to(tmp_path)
    (folder / "circle.toml").symlink_to(folder / "circle.toml")
    return folder


@pytest.mark.parametrize(
    "district", ["larkspur", "larkspur.toml", "{feeds}/larkspur.toml", "north/aspen", "same"]
)
def test_a_feed_is_named_or_its_path_lies_in_the_folder(feeds: Path, district: str) -> None:
    """Links are followed: what they lead to has to lie there as well."""
    found = find_feed_file(district.format(feeds=feeds), {"ROSTER_FEEDS": str(feeds)})

    assert found.resolve() in (feeds / "larkspur.toml", feeds / "north" / "aspen.toml")


@pytest.mark.parametrize(
    "district",
    [
        "",
        "../other",
        "../other.toml",
        "{feeds}/../other.toml",
        "{feeds}/../feeds/../other",
        "away",
        "out/other",
        "{feeds}/out/other.toml",
        "circle",
        "drop",
        "{feeds}/drop",
        "a.zip",
        "{feeds}/a.zip",
        "/etc/hostname",
        "larkspur\0",
        "x" * 5000,
        "sample_data/oneroster_1_2",
        "../../sample_data/oneroster_1_2",
    ],
)
def test_nothing_else_is_a_feed(feeds: Path, district: str) -> None:
    """No file elsewhere, no drop, and no link or dots that lead out; the message names the folder and the next step."""
    with pytest.raises(
        SettingsError, match=r"is no feed file in .*feeds\. .*\$ROSTER_FEEDS of the worker says"
    ):
        find_feed_file(district.format(feeds=feeds), {"ROSTER_FEEDS": str(feeds)})


def test_a_name_that_is_nearly_right_is_told() -> None:
    """As it may have been meant."""
    with pytest.raises(SettingsError, match="Did you mean 'district'"):
        find_feed_file("distrct", {"ROSTER_FEEDS": str(SAMPLES)})


def test_the_sample_may_be_run_by_its_path_wherever_feeds_are(feeds: Path) -> None:
    """It comes with the program."""
    assert SAMPLES / "demo.toml" == find_feed_file(
        str(SAMPLES / "demo.toml"), {"ROSTER_FEEDS": str(feeds)}
    )


def test_a_summary_is_of_the_folder_of_feeds_or_of_one_in_it(feeds: Path) -> None:
    """Of no other."""
    environment = {"ROSTER_FEEDS": str(feeds)}

    assert [feeds, feeds, feeds / "north"] == [
        feeds_folder(name, environment) for name in ("", str(feeds), str(feeds / "north"))
    ]
    for name in (str(feeds.parent), str(feeds / "out"), "/etc"):
        with pytest.raises(SettingsError, match="does not lie in"):
            feeds_folder(name, environment)
