"""Limits on how many records may be removed, added, changed or rejected in one run.

Each limit leaves a reading, whether it holds something or not. In this module, losses are removals,
and updates that lock out, end or postpone a record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import polars as pl

from transforms.changes import ACTION, SCHOOL
from transforms.grammar import agree, count_of
from transforms.guard.context import GuardContext, Rejections
from transforms.guard.holds import ALL, LOSS, GuardReview, RecordKind
from transforms.guard.limits import GuardLimits, LimitReading, allows, limit_text, most_allowed
from transforms.schemas import ENTITIES

HAS_LOSS = pl.col(LOSS).is_not_null()
IS_UPDATE = pl.col(ACTION) == "update"
# If more than this share of an entity's records is rejected, the entity counts as undelivered.
MOST = 0.5
AllCounts = Mapping[str, Mapping[Any, int]]


def limit_losses(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit the losses of each entity, of each of its groups, and of all entities together."""
    everything = sum(
        _limit_losses(stops, context, limits, name, limits.vanished(name))
        for name in list(stops.parts)
    )
    total, percent, records = context.everything, limits.vanished_percent, limits.vanished_records
    most = most_allowed(total, percent, records)
    stops.read(LimitReading("vanished", "removed of all records", everything, most, total))
    if everything > most:
        sentence = (
            f"{everything:,} of all {count_of(total, 'records')} vanished, "
            f"more than {limit_text(percent, records)}."
        )
        stops.stop("vanished", sentence, *stops.parts, removals=ALL, upserts=HAS_LOSS)


def _limit_losses(
    stops: GuardReview, context: GuardContext, limits: GuardLimits, entity: str, percent: float
) -> int:
    """Hold all losses of an entity if one of its groups, or the entity itself, loses too many.

    Returns the number of losses.
    """
    records = limits.vanished_records
    lost = stops.taken(RecordKind(entity))
    sums, too_many = [], not allows(lost.height, context.total(entity), percent, records)
    for kind in (kind for kind in stops.kinds if kind.entity == entity):
        of_kind, total = stops.taken(kind), kind.total(context)
        most = most_allowed(total, percent, records)
        stops.read(LimitReading("vanished", f"removed {kind.word}", of_kind.height, most, total))
        sums += [_losses_text(of_kind, total, kind.word)] if of_kind.height else []
        too_many |= of_kind.height > most
    if too_many:
        sentence = (
            f"{'; '.join(sums)}, more than {limit_text(percent, records)}."
            f"{count_comparison(entity, stops, context)}"
        )
        stops.stop("vanished", sentence, entity, removals=ALL, upserts=HAS_LOSS)
    return lost.height


def limit_school_losses(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit the losses in one school: of each entity, and of each group of people or enrollments.

    Only the groups have a number of records that is always allowed. Sessions belong to the
    district, and have limits of their own.
    """
    groups = [kind for kind in stops.kinds if kind.group]
    entities = [name for name in stops.parts if name not in ("orgs", "academicSessions")]
    for kind in (*groups, *map(RecordKind, entities)):
        percent, records = limits.school_percent, limits.school_records if kind.group else 0
        # A record without a school is limited with its kind.
        in_school = stops.taken(kind).drop_nulls(SCHOOL)
        lost = _net_losses(in_school.group_by(SCHOOL).len(), stops, kind).join(
            context.of_schools(kind.entity, kind.group),
            left_on=SCHOOL,
            right_on="school",
            how="left",
        )
        for school, count, total in lost.sort("len", descending=True).head(1).iter_rows():
            most = most_allowed(total or 0, percent, records)
            what = f"removed {kind.word} of {context.name('orgs', school)}"
            stops.read(LimitReading("school", what, count, most, total or 0))
        for school, count, total in lost.sort(SCHOOL).iter_rows():
            if allows(count, total or 0, percent, records):
                continue
            of_school = stops.taken(kind).filter(pl.col(SCHOOL) == school)
            sentence = (
                f"{context.name('orgs', school)}: "
                f"{_losses_text(of_school, total or 0, kind.word)}, "
                f"more than {limit_text(percent, records)} of a school."
            )
            here = kind.chosen & (pl.col(SCHOOL) == school)
            stops.stop(
                "vanished_of_school",
                sentence,
                kind.entity,
                school=school,
                removals=here,
                upserts=here & HAS_LOSS,
            )


def _net_losses(lost: pl.DataFrame, stops: GuardReview, kind: RecordKind) -> pl.DataFrame:
    """Subtract new enrollments of the same role and school: one teacher takes over from another."""
    if kind.entity != "enrollments" or not kind.group:
        return lost
    come = stops.created("enrollments").filter(kind.chosen).group_by(SCHOOL).len("come")
    net = lost.join(come, on=SCHOOL, how="left").with_columns(
        pl.col("len").cast(pl.Int64) - pl.col("come").fill_null(0)
    )
    return net.filter(pl.col("len") > 0).drop("come")


def limit_losses_of_week(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit the losses of seven days, so that a little each night does not pass either."""
    counted: Counter[str] = Counter()
    for kind in stops.kinds:
        counted[kind.entity] += stops.taken(kind).height
    counted = +counted
    if counted and context.week is None:
        sentence = (
            "It is not known how much vanished in the last seven days, so this cannot be limited."
        )
        stops.stop("vanished_in_week", sentence, *stops.parts, removals=ALL, upserts=HAS_LOSS)
        return
    earlier = context.week or {}
    for name, count in counted.items():
        before = earlier.get(name, 0)
        _limit_week(stops, limits, name, count, before, context.total(name), (name,))
    now, before = counted.total(), sum(earlier.values())
    _limit_week(stops, limits, "records", now, before, context.everything, tuple(stops.parts))


def _limit_week(
    stops: GuardReview,
    limits: GuardLimits,
    word: str,
    count: int,
    earlier: int,
    active: int,
    names: tuple[str, ...],
) -> None:
    """Limit the losses of this run (`count`) and of the days before (`earlier`).

    `active` is the number of active records, which includes those that this run would remove.
    """
    if not (count and earlier):
        return
    total, percent, records = active + earlier, limits.week_percent, limits.week_records
    most = most_allowed(total, percent, records)
    stops.read(LimitReading("week", f"removed {word} in seven days", count + earlier, most, total))
    if count + earlier > most:
        every = "all " if len(names) > 1 else ""
        sentence = (
            f"{count + earlier:,} of {every}{count_of(total, word)} were removed, locked out or "
            f"ended in seven days, more than {limit_text(percent, records)}."
        )
        stops.stop("vanished_in_week", sentence, *names, removals=ALL, upserts=HAS_LOSS)


def _losses_text(lost: pl.DataFrame, total: int, word: str) -> str:
    """Return losses in words: `12 of 40 students: 9 vanished, 3 would be locked out`."""
    ways = Counter(lost[LOSS].to_list())
    removed = ways.pop(None, 0)
    shares = [f"{removed:,} vanished"] if removed else []
    shares += [f"{count:,} would be {way}" for way, count in sorted(ways.items())]
    return (
        f"{lost.height:,} of {count_of(total, word)} vanished"
        if len(shares) == 1 and removed
        else f"{lost.height:,} of {count_of(total, word)}: {', '.join(shares)}"
    )


def count_comparison(entity: str, stops: GuardReview, context: GuardContext) -> str:
    """Compare the number of records in this drop with the last one, if that explains losses."""
    now, before = stops.parts[entity].counts.get("read", 0), context.read.get(entity, 0)
    if not before or now >= before or not stops.parts[entity].whole:
        return ""
    rejections = context.rejections.get(entity)
    file = rejections.file if rejections else f"The drop's {entity}"
    return f" {file}: {count_of(now, entity)}, last time {before:,}."


def limit_new_people(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit the new people of schools that were there before.

    A new school brings its own people, and a first load is no growth.
    """
    for kind in (kind for kind in stops.kinds if kind.entity == "users"):
        schools = context.of_schools(kind.entity, kind.group).drop_nulls("school")
        new = (
            stops.created("users")
            .filter(kind.chosen)
            .join(schools.rename({"school": SCHOOL}), on=SCHOOL, how="semi")
        )
        total = kind.total(context)
        most = most_allowed(total, limits.created_percent, limits.created_records)
        stops.read(LimitReading("created", f"new {kind.word}", new.height, most, total))
        if total and context.settled is not None and new.height > most:
            limit = limit_text(limits.created_percent, limits.created_records)
            sentence = (
                f"{count_of(new.height, f'new {kind.word}')} would come to schools that have "
                f"{total:,} of them, more than {limit}. See whether this is another district's "
                "export, or whether the ids of all have changed."
            )
            ids = new["sourcedId"].implode()
            stops.stop("created", sentence, "users", upserts=pl.col("sourcedId").is_in(ids))


def limit_updates(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Limit the updates of each kind, and of all kinds together."""
    percent, records = limits.updated_percent, limits.updated_records
    limit = limit_text(percent, records)
    everything = taken_over = 0
    for kind in stops.kinds:
        updates, total = stops.updates(kind.entity).filter(kind.chosen), kind.total(context)
        count, taken = updates.height, _taken_over(updates, kind.entity, context)
        everything += count
        taken_over += taken
        most = most_allowed(total, percent, records)
        stops.read(LimitReading("updated", f"updated {kind.word}", count, most, total))
        if count > most:
            of_all = f"{count:,} of {count_of(total, kind.word)}"
            sentence = f"{of_all} would be updated, more than {limit}.{_takeover_text(taken)}"
            stops.stop("updated", sentence, kind.entity, upserts=IS_UPDATE & kind.chosen)
    total = context.everything
    if not allows(everything, total, percent, records):
        of_all = f"{everything:,} of all {count_of(total, 'records')}"
        sentence = f"{of_all} would be updated, more than {limit}.{_takeover_text(taken_over)}"
        stops.stop("updated", sentence, *stops.parts, upserts=IS_UPDATE)


def _taken_over(updates: pl.DataFrame, entity: str, context: GuardContext) -> int:
    ids = context.taken_over.get(entity, pl.Series(dtype=pl.String))
    return int(updates["sourcedId"].is_in(ids.implode()).sum())


def _takeover_text(count: int) -> str:
    """Say how many records change because of another feed alone."""
    if not count:
        return ""
    return (
        f" {count:,} of them because this feed takes over what another feed sent: that feed "
        "no longer has them or no longer runs, or `owner` under [shared] says so."
    )


def hold_rejected_files(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Hold all changes of a file that has too many wrong rows, if its entity was loaded before.

    A very bad file leaves little to hold. So an entity that every roster needs is reported even if
    nothing is held, unless its rejected rows were never loaded.
    """
    for name, file in context.rejections.items():
        if name not in stops.names or not context.total(name):
            continue
        most = most_allowed(file.rows, limits.rejected_percent)
        stops.read(
            LimitReading("rejected", f"rejected rows of {file.file}", file.faults, most, file.rows)
        )
        if file.faults <= most:
            continue
        cause = f" Most often: {file.cause}. {file.fix}" if file.cause else ""
        sentence = (
            f"{file.file}: {file.faults:,} of {count_of(file.rows, 'rows')} "
            f"{agree(file.faults, 'were')} rejected because of errors in those rows, more than "
            f"{limits.rejected_percent:g} %.{cause}"
        )
        if name in stops.parts:
            stops.stop("rejected", sentence, name, removals=ALL, upserts=ALL)
        if _misses_many(stops, context, limits, name) and not any(
            hold.entity == name for hold in stops.holds
        ):
            stops.tell("undelivered", sentence, name, file.faults)


def _misses_many(stops: GuardReview, context: GuardContext, limits: GuardLimits, name: str) -> bool:
    """Whether too many active records of a needed entity are not in this drop, or not unchanged."""
    part, total = stops.parts.get(name) or stops.idle[name], context.total(name)
    return ENTITIES[name].needed and not allows(
        total - part.counts.get("unchanged", 0), total, limits.rejected_percent
    )


def report_undelivered(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Report entities most of whose records were rejected. Nothing is held.

    This is about entities that every roster needs, or that were loaded before. A feed that accepts
    any number of rejected rows (`rejected_percent = 100`) gets no such report.
    """
    if limits.rejected_percent >= 100:
        return
    parts = stops.idle | stops.parts
    counts = {
        name: part.counts
        for name, part in parts.items()
        if ENTITIES[name].needed or context.total(name)
    }
    for name, sentence in sentences(counts, context.rejections):
        stops.tell("undelivered", sentence, name, counts[name].get("rejected", 0))


def report_doubtful(stops: GuardReview, context: GuardContext, limits: GuardLimits) -> None:
    """Report entities of which more records are missing than may vanish, if that is in doubt.

    Rows that could not be read may be about these records, so none of them counts as vanished and
    nothing is held. Without a report, an export that lacks half of its rows would go unnoticed.
    """
    percent_of, records = limits.vanished, limits.vanished_records
    for name, part in (stops.idle | stops.parts).items():
        total, percent = context.total(name), percent_of(name)
        if not part.doubtful or limits.rejected_percent >= 100:
            continue
        most = most_allowed(total, percent, records)
        stops.read(LimitReading("vanished", f"missing {name}", part.doubtful, most, total))
        if part.doubtful <= most or any(hold.entity == name for hold in stops.holds):
            continue
        file = context.rejections.get(name)
        cause = f" {file.cause}. {file.fix}" if file and file.cause else ""
        sentence = (
            f"{part.doubtful:,} of {total:,} {name} are missing, more than "
            f"{limit_text(percent, records)}. None of them is removed, because the export also has "
            f"rows that could not be read, which may be about them.{cause}"
        )
        stops.tell("undelivered", sentence, name, part.doubtful)


def sentences(counts: AllCounts, rejections: Mapping[str, Rejections]) -> list[tuple[str, str]]:
    """Return each undelivered entity that is at fault, with a sentence for people.

    The first sentence also names the entities that were rejected because of it.
    """
    hit = [
        name
        for name in ENTITIES
        if name in counts and _is_undelivered(counts[name], rejections.get(name))
    ]
    roots = [name for name in hit if _is_at_fault(name, rejections)] or hit[:1]
    followers = [name for name in hit if name not in roots]
    return [
        (name, _sentence(name, followers if name == roots[0] else [], counts, rejections))
        for name in roots
    ]


def _is_undelivered(counts: Mapping[Any, int], file: Rejections | None) -> bool:
    # Rows count too: a damaged id can make one record of many rows.
    most_rows = file is not None and file.faults > file.rows * MOST
    return most_rows or counts.get("rejected", 0) > counts.get("read", 0) * MOST


def _is_at_fault(name: str, rejections: Mapping[str, Rejections]) -> bool:
    """Whether most rows of the entity were rejected because of errors in those rows."""
    return name in rejections and rejections[name].faults * 2 > rejections[name].rows


def _sentence(
    name: str, followers: list[str], counts: AllCounts, rejections: Mapping[str, Rejections]
) -> str:
    shares = {
        one: f"{count.get('rejected', 0):,} of {count_of(count.get('read', 0), one)}"
        for one, count in counts.items()
    }
    were = {one: agree(count.get("rejected", 0), "were") for one, count in counts.items()}
    with_them = (
        f", and with them {', '.join(shares[one] for one in followers)}" if followers else ""
    )
    root = name
    if not _is_at_fault(name, rejections):
        root = _parent_at_fault(name, counts, rejections) or name
    because = f" So {were[root]} {shares[root]}, which they need." if root != name else ""
    file = rejections.get(root)
    cause = f" {file.cause}. {file.fix}" if file and file.cause else ""
    rejected = f"{shares[name]} {were[name]} rejected"
    return f"{rejected}{with_them}: most cannot be delivered.{because}{cause}"


def _parent_at_fault(name: str, counts: AllCounts, rejections: Mapping[str, Rejections]) -> str:
    """Return the required parent entity with the largest share of wrong rows, or blank."""
    entity = ENTITIES[name]
    needed = {
        column.refers or "" for column in entity.references if entity.needs(column)
    } & counts.keys()
    faulty = [one for one in needed if one in rejections and rejections[one].faults]
    return max(
        faulty, key=lambda one: (rejections[one].faults / rejections[one].rows, one), default=""
    )
