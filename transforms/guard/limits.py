"""The limits of the guard: how much may change in one run before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from transforms.grammar import count_of


@dataclass(frozen=True)
class GuardLimits:
    """How many changes of one run may pass: percentages, and numbers of records.

    A percentage is a share of our active records in the target. Where a limit has both a percentage
    and a number, the larger one counts.

    People are counted by group (students, staff, contacts), and enrollments by role.

    Removals count whatever the feed's policy does with them. So do people who are locked out, and
    records that end.
    """

    # Removals, for each kind of record and for all kinds together.
    vanished_percent: float = 10
    vanished_records: int = 25
    # The same over seven days.
    week_percent: float = 20
    week_records: int = 50
    # Removals in one school, for each entity and for each group of its people. The number of
    # records is for the groups only.
    school_percent: float = 30
    school_records: int = 5
    # People who leave one class, less those who join it. Classes with fewer people than
    # `class_records` have no limit.
    class_percent: float = 60
    class_records: int = 5
    # Updates that change an identity: users with another name, email, username, identifier or
    # grade; enrollments of another person; classes, courses and schools with another name.
    identity_percent: float = 5
    identity_records: int = 10
    # Users who change schools, and new enrollments of earlier people in earlier classes.
    moved_percent: float = 10
    moved_records: int = 25
    # Such new enrollments of one person.
    person_records: int = 20
    # New people of schools that were there before. The number is also the limit of new classes
    # whose terms are over.
    created_percent: float = 50
    created_records: int = 25
    # Updates, for each kind of record and for all kinds together.
    updated_percent: float = 75
    updated_records: int = 25
    # Rows of a file that are rejected because of errors in those rows.
    rejected_percent: float = 20
    # Other values of `vanished_percent`, by entity.
    entities: Mapping[str, float] = field(default_factory=dict)

    def vanished(self, entity: str) -> float:
        """Return the percentage of an entity's records that may be removed."""
        return self.entities.get(entity, self.vanished_percent)


@dataclass(frozen=True)
class LimitReading:
    """How near a run came to one limit."""

    limit: str
    what: str  # what was counted, in words
    count: int
    allowed: int  # how many may change before a person is asked
    total: int

    @property
    def sentence(self) -> str:
        """The reading in words."""
        return f"{self.what}: {self.count:,} of {self.allowed:,} allowed ({self.total:,} in all)"


def most_allowed(total: int, percent: float, records: int = 0) -> int:
    """Return the larger of a percentage of `total` and a number of records."""
    return max(int(total * percent / 100), records)


def allows(count: int, total: int, percent: float, records: int = 0) -> bool:
    """Return whether `count` of `total` records may change."""
    return count <= most_allowed(total, percent, records)


def limit_text(percent: float, records: int = 0) -> str:
    """Return a limit in words."""
    share = f"{percent:g} %"
    return f"{share} and {count_of(records, 'records')}" if records else share
