"""A fault of an export, the night on which it occurs, and the ways in which it can reach into that night's tables."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import date
from random import Random

from tests.year.district import District
from tests.year.exports import CODES, FORMS, Form, tables_of
from tests.year.faults.columns import PEOPLE, PLACES
from tests.year.files import Files, Row, Tables
from tests.year.sending import sent


@dataclass
class Night:
    """The night of a fault: the district now, the night before, a month before and three nights before; its tables, which the fault changes."""

    form: Form
    now: District
    before: District
    earlier: District
    lately: District
    chance: Random
    other: Callable[[], District]
    tables: Tables = field(init=False)
    called: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tables = self.true()

    @property
    def code(self) -> str:
        """The layout."""
        return CODES[self.form]

    @property
    def people(self) -> list[Row]:
        """The rows of the people, or of the students."""
        return self.tables[PEOPLE[self.code]]

    @property
    def person(self) -> str:
        """The column of their ids."""
        return PLACES[self.code]["person"][0][1]

    def true(self, district: District | None = None) -> Tables:
        """Give the tables as they should be, which may be changed."""
        return tables_of(self.form, district or self.now)

    def places(self, meaning: str) -> tuple[tuple[str, str], ...]:
        """Where the layout says something."""
        return PLACES[self.code][meaning]

    def column(self, meaning: str, file: str | None = None) -> str:
        """The column of the people's file (or of another) that says something."""
        return next(
            column for name, column in self.places(meaning) if name == (file or PEOPLE[self.code])
        )

    def map(
        self, meaning: str, change: Callable[[str], str], of: Collection[str] | None = None
    ) -> None:
        """Change the cells of a meaning wherever they are; `of`: only those that hold one of these."""
        for file, column in self.places(meaning):
            for row in self.tables[file]:
                if row[column] and (of is None or row[column] in of):
                    row[column] = change(row[column])

    def students(self) -> list[str]:
        """The ids of the students."""
        return [one.id for one in self.now.students()]

    def rows_of(self, file: str, column: str, values: Collection[str]) -> list[Row]:
        """The rows of a file that have one of some values in a column."""
        wanted = set(values)
        return [row for row in self.tables[file] if row[column] in wanted]

    def some(self, rows: list[Row], share: float) -> list[Row]:
        """Choose a share of some rows."""
        return self.chance.sample(rows, int(len(rows) * share))

    def files(self) -> Files:
        """Give the night's files."""
        files = sent(self.form, self.tables, self.before, self.now, self.now.day)
        files.called = self.called
        return files


Spoil = Callable[[Night], None]
Damage = Callable[[Night, dict[str, str]], dict[str, str]]


def undamaged(_: Night, texts: dict[str, str]) -> dict[str, str]:
    """Leave the files as they are."""
    return texts


def unspoiled(_: Night) -> None:
    """Leave the tables as they are."""


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    `spoil` changes tables, `damage` the texts of files. `says` is a pattern that the messages to people must match. If `asks`
    is false, nobody need be asked, for nobody is harmed. So many of one kind as the `floor` may be harmed before anybody is
    asked, or as many as may vanish unseen (docs/guard.md) if it is None. One that is
    not planted `often` is much like another, and is left to the full strength. After the day `until`, it is no fault.
    """

    name: str
    spoil: Spoil = unspoiled
    says: str = ""
    forms: tuple[Form, ...] = FORMS
    damage: Damage = undamaged
    asks: bool = True
    floor: int | None = None
    often: bool = True
    until: date = date.max

    def texts(self, night: Night) -> dict[str, str]:
        """Give the files of a night as the fault makes them."""
        self.spoil(night)
        return self.damage(night, night.files().written())
