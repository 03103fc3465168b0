"""What the target holds, in the standard's words: undoes `transforms/carry.py`, as far as the target still says what was meant.

Several words of the standard become one of the target's: an administrator is told by the type of the organisation, as
in OneRoster 1.1, and whoever came as an aide stays one.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.binding.lifting import ADMINISTRATOR, SYSTEM_ADMINISTRATOR, role_at
from transforms.roster import Roster, Table

SITE_ADMINISTRATOR = ADMINISTRATOR["school"]
THEIR_SYSTEM_ADMINISTRATOR = "system_administrator"


def uncarried(roster: Roster) -> Roster:
    """Give a roster that was read from the target as the standard has it."""
    if "roles" not in roster.tables:
        return roster
    roles = _roles(roster.tables["roles"], roster.tables.get("orgs"))
    return replace(roster, tables={**roster.tables, "roles": roles})


def _roles(roles: Table, orgs: Table | None) -> Table:
    # The target has a word for those of the system: its other administrators are none, whatever they administer.
    told = role_at(orgs).replace(SYSTEM_ADMINISTRATOR, SITE_ADMINISTRATOR)
    others = pl.col("role").replace(THEIR_SYSTEM_ADMINISTRATOR, SYSTEM_ADMINISTRATOR)
    role = pl.when(pl.col("role") == "administrator").then(told).otherwise(others)
    return replace(roles, frame=roles.frame.with_columns(role=role))
