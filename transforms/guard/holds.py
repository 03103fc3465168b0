"""The changes of a run while the guard goes over them: what is stopped is marked, with the first reason."""

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
from transforms.guard.harm import Ends, taking
from transforms.guard.limits import LimitReading
from transforms.schemas.vocabularies import CONTACT_ROLES

# What vanished and counts; `kept` stays for another reason, such as a term that is over.
VANISHED = ("delete", "disable", "end", "keep")
NONE = pl.lit(value=False)
ALL = pl.lit(value=True)
# What people are, and whether an update takes from a record what it is for (columns of upserts; the first of removals too).
GROUP, TAKING = "#group", "#taking"
# What stops everything that a drop says; other reasons are told beside it.
WHOLE_RUN = ("blackout", "ask_first", "older_drop", "future_drop", "not_ours_yet")


@dataclass(frozen=True)
class Hold:
    """One reason why changes wait: a limit or a special case, of one entity or school or (blank) of all."""

    rule: str
    entity: str
    school: str
    count: int
    sentence: str


@dataclass(frozen=True)
class HeldKind:
    """What is counted by itself: an entity, one group of its records, or those that are in none of its `others`."""

    entity: str
    group: str = ""
    others: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """What people call it: `students`, `enrollments of teachers`."""
        if self.group and self.entity == "enrollments":
            return f"enrollments of {self.group}s"
        return self.group or self.entity

    @property
    def chosen(self) -> pl.Expr:
        """Which changes of the entity it has."""
        if self.group:
            return pl.col(GROUP) == self.group
        return ~pl.col(GROUP).is_in(self.others).fill_null(value=False) if self.others else ALL

    def total(self, past: GuardContext) -> int:
        """How many of it are active."""
        rest = sum(past.total(self.entity, other) for other in self.others)
        return max(0, past.total(self.entity, self.group) - rest)


@dataclass
class Stops:
    """The changes, the reasons why some of them are stopped, and what the limits showed.

    `names` are all entities, `parts` those of which anything is to be done, `idle` the others; `kinds` is what is limited by itself: each entity,
    but people and enrollments by their groups, as far as those are known. `ends` are the last days of sessions.
    `pairs` are records that are there under another id: `entity`, `old`, `new`, and whether that is `certain`.
    """

    names: tuple[str, ...]
    parts: dict[str, EntityChanges]
    idle: Changes
    kinds: tuple[HeldKind, ...]
    ends: Ends = field(default_factory=dict)
    holds: list[Hold] = field(default_factory=list)
    readings: list[LimitReading] = field(default_factory=list)
    pairs: list[tuple[str, str, str, bool]] = field(default_factory=list)

    @classmethod
    def of(cls, changes: Changes, past: GuardContext) -> Stops:
        """Begin with nothing stopped."""
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
        kinds = tuple(kind for name in busy for kind in _kinds(name, past))
        ends = {**past.ends, **_ends_in(busy.get("academicSessions"))}
        return cls(
            tuple(changes),
            {name: _marked(part, past, ends) for name, part in busy.items()},
            idle,
            kinds,
            ends,
        )

    def vanished(self, name: str) -> pl.DataFrame:
        """The records of an entity that vanished and count."""
        return self.parts[name].of(*VANISHED)

    def counted(self) -> Iterator[tuple[str, int]]:
        """How many records of each entity vanished, where any did."""
        for name in self.parts:
            if count := self.vanished(name).height:
                yield name, count

    def gone(self, name: str) -> pl.DataFrame:
        """The records of an entity that vanished and count, and for which no reason to wait is known yet."""
        return self.vanished(name).filter(_unexplained())

    def taken(self, kind: HeldKind) -> pl.DataFrame:
        """The records (`sourcedId`, `#school`, `#taking`) that vanished, or whose update takes from them what they are for.

        Those for which another reason is known already are left out.
        """
        part = self.parts[kind.entity]
        gone = self.gone(kind.entity).filter(kind.chosen)
        taking = part.upserts.filter(kind.chosen & _unexplained() & pl.col(TAKING).is_not_null())
        return pl.concat(
            [
                gone.select("sourcedId", SCHOOL, pl.lit(None, pl.String).alias(TAKING)),
                taking.select("sourcedId", SCHOOL, TAKING),
            ]
        )

    def updates(self, name: str) -> pl.DataFrame:
        """The updates of an entity for which no reason to wait is known yet."""
        return self.parts[name].upserts.filter((pl.col(ACTION) == "update") & _unexplained())

    def created(self, name: str) -> pl.DataFrame:
        """The new records of an entity for which no reason to wait is known yet."""
        return self.parts[name].upserts.filter((pl.col(ACTION) == "create") & _unexplained())

    def going(self, name: str) -> pl.Series:
        """The records of an entity that are to be deleted, as far as nothing stops it."""
        if name not in self.parts:
            return pl.Series("sourcedId", dtype=pl.String)
        return self.parts[name].of("delete").filter(pl.col(HOLD).is_null())["sourcedId"]

    def waiting_removals(self, name: str) -> pl.Series:
        """The records of an entity that vanished, and whose removal is stopped."""
        return self.parts[name].removals.filter(pl.col(HOLD).is_not_null())["sourcedId"]

    def moved(self, name: str) -> dict[str, str]:
        """The parents that records will have once they are sent, of those that nothing stops."""
        if name not in self.parts:
            return {}
        sent = self.parts[name].upserts.filter(pl.col(HOLD).is_null())
        return dict(sent.select("sourcedId", pl.col(PARENTS).fill_null("")).iter_rows())

    def read(self, reading: LimitReading) -> None:
        """Keep what a limit showed, unless there was nothing to limit."""
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
        """Stop the changes of some entities that are selected, creates and updates by entity if need be.

        A rule that stops nothing is no reason; nor is one that stops only what waits for another reason already.
        """
        count = new = 0
        for name in names:
            part = self.parts[name]
            removed = _hit(part.removals, removals & pl.col(ACTION).is_in(VANISHED))
            sent = _hit(
                part.upserts, upserts if isinstance(upserts, pl.Expr) else upserts.get(name, NONE)
            )
            count += int(removed.sum()) + int(sent.sum())
            new += _new(part.removals, removed) + _new(part.upserts, sent)
            self.parts[name] = replace(
                part,
                removals=_stopped(part.removals, removed, rule),
                upserts=_stopped(part.upserts, sent, rule),
            )
        if new:
            self.tell(rule, sentence, names[0] if len(names) == 1 else "", count, school)

    def tell(self, rule: str, sentence: str, entity: str, count: int, school: str = "") -> None:
        """Add a reason."""
        self.holds.append(Hold(rule, entity, school, count, sentence))

    def changes(self) -> Changes:
        """Give the changes, with what is stopped set apart."""
        return {
            name: _parted(self.parts[name]) if name in self.parts else self.idle[name]
            for name in self.names
        }


def _kinds(name: str, past: GuardContext) -> list[HeldKind]:
    groups = past.groups.filter(entity=name)["group"].unique().sort().to_list()
    return [*(HeldKind(name, group) for group in groups), HeldKind(name, others=tuple(groups))]


def _unexplained() -> pl.Expr:
    return pl.col(HOLD).is_null() | pl.col(HOLD).is_in(WHOLE_RUN)


def _ends_in(sessions: EntityChanges | None) -> dict[str, str | None]:
    """The last days that a drop gives to sessions."""
    if sessions is None or "endDate" not in sessions.upserts.columns:
        return {}
    return dict(sessions.upserts.select("sourcedId", "endDate").iter_rows())


def _marked(part: EntityChanges, past: GuardContext, ends: Ends) -> EntityChanges:
    blank = pl.lit(None, pl.String).alias(HOLD)
    removals, upserts = part.removals.with_columns(blank), part.upserts.with_columns(blank)
    if SCHOOL not in removals.columns:
        removals = removals.with_columns(pl.lit(None, pl.String).alias(SCHOOL))
    taking_now = taking(
        part.entity, upserts, past.sent.get(part.entity), past.today, past.over, ends
    ).alias(TAKING)
    return replace(
        part,
        removals=_grouped(part.entity, removals, past),
        upserts=_grouped(part.entity, upserts, past).with_columns(taking_now),
    )


def _grouped(entity: str, frame: pl.DataFrame, past: GuardContext) -> pl.DataFrame:
    """Say to which group each record belonged when last sent, or belongs now."""
    now = grouped(entity, frame).alias("#now")
    sent = past.sent.get(entity, pl.DataFrame(schema={"sourcedId": pl.String}))
    was = sent.select("sourcedId", grouped(entity, sent).alias("#was"))
    met = frame.with_columns(now).join(was, on="sourcedId", how="left", maintain_order="left")
    return met.with_columns(pl.coalesce("#was", "#now").alias(GROUP)).drop("#was", "#now")


def _hit(frame: pl.DataFrame, chosen: pl.Expr) -> pl.Series:
    return frame.with_columns(chosen.fill_null(value=False).alias("#hit"))["#hit"]


def _new(frame: pl.DataFrame, hit: pl.Series) -> int:
    return frame.filter(hit & _hit(frame, _unexplained())).height


def _stopped(frame: pl.DataFrame, hit: pl.Series, rule: str) -> pl.DataFrame:
    if not hit.any():
        return frame
    return frame.with_columns(
        pl.when(pl.col(HOLD).is_null() & hit).then(pl.lit(rule)).otherwise(HOLD).alias(HOLD)
    )


def _parted(part: EntityChanges) -> EntityChanges:
    held = pl.concat([_held(part.upserts), _held(part.removals)])
    removals = part.removals.filter(pl.col(HOLD).is_null()).drop(HOLD, GROUP)
    upserts = part.upserts.filter(pl.col(HOLD).is_null()).drop(HOLD, GROUP, TAKING)
    kept = removals.filter(~pl.col(ACTION).is_in([*REMOVALS])).height
    counts = {**part.counts, "held": held.height, "kept": kept}
    return replace(part, removals=removals, upserts=upserts, held=held, counts=counts)


def _held(frame: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(None, kind).alias(name))
        for name, kind in HELD.items()
    ]
    held = frame.lazy().filter(pl.col(HOLD).is_not_null()).select(columns)
    return held.cast({FINGERPRINT: pl.Int64}).collect()


STUDENTS, STAFF, CONTACTS = "students", "staff", "contacts"


def grouped(entity: str, records: pl.DataFrame) -> pl.Series:
    """Say to which group each record belongs: a user by `roles`, an enrollment by `role`; null if to none."""
    if entity == "users" and "roles" in records.columns:
        return group_of(records["roles"])
    if entity == "enrollments" and "role" in records.columns:
        return records["role"]
    return pl.Series("group", [None] * records.height, dtype=pl.String)


def group_of(roles: pl.Series) -> pl.Series:
    """Say for each cell of folded `roles` what the person is; null for who has no role.

    Whoever works at a school is staff, also as a parent of one of its students.
    """
    groups = {cell: _group(cell) for cell in parts.values(roles, "role").drop_nulls().unique()}
    return parts.values(roles, "role").replace_strict(groups, default=None, return_dtype=pl.String)


def _group(roles: str) -> str:
    held = set(roles.split(","))
    if held - {"student", *CONTACT_ROLES}:
        return STAFF
    return STUDENTS if "student" in held else CONTACTS
