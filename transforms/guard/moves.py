"""Limits on people who change schools or classes, and on people who leave one class."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from transforms.changes import PARENTS, SCHOOL, EntityChanges
from transforms.checks.references import parent_ids
from transforms.diff import school_of
from transforms.grammar import agree, count_of
from transforms.guard.context import GuardContext, with_columns_of
from transforms.guard.holds import REMOVAL_ACTIONS, GuardReview, RecordKind
from transforms.guard.limits import GuardLimits, LimitReading, limit_text, most_allowed
from transforms.schemas import ENTITIES

FIRST = 3
PLACED = ("classSourcedId", "userSourcedId")
ENROLLMENTS = RecordKind("enrollments")
IN_CLASS = {"classSourcedId": "class", "userSourcedId": "person"}


def limit_moves(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit moves: of people to other schools, and into classes that were there before.

    Also limits how many such classes one person joins. People who join a new class are no move, nor
    are the classes of a new person: terms, schools and years begin like that.
    """
    for kind in stops.kinds:
        if kind.entity == "users":
            moved = (
                stops.updates("users")
                .filter(kind.chosen)
                .join(to_other_schools(stops, context), on="sourcedId", how="semi")
            )
            _limit_moves(stops, context, limits, kind, moved, "in another school")
        if kind.entity == "enrollments" and context.settled is not None:
            new = _into_earlier_classes(stops, context, kind, context.settled)
            _limit_one_person(stops, limits, new)
            where = "of people and classes that were there before"
            _limit_moves(stops, context, limits, kind, new, where)


def to_other_schools(stops: GuardReview, context: GuardContext) -> pl.DataFrame:
    """Return the users whom an update moves to another school: `sourcedId`, old school (`was`)."""
    sent = context.sent.get("users", pl.DataFrame(schema={"sourcedId": pl.String}))
    was = sent.select("sourcedId", school_of(ENTITIES["users"], sent).alias("was"))
    updates = stops.updates("users").select("sourcedId", SCHOOL)
    return (
        updates.join(was, on="sourcedId", how="inner")
        .filter(pl.col(SCHOOL) != pl.col("was"))
        .drop(SCHOOL)
    )


def _into_earlier_classes(
    stops: GuardReview, context: GuardContext, kind: RecordKind, settled: Mapping[str, pl.Series]
) -> pl.DataFrame:
    """Return enrollments that are new or change their class, if class and person are not new.

    `settled` are the ids of earlier classes and people. If it has no ids of an entity, other feeds
    send that entity, and all of its records count as earlier.
    """
    was = context.records("enrollments", "classSourcedId")
    updated = with_columns_of(stops.updates("enrollments").filter(kind.chosen), PLACED)
    moved = updated.join(was, on="sourcedId", how="inner", suffix="_was").filter(
        pl.col("classSourcedId") != pl.col("classSourcedId_was")
    )
    created = with_columns_of(stops.created("enrollments").filter(kind.chosen), PLACED)
    new = pl.concat([created, moved.select(created.columns)])
    for name, column in (("classes", "classSourcedId"), ("users", "userSourcedId")):
        if name in settled:
            new = new.filter(pl.col(column).is_in(settled[name].implode()))
    return new


def _limit_one_person(stops: GuardReview, limits: GuardLimits, new: pl.DataFrame) -> None:
    classes = new.group_by("userSourcedId").agg(pl.col("classSourcedId").n_unique())
    many = classes.filter(pl.col("classSourcedId") > limits.person_records).sort("userSourcedId")
    first = ", ".join(f"{one} into {count:,}" for one, count in many.head(FIRST).iter_rows())
    more = f", and {many.height - FIRST:,} more" if many.height > FIRST else ""
    sentence = (
        f"enrollments: more than {count_of(limits.person_records, 'classes')} at once for one "
        f"person ({first}{more}). If that is intended, approve."
    )
    ids = new.join(many, on="userSourcedId", how="semi")["sourcedId"].implode()
    stops.stop("moved", sentence, "enrollments", upserts=pl.col("sourcedId").is_in(ids))


def _limit_moves(
    stops: GuardReview,
    context: GuardContext,
    limits: GuardLimits,
    kind: RecordKind,
    moved: pl.DataFrame,
    where: str,
) -> None:
    total = kind.total(context)
    most = most_allowed(total, limits.moved_percent, limits.moved_records)
    stops.read(LimitReading("moved", f"{kind.word} {where}", moved.height, most, total))
    if total and moved.height > most:
        limit = limit_text(limits.moved_percent, limits.moved_records)
        sentence = (
            f"{count_of(moved.height, kind.word)} would be {where} "
            f"({total:,} {agree(total, 'are')} there now), more than {limit}. "
            "Check whether a column of the export was sorted or shifted by itself, or is of "
            f"another school or year.{_removed_too(stops, kind)}"
        )
        ids = moved["sourcedId"].implode()
        stops.stop("moved", sentence, kind.entity, upserts=pl.col("sourcedId").is_in(ids))


def _removed_too(stops: GuardReview, kind: RecordKind) -> str:
    """Return a sentence if people lose enrollments too: in some layouts, those say their school."""
    part = stops.parts.get("enrollments")
    removed = part.removals.height if part and kind.entity == "users" else 0
    if not removed:
        return ""
    return (
        f" {count_of(removed, 'enrollments')} would be removed too; check that the export's "
        "enrollments are complete."
    )


def hold_emptied_classes(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Hold changes that take most of its people from a class that goes on.

    A person who comes back into the class under another id has not left.
    """
    if "enrollments" not in stops.parts or context.sizes.is_empty():
        return
    left, joined = _left_and_joined(stops, context)
    counted = left.group_by("class").agg("sourcedId", pl.len().cast(pl.Int64).alias("count"))
    joined_counts = joined.group_by("class").len("come")
    net = counted.join(joined_counts, on="class", how="left").with_columns(
        pl.col("count") - pl.col("come").fill_null(0)
    )
    classes = net.join(context.sizes, on="class", how="inner").filter(
        pl.col("records") >= limits.class_records
    )
    if "classes" in stops.parts:
        removed = stops.parts["classes"].of(*REMOVAL_ACTIONS, "stay")["sourcedId"]
        classes = classes.filter(~pl.col("class").is_in(removed.implode()))
    numbers = classes.select("class", "count", "records")
    for one, count, total in numbers.sort("count", descending=True).head(1).iter_rows():
        what = f"people who leave class {context.name('classes', one)}"
        most = most_allowed(total, limits.class_percent)
        stops.read(LimitReading("class", what, count, most, total))
    emptied = classes.filter(pl.col("count") > pl.col("records") * limits.class_percent / 100).sort(
        "class"
    )
    if not emptied.height:
        return
    first = ", ".join(
        f"{context.name('classes', one)} loses {count:,} of its {count_of(total, 'people')}"
        for one, count, total in emptied.head(FIRST).select("class", "count", "records").iter_rows()
    )
    others = emptied.height - FIRST
    more = f", and {count_of(others, 'more classes')}" if others > 0 else ""
    sentence = (
        f"Class {first}{more}: more than {limits.class_percent:g} % of a class that goes on. "
        "If its people have left it, approve; else correct the export."
    )
    chosen = pl.col("sourcedId").is_in(emptied["sourcedId"].explode().implode())
    stops.stop("class_emptied", sentence, "enrollments", removals=chosen, upserts=chosen)


def _left_and_joined(
    stops: GuardReview, context: GuardContext
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the enrollments whose person leaves the class, and those whose person joins it.

    Both have the columns `sourcedId`, `class`, `person`.
    """
    part = stops.parts["enrollments"]
    lost = pl.col("sourcedId").is_in(stops.taken(ENROLLMENTS)["sourcedId"].implode())
    now = with_columns_of(part.upserts, PLACED).filter(~lost).rename(IN_CLASS)
    sent = context.records("enrollments", *IN_CLASS).rename(IN_CLASS)
    moved = sent.join(now, on="sourcedId", how="semi").join(now, on=list(now.columns), how="anti")
    gone = (
        pl.concat([sent.filter(lost), _removed_seats(part).filter(lost), moved])
        .unique("sourcedId")
        .drop_nulls()
    )
    seat = ["class", "person"]
    left = gone.join(now, on=seat, how="anti")
    joined = now.join(gone, on=seat, how="anti").join(sent, on=["sourcedId", *seat], how="anti")
    return left, joined


def _removed_seats(part: EntityChanges) -> pl.DataFrame:
    """Return the class and the person of each removed enrollment, as the ledger has them."""
    if PARENTS not in part.removals.columns:
        return pl.DataFrame(schema=dict.fromkeys(("sourcedId", "class", "person"), pl.String))
    parents = {
        word: parent_ids(pl.col(PARENTS), entity).list.first()
        for word, entity in (("class", "classes"), ("person", "users"))
    }
    return part.removals.select("sourcedId", **parents)
