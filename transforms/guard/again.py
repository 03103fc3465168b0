"""The rules that made a plan, applied once more when it is approved: what needs what may be otherwise by now."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.ancestry import ids_in
from transforms.changes import HOLD, PARENTS, Changes
from transforms.guard.guard import Guarded
from transforms.guard.past import Past
from transforms.guard.special import FIRST, followers, still_named
from transforms.guard.stops import Stops
from transforms.schemas import ENTITIES
from transforms.vanishing import OWNERS


def judged_again(changes: Changes, children: pl.DataFrame, there: Mapping[str, pl.Series]) -> Guarded:
    """Hold what of a plan would be sent or deleted although it needs, or is needed by, what the plan did not foresee.

    `children` are as in `Past`, but for those of which the plan told already. `there` are the ids, by entity, that the target holds and records may name; an entity
    that is not among its keys is not looked at.
    """
    past = Past(children=children)
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
        named = sent.select("sourcedId", parent=ids_in(pl.col(PARENTS), parent)).explode("parent").drop_nulls("parent")
        stay = ids.filter(~ids.is_in(stops.going(parent).implode()))
        known = pl.concat([stay, _sent(stops, parent)["sourcedId"]])
        found.append(named.filter(~pl.col("parent").is_in(known.implode()))["sourcedId"])
    return pl.concat(found).unique(maintain_order=True)


def _sent(stops: Stops, name: str) -> pl.DataFrame:
    """The records that are to be sent, as far as nothing stops them."""
    if name not in stops.parts:
        return pl.DataFrame(schema={"sourcedId": pl.String, PARENTS: pl.String})
    return stops.parts[name].upserts.filter(pl.col(HOLD).is_null())
