"""The changes of a run while the guard reviews them, and the reasons to hold some of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms import payload as parts
from transforms.changes import (
    ACTION,
    FINGERPRINT,
    HELD,
    HOLD,
    PARENTS,
    REMOVALS,
    SCHOOL,
    Changes,
    EntityChanges,
)
from transforms.guard.context import GuardContext
from transforms.guard.harm import Ends, losses_by_update
from transforms.guard.limits import LimitReading
from transforms.schemas.vocabularies import CONTACT_ROLES

# Actions for missing records that count as removals. `kept` records stay for another reason, such
# as a term that is over.
REMOVAL_ACTIONS = ("delete", "disable", "end", "leave", "keep")
NONE = pl.lit(value=False)
ALL = pl.lit(value=True)
# Columns that the guard adds: the group of a record, and what an update takes from it (upserts).
GROUP, LOSS = "#group", "#taking"
# Groups of users.
STUDENTS, STAFF, CONTACTS = "students", "staff", "contacts"
# Rules that hold the whole run. Other reasons are reported as well.
WHOLE_RUN_RULES = ("blackout", "ask_first", "older_drop", "future_drop", "not_ours_yet")


@dataclass(frozen=True)
class Hold:
    """One reason why changes wait: a limit that was exceeded, or a special case."""

    rule: str
    entity: str  # blank: all entities
    school: str  # blank: all schools
    count: int
    sentence: str


@dataclass(frozen=True)
class RecordKind:
    """Records that have a limit of their own: an entity, or one group of its records."""

    entity: str
    group: str = ""
    others: tuple[str, ...] = ()  # without a group: only the records in none of these groups

    @property
    def word(self) -> str:
        """The kind in words, in the plural: `students`, `teacher enrollments`."""
        if self.group and self.entity == "enrollments":
            return f"{self.group} enrollments"
        return self.group or self.entity

    @property
    def chosen(self) -> pl.Expr:
        """Whether a change of the entity is of this kind."""
        if self.group:
            return pl.col(GROUP) == self.group
        return ~pl.col(GROUP).is_in(self.others).fill_null(value=False) if self.others else ALL

    def total(self, context: GuardContext) -> int:
        """Return the number of active records."""
        rest = sum(context.total(self.entity, other) for other in self.others)
        return max(0, context.total(self.entity, self.group) - rest)


@dataclass
class GuardReview:
    """The changes under review, the reasons to hold some of them, and the readings of the limits.

    A held change has the first rule that stopped it in its `#hold` column.
    """

    names: tuple[str, ...]  # all entities
    parts: dict[str, EntityChanges]  # the entities that have changes
    idle: Changes  # the others
    # What has a limit of its own: each entity, but users and enrollments by group if groups are
    # known.
    kinds: tuple[RecordKind, ...]
    ends: Ends = field(default_factory=dict)  # the last days of sessions
    holds: list[Hold] = field(default_factory=list)
    readings: list[LimitReading] = field(default_factory=list)
    # Records that the target has under another id: entity, old id, new id, whether it is certain.
    pairs: list[tuple[str, str, str, bool]] = field(default_factory=list)

    @classmethod
    def of(cls, changes: Changes, context: GuardContext) -> GuardReview:
        """Begin a review. Nothing is held yet."""
        busy = {
            name: part
            for name, part in changes.items()
            if part.upserts.height or part.removals.height
        }
        idle = {
            name: replace(part, counts={**part.counts, "held": 0})
            for name, part in changes.items()
            if name not in busy
        }
        kinds = tuple(kind for name in busy for kind in _kinds_of(name, context))
        ends = {**context.ends, **_session_ends(busy.get("academicSessions"))}
        return cls(
            tuple(changes),
            {name: _with_guard_columns(part, context, ends) for name, part in busy.items()},
            idle,
            kinds,
            ends,
        )

    def vanished(self, name: str) -> pl.DataFrame:
        """Return the removals of an entity that count."""
        return self.parts[name].of(*REMOVAL_ACTIONS)

    def counted(self) -> Iterator[tuple[str, int]]:
        """Yield each entity that has such removals, with their number."""
        for name in self.parts:
            if count := self.vanished(name).height:
                yield name, count

    def gone(self, name: str) -> pl.DataFrame:
        """Return the removals of an entity that count and have no cause yet."""
        return self.vanished(name).filter(_has_no_cause())

    def taken(self, kind: RecordKind) -> pl.DataFrame:
        """Return the records that are removed, or that an update locks out, ends or postpones.

        Columns: `sourcedId`, `#school`, `#taking`. Records that have a cause already are left out.
        """
        part = self.parts[kind.entity]
        removed = self.gone(kind.entity).filter(kind.chosen)
        harmed = part.upserts.filter(kind.chosen & _has_no_cause() & pl.col(LOSS).is_not_null())
        return pl.concat(
            [
                removed.select("sourcedId", SCHOOL, pl.lit(None, pl.String).alias(LOSS)),
                harmed.select("sourcedId", SCHOOL, LOSS),
            ]
        )

    def updates(self, name: str) -> pl.DataFrame:
        """Return the updates of an entity that have no cause yet."""
        return self.parts[name].upserts.filter((pl.col(ACTION) == "update") & _has_no_cause())

    def created(self, name: str) -> pl.DataFrame:
        """Return the new records of an entity that have no cause yet."""
        return self.parts[name].upserts.filter((pl.col(ACTION) == "create") & _has_no_cause())

    def going(self, name: str) -> pl.Series:
        """Return the ids that are to be deleted and are not held."""
        if name not in self.parts:
            return pl.Series("sourcedId", dtype=pl.String)
        return self.parts[name].of("delete").filter(pl.col(HOLD).is_null())["sourcedId"]

    def waiting_removals(self, name: str) -> pl.Series:
        """Return the ids whose removal is held."""
        return self.parts[name].removals.filter(pl.col(HOLD).is_not_null())["sourcedId"]

    def moved(self, name: str) -> dict[str, str]:
        """Return the parents that records will have once they are sent, by id.

        Held records are left out.
        """
        if name not in self.parts:
            return {}
        sent = self.parts[name].upserts.filter(pl.col(HOLD).is_null())
        return dict(sent.select("sourcedId", pl.col(PARENTS).fill_null("")).iter_rows())

    def read(self, reading: LimitReading) -> None:
        """Keep a reading, unless its count is 0."""
        if reading.count:
            self.readings.append(reading)

    def stop(
        self,
        rule: str,
        sentence: str,
        *names: str,
        school: str = "",
        removals: pl.Expr = NONE,
        upserts: pl.Expr | Mapping[str, pl.Expr] = NONE,
    ) -> None:
        """Hold the selected changes of some entities.

        `upserts` may select by entity. A rule adds a reason only if it holds a change that has no
        cause yet.
        """
        count = new = 0
        for name in names:
            part = self.parts[name]
            chosen = upserts if isinstance(upserts, pl.Expr) else upserts.get(name, NONE)
            removed = _mask(part.removals, removals & pl.col(ACTION).is_in(REMOVAL_ACTIONS))
            sent = _mask(part.upserts, chosen)
            count += int(removed.sum()) + int(sent.sum())
            new += _count_new(part.removals, removed) + _count_new(part.upserts, sent)
            self.parts[name] = replace(
                part,
                removals=_with_hold(part.removals, removed, rule),
                upserts=_with_hold(part.upserts, sent, rule),
            )
        if new:
            self.tell(rule, sentence, names[0] if len(names) == 1 else "", count, school)

    def tell(self, rule: str, sentence: str, entity: str, count: int, school: str = "") -> None:
        """Add a reason without holding anything."""
        self.holds.append(Hold(rule, entity, school, count, sentence))

    def changes(self) -> Changes:
        """Return the changes, with the held ones moved to `held`."""
        return {
            name: _set_apart(self.parts[name]) if name in self.parts else self.idle[name]
            for name in self.names
        }


def groups_of_records(entity: str, records: pl.DataFrame) -> pl.Series:
    """Return the group of each record: users by `roles`, enrollments by `role`, others null."""
    if entity == "users" and "roles" in records.columns:
        return group_of(records["roles"])
    if entity == "enrollments" and "role" in records.columns:
        return records["role"]
    return pl.Series("group", [None] * records.height, dtype=pl.String)


def group_of(roles: pl.Series) -> pl.Series:
    """Return the group of each user, from cells of folded `roles`. Null for a user without a role.

    A parent who also works at a school is staff.
    """
    groups = {cell: _group(cell) for cell in parts.part_values(roles, "role").drop_nulls().unique()}
    return parts.part_values(roles, "role").replace_strict(
        groups, default=None, return_dtype=pl.String
    )


def _group(roles: str) -> str:
    held = set(roles.split(","))
    if held - {"student", *CONTACT_ROLES}:
        return STAFF
    return STUDENTS if "student" in held else CONTACTS


def _kinds_of(name: str, context: GuardContext) -> list[RecordKind]:
    groups = context.groups.filter(entity=name)["group"].unique().sort().to_list()
    return [*(RecordKind(name, group) for group in groups), RecordKind(name, others=tuple(groups))]


def _session_ends(sessions: EntityChanges | None) -> dict[str, str | None]:
    """Return the last day of each session that the drop adds or changes."""
    if sessions is None or "endDate" not in sessions.upserts.columns:
        return {}
    return dict(sessions.upserts.select("sourcedId", "endDate").iter_rows())


def _with_guard_columns(part: EntityChanges, context: GuardContext, ends: Ends) -> EntityChanges:
    """Add `#hold` (null), `#group`, and `#taking` (upserts only)."""
    blank = pl.lit(None, pl.String).alias(HOLD)
    removals, upserts = part.removals.with_columns(blank), part.upserts.with_columns(blank)
    if SCHOOL not in removals.columns:
        removals = removals.with_columns(pl.lit(None, pl.String).alias(SCHOOL))
    losses = losses_by_update(
        part.entity, upserts, context.sent.get(part.entity), context.today, context.over, ends
    )
    return replace(
        part,
        removals=_with_group(part.entity, removals, context),
        upserts=_with_group(part.entity, upserts, context).with_columns(losses.alias(LOSS)),
    )


def _with_group(entity: str, frame: pl.DataFrame, context: GuardContext) -> pl.DataFrame:
    """Add the group that each record had when last sent, or has now."""
    now = groups_of_records(entity, frame).alias("#now")
    sent = context.sent.get(entity, pl.DataFrame(schema={"sourcedId": pl.String}))
    was = sent.select("sourcedId", groups_of_records(entity, sent).alias("#was"))
    met = frame.with_columns(now).join(was, on="sourcedId", how="left", maintain_order="left")
    return met.with_columns(pl.coalesce("#was", "#now").alias(GROUP)).drop("#was", "#now")


def _has_no_cause() -> pl.Expr:
    """Whether a change is not held yet, or only because the whole run is."""
    return pl.col(HOLD).is_null() | pl.col(HOLD).is_in(WHOLE_RUN_RULES)


def _mask(frame: pl.DataFrame, chosen: pl.Expr) -> pl.Series:
    return frame.with_columns(chosen.fill_null(value=False).alias("#hit"))["#hit"]


def _count_new(frame: pl.DataFrame, hit: pl.Series) -> int:
    return frame.filter(hit & _mask(frame, _has_no_cause())).height


def _with_hold(frame: pl.DataFrame, hit: pl.Series, rule: str) -> pl.DataFrame:
    if not hit.any():
        return frame
    return frame.with_columns(
        pl.when(pl.col(HOLD).is_null() & hit).then(pl.lit(rule)).otherwise(HOLD).alias(HOLD)
    )


def _set_apart(part: EntityChanges) -> EntityChanges:
    """Move the held changes to `held`, and remove the guard's own columns."""
    held = pl.concat([_held_rows(part.upserts), _held_rows(part.removals)])
    removals = part.removals.filter(pl.col(HOLD).is_null()).drop(HOLD, GROUP)
    upserts = part.upserts.filter(pl.col(HOLD).is_null()).drop(HOLD, GROUP, LOSS)
    kept = removals.filter(~pl.col(ACTION).is_in([*REMOVALS])).height
    counts = {**part.counts, "held": held.height, "kept": kept}
    return replace(part, removals=removals, upserts=upserts, held=held, counts=counts)


def _held_rows(frame: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(None, kind).alias(name))
        for name, kind in HELD.items()
    ]
    held = frame.lazy().filter(pl.col(HOLD).is_not_null()).select(columns)
    return held.cast({FINGERPRINT: pl.Int64}).collect()
