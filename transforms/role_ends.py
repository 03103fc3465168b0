"""Roles that end one by one, in drops that are no full snapshots of roles.

A role ends if its row says `tobedeleted`, or if the enrollments that it was made of are deleted.
A person in such a drop keeps the earlier roles without the ended ones. The ended roles are stored
in `#ended`, so that an update removes them from the target, and no role that others added there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from transforms.changes import ENDED_PARTS
from transforms.checks.parts import ROLES, rule_without
from transforms.checks.references import LedgerFrames, in_target
from transforms.findings import ROW, Findings, merge_findings, row_findings, row_location
from transforms.payload import Part, read_parts, write_parts
from transforms.records import EntityRecords, RosterState
from transforms.schemas import ENTITIES
from transforms.target_vocabulary import FeedVocabulary

PEOPLE = "users"
# The column with the ids of a record's roles, and the values that they were made of.
KNOWN_BY = f"#{ROLES}"
CELLS = (ROLES, KNOWN_BY, ENDED_PARTS)
# The cell of a role with the role in classes that it was made of.
OF = "#of"
# An organization and a role in it.
Role = tuple[str, str]


@dataclass(frozen=True)
class PersonRoles:
    """The roles of one person, in a drop and in the roster before it."""

    now: list[Part]  # in the drop
    known_by: list[Part]  # the ids of `now`
    before: list[Part]  # in the roster before
    known_before: list[Part]  # the ids of `before`
    ended_before: list[Part]
    # The roles whose rows say `tobedeleted`: part id, organization, role.
    ended: list[tuple[str | None, str | None, str | None]]


@dataclass(frozen=True)
class RoleContext:
    """The target's roles, and the roles that people have in classes."""

    carrying: FeedVocabulary
    # The organizations and roles in which a person is in a class.
    enrolled: Callable[[str], set[Role]]

    def role(self, cells: Part) -> Role:
        """Return a role of the source as it is in the target."""
        return cells["orgSourcedId"], self.carrying.maps.get("roles", {}).get(
            cells["role"], cells["role"]
        )

    def holds(self, person: str, cells: Part) -> bool:
        """Tell whether the enrollments that a role was made of still exist.

        A role that was not made of enrollments always holds.
        """
        if OF not in cells:
            return True
        said = cells[OF]
        return (
            cells["orgSourcedId"],
            self.carrying.maps.get("enrollment_roles", {}).get(said, said),
        ) in self.enrolled(person)


def may_omit_roles(standing: RosterState) -> bool:
    """Tell whether a drop may omit roles that people have, or end enrollments that made roles."""
    people = standing.get(PEOPLE)
    if people is not None:
        return _may_omit_roles(people)
    return any(
        name in standing and standing[name].gone.len() for name in ("enrollments", "classes")
    )


def settle_roles(
    standing: RosterState, before: RosterState, known: LedgerFrames, carrying: FeedVocabulary
) -> tuple[RosterState, Findings]:
    """Give the people of a drop all their roles, and add people who only lose some.

    `before` is the roster before this drop. Without it, nobody knows which roles end: a person who
    is in the target and loses a role is then refused.
    """
    old = before.get(PEOPLE)
    drop = standing.get(PEOPLE) or (old and _empty_drop(old))
    if drop is None or not _may_omit_roles(drop):
        return standing, Findings()
    if old is None:
        loaded = drop.ended["sourcedId"].is_in(in_target(known, PEOPLE).implode())
        people, found = _refuse(drop, "part_removed", drop.ended.filter(loaded)["sourcedId"])
        return standing | {PEOPLE: people}, found
    people, found = _settle(
        drop,
        old,
        RoleContext(carrying, _roles_in_classes(standing, before)),
        _losing_classes(standing, before),
    )
    if PEOPLE not in standing and not people.accepted.height:
        return standing, found
    return {
        name: people if name == PEOPLE else standing[name]
        for name in ENTITIES
        if name in {PEOPLE, *standing}
    }, found


def _may_omit_roles(people: EntityRecords) -> bool:
    return ROLES in people.partial or (people.mode != "bulk" and ROLES not in people.said)


def _empty_drop(old: EntityRecords) -> EntityRecords:
    empty = {name: getattr(old, name).clear() for name in ("accepted", "refused", "withheld")}
    return EntityRecords(old.entity, mode="unknown", file=old.file, partial=old.partial, **empty)


def _losing_classes(standing: RosterState, before: RosterState) -> pl.Series:
    """Return the people with deleted enrollments, or in deleted classes."""
    old = before.get("enrollments")
    if old is None:
        return pl.Series("userSourcedId", dtype=pl.String)
    lost = pl.lit(value=False)
    for name, column in (("enrollments", "sourcedId"), ("classes", "classSourcedId")):
        if name in standing:
            lost |= pl.col(column).is_in(standing[name].gone.implode())
    return old.accepted.filter(lost)["userSourcedId"]


def _roles_in_classes(standing: RosterState, before: RosterState) -> Callable[[str], set[Role]]:
    """Return a function that gives a person's organizations and roles in classes after this drop.

    The enrollments are read when it is first called, which most drops do not need.
    """
    found: dict[str, set[Role]] = {}

    def roles_of(person: str) -> set[Role]:
        if not found:
            found[""] = set()
            for one, school, role in _enrollments_after(standing, before).iter_rows():
                found.setdefault(one, set()).add((school, role))
        return found.get(person, set())

    return roles_of


def _enrollments_after(standing: RosterState, before: RosterState) -> pl.DataFrame:
    """Return person, school and role of each enrollment, with this drop laid over the roster."""
    columns = ("userSourcedId", "schoolSourcedId", "role")
    old, new = before.get("enrollments"), standing.get("enrollments")
    empty = pl.DataFrame(schema=dict.fromkeys(("sourcedId", "classSourcedId", *columns), pl.String))
    frames = [empty]
    in_drop = [empty["sourcedId"]]
    if new is not None:
        frames.append(new.accepted.select(empty.columns))
        in_drop += [new.accepted["sourcedId"], new.gone]
    if old is not None:
        others = ~pl.col("sourcedId").is_in(pl.concat(in_drop).implode())
        frames.append(old.accepted.filter(others).select(empty.columns))
    rows = pl.concat(frames)
    if "classes" in standing:
        rows = rows.filter(~pl.col("classSourcedId").is_in(standing["classes"].gone.implode()))
    return rows.select(columns).drop_nulls()


def _settle(
    drop: EntityRecords, old: EntityRecords, rules: RoleContext, losing: pl.Series
) -> tuple[EntityRecords, Findings]:
    """Set the roles of everyone in the drop, and of people outside it who may be `losing` some."""
    losing = pl.concat([drop.ended["sourcedId"], losing]).drop_nulls().unique()
    in_drop = pl.concat(
        [
            drop.accepted["sourcedId"],
            drop.refused["sourcedId"],
            drop.withheld["sourcedId"],
            drop.gone,
        ]
    )
    person = pl.col("sourcedId")
    outside = person.is_in(losing.implode()) & ~person.is_in(in_drop.implode())
    others = old.accepted.filter(outside).drop(ROW)
    blank = [pl.lit(None, pl.String).alias(name) for name in (ROLES, KNOWN_BY)]
    rows = pl.concat([drop.accepted, others.with_columns(blank)], how="diagonal")
    cells, broken_rules = _cells_after(
        _with_cells(rows), _with_cells(old.accepted), drop.ended, rules, losing
    )
    rows = rows.drop(*CELLS, strict=False).join(
        cells, on="sourcedId", how="left", maintain_order="left"
    )
    if others.height and ROLES in old.accepted.columns:
        # People outside the drop whose roles did not change stay outside.
        earlier = old.accepted.select("sourcedId", pl.col(ROLES).alias("#was"))
        was = rows.join(earlier, on="sourcedId", how="left", maintain_order="left")["#was"]
        unchanged = rows[ROLES].eq_missing(was)
        rows = rows.filter(~(person.is_in(others["sourcedId"].implode()) & unchanged))
    records = replace(drop, accepted=rows, settled=True, partial=drop.partial | {ROLES})
    kept = _rows_of(rows, pl.Series(broken_rules["last_role"], dtype=pl.String))
    found = [
        row_findings(
            "last_role", kept, file=drop.file, entity=PEOPLE, column=ROLES, value="sourcedId"
        )
    ]
    without_role = rule_without(ROLES, drop)
    for broken, rule in (("part_removed", "part_removed"), ("role_missing", without_role)):
        people = pl.Series(broken_rules[broken], dtype=pl.String)
        records, refusals = _refuse(records, rule, people)
        found.append(refusals)
    return records, merge_findings(found)


def _with_cells(frame: pl.DataFrame) -> pl.DataFrame:
    cells = (
        pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name)
        for name in CELLS
    )
    return frame.select("sourcedId", *cells)


def _cells_after(
    rows: pl.DataFrame,
    old: pl.DataFrame,
    ended: pl.DataFrame,
    rules: RoleContext,
    losing: pl.Series,
) -> tuple[pl.DataFrame, dict[str, list[str]]]:
    """Return the `CELLS` of each person, and the people who break a rule, by rule.

    Most people have the same roles as before, and their cells stay as they are.
    """
    joined = rows.drop(ENDED_PARTS).join(
        old, on="sourcedId", how="left", suffix=":old", maintain_order="left"
    )
    was, known = pl.col(f"{ROLES}:old"), pl.col(f"{KNOWN_BY}:old")
    same = (
        (pl.col(ROLES) == was)
        & pl.col(KNOWN_BY).eq_missing(known)
        & ~pl.col("sourcedId").is_in(losing.implode())
    )
    unchanged = was.is_null() | same.fill_null(value=False)
    ended_of: dict[str, list[tuple[str | None, str | None, str | None]]] = {}
    for person, part, org, role in ended.select(
        "sourcedId", "part", "orgSourcedId", "role"
    ).iter_rows():
        ended_of.setdefault(person, []).append((part, org, role))
    changed = []
    broken_rules = {rule: list[str]() for rule in ("last_role", "role_missing", "part_removed")}
    columns = ("sourcedId", ROLES, KNOWN_BY, was, known, ENDED_PARTS)
    for person, *cells in joined.filter(~unchanged).select(*columns).iter_rows():
        now, known_by, before, known_before, ended_before = (
            read_parts(cell) if cell else [] for cell in cells
        )
        record = PersonRoles(
            now, known_by, before, known_before, ended_before, ended_of.get(person, [])
        )
        *cells_after, rule = roles_after(person, record, rules)
        changed.append((person, *cells_after))
        if rule:
            broken_rules[rule].append(person)
    after = pl.DataFrame(
        changed, schema=dict.fromkeys(("sourcedId", *CELLS), pl.String), orient="row"
    )
    return pl.concat([joined.filter(unchanged).select(after.columns), after]), broken_rules


def _refuse(records: EntityRecords, rule: str, people: pl.Series) -> tuple[EntityRecords, Findings]:
    """Refuse the records of people; only the ids of people outside the drop are known."""
    if not people.len():
        return records, Findings()
    rows = _rows_of(records.accepted, people)
    found = row_findings(rule, rows, file=records.file, entity=records.entity.name, column=ROLES)
    causes = rows.select(
        "sourcedId", cause=pl.concat_str(row_location(records.file), pl.lit(f": {rule}"))
    )
    accepted = records.accepted.join(causes, on="sourcedId", how="anti", maintain_order="left")
    refused = pl.concat([records.refused, causes.join(records.refused, on="sourcedId", how="anti")])
    return replace(records, accepted=accepted, refused=refused), found


def _rows_of(accepted: pl.DataFrame, people: pl.Series) -> pl.DataFrame:
    ids = people.unique().sort().alias("sourcedId").to_frame()
    return ids.join(
        accepted.select("sourcedId", ROW), on="sourcedId", how="left", maintain_order="left"
    )


def mark_restored_roles(standing: RosterState, newest: EntityRecords) -> RosterState:
    """Mark the roles that people have in the newest roster, and not in an older one to restore."""
    older = standing.get(PEOPLE)
    if older is None or ROLES not in older.partial:
        return standing
    now = _with_cells(newest.accepted).select("sourcedId", now=ROLES)
    joined = _with_cells(older.accepted).join(
        now, on="sourcedId", how="left", maintain_order="left"
    )
    ended = [_lost_roles(*row) for row in joined.select(ROLES, "now", ENDED_PARTS).iter_rows()]
    accepted = older.accepted.with_columns(pl.Series(ENDED_PARTS, ended, dtype=pl.String))
    return standing | {PEOPLE: replace(older, accepted=accepted)}


def _lost_roles(then: str | None, now: str | None, ended: str | None) -> str | None:
    """Return the roles of `now` that are not in `then`, and those that had ended then."""
    if then == now:
        return ended
    had = {(one.get("orgSourcedId"), one.get("role")) for one in (read_parts(then) if then else [])}
    seen = [*(read_parts(now) if now else []), *(read_parts(ended) if ended else [])]
    roles = dict.fromkeys((one["orgSourcedId"], one["role"]) for one in seen)
    return write_parts(
        {"orgSourcedId": org, "role": role} for org, role in roles if (org, role) not in had
    )


def roles_after(
    person: str, record: PersonRoles, rules: RoleContext
) -> tuple[str | None, str | None, str | None, str]:
    """Return a person's roles, their ids, and the ended roles, each as a cell, and a broken rule.

    The rule is blank if none is broken. Otherwise the cells are those from before.
    """
    known = {one["sourcedId"] for one in record.known_before}
    in_drop = {part for part, _, _ in record.ended} | {one["sourcedId"] for one in record.known_by}
    stay = [
        one
        for one in record.known_before
        if one["sourcedId"] not in in_drop and rules.holds(person, one)
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
            write_parts(record.before),
            write_parts(record.known_before),
            write_parts(record.ended_before),
            rule,
        )
    ended = {_role(one) for one in record.ended_before} | gone
    ended -= {_role(one) for one in roles}
    ended_cells = ({"orgSourcedId": org, "role": role} for org, role in ended)
    known_by = write_parts([*record.known_by, *stay])
    return write_parts(roles), known_by, write_parts(ended_cells), ""


def _role(cells: Part) -> Role:
    return cells["orgSourcedId"], cells["role"]
