"""The sample of each layout becomes the same records, with the same findings, as a person has read through."""

from __future__ import annotations

import pytest

from tests.layouts.golden.text import SAMPLES, file_of, text_of
from transforms.sources import LAYOUTS


@pytest.mark.parametrize("code", LAYOUTS)
def test_a_sample_becomes_what_was_reviewed(code: str) -> None:
    """Records, rejects, findings and counts."""
    assert file_of(code).read_text("utf-8") == text_of(code)


@pytest.mark.parametrize("code", LAYOUTS)
def test_every_column_of_a_sample_is_read_or_ignored_on_purpose(code: str) -> None:
    """The samples have every column that their layout knows under its own name, so that a layout without one of them is reported."""
    assert (SAMPLES / code).is_dir()
    assert "header_unknown" not in text_of(code)
