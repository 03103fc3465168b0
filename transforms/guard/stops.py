"""The changes of a run while the guard goes over them: what is stopped is marked, with the first reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import polars as pl

from transforms.changes import ACTION, FINGERPRINT, HELD, HOLD, PARENTS, REMOVALS, SCHOOL, Changes, EntityChanges

# What vanished and counts; `kept` stays for another reason, such as a term that is over.
VANISHED = ("delete", "disable", "end", "keep")
NONE = pl.lit(value=False)
ALL = pl.lit(value=True)


@dataclass(frozen=True)
class Hold:
    """One reason why changes wait: a limit or a special case, of one entity or school or (blank) of all."""

    rule: str
    entity: str
    school: str
    count: int
    sentence: str


@dataclass
class Stops:
    """The changes, and the reasons why some of them are stopped."""

    parts: dict[str, EntityChanges]
    holds: list[Hold] = field(default_factory=list)

    @classmethod
    def of(cls, changes: Changes) -> Stops:
        """Begin with nothing stopped."""
        return cls({name: _marked(part) for name, part in changes.items()})

    def vanished(self, name: str) -> pl.DataFrame:
        """The records of an entity that vanished and count."""
        return self.parts[name].of(*VANISHED)

    def counted(self) -> Iterator[tuple[str, int]]:
        """How many records of each entity vanished, where any did."""
        for name in self.parts:
            if count := self.vanished(name).height:
                yield name, count

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

    def stop(self, rule: str, sentence: str, *names: str, school: str = "", removals: pl.Expr = NONE,
             upserts: pl.Expr = NONE) -> None:  # fmt: skip
        """Stop the changes of some entities that are selected; a rule that stops nothing is no reason."""
        count = 0
        for name in names:
            part = self.parts[name]
            removed = _hit(part.removals, removals & pl.col(ACTION).is_in(VANISHED))
            sent = _hit(part.upserts, upserts)
            count += int(removed.sum()) + int(sent.sum())
            self.parts[name] = replace(
                part, removals=_stopped(part.removals, removed, rule), upserts=_stopped(part.upserts, sent, rule)
            )
        if count:
            self.holds.append(Hold(rule, names[0] if len(names) == 1 else "", school, count, sentence))

    def changes(self) -> Changes:
        """Give the changes, with what is stopped set apart."""
        return {name: _parted(part) for name, part in self.parts.items()}


def _marked(part: EntityChanges) -> EntityChanges:
    blank = pl.lit(None, pl.String).alias(HOLD)
    removals = part.removals.with_columns(blank)
    if SCHOOL not in removals.columns:
        removals = removals.with_columns(pl.lit(None, pl.String).alias(SCHOOL))
    return replace(part, removals=removals, upserts=part.upserts.with_columns(blank))


def _hit(frame: pl.DataFrame, chosen: pl.Expr) -> pl.Series:
    return frame.with_columns(chosen.fill_null(value=False).alias("#hit"))["#hit"]


def _stopped(frame: pl.DataFrame, hit: pl.Series, rule: str) -> pl.DataFrame:
    if not hit.any():
        return frame
    return frame.with_columns(pl.when(pl.col(HOLD).is_null() & hit).then(pl.lit(rule)).otherwise(HOLD).alias(HOLD))


def _parted(part: EntityChanges) -> EntityChanges:
    held = pl.concat([_held(part.upserts), _held(part.removals)])
    removals = part.removals.filter(pl.col(HOLD).is_null()).drop(HOLD)
    upserts = part.upserts.filter(pl.col(HOLD).is_null()).drop(HOLD)
    kept = removals.filter(~pl.col(ACTION).is_in([*REMOVALS])).height
    counts = {**part.counts, "held": held.height, "kept": kept}
    return replace(part, removals=removals, upserts=upserts, held=held, counts=counts)


def _held(frame: pl.DataFrame) -> pl.DataFrame:
    columns = [
        (pl.col(name) if name in frame.columns else pl.lit(None, kind).alias(name)) for name, kind in HELD.items()
    ]
    held = frame.lazy().filter(pl.col(HOLD).is_not_null()).select(columns)
    return held.cast({FINGERPRINT: pl.Int64}).collect()
