"""Classes that lose most of their people, while the class itself goes on."""

from __future__ import annotations

import polars as pl

from transforms.ancestry import ids_in
from transforms.changes import PARENTS, EntityChanges
from transforms.guard.limits import Limits, Reading, allowed
from transforms.guard.past import Past, with_columns_of
from transforms.guard.stops import VANISHED, Kind, Stops

FIRST = 3
ENROLLMENTS = Kind("enrollments")
IN_CLASS = {"classSourcedId": "class", "userSourcedId": "person"}


def emptied_classes(stops: Stops, past: Past, limits: Limits) -> None:
    """Stop what takes most of a class's people from it; whoever is put back into it under another id has not left."""
    if "enrollments" not in stops.parts or past.sizes.is_empty():
        return
    left, come = _left_and_come(stops, past)
    counted = left.group_by("class").agg("sourcedId", pl.len().cast(pl.Int64).alias("count"))
    net = counted.join(come.group_by("class").len("come"), on="class", how="left").with_columns(
        pl.col("count") - pl.col("come").fill_null(0)
    )
    met = net.join(past.sizes, on="class", how="inner").filter(pl.col("records") >= limits.class_records)
    if "classes" in stops.parts:
        removed = stops.parts["classes"].of(*VANISHED, "stay")["sourcedId"]
        met = met.filter(~pl.col("class").is_in(removed.implode()))
    for one, count, total in met.sort("count", descending=True).head(1).select("class", "count", "records").iter_rows():
        most = allowed(total, limits.class_percent)
        stops.read(Reading("class", f"people who leave class {past.name('classes', one)}", count, most, total))
    lost = met.filter(pl.col("count") > pl.col("records") * limits.class_percent / 100).sort("class")
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


def _left_and_come(stops: Stops, past: Past) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The enrollments (`sourcedId`, `class`, `person`) whose person is in that class no more, and those of who was not in it before."""
    part = stops.parts["enrollments"]
    taken = pl.col("sourcedId").is_in(stops.taken(ENROLLMENTS)["sourcedId"].implode())
    now = with_columns_of(part.upserts, ["classSourcedId", "userSourcedId"]).filter(~taken).rename(IN_CLASS)
    sent = past.records("enrollments", *IN_CLASS).rename(IN_CLASS)
    moved = sent.join(now, on="sourcedId", how="semi").join(now, on=list(now.columns), how="anti")
    gone = pl.concat([sent.filter(taken), _as_known(part).filter(taken), moved]).unique("sourcedId").drop_nulls()
    place = ["class", "person"]
    return gone.join(now, on=place, how="anti"), now.join(gone, on=place, how="anti").join(sent, on=["sourcedId", *place], how="anti")  # fmt: skip


def _as_known(part: EntityChanges) -> pl.DataFrame:
    """The class and the person of each enrollment that vanished, as the ledger knows them."""
    if PARENTS not in part.removals.columns:
        return pl.DataFrame(schema=dict.fromkeys(("sourcedId", "class", "person"), pl.String))
    of = {word: ids_in(pl.col(PARENTS), entity).list.first() for word, entity in (("class", "classes"), ("person", "users"))}  # fmt: skip
    return part.removals.select("sourcedId", **of)
