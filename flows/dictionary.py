"""`make dictionary`: writes docs/data_dictionary.md from the schemas."""

from __future__ import annotations

from pathlib import Path

from transforms.schemas.dictionary import dictionary

PATH = Path(__file__).parents[1] / "docs" / "data_dictionary.md"

if __name__ == "__main__":
    PATH.parent.mkdir(exist_ok=True)
    PATH.write_text(dictionary(), encoding="utf-8")
