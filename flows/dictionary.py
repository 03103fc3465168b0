"""`make dictionary`: writes the data dictionary and the reference of the layouts into `docs/`."""

from __future__ import annotations

from pathlib import Path

from transforms.layouts.reference import layouts_page
from transforms.schemas.dictionary import dictionary_page
from transforms.sources import LAYOUTS

DOCS = Path(__file__).parents[1] / "docs"

if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    (DOCS / "data_dictionary.md").write_text(dictionary_page(), encoding="utf-8")
    (DOCS / "layouts.md").write_text(layouts_page(LAYOUTS.values()), encoding="utf-8")
