"""Words that the target does not know are found before a load, just as a load finds them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.drops import read
from connectors.oneroster.profile import TIMEBACK
from tests.judging import judged_drop
from tests.rosters import Rows, district, drop
from tests.strength import expensive
from transforms.layouts.options import ReadingOptions
from transforms.sources import normalize
from transforms.target_values import (
    effect_of_unmapped,
    map_to_target,
    mapped_columns,
    unmapped_words,
)
from transforms.target_vocabulary import FeedVocabulary, feed_vocabulary

GRADES = ("KG", "05", "UG", "Other", "PR", "13")


def words(folder: Path, rows: Rows, maps: FeedVocabulary) -> pl.DataFrame:
    """Find the words of a drop that lead nowhere."""
    return unmapped_words(
        normalize("oneroster", read(drop(folder, rows)), ReadingOptions(date(2026, 11, 24))), maps
    )


def test_each_word_is_told_with_its_map_and_its_rows(tmp_path: Path) -> None:
    """The most frequent first; one that is mapped by the feed is not told."""
    rows = district()
    rows["users"][0]["grades"], rows["users"][1]["grades"] = "UG,PR,05", "PR"
    rows["classes"][0]["grades"] = "IT"
    rows["roles"][2]["role"] = "ext:coach"

    found = words(tmp_path, rows, feed_vocabulary(TIMEBACK.vocabulary, {"grades": {"IT": "-1"}}))

    assert [
        ("users", "grades", "grades", "PR", 2),
        ("users", "grades", "grades", "UG", 1),
        ("roles", "role", "roles", "ext:coach", 1),
    ] == found.rows()


def test_a_district_in_the_targets_words_has_none(tmp_path: Path) -> None:
    """Nor has a drop without the column, or without the file."""
    assert (
        0
        == words(
            tmp_path, {"orgs": district()["orgs"]}, feed_vocabulary(TIMEBACK.vocabulary)
        ).height
    )
    assert 0 == words(tmp_path, district(), feed_vocabulary(TIMEBACK.vocabulary)).height


@expensive(25)
@given(
    cells=st.lists(
        st.lists(st.sampled_from(GRADES), min_size=1, unique=True), min_size=2, max_size=2
    )
)
def test_a_load_finds_the_same(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    """Rows with a word that leads nowhere are those for which a load leaves a value out."""
    rows = district()
    for user, grades in zip(rows["users"], cells, strict=False):
        user["grades"] = ",".join(grades)
    folder = drop(tmp_path_factory.mktemp("drop"), rows)

    found = words(folder, rows, feed_vocabulary(TIMEBACK.vocabulary))
    carried = map_to_target(
        judged_drop(folder).standing,
        feed_vocabulary(TIMEBACK.vocabulary),
        {},
        TIMEBACK.collections,
        None,
    )

    unknown = set(found["word"])
    expected = sum(bool(unknown.intersection(grades)) for grades in cells)
    assert expected == sum(
        notice.count
        for notice in carried.findings.notices
        if (notice.file, notice.column) == ("users.csv", "grades")
    )


@pytest.mark.parametrize(("entity", "column"), mapped_columns(TIMEBACK.vocabulary))
def test_what_becomes_of_a_word_is_said(entity: str, column: str) -> None:
    """It is left out, sent as another, or refuses the record."""
    told = effect_of_unmapped(TIMEBACK.vocabulary, entity, column)

    assert told in ("left out", "their records are refused") or told.startswith("sent as '")
