"""Step 6 of the pipeline: hold the changes of a run that are too many or too strange."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import ACTION, HOLD, PARENTS, Changes, Counts, EntityChanges
from transforms.checks.references import parent_ids
from transforms.grammar import agree, count_of
from transforms.guard import amounts
from transforms.guard import special_cases as special
from transforms.guard.context import GuardContext
from transforms.guard.holds import GuardReview, Hold
from transforms.guard.identity import hold_claimed_ids, hold_recycled_ids, limit_identities
from transforms.guard.limits import GuardLimits, LimitReading
from transforms.guard.moves import hold_emptied_classes, limit_moves
from transforms.guard.new_ids import hold_new_ids
from transforms.removals import OWNERS
from transforms.schemas import ENTITIES

PAIRS = {"entity": pl.String, "old": pl.String, "new": pl.String, "certain": pl.Boolean}


def no_pairs() -> pl.DataFrame:
    """Return an empty frame of id pairs."""
    return pl.DataFrame(schema=PAIRS)


@dataclass(frozen=True)
class GuardResult:
    """The changes of a run, some of them held."""

    changes: Changes
    holds: tuple[Hold, ...] = ()  # the reasons
    raised: bool = False  # some changes passed only because a person raised a limit for this run
    readings: tuple[LimitReading, ...] = ()
    # Records that the target has under another id (`PAIRS`).
    pairs: pl.DataFrame = field(default_factory=no_pairs)

    @property
    def held(self) -> int:
        """The number of held changes."""
        return sum(part.held.height for part in self.changes.values())


def guard(
    changes: Changes, past: GuardContext, limits: GuardLimits, raised: GuardLimits | None = None
) -> GuardResult:
    """Hold the changes that exceed a limit or are a special case, and let the others pass.

    `raised` are limits for this run only. They apply only if the usual `limits` hold something.
    """
    if past.adds_only:
        changes = {name: _only_additions(part) for name, part in changes.items()}
    guarded = _apply_rules(changes, past, limits)
    if raised is None or not guarded.held:
        return guarded
    again = _apply_rules(changes, past, raised)
    return replace(again, raised=again.held < guarded.held)


def guard_plan(
    changes: Changes, children: pl.DataFrame, there: Mapping[str, pl.Series]
) -> GuardResult:
    """Hold the changes of an approved plan that no longer fit the target.

    These are deletions of records that others need by now, and records whose parents are gone.

    `children` has the columns of `GuardContext.children`, without the children that the plan has
    shown already. `there` are the ids, by entity, that the target holds and that records may name.
    References to other entities are not checked.
    """
    context = GuardContext(children=children)
    stops = GuardReview.of(changes, context)
    for name in ENTITIES:
        if name in stops.parts:
            _hold_orphans(stops, name, there)
    special.hold_parents_of_others(stops, context)
    special.hold_followers(stops, OWNERS)
    return GuardResult(stops.changes(), tuple(stops.holds))


def _only_additions(part: EntityChanges) -> EntityChanges:
    """Let new and returning records pass. Updates wait, and missing records stay for now."""
    updates = part.upserts.filter(pl.col(ACTION) == "update").height
    counts: Counts = {**part.counts, "waiting": updates}
    kept = part.removals.with_columns(pl.lit("kept").alias(ACTION))
    return replace(
        part, upserts=part.upserts.filter(pl.col(ACTION) != "update"), removals=kept, counts=counts
    )


def _apply_rules(changes: Changes, context: GuardContext, limits: GuardLimits) -> GuardResult:
    # Rules that know a cause come first, and plain amounts last. So one cause gives one reason.
    stops = GuardReview.of(changes, context)
    special.hold_whole_run(stops, context)
    amounts.report_undelivered(stops, context, limits)
    amounts.hold_rejected_files(stops, context, limits)
    amounts.report_doubtful(stops, context, limits)
    special.hold_emptied_entities(stops, context)
    special.hold_missing_files(stops, context)
    special.hold_lost_zeros(stops)
    special.hold_moved_sessions(stops, context)
    hold_new_ids(stops, context, limits)
    special.hold_replaced_ids(stops)
    special.hold_emptied_columns(stops, context)
    limit_identities(stops, context, limits)
    hold_recycled_ids(stops, context)
    hold_claimed_ids(stops, context)
    special.hold_rollover(stops, context)
    special.hold_old_terms(stops, context, limits)
    special.hold_missing_schools(stops, context)
    limit_moves(stops, context, limits)
    special.hold_left_behind(stops, context)
    amounts.limit_losses(stops, context, limits)
    amounts.limit_school_losses(stops, context, limits)
    hold_emptied_classes(stops, context, limits)
    amounts.limit_losses_of_week(stops, context, limits)
    amounts.limit_new_people(stops, context, limits)
    amounts.limit_updates(stops, context, limits)
    special.hold_parents_of_others(stops, context)
    special.hold_followers(stops, OWNERS)
    pairs = pl.DataFrame(stops.pairs, schema=PAIRS, orient="row")
    return GuardResult(
        stops.changes(), tuple(stops.holds), readings=tuple(stops.readings), pairs=pairs
    )


def _hold_orphans(stops: GuardReview, name: str, there: Mapping[str, pl.Series]) -> None:
    """Hold records whose parent is not in the target and is not sent with them.

    A held record may be the parent of others, so repeat until nothing is left to hold.
    """
    while (ids := _orphans(stops, name, there)).len():
        first = ", ".join(ids.head(special.FIRST)) + (", …" if ids.len() > special.FIRST else "")
        sentence = (
            f"{name}: {count_of(ids.len(), 'records')} {agree(ids.len(), 'refer')} to others that "
            f"are no longer in the target ({first})."
        )
        stops.stop("parent_gone", sentence, name, upserts=pl.col("sourcedId").is_in(ids.implode()))


def _orphans(stops: GuardReview, name: str, there: Mapping[str, pl.Series]) -> pl.Series:
    sent = _upserts_to_send(stops, name)
    found = [sent["sourcedId"].clear()]
    for parent, ids in there.items():
        named = (
            sent.select("sourcedId", parent=parent_ids(pl.col(PARENTS), parent))
            .explode("parent")
            .drop_nulls("parent")
        )
        stay = ids.filter(~ids.is_in(stops.going(parent).implode()))
        known = pl.concat([stay, _upserts_to_send(stops, parent)["sourcedId"]])
        found.append(named.filter(~pl.col("parent").is_in(known.implode()))["sourcedId"])
    return pl.concat(found).unique(maintain_order=True)


def _upserts_to_send(stops: GuardReview, name: str) -> pl.DataFrame:
    """Return the upserts of an entity that are not held."""
    if name not in stops.parts:
        return pl.DataFrame(schema={"sourcedId": pl.String, PARENTS: pl.String})
    return stops.parts[name].upserts.filter(pl.col(HOLD).is_null())
