"""Sharing: withhold the records outside a feed's scope.

Withheld records are counted, and they are never deleted because they are out of scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from transforms import payload as parts
from transforms.checks.references import LedgerFrames, in_target
from transforms.findings import EXAMPLES, Findings, file_finding, merge_findings
from transforms.payload import Part
from transforms.records import EntityRecords, RosterState, dependents, without_references
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.vocabularies import CONTACT_ROLES

UNKNOWN_PERSON = "the person is in no drop of this feed, which limits whom it shares"


@dataclass(frozen=True)
class SharingScope:
    """The records and columns that may be shared; an empty set is no limit."""

    schools: frozenset[str] = frozenset()  # ids of organizations
    grades: frozenset[str] = frozenset()  # in the spelling of the normalized drop
    roles: frozenset[str] = frozenset()  # in the spelling of the normalized drop
    exclude: frozenset[str] = frozenset()  # ids of people
    # The columns that are never sent, by entity.
    leave_out: Mapping[str, frozenset[str]] = field(default_factory=dict)
    demographics: bool = False
    contacts: bool = False  # parents, guardians and relatives
    passwords: bool = False


def share(
    standing: RosterState, scope: SharingScope, known: LedgerFrames | None = None
) -> RosterState:
    """Withhold the records outside the scope and those that need them; blank excluded columns.

    `known` has the ledger's frames, which tell whom this feed has shared before.
    """
    orgs = _shared_orgs(standing, scope)
    shared = in_target(known or {}, "users")
    standing = {
        name: _by_parents(_by_own_cells(records, scope, orgs), standing, scope, shared)
        for name, records in standing.items()
    }
    standing = _without_dependants(standing)
    hidden = {name: records.withheld["sourcedId"] for name, records in standing.items()}
    return {
        name: _blank_columns(without_references(records, hidden), scope)
        for name, records in standing.items()
    }


def unknown_scope_names(standing: RosterState, scope: SharingScope) -> Findings:
    """Report schools, grades and people in the scope that the drop does not have.

    If one is misspelled, too little or too much is shared.
    """
    return merge_findings(
        [
            _unknown_names(standing, "orgs", "sourcedId", "schools", scope.schools),
            _unknown_names(standing, "users", "grades", "grades", scope.grades),
            _unknown_names(standing, "users", "sourcedId", "exclude", scope.exclude),
        ]
    )


def _unknown_names(
    standing: RosterState, entity: str, column: str, setting: str, names: frozenset[str]
) -> Findings:
    if not names or entity not in standing:
        return Findings()
    records = standing[entity]
    names_in_drop = (
        records.accepted[column]
        .drop_nulls()
        .str.split(",")
        .explode(empty_as_null=True, keep_nulls=True)
    )
    missing = sorted(names - {*names_in_drop, *records.refused["sourcedId"], *records.gone})
    if not missing:
        return Findings()
    more = ", …" if len(missing) > EXAMPLES else ""
    detail = f"{setting} = {', '.join(missing[:EXAMPLES])}{more}"
    return file_finding("share_unknown", records.file, detail, column=column, count=len(missing))


def report_unknown_people(shared: RosterState) -> Findings:
    """Report the records withheld because it is unknown whether their people may be shared."""
    counts = {
        records.file: records.withheld.filter(pl.col("cause") == UNKNOWN_PERSON).height
        for records in shared.values()
    }
    return merge_findings(
        file_finding("share_unjudged", file, count=count) for file, count in counts.items() if count
    )


def _by_own_cells(
    records: EntityRecords, scope: SharingScope, orgs: frozenset[str]
) -> EntityRecords:
    """Withhold the records of one entity that are out of scope by their own cells."""
    match records.entity.name:
        case "orgs" if scope.schools:
            return _withhold(
                records, ~pl.col("sourcedId").is_in(list(orgs)), "not one of the shared schools"
            )
        case "users":
            return _users(records, scope, orgs)
        case "demographics" if not scope.demographics:
            return _withhold(records, pl.lit(value=True), "demographics are not shared")
    return records


def _by_parents(
    records: EntityRecords, standing: RosterState, scope: SharingScope, shared: pl.Series
) -> EntityRecords:
    """Withhold the records of schools and people that are out of scope, or that may be.

    Another feed may have those schools and people, so that this drop does not contain them.
    """
    school = _school_column(records.entity)
    if school and scope.schools and "orgs" not in standing:
        records = _withhold(
            records, ~pl.col(school).is_in(list(scope.schools)), "not one of the shared schools"
        )
    limited = (
        scope.roles or scope.grades or (scope.schools and not _has_school(records.entity, standing))
    )
    for person in _person_columns(records.entity):
        records = _withhold(
            records, pl.col(person).is_in(list(scope.exclude)), "excluded by the feed file"
        )
        if limited:
            records = _withhold(
                records,
                ~pl.col(person).is_in(_checked_people(standing, shared).implode()),
                UNKNOWN_PERSON,
            )
    return records


def _school_column(entity: Entity) -> str | None:
    """Return the column that names the school of each record; None if there is none."""
    return next(
        (one.name for one in entity.references if one.required and "school" in one.refers_types),
        None,
    )


def _has_school(entity: Entity, standing: RosterState) -> bool:
    """Tell whether a record or one of its parents in this drop has a school to decide by."""
    parents = [
        ENTITIES[one.refers] for one in entity.references if one.required and one.refers in standing
    ]
    return any(_school_column(one) for one in (entity, *parents))


def _person_columns(entity: Entity) -> list[str]:
    return [
        column.name for column in entity.references if column.required and column.refers == "users"
    ]


def _checked_people(standing: RosterState, shared: pl.Series) -> pl.Series:
    """Return the people in this drop, shared or not, and those whom this feed has shared before."""
    if "users" not in standing:
        return shared
    users = standing["users"]
    return pl.concat([shared, users.accepted["sourcedId"], users.withheld["sourcedId"]])


def _withhold(records: EntityRecords, out: pl.Expr, cause: str) -> EntityRecords:
    return records.withhold(records.accepted.filter(out).select("sourcedId", cause=pl.lit(cause)))


def _shared_orgs(standing: RosterState, scope: SharingScope) -> frozenset[str]:
    """Return the shared schools, the organizations above them, and the departments below them."""
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
    ancestor: str | None = org
    while ancestor is not None and ancestor not in seen:
        if ancestor in wanted:
            return True
        seen.add(ancestor)
        ancestor = above.get(ancestor)
    return False


def _users(records: EntityRecords, scope: SharingScope, orgs: frozenset[str]) -> EntityRecords:
    """Withhold people by id, role, school and grade; of the others, share only roles in scope."""
    records = _withhold(
        records, pl.col("sourcedId").is_in(list(scope.exclude)), "excluded by the feed file"
    )
    limited = bool(scope.schools or scope.roles or scope.grades)
    if "roles" not in records.accepted.columns:
        return _withhold(
            records, pl.lit(limited), "no role in the drop, and the feed limits whom it shares"
        )
    if limited:
        records = _withhold(
            records,
            pl.col("roles").is_null(),
            "no role in the drop, and the feed limits whom it shares",
        )
    roles = records.accepted["roles"]
    kept = parts.map_parts(
        roles, lambda held: [role for role in held if _is_shared(role, scope, orgs)]
    )
    records = replace(
        records, accepted=records.accepted.with_columns(roles=kept, had=roles.is_not_null())
    )
    records = _withhold(
        records, pl.col("had") & pl.col("roles").is_null(), "no role that is shared"
    )
    records = replace(records, accepted=records.accepted.drop("had"))
    return (
        _withhold(records, _outside_grades(records, scope), "not in one of the shared grades")
        if scope.grades
        else records
    )


def _is_shared(role: Part, scope: SharingScope, orgs: frozenset[str]) -> bool:
    in_school = not scope.schools or role.get("orgSourcedId") in orgs
    name = role.get("role", "")
    contact = name in CONTACT_ROLES and not scope.contacts
    return in_school and not contact and (not scope.roles or name in scope.roles)


def _outside_grades(records: EntityRecords, scope: SharingScope) -> pl.Expr:
    """Tell whether a person is only a student, and in none of the shared grades."""
    students = parts.part_values(records.accepted["roles"], "role") == "student"
    grades = (
        pl.col("grades").str.split(",").list.eval(pl.element().is_in(list(scope.grades))).list.any()
    )
    return pl.lit(students.fill_null(value=False)) & ~grades.fill_null(value=False)


def _without_dependants(standing: RosterState) -> RosterState:
    """Withhold the records that need a withheld one."""
    withheld: dict[str, pl.DataFrame] = {}
    done: RosterState = {}
    for name in ENTITIES:
        if name in standing:
            records = standing[name]
            done[name] = records.withhold(dependents(records, withheld))
            withheld[name] = done[name].withheld
    return done


def _blank_columns(records: EntityRecords, scope: SharingScope) -> EntityRecords:
    names = [
        name
        for name in scope.leave_out.get(records.entity.name, ())
        if name in records.accepted.columns
    ]
    blank = [pl.lit(None, pl.String).alias(name) for name in names]
    return replace(records, accepted=records.accepted.with_columns(blank)) if names else records
