"""Goes over the changes of a run, and holds what is too much or too strange to be sent unseen."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import ACTION, Changes, Counts, EntityChanges
from transforms.guard import amounts, special
from transforms.guard.classes import emptied_classes
from transforms.guard.columns import emptied_columns
from transforms.guard.feeds import left_behind
from transforms.guard.identity import identities, recycled
from transforms.guard.limits import Limits, Reading
from transforms.guard.moves import moves
from transforms.guard.past import Past
from transforms.guard.rekeyed import rekeyed
from transforms.guard.stops import Hold, Stops
from transforms.guard.undelivered import undelivered
from transforms.vanishing import OWNERS

PAIRS = {"entity": pl.String, "old": pl.String, "new": pl.String, "certain": pl.Boolean}


def no_pairs() -> pl.DataFrame:
    """Give pairs of ids without rows."""
    return pl.DataFrame(schema=PAIRS)


@dataclass(frozen=True)
class Guarded:
    """The changes, some of them held, and why; `raised` is true if only a limit that was raised once let them through.

    `readings` say what each limit showed. `pairs` are records that are there under another id: `entity`, `old`, `new`,
    and whether that is `certain`.
    """

    changes: Changes
    holds: tuple[Hold, ...] = ()
    raised: bool = False
    readings: tuple[Reading, ...] = ()
    pairs: pl.DataFrame = field(default_factory=no_pairs)

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
    """Ask for causes first and for amounts last, so that one cause is told as one reason."""
    stops = Stops.of(changes, past)
    special.the_whole_run(stops, past)
    undelivered(stops, past, limits)
    amounts.rejected(stops, past, limits)
    special.emptied(stops, past)
    special.lacking(stops, past)
    special.widths(stops)
    special.terms(stops, past)
    rekeyed(stops, past, limits)
    special.all_others(stops)
    emptied_columns(stops, past)
    identities(stops, past, limits)
    recycled(stops, past)
    special.rollover(stops, past)
    special.old_terms(stops, past, limits)
    special.schools(stops, past)
    moves(stops, past, limits)
    left_behind(stops, past)
    amounts.vanished(stops, past, limits)
    amounts.of_schools(stops, past, limits)
    emptied_classes(stops, past, limits)
    amounts.week(stops, past, limits)
    amounts.created(stops, past, limits)
    amounts.updated(stops, past, limits)
    special.still_named(stops, past)
    special.followers(stops, OWNERS)
    pairs = pl.DataFrame(stops.pairs, schema=PAIRS, orient="row")
    return Guarded(stops.changes(), tuple(stops.holds), readings=tuple(stops.readings), pairs=pairs)


def _adds_only(part: EntityChanges) -> EntityChanges:
    """Let only new and returning records through: updates wait, and what vanished stays, for the time being."""
    updates = part.upserts.filter(pl.col(ACTION) == "update").height
    counts: Counts = {**part.counts, "waiting": updates}
    kept = part.removals.with_columns(pl.lit("kept").alias(ACTION))
    return replace(part, upserts=part.upserts.filter(pl.col(ACTION) != "update"), removals=kept, counts=counts)
