"""What a write must be: required properties, vocabularies, references.

Source: API reference, section 8, section 9 (foreign keys) and appendix A.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from connectors.oneroster.collections import Collection
from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.shapes import columns
from connectors.oneroster.sandbox.store import Store
from transforms.carry import EMAIL
from transforms.carrying import GRADES, ROLES, SUBJECTS
from transforms.payload import Json
from transforms.schemas import Column
from transforms.schemas.vocabularies import ROLE_TYPES, STATUS

BIRTH_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
SEX_ON_WRITE = ("male", "female")
# Whoever refers to an organisation or user that is not there is told so with this status.
MISSING_PARENT = 404


def demand(collection: Collection, written: Json, required: tuple[str, ...], store: Store) -> None:
    """Raise `Failure` unless a write is complete, in the API's vocabulary, and refers to what is there."""
    faults = dict(_faults(collection, written, required))
    if faults:
        raise Failure(422, "The request body is not valid.", **faults)
    for name, entity, sourced_id in _references(collection, written):
        if not store.has(entity, sourced_id):
            raise Failure(MISSING_PARENT, f"{name} {sourced_id} not found.")


def _faults(collection: Collection, written: Json, required: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for name in required:
        if written.get(name) in (None, "", []):
            yield name, "is required"
    if written.get("status", "active") not in STATUS:
        yield "status", "must be active or tobedeleted"
    names = dict(collection.written_as)
    for standard, column in columns(collection).items():
        value = written.get(names.get(standard, standard))
        if value is not None and (fault := _fault(column, value)):
            yield standard, fault
    if collection.name == "users":
        yield from _user_faults(written)


def _fault(column: Column, value: Any) -> str:
    if column.kind == "reference":
        return "" if _is_reference(value) else "must be {sourcedId}"
    if column.is_list and not isinstance(value, list):
        return "must be a list"
    if column.kind == "references":
        return "" if all(map(_is_reference, value)) else "must be a list of {sourcedId}"
    if column.name == "grades":
        return "" if all(map(_is_grade, value)) else f"must be of {', '.join(GRADES)}"
    if column.name == "subjects":
        return "" if set(value) <= set(SUBJECTS) else f"must be of {', '.join(SUBJECTS)}"
    if column.kind == "boolean":
        return "" if value in (True, False, "true", "false") else "must be true or false"
    if column.name == "birthDate":
        return "" if BIRTH_DATE.fullmatch(str(value)) else "must be YYYY-MM-DD"
    vocabulary = SEX_ON_WRITE if column.name == "sex" else column.values
    return "" if not vocabulary or value in vocabulary else f"must be one of {', '.join(vocabulary)}"


def _is_reference(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("sourcedId"), str)


def _is_grade(grade: Any) -> bool:
    """Grades are taken as text or numbers, with a leading zero or without."""
    text = str(grade)
    return text in GRADES or text.removeprefix("0") in GRADES


def _user_faults(user: Json) -> Iterator[tuple[str, str]]:
    if not re.fullmatch(EMAIL, str(user.get("email") or "")):
        yield "email", "must be an e-mail address"
    for role in user.get("roles") or []:
        if role.get("roleType") not in ROLE_TYPES:
            yield "roles.roleType", "must be primary or secondary"
        if role.get("role") not in ROLES:
            yield "roles.role", f"must be one of {', '.join(ROLES)}"
        if not _is_reference(role.get("org")):
            yield "roles.org", "must be {sourcedId}"


def _references(collection: Collection, written: Json) -> Iterator[tuple[str, str, str]]:
    """Every reference of a write, as (what it is, collection, id)."""
    names = dict(collection.written_as)
    for standard, column in columns(collection).items():
        value = written.get(names.get(standard, standard))
        for item in value if isinstance(value, list) else [value]:
            if column.refers and item is not None:
                yield standard, column.refers, item["sourcedId"]
    for role in written.get("roles") or []:
        yield "Organisation of a role", "orgs", role["org"]["sourcedId"]
    if collection.name == "demographics":
        yield "User", "users", written["sourcedId"]
