"""What the target holds, in the standard's words: undoes `transforms/carry.py`, as far as the target still says what was meant.

Several words of the standard may become one of the target's: an administrator is then named by the type of the organization,
as in OneRoster 1.1, and whoever came as an aide stays one.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.binding.lifting import ADMINISTRATOR, SYSTEM_ADMINISTRATOR, role_at
from transforms.carrying import TargetVocabulary
from transforms.roster import Roster, Table

SITE_ADMINISTRATOR = ADMINISTRATOR["school"]


def uncarried(roster: Roster, vocabulary: TargetVocabulary) -> Roster:
    """Give a roster that was read from a target as the standard has it."""
    if "roles" not in roster.tables:
        return roster
    roles = _roles(roster.tables["roles"], roster.tables.get("orgs"), vocabulary)
    return replace(roster, tables={**roster.tables, "roles": roles})


def _roles(roles: Table, orgs: Table | None, vocabulary: TargetVocabulary) -> Table:
    role = pl.col("role").replace(dict(vocabulary.roles_read_as))
    if vocabulary.administrators_as_in_1_1:
        # The target has a word for those of the system: its other administrators are none, whatever they administer.
        of_place = role_at(orgs).replace(SYSTEM_ADMINISTRATOR, SITE_ADMINISTRATOR)
        role = pl.when(pl.col("role") == "administrator").then(of_place).otherwise(role)
    return replace(roles, frame=roles.frame.with_columns(role=role))
