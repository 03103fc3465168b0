"""How much may change in one run before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """Limits in percent of what the target holds of ours, and the numbers of records that are always allowed.

    People are counted by what they are: students, staff and contacts, each for themselves. `vanished` is for each
    kind of record and for all together, `week` for the same over seven days, `school` for each entity in each school, and for each
    group of people there, of whom `school_records` may always go,
    `identity` for users who would get another name, email, username or identifier, and for enrollments that would pass to
    another person, `created` for new people of schools that were there before, `updated` for each
    entity and all together, `rejected` for the rows of a file that are wrong by themselves. `class_percent` is how much of a class may
    go; a class of fewer than `class_records` people is left alone. Whatever policy a kind of record has, what vanishes counts, and so does
    whoever is locked out and whatever ends. `entities` are other limits of what may vanish (percent) for single entities.
    """

    vanished_percent: float = 10
    vanished_records: int = 25
    week_percent: float = 20
    week_records: int = 50
    school_percent: float = 30
    school_records: int = 5
    class_percent: float = 50
    class_records: int = 5
    identity_percent: float = 10
    identity_records: int = 25
    created_percent: float = 50
    created_records: int = 25
    updated_percent: float = 75
    updated_records: int = 25
    rejected_percent: float = 20
    entities: Mapping[str, float] = field(default_factory=dict)

    def vanished(self, entity: str) -> float:
        """How many percent of an entity may vanish."""
        return self.entities.get(entity, self.vanished_percent)


@dataclass(frozen=True)
class Reading:
    """What a limit showed for this run: `count` of `total` records, of which `allowed` may go through unseen."""

    limit: str
    what: str
    count: int
    allowed: int
    total: int

    @property
    def sentence(self) -> str:
        """Say how near the limit is."""
        return f"{self.what} {self.count:,} of {self.allowed:,} allowed ({self.total:,} there)"


def allowed(total: int, percent: float, records: int = 0) -> int:
    """How many of `total` records are within the larger of a percentage and a number of records."""
    return max(int(total * percent / 100), records)


def allows(count: int, total: int, percent: float, records: int = 0) -> bool:
    """Tell whether `count` of `total` is within the larger of a percentage and a number of records."""
    return count <= allowed(total, percent, records)


def told(percent: float, records: int = 0) -> str:
    """Say a limit."""
    share = f"{percent:g} %"
    return f"{share} and {records:,} records" if records else share
