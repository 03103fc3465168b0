"""What a feed shares: records outside its scope are withheld, counted, and never deleted for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms import payload as parts
from transforms.checks.references import Known, in_target
from transforms.findings import EXAMPLES, Findings, gather, of_file
from transforms.payload import Part
from transforms.records import EntityRecords, RosterState, dependants, without_references
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.vocabularies import CONTACT_ROLES

UNJUDGED = "the person is in no drop of this feed, which limits whom it shares"


def share(standing: RosterState, scope: Scope, known: Known | None = None) -> RosterState:
    """Withhold what the scope leaves out, and whatever needs it; drop the columns that it names.

    `known` is what the ledger knows: whom this feed has shared before.
    """
    schools = _organisations(standing, scope)
    shared = in_target(known or {}, "users")
    standing = {
        name: _of_others(_own(records, scope, schools), standing, scope, shared)
        for name, records in standing.items()
    }
    standing = _with_dependants(standing)
    return {
        name: _left_out(records, scope) for name, records in _without_references(standing).items()
    }


def unknown(standing: RosterState, scope: Scope) -> Findings:
    """Tell which schools, grades and people the scope names in vain: a misspelt one shares too little, or too much."""
    return gather(
        [
            _in_vain(standing, "orgs", "sourcedId", "schools", scope.schools),
            _in_vain(standing, "users", "grades", "grades", scope.grades),
            _in_vain(standing, "users", "sourcedId", "exclude", scope.exclude),
        ]
    )


def _in_vain(
    standing: RosterState, entity: str, column: str, setting: str, names: frozenset[str]
) -> Findings:
    if not names or entity not in standing:
        return Findings()
    records = standing[entity]
    there = (
        records.accepted[column]
        .drop_nulls()
        .str.split(",")
        .explode(empty_as_null=True, keep_nulls=True)
    )
    missing = sorted(names - {*there, *records.refused["sourcedId"], *records.gone})
    if not missing:
        return Findings()
    more = ", …" if len(missing) > EXAMPLES else ""
    detail = f"{setting} = {', '.join(missing[:EXAMPLES])}{more}"
    return of_file("share_unknown", records.file, detail, column=column, count=len(missing))


def _own(records: EntityRecords, scope: Scope, schools: frozenset[str]) -> EntityRecords:
    """Withhold the records of one entity that are out of scope by themselves."""
    match records.entity.name:
        case "orgs" if scope.schools:
            return _withheld(
                records, ~pl.col("sourcedId").is_in(list(schools)), "not one of the shared schools"
            )
        case "users":
            return _users(records, scope, schools)
        case "demographics" if not scope.demographics:
            return _withheld(records, pl.lit(value=True), "demographics are not shared")
    return records


def _of_others(
    records: EntityRecords, standing: RosterState, scope: Scope, shared: pl.Series
) -> EntityRecords:
    """Withhold what belongs to schools and people that another feed holds, if they are out of scope or none can tell."""
    school = _school(records.entity)
    if school and scope.schools and "orgs" not in standing:
        records = _withheld(
            records, ~pl.col(school).is_in(list(scope.schools)), "not one of the shared schools"
        )
    limited = (
        scope.roles or scope.grades or (scope.schools and not _placed(records.entity, standing))
    )
    for person in _people(records.entity):
        records = _withheld(
            records, pl.col(person).is_in(list(scope.exclude)), "excluded by the feed's file"
        )
        if limited:
            records = _withheld(
                records, ~pl.col(person).is_in(_judged_people(standing, shared).implode()), UNJUDGED
            )
    return records


def _school(entity: Entity) -> str | None:
    """The column that names the school of each record."""
    return next(
        (one.name for one in entity.references if one.required and "school" in one.refers_types),
        None,
    )


def _placed(entity: Entity, standing: RosterState) -> bool:
    """Whether a record's own school, or that of what it belongs to in this drop, says whether it is shared."""
    parents = [
        ENTITIES[one.refers] for one in entity.references if one.required and one.refers in standing
    ]
    return any(_school(one) for one in (entity, *parents))


def _people(entity: Entity) -> list[str]:
    return [
        column.name for column in entity.references if column.required and column.refers == "users"
    ]


def _judged_people(standing: RosterState, shared: pl.Series) -> pl.Series:
    """The people whom this drop judges, or whom this feed has shared before."""
    if "users" not in standing:
        return shared
    users = standing["users"]
    return pl.concat([shared, users.accepted["sourcedId"], users.withheld["sourcedId"]])


def unjudged(shared: RosterState) -> Findings:
    """Tell what was withheld because nobody can tell whether the people may be shared."""
    counts = {
        records.file: records.withheld.filter(pl.col("cause") == UNJUDGED).height
        for records in shared.values()
    }
    return gather(
        of_file("share_unjudged", file, count=count) for file, count in counts.items() if count
    )


def _withheld(records: EntityRecords, out: pl.Expr, cause: str) -> EntityRecords:
    return records.withhold(records.accepted.filter(out).select("sourcedId", cause=pl.lit(cause)))


def _organisations(standing: RosterState, scope: Scope) -> frozenset[str]:
    """The shared schools, what lies above them, and the departments below them."""
    if "orgs" not in standing:
        return scope.schools
    above = dict(standing["orgs"].accepted.select("sourcedId", "parentSourcedId").iter_rows())
    shared: set[str] = set(scope.schools)
    for school in scope.schools:
        parent = above.get(school)
        while parent is not None and parent not in shared:
            shared.add(parent)
            parent = above.get(parent)
    below = {org for org in above if _has_ancestor(org, above, scope.schools)}
    return frozenset(shared | below)


def _has_ancestor(org: str, above: dict[str, str | None], wanted: frozenset[str]) -> bool:
    seen: set[str] = set()
    place: str | None = org
    while place is not None and place not in seen:
        if place in wanted:
            return True
        seen.add(place)
        place = above.get(place)
    return False


def _users(records: EntityRecords, scope: Scope, schools: frozenset[str]) -> EntityRecords:
    """Withhold people by name, role, school and grade; of the others, share only the roles in scope."""
    records = _withheld(
        records, pl.col("sourcedId").is_in(list(scope.exclude)), "excluded by the feed's file"
    )
    limited = bool(scope.schools or scope.roles or scope.grades)
    if "roles" not in records.accepted.columns:
        return _withheld(
            records, pl.lit(limited), "no role in the drop, and the feed limits whom it shares"
        )
    if limited:
        records = _withheld(
            records,
            pl.col("roles").is_null(),
            "no role in the drop, and the feed limits whom it shares",
        )
    roles = records.accepted["roles"]
    kept = parts.each(
        roles, lambda held: [role for role in held if _role_shared(role, scope, schools)]
    )
    records = replace(
        records, accepted=records.accepted.with_columns(roles=kept, had=roles.is_not_null())
    )
    records = _withheld(
        records, pl.col("had") & pl.col("roles").is_null(), "no role that is shared"
    )
    records = replace(records, accepted=records.accepted.drop("had"))
    return (
        _withheld(records, _out_of_grade(records, scope), "not in one of the shared grades")
        if scope.grades
        else records
    )


def _role_shared(role: Part, scope: Scope, schools: frozenset[str]) -> bool:
    in_school = not scope.schools or role.get("orgSourcedId") in schools
    name = role.get("role", "")
    contact = name in CONTACT_ROLES and not scope.contacts
    return in_school and not contact and (not scope.roles or name in scope.roles)


def _out_of_grade(records: EntityRecords, scope: Scope) -> pl.Expr:
    """Grades are those of students; who is nothing but a student must be in one of them."""
    students = parts.values(records.accepted["roles"], "role") == "student"
    grades = (
        pl.col("grades").str.split(",").list.eval(pl.element().is_in(list(scope.grades))).list.any()
    )
    return pl.lit(students.fill_null(value=False)) & ~grades.fill_null(value=False)


def _with_dependants(standing: RosterState) -> RosterState:
    withheld: dict[str, pl.DataFrame] = {}
    done: RosterState = {}
    for name in ENTITIES:
        if name in standing:
            records = standing[name]
            done[name] = records.withhold(dependants(records, withheld))
            withheld[name] = done[name].withheld
    return done


def _without_references(standing: RosterState) -> RosterState:
    """Leave out optional references to what is withheld."""
    hidden = {name: records.withheld["sourcedId"] for name, records in standing.items()}
    return {name: without_references(records, hidden) for name, records in standing.items()}


def _left_out(records: EntityRecords, scope: Scope) -> EntityRecords:
    names = [
        name
        for name in scope.leave_out.get(records.entity.name, ())
        if name in records.accepted.columns
    ]
    blank = [pl.lit(None, pl.String).alias(name) for name in names]
    return replace(records, accepted=records.accepted.with_columns(blank)) if names else records


@dataclass(frozen=True)
class Scope:
    """The records and columns that may be shared; an empty set is no limit.

    `schools` are ids of organisations, `exclude` ids of people; `grades` and `roles` are spelled as
    in the normalised drop. `leave_out` names columns that are never sent, per entity. Demographics,
    contacts (parents, guardians, relatives) and passwords are shared only if the feed says so.
    """

    schools: frozenset[str] = frozenset()
    grades: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    exclude: frozenset[str] = frozenset()
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    demographics: bool = False
    contacts: bool = False
    passwords: bool = False
