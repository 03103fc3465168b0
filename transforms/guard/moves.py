"""People who are put elsewhere: into another school, or into classes that were there before."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.changes import PARENTS, SCHOOL, EntityChanges
from transforms.checks.references import ids_in
from transforms.diff import school_of
from transforms.guard.context import GuardContext, with_columns_of
from transforms.guard.holds import VANISHED, HeldKind, Stops
from transforms.guard.limits import GuardLimits, LimitReading, allowed, limit_text
from transforms.schemas import ENTITIES

FIRST = 3
PLACED = ("classSourcedId", "userSourcedId")


def moves(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
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


def to_other_schools(stops: Stops, past: GuardContext) -> pl.DataFrame:
    """The users (`sourcedId`) that an update puts into another school, and the one where they `was`."""
    sent = past.sent.get("users", pl.DataFrame(schema={"sourcedId": pl.String}))
    was = sent.select("sourcedId", school_of(ENTITIES["users"], sent).alias("was"))
    updates = stops.updates("users").select("sourcedId", SCHOOL)
    return (
        updates.join(was, on="sourcedId", how="inner")
        .filter(pl.col(SCHOOL) != pl.col("was"))
        .drop(SCHOOL)
    )


def _into_old_classes(
    stops: Stops, past: GuardContext, kind: HeldKind, settled: Mapping[str, pl.Series]
) -> pl.DataFrame:
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


def _one_person(stops: Stops, limits: GuardLimits, new: pl.DataFrame) -> None:
    classes = new.group_by("userSourcedId").agg(pl.col("classSourcedId").n_unique())
    many = classes.filter(pl.col("classSourcedId") > limits.person_records).sort("userSourcedId")
    told = ", ".join(f"{one} into {count:,}" for one, count in many.head(FIRST).iter_rows())
    more = f", and {many.height - FIRST:,} more" if many.height > FIRST else ""
    sentence = f"enrollments: more than {limits.person_records} classes at once for one person ({told}{more}). If that is meant, approve."
    theirs = new.join(many, on="userSourcedId", how="semi")["sourcedId"]
    stops.stop(
        "moved", sentence, "enrollments", upserts=pl.col("sourcedId").is_in(theirs.implode())
    )


def _limit(
    stops: Stops,
    past: GuardContext,
    limits: GuardLimits,
    kind: HeldKind,
    moved: pl.DataFrame,
    where: str,
) -> None:
    total = kind.total(past)
    most = allowed(total, limits.moved_percent, limits.moved_records)
    stops.read(LimitReading("moved", f"{kind.word} {where}", moved.height, most, total))
    if total and moved.height > most:
        limit = limit_text(limits.moved_percent, limits.moved_records)
        sentence = (
            f"{moved.height:,} {kind.word} would be {where} ({total:,} are there now), more than {limit}. "
            "See whether a column of the export was sorted or shifted by itself, or is of another school or year."
        )
        stops.stop(
            "moved",
            sentence,
            kind.entity,
            upserts=pl.col("sourcedId").is_in(moved["sourcedId"].implode()),
        )


ENROLLMENTS = HeldKind("enrollments")
IN_CLASS = {"classSourcedId": "class", "userSourcedId": "person"}


def emptied_classes(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Stop what takes most of a class's people from it; whoever is put back into it under another id has not left."""
    if "enrollments" not in stops.parts or past.sizes.is_empty():
        return
    left, come = _left_and_come(stops, past)
    counted = left.group_by("class").agg("sourcedId", pl.len().cast(pl.Int64).alias("count"))
    net = counted.join(come.group_by("class").len("come"), on="class", how="left").with_columns(
        pl.col("count") - pl.col("come").fill_null(0)
    )
    met = net.join(past.sizes, on="class", how="inner").filter(
        pl.col("records") >= limits.class_records
    )
    if "classes" in stops.parts:
        removed = stops.parts["classes"].of(*VANISHED, "stay")["sourcedId"]
        met = met.filter(~pl.col("class").is_in(removed.implode()))
    for one, count, total in (
        met.sort("count", descending=True).head(1).select("class", "count", "records").iter_rows()
    ):
        most = allowed(total, limits.class_percent)
        stops.read(
            LimitReading(
                "class", f"people who leave class {past.name('classes', one)}", count, most, total
            )
        )
    lost = met.filter(pl.col("count") > pl.col("records") * limits.class_percent / 100).sort(
        "class"
    )
    if not lost.height:
        return
    told = [
        f"{past.name('classes', one)} loses {count:,} of its {total:,} people"
        for one, count, total in lost.head(FIRST).select("class", "count", "records").iter_rows()
    ]
    more = f", and {lost.height - FIRST:,} more classes" if lost.height > FIRST else ""
    sentence = (
        f"Class {', '.join(told)}{more}: more than {limits.class_percent:g} % of a class that goes on. "
        "If its people have left it, approve; else correct the export."
    )
    chosen = pl.col("sourcedId").is_in(lost["sourcedId"].explode().implode())
    stops.stop("class_emptied", sentence, "enrollments", removals=chosen, upserts=chosen)


def _left_and_come(stops: Stops, past: GuardContext) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The enrollments (`sourcedId`, `class`, `person`) whose person is in that class no more, and those of who was not in it before."""
    part = stops.parts["enrollments"]
    taken = pl.col("sourcedId").is_in(stops.taken(ENROLLMENTS)["sourcedId"].implode())
    now = (
        with_columns_of(part.upserts, ["classSourcedId", "userSourcedId"])
        .filter(~taken)
        .rename(IN_CLASS)
    )
    sent = past.records("enrollments", *IN_CLASS).rename(IN_CLASS)
    moved = sent.join(now, on="sourcedId", how="semi").join(now, on=list(now.columns), how="anti")
    gone = (
        pl.concat([sent.filter(taken), _as_known(part).filter(taken), moved])
        .unique("sourcedId")
        .drop_nulls()
    )
    place = ["class", "person"]
    return gone.join(now, on=place, how="anti"), now.join(gone, on=place, how="anti").join(
        sent, on=["sourcedId", *place], how="anti"
    )


def _as_known(part: EntityChanges) -> pl.DataFrame:
    """The class and the person of each enrollment that vanished, as the ledger knows them."""
    if PARENTS not in part.removals.columns:
        return pl.DataFrame(schema=dict.fromkeys(("sourcedId", "class", "person"), pl.String))
    of = {
        word: ids_in(pl.col(PARENTS), entity).list.first()
        for word, entity in (("class", "classes"), ("person", "users"))
    }
    return part.removals.select("sourcedId", **of)
