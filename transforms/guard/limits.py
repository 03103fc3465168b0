"""How much may change in one run before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class GuardLimits:
    """Limits in percent of what the target holds of ours, and the numbers of records that are always allowed.

    People are counted by what they are (students, staff and contacts), enrollments by their role. `vanished` is for each kind of record and
    for all together, `week` for the same over seven days. `school` is for each entity in each school, and for each group of people
    there, of whom `school_records` may always go. `class_percent` is how much of a class may go, less what comes; a class of fewer than
    `class_records` people is left alone. `identity` is for records that would become others: users with another name, email,
    username, identifier or grade, enrollments of another person, classes, courses and schools with another name. `moved` is for users who change
    schools, and for new enrollments of people and classes that were there before; `person_records` for how many of those one person may
    get. `created` is for new people of schools that were there before (its number for new classes of terms that are over, too), `updated` for each kind of record and all together, `rejected` for
    the rows of a file that are wrong by themselves.

    Whatever policy a kind of record has, what vanishes counts, and so does whoever is locked out and whatever ends. `entities`
    are other limits of what may vanish (percent) for single entities.
    """

    vanished_percent: float = 10
    vanished_records: int = 25
    week_percent: float = 20
    week_records: int = 50
    school_percent: float = 30
    school_records: int = 5
    class_percent: float = 60
    class_records: int = 5
    identity_percent: float = 5
    identity_records: int = 10
    moved_percent: float = 10
    moved_records: int = 50
    person_records: int = 20
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
class LimitReading:
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


def limit_text(percent: float, records: int = 0) -> str:
    """Say a limit."""
    share = f"{percent:g} %"
    return f"{share} and {records:,} records" if records else share
