"""Goes over the changes of a run, and holds what is too much or too strange to be sent unseen."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from transforms.changes import ACTION, SCHOOL, Changes, Counts, EntityChanges
from transforms.guard import special
from transforms.guard.feeds import left_behind
from transforms.guard.limits import Limits, allows, told
from transforms.guard.past import Past
from transforms.guard.recycled import recycled, renumbered
from transforms.guard.stops import ALL, Hold, Stops
from transforms.vanishing import OWNERS


@dataclass(frozen=True)
class Guarded:
    """The changes, some of them held, and why; `raised` is true if only a limit that was raised once let them through."""

    changes: Changes
    holds: tuple[Hold, ...] = ()
    raised: bool = False

    @property
    def held(self) -> int:
        """How many changes wait for a person."""
        return sum(part.held.height for part in self.changes.values())


def guard(changes: Changes, past: Past, limits: Limits, raised: Limits | None = None) -> Guarded:
    """Hold what trips a limit or is a special case; the rest goes on.

    `raised` are limits that a person raised for once: they are used only where the ordinary ones hold something.
    """
    if past.adds_only:
        changes = {name: _adds_only(part) for name, part in changes.items()}
    guarded = _guarded(changes, past, limits)
    if raised is None or not guarded.held:
        return guarded
    again = _guarded(changes, past, raised)
    return replace(again, raised=again.held < guarded.held)


def _guarded(changes: Changes, past: Past, limits: Limits) -> Guarded:
    stops = Stops.of(changes)
    special.the_whole_run(stops, past)
    special.emptied(stops, past)
    special.lacking(stops, past)
    special.rekeyed(stops)
    special.widths(stops)
    recycled(stops, past)
    renumbered(stops, past)
    special.schools(stops, past)
    left_behind(stops, past)
    _vanished(stops, past, limits)
    _of_schools(stops, past, limits)
    _week(stops, past, limits)
    _updated(stops, past, limits)
    _rejected(stops, past, limits)
    special.still_named(stops, past)
    special.followers(stops, OWNERS)
    return Guarded(stops.changes(), tuple(stops.holds))


def _adds_only(part: EntityChanges) -> EntityChanges:
    """Let only new and returning records through: updates wait, and what vanished stays, for the time being."""
    updates = part.upserts.filter(pl.col(ACTION) == "update").height
    counts: Counts = {**part.counts, "waiting": updates}
    kept = part.removals.with_columns(pl.lit("kept").alias(ACTION))
    return replace(part, upserts=part.upserts.filter(pl.col(ACTION) != "update"), removals=kept, counts=counts)


def _vanished(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit what vanishes of each entity, and of all together."""
    counted = dict(stops.counted())
    for name, count in counted.items():
        total, percent = past.total(name), limits.vanished(name)
        if not allows(count, total, percent, limits.vanished_records):
            limit = told(percent, limits.vanished_records)
            stops.stop("vanished", f"{count:,} of {total:,} {name} vanished, more than {limit}.", name, removals=ALL)
    count, total = sum(counted.values()), past.everything
    if not allows(count, total, limits.vanished_percent, limits.vanished_records):
        limit = told(limits.vanished_percent, limits.vanished_records)
        sentence = f"{count:,} of all {total:,} records vanished, more than {limit}."
        stops.stop("vanished", sentence, *stops.parts, removals=ALL)


def _of_schools(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit what vanishes of each entity in one school."""
    for name, _ in list(stops.counted()):
        there = past.totals.filter(pl.col("entity") == name).select("school", "records")
        vanished = stops.vanished(name).group_by(SCHOOL).len().join(
            there, left_on=SCHOOL, right_on="school", how="left", nulls_equal=True
        )  # fmt: skip
        for school, count, total in vanished.sort(SCHOOL).iter_rows():
            # A record that belongs to no school is limited with its entity.
            if school is None or name == "orgs" or allows(count, total or 0, limits.school_percent):
                continue
            sentence = f"{count:,} of {total or 0:,} {name} of school {school} vanished, more than {limits.school_percent:g} %."
            stops.stop("vanished_of_school", sentence, name, school=school, removals=pl.col(SCHOOL) == school)


def _week(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit what vanishes in seven days, so that a little each night is not let through either."""
    counted = dict(stops.counted())
    if counted and past.week is None:
        sentence = "It is not known how much vanished in the last seven days, so that this cannot be limited."
        stops.stop("vanished_in_week", sentence, *stops.parts, removals=ALL)
        return
    week = past.week or {}
    limit = told(limits.week_percent, limits.week_records)
    for name, count in counted.items():
        earlier = week.get(name, 0)
        total = past.total(name) + earlier
        if earlier and not allows(count + earlier, total, limits.week_percent, limits.week_records):
            sentence = f"{count + earlier:,} of {total:,} {name} vanished in seven days, more than {limit}."
            stops.stop("vanished_in_week", sentence, name, removals=ALL)
    earlier, count = sum(week.values()), sum(counted.values())
    total = past.everything + earlier
    if count and earlier and not allows(count + earlier, total, limits.week_percent, limits.week_records):
        sentence = f"{count + earlier:,} of all {total:,} records vanished in seven days, more than {limit}."
        stops.stop("vanished_in_week", sentence, *stops.parts, removals=ALL)


def _updated(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit the updates of each entity, and of all together."""
    updates = {name: part.upserts.filter(pl.col(ACTION) == "update").height for name, part in stops.parts.items()}
    limit = told(limits.updated_percent, limits.updated_records)
    for name, count in updates.items():
        total = past.total(name)
        if not allows(count, total, limits.updated_percent, limits.updated_records):
            sentence = f"{count:,} of {total:,} {name} would be updated, more than {limit}."
            stops.stop("updated", sentence, name, upserts=pl.col(ACTION) == "update")
    count, total = sum(updates.values()), past.everything
    if not allows(count, total, limits.updated_percent, limits.updated_records):
        sentence = f"{count:,} of all {total:,} records would be updated, more than {limit}."
        stops.stop("updated", sentence, *stops.parts, upserts=pl.col(ACTION) == "update")


def _rejected(stops: Stops, past: Past, limits: Limits) -> None:
    """Hold all changes of a file too many of whose rows are wrong; what was never loaded has nothing to lose."""
    for name, file in past.rejections.items():
        if name not in stops.parts or not past.total(name):
            continue
        if not allows(file.faults, file.rows, limits.rejected_percent):
            sentence = (
                f"{file.file}: {file.faults:,} of {file.rows:,} rows were rejected for a fault of their own, "
                f"more than {limits.rejected_percent:g} %."
            )
            stops.stop("rejected", sentence, name, removals=ALL, upserts=ALL)
