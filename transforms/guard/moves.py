"""People who are put elsewhere: into another school, or into classes that were there before."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.changes import SCHOOL
from transforms.diff import school_of
from transforms.guard.limits import Limits, Reading, allowed, told
from transforms.guard.past import Past, with_columns_of
from transforms.guard.stops import Kind, Stops
from transforms.schemas import ENTITIES

FIRST = 3
PLACED = ("classSourcedId", "userSourcedId")


def moves(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit how many people change schools, how many come into classes that were there before, and into how many one person comes.

    What a new class gets, and what a new person gets, is no move: a term, a school and a year begin so.
    """
    for kind in stops.kinds:
        if kind.entity == "users":
            moved = (
                stops.updates("users")
                .filter(kind.chosen)
                .join(to_other_schools(stops, past), on="sourcedId", how="semi")
            )
            _limit(stops, past, limits, kind, moved, "in another school")
        if kind.entity == "enrollments" and past.settled is not None:
            new = _into_old_classes(stops, past, kind, past.settled)
            _one_person(stops, limits, new)
            _limit(stops, past, limits, kind, new, "of people and classes that were there before")


def to_other_schools(stops: Stops, past: Past) -> pl.DataFrame:
    """The users (`sourcedId`) that an update puts into another school, and the one where they `was`."""
    sent = past.sent.get("users", pl.DataFrame(schema={"sourcedId": pl.String}))
    was = sent.select("sourcedId", school_of(ENTITIES["users"], sent).alias("was"))
    updates = stops.updates("users").select("sourcedId", SCHOOL)
    return updates.join(was, on="sourcedId", how="inner").filter(pl.col(SCHOOL) != pl.col("was")).drop(SCHOOL)


def _into_old_classes(stops: Stops, past: Past, kind: Kind, settled: Mapping[str, pl.Series]) -> pl.DataFrame:
    """New enrollments, and those of another class than before, but for those of new classes and people; what other feeds have is not known to be new."""
    was = past.records("enrollments", "classSourcedId")
    placed = with_columns_of(stops.updates("enrollments").filter(kind.chosen), PLACED)
    elsewhere = placed.join(was, on="sourcedId", how="inner", suffix="_was").filter(
        pl.col("classSourcedId") != pl.col("classSourcedId_was")
    )
    created = with_columns_of(stops.created("enrollments").filter(kind.chosen), PLACED)
    new = pl.concat([created, elsewhere.select(created.columns)])
    for name, column in (("classes", "classSourcedId"), ("users", "userSourcedId")):
        if name in settled:
            new = new.filter(pl.col(column).is_in(settled[name].implode()))
    return new


def _one_person(stops: Stops, limits: Limits, new: pl.DataFrame) -> None:
    classes = new.group_by("userSourcedId").agg(pl.col("classSourcedId").n_unique())
    many = classes.filter(pl.col("classSourcedId") > limits.person_records).sort("userSourcedId")
    told = ", ".join(f"{one} into {count:,}" for one, count in many.head(FIRST).iter_rows())
    more = f", and {many.height - FIRST:,} more" if many.height > FIRST else ""
    sentence = f"enrollments: more than {limits.person_records} classes at once for one person ({told}{more}). If that is meant, approve."
    theirs = new.join(many, on="userSourcedId", how="semi")["sourcedId"]
    stops.stop("moved", sentence, "enrollments", upserts=pl.col("sourcedId").is_in(theirs.implode()))


def _limit(stops: Stops, past: Past, limits: Limits, kind: Kind, moved: pl.DataFrame, where: str) -> None:
    total = kind.total(past)
    most = allowed(total, limits.moved_percent, limits.moved_records)
    stops.read(Reading("moved", f"{kind.word} {where}", moved.height, most, total))
    if total and moved.height > most:
        limit = told(limits.moved_percent, limits.moved_records)
        sentence = (
            f"{moved.height:,} {kind.word} would be {where} ({total:,} are there now), more than {limit}. "
            "See whether a column of the export was sorted or shifted by itself, or is of another school or year."
        )
        stops.stop("moved", sentence, kind.entity, upserts=pl.col("sourcedId").is_in(moved["sourcedId"].implode()))
