"""Goes over the changes of a run, and holds what is too much or too strange to be sent unseen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import ACTION, HOLD, PARENTS, Changes, Counts, EntityChanges
from transforms.checks.references import ids_in
from transforms.guard import amounts
from transforms.guard import special_cases as special
from transforms.guard.amounts import undelivered
from transforms.guard.context import GuardContext
from transforms.guard.holds import Hold, Stops
from transforms.guard.identity import identities, recycled
from transforms.guard.limits import GuardLimits, LimitReading
from transforms.guard.moves import emptied_classes, moves
from transforms.guard.new_ids import rekeyed
from transforms.guard.special_cases import (
    FIRST,
    emptied_columns,
    followers,
    left_behind,
    still_named,
)
from transforms.removals import OWNERS
from transforms.schemas import ENTITIES

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
    readings: tuple[LimitReading, ...] = ()
    pairs: pl.DataFrame = field(default_factory=no_pairs)

    @property
    def held(self) -> int:
        """How many changes wait for a person."""
        return sum(part.held.height for part in self.changes.values())


def guard(
    changes: Changes, past: GuardContext, limits: GuardLimits, raised: GuardLimits | None = None
) -> Guarded:
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


def _guarded(changes: Changes, past: GuardContext, limits: GuardLimits) -> Guarded:
    """Ask for causes first and for amounts last, so that one cause is told as one reason."""
    stops = Stops.of(changes, past)
    special.whole_run(stops, past)
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
    return replace(
        part, upserts=part.upserts.filter(pl.col(ACTION) != "update"), removals=kept, counts=counts
    )


def guard_plan(changes: Changes, children: pl.DataFrame, there: Mapping[str, pl.Series]) -> Guarded:
    """Hold what of a plan would be sent or deleted although it needs, or is needed by, what the plan did not foresee.

    `children` are as in `Past`, but for those of which the plan told already. `there` are the ids, by entity, that the target holds and records may name; an entity
    that is not among its keys is not looked at.
    """
    past = GuardContext(children=children)
    stops = Stops.of(changes, past)
    for name in ENTITIES:
        if name in stops.parts:
            _unfounded(stops, name, there)
    still_named(stops, past)
    followers(stops, OWNERS)
    return Guarded(stops.changes(), tuple(stops.holds))


def _unfounded(stops: Stops, name: str, there: Mapping[str, pl.Series]) -> None:
    """Stop records that name one which is neither in the target nor sent with them, and what needs those in its turn."""
    while (ids := _without_parent(stops, name, there)).len():
        first = ", ".join(ids.head(FIRST)) + (", …" if ids.len() > FIRST else "")
        sentence = f"{name}: {ids.len():,} records name others that are not in the target any more ({first})."
        stops.stop("parent_gone", sentence, name, upserts=pl.col("sourcedId").is_in(ids.implode()))


def _without_parent(stops: Stops, name: str, there: Mapping[str, pl.Series]) -> pl.Series:
    sent = _sent(stops, name)
    found = [sent["sourcedId"].clear()]
    for parent, ids in there.items():
        named = (
            sent.select("sourcedId", parent=ids_in(pl.col(PARENTS), parent))
            .explode("parent")
            .drop_nulls("parent")
        )
        stay = ids.filter(~ids.is_in(stops.going(parent).implode()))
        known = pl.concat([stay, _sent(stops, parent)["sourcedId"]])
        found.append(named.filter(~pl.col("parent").is_in(known.implode()))["sourcedId"])
    return pl.concat(found).unique(maintain_order=True)


def _sent(stops: Stops, name: str) -> pl.DataFrame:
    """The records that are to be sent, as far as nothing stops them."""
    if name not in stops.parts:
        return pl.DataFrame(schema={"sourcedId": pl.String, PARENTS: pl.String})
    return stops.parts[name].upserts.filter(pl.col(HOLD).is_null())
