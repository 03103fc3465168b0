"""A night without ledger and target: from the files of a drop to the changes that would be sent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from connectors.drops import read
from connectors.oneroster.profile import TIMEBACK
from tests.judging import TODAY, Known
from transforms.changes import ACTIVE, FINGERPRINT, Changes, Counts
from transforms.checks import Checked, check
from transforms.diff import diff
from transforms.guard import GuardContext, GuardLimits, guard
from transforms.layouts import ReadingOptions
from transforms.refuse import refusing_findings
from transforms.roster import Raw, Roster
from transforms.share import SharingScope, share
from transforms.sources import escape_character, normalize
from transforms.target_values import map_to_target
from transforms.target_vocabulary import feed_vocabulary

EVERYBODY = SharingScope(demographics=True, contacts=True)
ADDRESSES = feed_vocabulary(TIMEBACK.vocabulary, email_template="{sourcedId}@example.edu")


@dataclass(frozen=True)
class Night:
    """What became of a drop at each step; a drop that was refused has no changes."""

    raw: Raw
    roster: Roster
    checked: Checked
    changes: Changes

    @property
    def refused_files(self) -> set[str]:
        """The files that were refused; a blank name is that of the drop."""
        return {*self.checked.findings.fatal["file"], *self.raw.broken}

    @property
    def counts(self) -> dict[str, Counts]:
        """How each record is counted; what is to be sent waits."""
        return {name: {**part.counts, "waiting": part.due} for name, part in self.changes.items()}


def night(drop: Path, layout: str, known: Known, strict: bool = False) -> Night:
    """Go through the steps from reading to the guard; `known` is what earlier nights have sent."""
    raw = read(drop, strict=strict)
    if escape := escape_character(layout, raw):
        raw = read(drop, strict=strict, escape=escape)
    roster = normalize(layout, raw, ReadingOptions(TODAY, strict=strict))
    checked = check(roster, known, strict)
    if refusing_findings(checked.findings, strict).height:
        return Night(raw, roster, checked, {})
    carried = map_to_target(
        share(checked.standing, EVERYBODY, known), ADDRESSES, known, TIMEBACK.collections, None
    )
    changes = diff(carried.standing, known).changes
    return Night(
        raw, roster, checked, guard(changes, GuardContext(today=TODAY), GuardLimits()).changes
    )


def sent(first: Night) -> Known:
    """Give what the ledger knows once everything of a first night has arrived."""
    return {
        name: part.upserts.select(
            "sourcedId", pl.col(FINGERPRINT).alias("fingerprint"), pl.lit(ACTIVE).alias("status")
        )
        for name, part in first.changes.items()
    }
