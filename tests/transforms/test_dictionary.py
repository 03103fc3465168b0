"""The data dictionary is what the schemas say, today."""

from __future__ import annotations

from pathlib import Path

from transforms.schemas import ENTITIES
from transforms.schemas.dictionary import dictionary_page

WRITTEN = Path(__file__).parents[2] / "docs" / "data_dictionary.md"


def test_the_written_dictionary_is_current() -> None:
    """If not: `make dictionary`."""
    assert dictionary_page() == WRITTEN.read_text(encoding="utf-8")


def test_every_column_is_told() -> None:
    """One line for each, in the section of its file."""
    sections = dict(zip(ENTITIES, dictionary_page().split("\n## ")[1:], strict=True))

    lost = [
        (name, column.name)
        for name, entity in ENTITIES.items()
        for column in entity.columns
        if f"| `{column.name}` |" not in sections[name]
    ]
    assert [] == lost
