"""The settings of one feed for reading its drops; they override what the layout declares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal
from zoneinfo import ZoneInfo

from transforms.layouts.ids import DigestIds

DateOrder = Literal["", "mdy", "dmy", "ymd"]


@dataclass(frozen=True)
class ReadingOptions:
    """Everything that is needed to read a drop, apart from its files and its layout."""

    today: date  # the day of the run
    # The org above the schools, where the drop has none: its name and sourcedId.
    district: str = "default"
    district_id: str = ""
    prefix: str = ""  # written before every id
    date_order: DateOrder = ""  # of dates such as 9/1/2026; blank: the layout's own
    # In which timestamps become days; None: the feed file names no time zone.
    zone: ZoneInfo | None = None
    # Whether a drop without a manifest is a full snapshot; None: as the layout declares.
    snapshot: bool | None = None
    year_begins: tuple[int, int] = (7, 1)  # month and day on which school years begin
    # The year in which the current school year ends; None: the school year of `today`.
    school_year: int | None = None
    class_type: str = "scheduled"  # of classes without a type
    repair: bool = False  # repair values that a spreadsheet damaged
    # More words of the vocabularies (`grades`, `roles`, ...), and what they mean.
    words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    strict: bool = False  # turn lenient readings into errors
    secrets: bool = False  # keep passwords
    # Files and columns that the source no longer sends: `staff.csv`, `sections.csv: Teacher_2_id`.
    without: tuple[str, ...] = ()
    # The old ids of records whose ids the source changed, by entity and new id; with the prefix.
    renamed: Mapping[tuple[str, str], str] = field(default_factory=dict)
    # The courses of classes that earlier drops moved: class -> course, with the prefix.
    cross_listed: Mapping[str, str] = field(default_factory=dict)
    # The org above each org that the target has, by sourcedId; with the prefix.
    orgs: Mapping[str, str | None] = field(default_factory=dict)
    escape_ids: bool = False  # escape ids that OneRoster does not allow, in its own files too
    # The ids of people that the target has and that contain a slash; with the prefix.
    people: frozenset[str] = frozenset()
    # The names that the target has of people whose id is `contested` (`Roster`); with the prefix.
    holders: Mapping[str, str] = field(default_factory=dict, repr=False)
    # Files whose people get other ids where people of another file have the same ones.
    set_apart: tuple[str, ...] = ()
    # What columns of OneRoster files with other names are: entity -> name in the file -> column.
    columns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    said: frozenset[str] = frozenset()  # settings present in the feed file: `words.grades`
    digests: DigestIds = field(default_factory=DigestIds)  # how personal data becomes ids

    @property
    def zoneless(self) -> ReadingOptions:
        """The same, with the days that are written: a new time zone must change no id."""
        return replace(self, zone=None)

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
