"""How much may change in one run before a person is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """Limits in percent of what the target holds of ours, and the numbers of records that are always allowed.

    `vanished` is for each entity and for all together, `week` for the same over seven days, `school` for
    each entity in each school, `updated` for each entity and all together, `rejected` for the rows of a
    file that are wrong by themselves. Whatever policy a kind of record has, what vanishes counts.
    `entities` are other limits of what may vanish (percent) for single entities.
    """

    vanished_percent: float = 10
    vanished_records: int = 25
    week_percent: float = 20
    week_records: int = 50
    school_percent: float = 30
    updated_percent: float = 75
    updated_records: int = 25
    rejected_percent: float = 20
    entities: Mapping[str, float] = field(default_factory=dict)

    def vanished(self, entity: str) -> float:
        """How many percent of an entity may vanish."""
        return self.entities.get(entity, self.vanished_percent)


def allows(count: int, total: int, percent: float, records: int = 0) -> bool:
    """Tell whether `count` of `total` is within the larger of a percentage and a number of records."""
    return count <= max(total * percent / 100, records)


def told(percent: float, records: int = 0) -> str:
    """Say a limit."""
    share = f"{percent:g} %"
    return f"{share} and {records:,} records" if records else share
