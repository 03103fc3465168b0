"""Limits of how much is taken away, changed and added in one run; what each of them showed is kept as a reading."""

from __future__ import annotations

from collections import Counter

import polars as pl

from transforms.changes import ACTION, SCHOOL
from transforms.guard.limits import Limits, Reading, allowed, allows, told
from transforms.guard.past import Past
from transforms.guard.stops import ALL, TAKING, Kind, Stops
from transforms.schemas import ENTITIES

TAKEN = pl.col(TAKING).is_not_null()
UPDATE = pl.col(ACTION) == "update"


def vanished(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit what is taken away of each entity, of each of its groups, and of all together."""
    everything = sum(_vanished(stops, past, limits, name) for name in list(stops.parts))
    total, percent, records = past.everything, limits.vanished_percent, limits.vanished_records
    stops.read(Reading("vanished", "removed of all records", everything, allowed(total, percent, records), total))
    if not allows(everything, total, percent, records):
        sentence = f"{everything:,} of all {total:,} records vanished, more than {told(percent, records)}."
        stops.stop("vanished", sentence, *stops.parts, removals=ALL, upserts=TAKEN)


def _vanished(stops: Stops, past: Past, limits: Limits, entity: str) -> int:
    """Stop all that is taken away of an entity if it is too much of one kind, or of all kinds; say how much it is."""
    percent, records = limits.vanished(entity), limits.vanished_records
    taken = stops.taken(Kind(entity))
    sums, too_many = [], not allows(taken.height, past.total(entity), percent, records)
    for kind in (kind for kind in stops.kinds if kind.entity == entity):
        here, total = stops.taken(kind), kind.total(past)
        most = allowed(total, percent, records)
        stops.read(Reading("vanished", f"removed {kind.word}", here.height, most, total))
        sums += [_lost(here, total, kind.word)] if here.height else []
        too_many |= here.height > most
    if too_many:
        sentence = f"{'; '.join(sums)}, more than {told(percent, records)}.{files(entity, stops, past)}"
        stops.stop("vanished", sentence, entity, removals=ALL, upserts=TAKEN)
    return taken.height


def of_schools(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit what is taken away of each entity in one school, and, beyond a few, of each group of people and of their enrollments.

    Sessions are those of the district, and have limits of their own.
    """
    groups = [kind for kind in stops.kinds if kind.group]
    for kind in (*groups, *(Kind(name) for name in stops.parts if name not in ("orgs", "academicSessions"))):
        records = limits.school_records if kind.group else 0
        taken = stops.taken(kind)
        there = past.of_schools(kind.entity, kind.group)
        # A record that belongs to no school is limited with its kind.
        gone = taken.drop_nulls(SCHOOL).group_by(SCHOOL).len()
        lost = _less_those_who_come(gone, stops, kind).join(there, left_on=SCHOOL, right_on="school", how="left")
        for school, count, total in lost.sort("len", descending=True).head(1).iter_rows():
            most = allowed(total or 0, limits.school_percent, records)
            stops.read(
                Reading("school", f"removed {kind.word} of {past.name('orgs', school)}", count, most, total or 0)
            )
        for school, count, total in lost.sort(SCHOOL).iter_rows():
            if not allows(count, total or 0, limits.school_percent, records):
                _of_school(stops, past, limits, kind, school, total or 0)


def _less_those_who_come(gone: pl.DataFrame, stops: Stops, kind: Kind) -> pl.DataFrame:
    """Of enrollments by role, leave out as many as come into the same school: one teacher takes the classes of another."""
    if kind.entity != "enrollments" or not kind.group:
        return gone
    come = stops.created("enrollments").filter(kind.chosen).group_by(SCHOOL).len("come")
    net = gone.join(come, on=SCHOOL, how="left").with_columns(
        pl.col("len").cast(pl.Int64) - pl.col("come").fill_null(0)
    )
    return net.filter(pl.col("len") > 0).drop("come")


def _of_school(stops: Stops, past: Past, limits: Limits, kind: Kind, school: str, total: int) -> None:
    taken = stops.taken(kind).filter(pl.col(SCHOOL) == school)
    limit = told(limits.school_percent, limits.school_records if kind.group else 0)
    sentence = f"{past.name('orgs', school)}: {_lost(taken, total, kind.word)}, more than {limit} of a school."
    here = kind.chosen & (pl.col(SCHOOL) == school)
    stops.stop("vanished_of_school", sentence, kind.entity, school=school, removals=here, upserts=here & TAKEN)


def week(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit what is taken away in seven days, so that a little each night is not let through either."""
    counted: Counter[str] = Counter()
    for kind in stops.kinds:
        counted[kind.entity] += stops.taken(kind).height
    counted = +counted
    if counted and past.week is None:
        sentence = "It is not known how much vanished in the last seven days, so that this cannot be limited."
        stops.stop("vanished_in_week", sentence, *stops.parts, removals=ALL, upserts=TAKEN)
        return
    earlier = past.week or {}
    for name, count in counted.items():
        _week(stops, limits, name, count, earlier.get(name, 0), past.total(name), (name,))
    _week(stops, limits, "records", counted.total(), sum(earlier.values()), past.everything, tuple(stops.parts))


def _week(stops: Stops, limits: Limits, word: str, count: int, earlier: int, left: int, names: tuple[str, ...]) -> None:
    """Limit what went in the days before and what goes now; of these, `left` are still there."""
    if not (count and earlier):
        return
    total, percent, records = left + earlier, limits.week_percent, limits.week_records
    stops.read(
        Reading("week", f"removed {word} in seven days", count + earlier, allowed(total, percent, records), total)
    )
    if not allows(count + earlier, total, percent, records):
        every = "all " if len(names) > 1 else ""
        sentence = f"{count + earlier:,} of {every}{total:,} {word} were removed, locked out or ended in seven days, more than {told(percent, records)}."
        stops.stop("vanished_in_week", sentence, *names, removals=ALL, upserts=TAKEN)


def updated(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit the updates of each kind, and of all together."""
    limit, percent, records = told(limits.updated_percent, limits.updated_records), limits.updated_percent, limits.updated_records  # fmt: skip
    everything = 0
    for kind in stops.kinds:
        count, total = stops.updates(kind.entity).filter(kind.chosen).height, kind.total(past)
        everything += count
        stops.read(Reading("updated", f"updated {kind.word}", count, allowed(total, percent, records), total))
        if not allows(count, total, percent, records):
            sentence = f"{count:,} of {total:,} {kind.word} would be updated, more than {limit}."
            stops.stop("updated", sentence, kind.entity, upserts=UPDATE & kind.chosen)
    total = past.everything
    if not allows(everything, total, percent, records):
        sentence = f"{everything:,} of all {total:,} records would be updated, more than {limit}."
        stops.stop("updated", sentence, *stops.parts, upserts=UPDATE)


def created(stops: Stops, past: Past, limits: Limits) -> None:
    """Limit new people of schools that were there before; a new school brings its own, and the first load is no growth."""
    for kind in (kind for kind in stops.kinds if kind.entity == "users"):
        there = past.of_schools(kind.entity, kind.group).drop_nulls("school").rename({"school": SCHOOL})
        new = stops.created("users").filter(kind.chosen).join(there, on=SCHOOL, how="semi")
        total = kind.total(past)
        most = allowed(total, limits.created_percent, limits.created_records)
        stops.read(Reading("created", f"new {kind.word}", new.height, most, total))
        if total and past.settled is not None and new.height > most:
            limit = told(limits.created_percent, limits.created_records)
            sentence = (
                f"{new.height:,} new {kind.word} would come to schools that have {total:,} of them, more than {limit}. "
                "See whether this is another district's export, or whether the ids of all have changed."
            )
            stops.stop("created", sentence, "users", upserts=pl.col("sourcedId").is_in(new["sourcedId"].implode()))


def rejected(stops: Stops, past: Past, limits: Limits) -> None:
    """Hold all changes of a file too many of whose rows are wrong; what was never loaded has nothing to lose.

    The worse a file is, the less of it there is to hold: what every roster needs is told all the same, but for rows that never were right.
    """
    for name, file in past.rejections.items():
        if name not in stops.names or not past.total(name):
            continue
        most = allowed(file.rows, limits.rejected_percent)
        stops.read(Reading("rejected", f"rejected rows of {file.file}", file.faults, most, file.rows))
        if file.faults <= most:
            continue
        cause = f" Most often: {file.cause}. {file.fix}" if file.cause else ""
        sentence = (
            f"{file.file}: {file.faults:,} of {file.rows:,} rows were rejected for a fault of their own, "
            f"more than {limits.rejected_percent:g} %.{cause}"
        )
        if name in stops.parts:
            stops.stop("rejected", sentence, name, removals=ALL, upserts=ALL)
        if _misses_many(stops, past, limits, name) and not any(hold.entity == name for hold in stops.holds):
            stops.tell("undelivered", sentence, name, file.faults)


def _misses_many(stops: Stops, past: Past, limits: Limits, name: str) -> bool:
    """Whether many of the records that are there are not as they were in this drop, of a kind that every roster needs."""
    part, total = stops.parts.get(name) or stops.idle[name], past.total(name)
    return ENTITIES[name].needed and not allows(total - part.counts.get("unchanged", 0), total, limits.rejected_percent)


def files(entity: str, stops: Stops, past: Past) -> str:
    """Say how many records a drop has of an entity and how many the last one had, if that explains what is missing."""
    now, before = stops.parts[entity].counts.get("read", 0), past.read.get(entity, 0)
    if not before or now >= before or not stops.parts[entity].whole:
        return ""
    file = past.rejections[entity].file if entity in past.rejections else f"The drop's {entity}"
    return f" {file}: {now:,} {entity}, last time {before:,}."


def _lost(taken: pl.DataFrame, total: int, word: str) -> str:
    """Say what is taken away: `12 of 40 students vanished, 3 would be locked out`."""
    ways = Counter(taken[TAKING].to_list())
    gone = ways.pop(None, 0)
    told = [f"{gone:,} vanished"] if gone else []
    told += [f"{count:,} would be {way}" for way, count in sorted(ways.items())]
    return f"{taken.height:,} of {total:,} {word} vanished" if len(told) == 1 and gone else f"{taken.height:,} of {total:,} {word}: {', '.join(told)}"  # fmt: skip
