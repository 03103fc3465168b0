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
        name: _of_others(_own(judged, scope, schools), standing, scope, shared)
        for name, judged in standing.items()
    }
    standing = _with_dependants(standing)
    return {
        name: _left_out(judged, scope) for name, judged in _without_references(standing).items()
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
    judged = standing[entity]
    there = (
        judged.accepted[column]
        .drop_nulls()
        .str.split(",")
        .explode(empty_as_null=True, keep_nulls=True)
    )
    missing = sorted(names - {*there, *judged.refused["sourcedId"], *judged.gone})
    if not missing:
        return Findings()
    more = ", …" if len(missing) > EXAMPLES else ""
    detail = f"{setting} = {', '.join(missing[:EXAMPLES])}{more}"
    return of_file("share_unknown", judged.file, detail, column=column, count=len(missing))


def _own(judged: EntityRecords, scope: Scope, schools: frozenset[str]) -> EntityRecords:
    """Withhold the records of one entity that are out of scope by themselves."""
    match judged.entity.name:
        case "orgs" if scope.schools:
            return _withheld(
                judged, ~pl.col("sourcedId").is_in(list(schools)), "not one of the shared schools"
            )
        case "users":
            return _users(judged, scope, schools)
        case "demographics" if not scope.demographics:
            return _withheld(judged, pl.lit(value=True), "demographics are not shared")
    return judged


def _of_others(
    judged: EntityRecords, standing: RosterState, scope: Scope, shared: pl.Series
) -> EntityRecords:
    """Withhold what belongs to schools and people that another feed holds, if they are out of scope or none can tell."""
    school = _school(judged.entity)
    if school and scope.schools and "orgs" not in standing:
        judged = _withheld(
            judged, ~pl.col(school).is_in(list(scope.schools)), "not one of the shared schools"
        )
    limited = (
        scope.roles or scope.grades or (scope.schools and not _placed(judged.entity, standing))
    )
    for person in _people(judged.entity):
        judged = _withheld(
            judged, pl.col(person).is_in(list(scope.exclude)), "excluded by the feed's file"
        )
        if limited:
            judged = _withheld(
                judged, ~pl.col(person).is_in(_judged_people(standing, shared).implode()), UNJUDGED
            )
    return judged


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
        judged.file: judged.withheld.filter(pl.col("cause") == UNJUDGED).height
        for judged in shared.values()
    }
    return gather(
        of_file("share_unjudged", file, count=count) for file, count in counts.items() if count
    )


def _withheld(judged: EntityRecords, out: pl.Expr, cause: str) -> EntityRecords:
    return judged.withhold(judged.accepted.filter(out).select("sourcedId", cause=pl.lit(cause)))


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


def _users(judged: EntityRecords, scope: Scope, schools: frozenset[str]) -> EntityRecords:
    """Withhold people by name, role, school and grade; of the others, share only the roles in scope."""
    judged = _withheld(
        judged, pl.col("sourcedId").is_in(list(scope.exclude)), "excluded by the feed's file"
    )
    limited = bool(scope.schools or scope.roles or scope.grades)
    if "roles" not in judged.accepted.columns:
        return _withheld(
            judged, pl.lit(limited), "no role in the drop, and the feed limits whom it shares"
        )
    if limited:
        judged = _withheld(
            judged,
            pl.col("roles").is_null(),
            "no role in the drop, and the feed limits whom it shares",
        )
    roles = judged.accepted["roles"]
    kept = parts.each(
        roles, lambda held: [role for role in held if _role_shared(role, scope, schools)]
    )
    judged = replace(
        judged, accepted=judged.accepted.with_columns(roles=kept, had=roles.is_not_null())
    )
    judged = _withheld(judged, pl.col("had") & pl.col("roles").is_null(), "no role that is shared")
    judged = replace(judged, accepted=judged.accepted.drop("had"))
    return (
        _withheld(judged, _out_of_grade(judged, scope), "not in one of the shared grades")
        if scope.grades
        else judged
    )


def _role_shared(role: Part, scope: Scope, schools: frozenset[str]) -> bool:
    in_school = not scope.schools or role.get("orgSourcedId") in schools
    name = role.get("role", "")
    contact = name in CONTACT_ROLES and not scope.contacts
    return in_school and not contact and (not scope.roles or name in scope.roles)


def _out_of_grade(judged: EntityRecords, scope: Scope) -> pl.Expr:
    """Grades are those of students; who is nothing but a student must be in one of them."""
    students = parts.values(judged.accepted["roles"], "role") == "student"
    grades = (
        pl.col("grades").str.split(",").list.eval(pl.element().is_in(list(scope.grades))).list.any()
    )
    return pl.lit(students.fill_null(value=False)) & ~grades.fill_null(value=False)


def _with_dependants(standing: RosterState) -> RosterState:
    withheld: dict[str, pl.DataFrame] = {}
    done: RosterState = {}
    for name in ENTITIES:
        if name in standing:
            judged = standing[name]
            done[name] = judged.withhold(dependants(judged, withheld))
            withheld[name] = done[name].withheld
    return done


def _without_references(standing: RosterState) -> RosterState:
    """Leave out optional references to what is withheld."""
    hidden = {name: judged.withheld["sourcedId"] for name, judged in standing.items()}
    return {name: without_references(judged, hidden) for name, judged in standing.items()}


def _left_out(judged: EntityRecords, scope: Scope) -> EntityRecords:
    names = [
        name
        for name in scope.leave_out.get(judged.entity.name, ())
        if name in judged.accepted.columns
    ]
    blank = [pl.lit(None, pl.String).alias(name) for name in names]
    return replace(judged, accepted=judged.accepted.with_columns(blank)) if names else judged


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
