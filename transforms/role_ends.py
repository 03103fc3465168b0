"""Roles that end one by one: in a drop that is no snapshot of them, rows say so, or what they were made of is gone.

A record of such a drop gets the roles that it had before, without those that have ended. Those are kept in mind
(`#ended`), so that an update takes them from the target, and nothing that others put there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from transforms.changes import ENDED_PARTS
from transforms.checks.parts import ENDING
from transforms.checks.references import Known, in_target
from transforms.findings import ROW, Findings, gather, of_rows, place
from transforms.payload import Part, folded_again, unfolded
from transforms.records import EntityRecords, RosterState
from transforms.schemas import ENTITIES
from transforms.target_vocabulary import Carrying

PEOPLE = "users"
# Where the ids of a record's roles stand, and what they were made of.
KNOWN_BY = f"#{ENDING}"
CELLS = (ENDING, KNOWN_BY, ENDED_PARTS)


def is_silent(standing: RosterState) -> bool:
    """Whether a drop may leave out roles that people have, or end what roles were made of."""
    people = standing.get(PEOPLE)
    if people is not None:
        return _leaves_open(people)
    return any(
        name in standing and standing[name].gone.len() for name in ("enrollments", "classes")
    )


def with_ends(
    standing: RosterState, before: RosterState, known: Known, carrying: Carrying
) -> tuple[RosterState, Findings]:
    """Give the people of a drop all their roles, and add those who only lose some; `before` is the roster until now.

    Without one, nobody can say what ends: whoever is in the target already, and loses a role, is refused.
    """
    old = before.get(PEOPLE)
    drop = standing.get(PEOPLE) or (old and _nothing(old))
    if drop is None or not _leaves_open(drop):
        return standing, Findings()
    if old is None:
        there = drop.ended["sourcedId"].is_in(in_target(known, PEOPLE).implode())
        people, found = _refused(drop, "part_removed", drop.ended.filter(there)["sourcedId"])
        return standing | {PEOPLE: people}, found
    people, found = _settled(
        drop, old, Rules(carrying, _enrolled(standing, before)), _losing(standing, before)
    )
    if PEOPLE not in standing and not people.accepted.height:
        return standing, found
    return {
        name: people if name == PEOPLE else standing[name]
        for name in ENTITIES
        if name in {PEOPLE, *standing}
    }, found


def _leaves_open(people: EntityRecords) -> bool:
    """Whether a drop may say some roles only, or none."""
    return ENDING in people.partial or (people.mode != "bulk" and ENDING not in people.said)


def _nothing(old: EntityRecords) -> EntityRecords:
    empty = {name: getattr(old, name).clear() for name in ("accepted", "refused", "withheld")}
    return EntityRecords(old.entity, mode="unknown", file=old.file, partial=old.partial, **empty)


def _losing(standing: RosterState, before: RosterState) -> pl.Series:
    """The people some of whose classes or enrollments are gone."""
    old = before.get("enrollments")
    if old is None:
        return pl.Series("userSourcedId", dtype=pl.String)
    lost = pl.lit(value=False)
    for name, column in (("enrollments", "sourcedId"), ("classes", "classSourcedId")):
        if name in standing:
            lost |= pl.col(column).is_in(standing[name].gone.implode())
    return old.accepted.filter(lost)["userSourcedId"]


def _enrolled(standing: RosterState, before: RosterState) -> Callable[[str], set[Role]]:
    """Tell in which organisations and roles somebody is in a class, once this drop is laid over what was before."""
    found: dict[str, set[Role]] = {}

    def of(person: str) -> set[Role]:
        if not found:
            found[""] = set()
            for one, *role in _still_enrolled(standing, before).iter_rows():
                found.setdefault(one, set()).add((role[0], role[1]))
        return found.get(person, set())

    return of


def _still_enrolled(standing: RosterState, before: RosterState) -> pl.DataFrame:
    columns = ("userSourcedId", "schoolSourcedId", "role")
    old, new = before.get("enrollments"), standing.get("enrollments")
    frames = [
        pl.DataFrame(schema=dict.fromkeys(("sourcedId", "classSourcedId", *columns), pl.String))
    ]
    if new is not None:
        frames.append(new.accepted.select(frames[0].columns))
    if old is not None:
        spoken = [new.accepted["sourcedId"], new.gone] if new is not None else []
        spoken.append(frames[0]["sourcedId"])
        frames.append(
            old.accepted.filter(~pl.col("sourcedId").is_in(pl.concat(spoken).implode())).select(
                frames[0].columns
            )
        )
    rows = pl.concat(frames)
    if "classes" in standing:
        rows = rows.filter(~pl.col("classSourcedId").is_in(standing["classes"].gone.implode()))
    return rows.select(columns).drop_nulls()


def _settled(
    drop: EntityRecords, old: EntityRecords, rules: Rules, losing: pl.Series
) -> tuple[EntityRecords, Findings]:
    losing = pl.concat([drop.ended["sourcedId"], losing]).drop_nulls().unique()
    spoken = pl.concat(
        [
            drop.accepted["sourcedId"],
            drop.refused["sourcedId"],
            drop.withheld["sourcedId"],
            drop.gone,
        ]
    )
    come = pl.col("sourcedId").is_in(losing.implode()) & ~pl.col("sourcedId").is_in(
        spoken.implode()
    )
    others = old.accepted.filter(come).drop(ROW)
    blank = [pl.lit(None, pl.String).alias(name) for name in (ENDING, KNOWN_BY)]
    rows = pl.concat([drop.accepted, others.with_columns(blank)], how="diagonal")
    done, told = _all_settled(
        _with_cells(rows), _with_cells(old.accepted), drop.ended, rules, losing
    )
    rows = rows.drop(*CELLS, strict=False).join(
        done, on="sourcedId", how="left", maintain_order="left"
    )
    same = (
        old.accepted.select("sourcedId", pl.col(ENDING).alias("#was"))
        if ENDING in old.accepted.columns
        else None
    )
    if others.height and same is not None:
        was = rows.join(same, on="sourcedId", how="left", maintain_order="left")["#was"]
        rows = rows.filter(
            ~(
                pl.col("sourcedId").is_in(others["sourcedId"].implode())
                & rows[ENDING].eq_missing(was)
            )
        )
    records = replace(drop, accepted=rows, settled=True, partial=drop.partial | {ENDING})
    kept = _rows_of(rows, pl.Series(told["last_role"], dtype=pl.String))
    found = [
        of_rows("last_role", kept, file=drop.file, entity=PEOPLE, column=ENDING, value="sourcedId")
    ]
    for rule in ("part_removed", "role_missing"):
        records, refused = _refused(records, rule, pl.Series(told[rule], dtype=pl.String))
        found.append(refused)
    return records, gather(found)


def _with_cells(frame: pl.DataFrame) -> pl.DataFrame:
    cells = (
        pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
        for name in CELLS
    )
    return frame.select("sourcedId", *cells)


def _all_settled(
    rows: pl.DataFrame, old: pl.DataFrame, ended: pl.DataFrame, rules: Rules, losing: pl.Series
) -> tuple[pl.DataFrame, dict[str, list[str]]]:
    """Settle each record; the many that say of their roles what was said before are left as they are."""
    met = rows.drop(ENDED_PARTS).join(
        old, on="sourcedId", how="left", suffix=":old", maintain_order="left"
    )
    was, known = pl.col(f"{ENDING}:old"), pl.col(f"{KNOWN_BY}:old")
    same = (
        (pl.col(ENDING) == was)
        & pl.col(KNOWN_BY).eq_missing(known)
        & ~pl.col("sourcedId").is_in(losing.implode())
    )
    quiet = was.is_null() | same.fill_null(value=False)
    names: dict[str, list[tuple[str | None, str | None, str | None]]] = {}
    for person, part, org, role in ended.select(
        "sourcedId", "part", "orgSourcedId", "role"
    ).iter_rows():
        names.setdefault(person, []).append((part, org, role))
    done, told = [], {rule: list[str]() for rule in ("last_role", "role_missing", "part_removed")}
    for person, *cells, tombs in (
        met.filter(~quiet).select("sourcedId", *CELLS[:2], was, known, ENDED_PARTS).iter_rows()
    ):
        now, own, before, known_before, over = (
            unfolded(cell) if cell else [] for cell in (*cells, tombs)
        )
        record = PersonRecord(now, own, before, known_before, over, names.get(person, []))
        *settled_as, rule = left(person, record, rules)
        done.append((person, *settled_as))
        if rule:
            told[rule].append(person)
    settled = pl.DataFrame(
        done, schema=dict.fromkeys(("sourcedId", *CELLS), pl.String), orient="row"
    )
    return pl.concat([met.filter(quiet).select(settled.columns), settled]), told


def _refused(
    records: EntityRecords, rule: str, people: pl.Series
) -> tuple[EntityRecords, Findings]:
    """Refuse records; of those in no row of the drop only the ids are known."""
    if not people.len():
        return records, Findings()
    rows = _rows_of(records.accepted, people)
    found = of_rows(rule, rows, file=records.file, entity=records.entity.name, column=ENDING)
    causes = rows.select("sourcedId", cause=pl.concat_str(place(records.file), pl.lit(f": {rule}")))
    accepted = records.accepted.join(causes, on="sourcedId", how="anti", maintain_order="left")
    refused = pl.concat([records.refused, causes.join(records.refused, on="sourcedId", how="anti")])
    return replace(records, accepted=accepted, refused=refused), found


def _rows_of(accepted: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    ids = people.unique().sort().alias("sourcedId").to_frame()
    return ids.join(
        accepted.select("sourcedId", ROW), on="sourcedId", how="left", maintain_order="left"
    )


def taken_back(standing: RosterState, newest: EntityRecords) -> RosterState:
    """Note which roles people have by the newest roster, and not by an older one that is to hold again."""
    older = standing.get(PEOPLE)
    if older is None or ENDING not in older.partial:
        return standing
    now = _with_cells(newest.accepted).select("sourcedId", now=ENDING)
    met = _with_cells(older.accepted).join(now, on="sourcedId", how="left", maintain_order="left")
    ended = [_lost(*row) for row in met.select(ENDING, "now", ENDED_PARTS).iter_rows()]
    accepted = older.accepted.with_columns(pl.Series(ENDED_PARTS, ended, dtype=pl.String))
    return standing | {PEOPLE: replace(older, accepted=accepted)}


def _lost(then: str | None, now: str | None, ended: str | None) -> str | None:
    """The roles of now that are none of then, with those that had ended then."""
    if then == now:
        return ended
    had = {(one.get("orgSourcedId"), one.get("role")) for one in (unfolded(then) if then else [])}
    seen = [*(unfolded(now) if now else []), *(unfolded(ended) if ended else [])]
    roles = dict.fromkeys((one["orgSourcedId"], one["role"]) for one in seen)
    return folded_again(
        {"orgSourcedId": org, "role": role} for org, role in roles if (org, role) not in had
    )


# The role in classes of which a role was made.
OF = "#of"
Role = tuple[str, str]


@dataclass(frozen=True)
class PersonRecord:
    """What a drop and the roster before it say of the roles of one person, and what ends by name (`part`, org, role)."""

    now: list[Part]
    known_by: list[Part]
    before: list[Part]
    known_before: list[Part]
    ended_before: list[Part]
    ended: list[tuple[str | None, str | None, str | None]]


@dataclass(frozen=True)
class Rules:
    """How roles are spelt in the target, and whether anybody still has a role in a class of an organisation."""

    carrying: Carrying
    enrolled: Callable[[str], set[Role]]

    def role(self, cells: Part) -> Role:
        """What a role of the source is in the target."""
        return cells["orgSourcedId"], self.carrying.maps.get("roles", {}).get(
            cells["role"], cells["role"]
        )

    def holds(self, person: str, cells: Part) -> bool:
        """Whether what a role was made of is still there; one that was made of nothing stands by itself."""
        if OF not in cells:
            return True
        said = cells[OF]
        return (
            cells["orgSourcedId"],
            self.carrying.maps.get("enrollment_roles", {}).get(said, said),
        ) in self.enrolled(person)


def left(
    person: str, record: PersonRecord, rules: Rules
) -> tuple[str | None, str | None, str | None, str]:
    """Give a person's roles, what they are known by and which have ended; and the rule by which that cannot be, if so."""
    known = {one["sourcedId"] for one in record.known_before}
    told = {part for part, _, _ in record.ended} | {one["sourcedId"] for one in record.known_by}
    stay = [
        one
        for one in record.known_before
        if one["sourcedId"] not in told and rules.holds(person, one)
    ]
    over = {rules.role(one) for one in record.known_before if one not in stay}
    named = [(org, role) for part, org, role in record.ended if part not in known]
    over |= {rules.role({"orgSourcedId": org, "role": role}) for org, role in named if org and role}
    here, staying = {_role(one) for one in record.now}, {rules.role(one) for one in stay}
    gone = over - here - staying
    apart = here - staying | gone
    roles = [
        *record.now,
        *(one for one in record.before if one not in record.now and _role(one) not in apart),
    ]
    unclear = not all(org and role for org, role in named)
    if unclear or not roles:
        rule = "part_removed" if unclear else "role_missing" if record.ended else "last_role"
        return (
            folded_again(record.before),
            folded_again(record.known_before),
            folded_again(record.ended_before),
            rule,
        )
    ended = {_role(one) for one in record.ended_before} | gone
    tombs = (
        {"orgSourcedId": org, "role": role} for org, role in ended - {_role(one) for one in roles}
    )
    return folded_again(roles), folded_again([*record.known_by, *stay]), folded_again(tombs), ""


def _role(cells: Part) -> Role:
    return cells["orgSourcedId"], cells["role"]
