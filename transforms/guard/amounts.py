"""Limits of how much is taken away, changed and added in one run; what each of them showed is kept as a reading."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from transforms.changes import ACTION, SCHOOL
from transforms.guard.context import GuardContext, Rejections
from transforms.guard.holds import ALL, TAKING, HeldKind, Stops
from transforms.guard.limits import GuardLimits, LimitReading, allowed, allows, limit_text
from transforms.schemas import ENTITIES

TAKEN = pl.col(TAKING).is_not_null()
UPDATE = pl.col(ACTION) == "update"


def vanished(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Limit what is taken away of each entity, of each of its groups, and of all together."""
    everything = sum(_vanished(stops, past, limits, name) for name in list(stops.parts))
    total, percent, records = past.everything, limits.vanished_percent, limits.vanished_records
    stops.read(
        LimitReading(
            "vanished",
            "removed of all records",
            everything,
            allowed(total, percent, records),
            total,
        )
    )
    if not allows(everything, total, percent, records):
        sentence = f"{everything:,} of all {total:,} records vanished, more than {limit_text(percent, records)}."
        stops.stop("vanished", sentence, *stops.parts, removals=ALL, upserts=TAKEN)


def _vanished(stops: Stops, past: GuardContext, limits: GuardLimits, entity: str) -> int:
    """Stop all that is taken away of an entity if it is too much of one kind, or of all kinds; say how much it is."""
    percent, records = limits.vanished(entity), limits.vanished_records
    taken = stops.taken(HeldKind(entity))
    sums, too_many = [], not allows(taken.height, past.total(entity), percent, records)
    for kind in (kind for kind in stops.kinds if kind.entity == entity):
        here, total = stops.taken(kind), kind.total(past)
        most = allowed(total, percent, records)
        stops.read(LimitReading("vanished", f"removed {kind.word}", here.height, most, total))
        sums += [_lost(here, total, kind.word)] if here.height else []
        too_many |= here.height > most
    if too_many:
        sentence = f"{'; '.join(sums)}, more than {limit_text(percent, records)}.{files(entity, stops, past)}"
        stops.stop("vanished", sentence, entity, removals=ALL, upserts=TAKEN)
    return taken.height


def of_schools(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Limit what is taken away of each entity in one school, and, beyond a few, of each group of people and of their enrollments.

    Sessions are those of the district, and have limits of their own.
    """
    groups = [kind for kind in stops.kinds if kind.group]
    for kind in (
        *groups,
        *(HeldKind(name) for name in stops.parts if name not in ("orgs", "academicSessions")),
    ):
        records = limits.school_records if kind.group else 0
        taken = stops.taken(kind)
        there = past.of_schools(kind.entity, kind.group)
        # A record that belongs to no school is limited with its kind.
        gone = taken.drop_nulls(SCHOOL).group_by(SCHOOL).len()
        lost = _less_those_who_come(gone, stops, kind).join(
            there, left_on=SCHOOL, right_on="school", how="left"
        )
        for school, count, total in lost.sort("len", descending=True).head(1).iter_rows():
            most = allowed(total or 0, limits.school_percent, records)
            stops.read(
                LimitReading(
                    "school",
                    f"removed {kind.word} of {past.name('orgs', school)}",
                    count,
                    most,
                    total or 0,
                )
            )
        for school, count, total in lost.sort(SCHOOL).iter_rows():
            if not allows(count, total or 0, limits.school_percent, records):
                _of_school(stops, past, limits, kind, school, total or 0)


def _less_those_who_come(gone: pl.DataFrame, stops: Stops, kind: HeldKind) -> pl.DataFrame:
    """Of enrollments by role, leave out as many as come into the same school: one teacher takes the classes of another."""
    if kind.entity != "enrollments" or not kind.group:
        return gone
    come = stops.created("enrollments").filter(kind.chosen).group_by(SCHOOL).len("come")
    net = gone.join(come, on=SCHOOL, how="left").with_columns(
        pl.col("len").cast(pl.Int64) - pl.col("come").fill_null(0)
    )
    return net.filter(pl.col("len") > 0).drop("come")


def _of_school(
    stops: Stops, past: GuardContext, limits: GuardLimits, kind: HeldKind, school: str, total: int
) -> None:
    taken = stops.taken(kind).filter(pl.col(SCHOOL) == school)
    limit = limit_text(limits.school_percent, limits.school_records if kind.group else 0)
    sentence = f"{past.name('orgs', school)}: {_lost(taken, total, kind.word)}, more than {limit} of a school."
    here = kind.chosen & (pl.col(SCHOOL) == school)
    stops.stop(
        "vanished_of_school",
        sentence,
        kind.entity,
        school=school,
        removals=here,
        upserts=here & TAKEN,
    )


def week(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
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
    _week(
        stops,
        limits,
        "records",
        counted.total(),
        sum(earlier.values()),
        past.everything,
        tuple(stops.parts),
    )


def _week(
    stops: Stops,
    limits: GuardLimits,
    word: str,
    count: int,
    earlier: int,
    left: int,
    names: tuple[str, ...],
) -> None:
    """Limit what went in the days before and what goes now; of these, `left` are still there."""
    if not (count and earlier):
        return
    total, percent, records = left + earlier, limits.week_percent, limits.week_records
    stops.read(
        LimitReading(
            "week",
            f"removed {word} in seven days",
            count + earlier,
            allowed(total, percent, records),
            total,
        )
    )
    if not allows(count + earlier, total, percent, records):
        every = "all " if len(names) > 1 else ""
        sentence = f"{count + earlier:,} of {every}{total:,} {word} were removed, locked out or ended in seven days, more than {limit_text(percent, records)}."
        stops.stop("vanished_in_week", sentence, *names, removals=ALL, upserts=TAKEN)


def updated(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Limit the updates of each kind, and of all together."""
    limit, percent, records = (
        limit_text(limits.updated_percent, limits.updated_records),
        limits.updated_percent,
        limits.updated_records,
    )
    everything = 0
    for kind in stops.kinds:
        count, total = stops.updates(kind.entity).filter(kind.chosen).height, kind.total(past)
        everything += count
        stops.read(
            LimitReading(
                "updated", f"updated {kind.word}", count, allowed(total, percent, records), total
            )
        )
        if not allows(count, total, percent, records):
            sentence = f"{count:,} of {total:,} {kind.word} would be updated, more than {limit}."
            stops.stop("updated", sentence, kind.entity, upserts=UPDATE & kind.chosen)
    total = past.everything
    if not allows(everything, total, percent, records):
        sentence = f"{everything:,} of all {total:,} records would be updated, more than {limit}."
        stops.stop("updated", sentence, *stops.parts, upserts=UPDATE)


def created(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Limit new people of schools that were there before; a new school brings its own, and the first load is no growth."""
    for kind in (kind for kind in stops.kinds if kind.entity == "users"):
        there = (
            past.of_schools(kind.entity, kind.group).drop_nulls("school").rename({"school": SCHOOL})
        )
        new = stops.created("users").filter(kind.chosen).join(there, on=SCHOOL, how="semi")
        total = kind.total(past)
        most = allowed(total, limits.created_percent, limits.created_records)
        stops.read(LimitReading("created", f"new {kind.word}", new.height, most, total))
        if total and past.settled is not None and new.height > most:
            limit = limit_text(limits.created_percent, limits.created_records)
            sentence = (
                f"{new.height:,} new {kind.word} would come to schools that have {total:,} of them, more than {limit}. "
                "See whether this is another district's export, or whether the ids of all have changed."
            )
            stops.stop(
                "created",
                sentence,
                "users",
                upserts=pl.col("sourcedId").is_in(new["sourcedId"].implode()),
            )


def rejected(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Hold all changes of a file too many of whose rows are wrong; what was never loaded has nothing to lose.

    The worse a file is, the less of it there is to hold: what every roster needs is told all the same, but for rows that never were right.
    """
    for name, file in past.rejections.items():
        if name not in stops.names or not past.total(name):
            continue
        most = allowed(file.rows, limits.rejected_percent)
        stops.read(
            LimitReading("rejected", f"rejected rows of {file.file}", file.faults, most, file.rows)
        )
        if file.faults <= most:
            continue
        cause = f" Most often: {file.cause}. {file.fix}" if file.cause else ""
        sentence = (
            f"{file.file}: {file.faults:,} of {file.rows:,} rows were rejected for a fault of their own, "
            f"more than {limits.rejected_percent:g} %.{cause}"
        )
        if name in stops.parts:
            stops.stop("rejected", sentence, name, removals=ALL, upserts=ALL)
        if _misses_many(stops, past, limits, name) and not any(
            hold.entity == name for hold in stops.holds
        ):
            stops.tell("undelivered", sentence, name, file.faults)


def _misses_many(stops: Stops, past: GuardContext, limits: GuardLimits, name: str) -> bool:
    """Whether many of the records that are there are not as they were in this drop, of a kind that every roster needs."""
    part, total = stops.parts.get(name) or stops.idle[name], past.total(name)
    return ENTITIES[name].needed and not allows(
        total - part.counts.get("unchanged", 0), total, limits.rejected_percent
    )


def files(entity: str, stops: Stops, past: GuardContext) -> str:
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
    return (
        f"{taken.height:,} of {total:,} {word} vanished"
        if len(told) == 1 and gone
        else f"{taken.height:,} of {total:,} {word}: {', '.join(told)}"
    )


# If more than this share of a kind is rejected, it is not delivered.
MOST = 0.5
AllCounts = Mapping[str, Mapping[Any, int]]


def undelivered(stops: Stops, past: GuardContext, limits: GuardLimits) -> None:
    """Tell of kinds that every roster needs, or that were loaded before, if most of their records were rejected.

    It stops nothing. A feed that takes any number of rejected rows (`rejected_percent = 100`) is not told.
    """
    if limits.rejected_percent >= 100:
        return
    parts = stops.idle | stops.parts
    counts = {
        name: part.counts
        for name, part in parts.items()
        if ENTITIES[name].needed or past.total(name)
    }
    for name, sentence in sentences(counts, past.rejections):
        stops.tell("undelivered", sentence, name, counts[name].get("rejected", 0))


def sentences(counts: AllCounts, rejections: Mapping[str, Rejections]) -> list[tuple[str, str]]:
    """Say of each entity that is at fault what became of it, and of those that were rejected with it."""
    hit = [
        name
        for name in ENTITIES
        if name in counts and _is_undelivered(counts[name], rejections.get(name))
    ]
    roots = [name for name in hit if _at_fault(name, rejections)] or hit[:1]
    followers = [name for name in hit if name not in roots]
    return [
        (name, _sentence(name, followers if name == roots[0] else [], counts, rejections))
        for name in roots
    ]


def _is_undelivered(counts: Mapping[Any, int], file: Rejections | None) -> bool:
    """Whether most records of an entity were rejected, though rows arrived; many rows may be of one record by a damaged id."""
    rows = file is not None and file.faults > file.rows * MOST
    return rows or counts.get("rejected", 0) > counts.get("read", 0) * MOST


def _at_fault(name: str, rejections: Mapping[str, Rejections]) -> bool:
    return name in rejections and rejections[name].faults * 2 > rejections[name].rows


def _sentence(
    name: str, followers: list[str], counts: AllCounts, rejections: Mapping[str, Rejections]
) -> str:
    with_them = (
        f", and with them {', '.join(_of(one, counts) for one in followers)}" if followers else ""
    )
    root = (
        name if _at_fault(name, rejections) else _parent_at_fault(name, counts, rejections) or name
    )
    because = f" So were {_of(root, counts)}, which they need." if root != name else ""
    file = rejections.get(root)
    cause = f" {file.cause}. {file.fix}" if file and file.cause else ""
    return (
        f"{_of(name, counts)} were rejected{with_them}: most cannot be delivered.{because}{cause}"
    )


def _parent_at_fault(name: str, counts: AllCounts, rejections: Mapping[str, Rejections]) -> str:
    """Of the kinds that the records of one kind need, that with the most rejected rows; blank if none has any."""
    entity = ENTITIES[name]
    needed = {
        column.refers or "" for column in entity.references if entity.needs(column)
    } & counts.keys()
    faulty = [one for one in needed if one in rejections and rejections[one].faults]
    return max(
        faulty, key=lambda one: (rejections[one].faults / rejections[one].rows, one), default=""
    )


def _of(name: str, counts: AllCounts) -> str:
    return f"{counts[name].get('rejected', 0):,} of {counts[name].get('read', 0):,} {name}"
