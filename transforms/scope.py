"""What a feed may share with a target: whatever is outside is withheld, and counted as unshared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scope:
    """The records and columns that may be shared; an empty set is no limit.

    `schools` are ids of organisations, `exclude` ids of people; `grades` and `roles` are spelled as
    in the normalised drop. `leave_out` names columns that are never sent, per entity. Demographics,
    contacts (parents, guardians, relatives) and passwords are shared only if the feed says so.
    """

    schools: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    demographics: bool = False
    contacts: bool = False
    passwords: bool = False
