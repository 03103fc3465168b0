"""How one district writes its layout: what its feed's file says, over what the layout takes for granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from transforms.layouts.ids import Digests

DateOrder = Literal["", "mdy", "dmy", "ymd"]


@dataclass(frozen=True)
class Dialect:
    """What is needed to read a drop beside its files.

    `today` is the day of the run. `district` names the organisation above the schools where a layout has none, and
    `district_id` is its sourcedId. `prefix` stands before every id. `date_order` is that of dates such as 9/1/2026,
    blank: the layout's own. `snapshot` says whether a drop without a manifest is a full one, None: as the layout's
    own rules say. `year_begins` is the month and day on which school years begin; `school_year` is the year in which
    the current one ends, None: the one that `today` is in. `class_type` is that of classes that say none. `repair` mends what a spreadsheet damaged. `words` are
    further words of the vocabularies (`grades`, `roles`, ...) and what they mean. `strict` turns lenient readings
    into errors, and `secrets` keeps passwords. `without` are files and columns (`staff.csv`,
    `sections.csv: Teacher_2_id`) that the source no longer sends. `renamed` are ids that the source has given up for others: by entity and
    new id, the old one, with the prefix. `said` names the settings that the feed's file makes, such as `words.grades`.
    `digests` say how ids are made of personal data.
    """

    today: date
    district: str = "default"
    district_id: str = ""
    prefix: str = ""
    date_order: DateOrder = ""
    snapshot: bool | None = None
    year_begins: tuple[int, int] = (7, 1)
    school_year: int | None = None
    class_type: str = "scheduled"
    repair: bool = False
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    strict: bool = False
    secrets: bool = False
    without: tuple[str, ...] = ()
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    said: frozenset[str] = frozenset()
    digests: Digests = field(default_factory=Digests)

    @property
    def current_year(self) -> int:
        """The year in which the current school year ends."""
        return self.school_year or self.year_of(self.today)

    def days_of(self, year: int) -> tuple[date, date]:
        """The first day of the school year that ends in `year`, and the first day after it."""
        month, day = self.year_begins
        first = date(year - ((month, day) != (1, 1)), month, day)
        return first, first.replace(year=first.year + 1)

    def year_of(self, day: date) -> int:
        """The year in which the school year of a day ends."""
        return day.year + ((day.month, day.day) >= self.year_begins and self.year_begins != (1, 1))
