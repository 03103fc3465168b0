"""Fit the cells of an export to the standard where a strict reader would refuse the whole zip.

A roster may be right, and still be written in a way that the standard does not allow. Where only
one cell can be written instead, it is. Everything else is a matter of `export`, which leaves out
the row.

Source: OneRoster 1.2 CSV Binding, and the REST binding for primary roles (reference section 5).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import polars as pl

from transforms.records import RosterState
from transforms.schemas.vocabularies import CONTACT_ROLES

SUBJECTS = ("subjects", "subjectCodes")
Frames = dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Misfit:
    """Cells of a roster that the standard does not allow, and what fits instead."""

    entity: str
    column: str  # where a report shows it
    says: str  # what is not allowed
    written: str  # what is written instead
    ids: pl.Series  # of the rows


@dataclass(frozen=True)
class _Fit:
    """A rule of the standard, and the cells that follow it."""

    entity: str
    column: str
    says: str
    written: str
    breaks: Callable[[Frames], pl.Expr]  # tells which rows break the rule
    cells: dict[str, pl.Expr]  # what to write there instead


def fit_to_standard(rows: RosterState) -> tuple[RosterState, list[Misfit]]:
    """Return the rows of a zip as the standard allows them, and the cells that differ."""
    fitted, misfits = dict(rows), []
    for fit in FITS:
        if fit.entity not in fitted:
            continue
        records = fitted[fit.entity]
        frames = {name: one.accepted for name, one in fitted.items()}
        breaks = fit.breaks(frames).fill_null(value=False)
        ids = records.accepted.filter(breaks)["sourcedId"]
        if not ids.len():
            continue
        misfits.append(Misfit(fit.entity, fit.column, fit.says, fit.written, ids))
        accepted = records.accepted.with_columns(
            pl.when(breaks).then(cell).otherwise(name).alias(name)
            for name, cell in fit.cells.items()
        )
        fitted[fit.entity] = replace(records, accepted=accepted)
    return fitted, misfits


def _unequal_lists(_: Frames) -> pl.Expr:
    """Find subjects without a code for each of them, and codes without subjects."""
    first, second = (pl.col(name).str.split(",").list.len().fill_null(0) for name in SUBJECTS)
    return first != second


def _roles(frames: Frames) -> pl.DataFrame:
    return frames.get("roles", pl.DataFrame(schema=dict.fromkeys(_ROLE, pl.String)))


def _contacts_without_username(frames: Frames) -> pl.Expr:
    """Find people who are contacts only: nothing else needs them to sign in."""
    roles = _roles(frames)
    contact = pl.col("role").is_in(CONTACT_ROLES)
    others = roles.filter(~contact)["userSourcedId"]
    contacts = roles.filter(contact)["userSourcedId"]
    one = pl.col("sourcedId")
    return (
        pl.col("username").is_null() & one.is_in(contacts.implode()) & ~one.is_in(others.implode())
    )


def _no_role_in_primary_org(frames: Frames) -> pl.Expr:
    """Find people without a role in their primary organization."""
    held = _roles(frames).select(pl.struct(*_HOLDER)).to_series()
    place = pl.struct(
        pl.col("sourcedId").alias(_HOLDER[0]), pl.col("primaryOrgSourcedId").alias(_HOLDER[1])
    )
    return pl.col("primaryOrgSourcedId").is_not_null() & ~place.is_in(held.implode())


def _only_role_is_secondary(_: Frames) -> pl.Expr:
    """Find roles that are secondary, although the person has no other one there."""
    return (pl.col("roleType") == "secondary") & (pl.len().over(*_HOLDER) == 1)


_ROLE = ("userSourcedId", "orgSourcedId", "role")
_HOLDER = ("userSourcedId", "orgSourcedId")
_BLANK = pl.lit(None, pl.String)
FITS = (
    *(
        _Fit(
            entity,
            "subjectCodes",
            "subjects and subjectCodes differ in length",
            "both are blank",
            _unequal_lists,
            dict.fromkeys(SUBJECTS, _BLANK),
        )
        for entity in ("courses", "classes")
    ),
    _Fit(
        "users",
        "username",
        "a contact has no username",
        "the sourcedId",
        _contacts_without_username,
        {"username": pl.col("sourcedId")},
    ),
    _Fit(
        "users",
        "primaryOrgSourcedId",
        "a person has no role in the primary organization",
        "blank",
        _no_role_in_primary_org,
        {"primaryOrgSourcedId": _BLANK},
    ),
    _Fit(
        "roles",
        "roleType",
        "the only role of a person in an organization is not the primary one",
        "primary",
        _only_role_is_secondary,
        {"roleType": pl.lit("primary")},
    ),
    _Fit(
        "enrollments",
        "primary",
        "`primary` is set for someone who is not a teacher",
        "false",
        lambda _: (pl.col("primary") == "true") & (pl.col("role") != "teacher"),
        {"primary": pl.lit("false")},
    ),
)
