"""The complete export of a district, in the tables of each layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tests.year.canvas import canvas
from tests.year.clever import clever
from tests.year.district import District
from tests.year.files import Tables
from tests.year.oneroster import oneroster

Form = Literal["bulk", "delta", "clever", "canvas"]
FORMS: tuple[Form, ...] = ("bulk", "delta", "clever", "canvas")
CODES: dict[Form, str] = {
    "bulk": "oneroster",
    "delta": "oneroster",
    "clever": "clever",
    "canvas": "canvas",
}
WRITERS: dict[str, Callable[[District], Tables]] = {
    "oneroster": oneroster,
    "clever": clever,
    "canvas": canvas,
}


def tables_of(form: Form, district: District) -> Tables:
    """Return a complete export of a district."""
    return WRITERS[CODES[form]](district)
