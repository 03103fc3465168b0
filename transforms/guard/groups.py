"""Students, staff and contacts, and enrollments by role: they are counted for themselves, so that the many do not hide the few."""

from __future__ import annotations

import polars as pl

from transforms import parts
from transforms.schemas.vocabularies import CONTACT_ROLES

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
