"""Upgrade the tables of a OneRoster 1.0 or 1.1 drop to 1.2.

A user's one `role` and `orgSourcedIds` become rows of roles. 1.2 has no role `administrator`: the
type of the organization decides which administrator the person becomes.

Source: reference section 2.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW
from transforms.roster import Table
from transforms.schemas import ENTITIES, LIFECYCLE
from transforms.schemas.entity import ONLY_1_1, Version
from transforms.schemas.vocabularies import TOBEDELETED

ADMINISTRATOR = {
    "district": "districtAdministrator",
    "local": "districtAdministrator",
    "state": "districtAdministrator",
    "national": "districtAdministrator",
    "school": "siteAdministrator",
}
SYSTEM_ADMINISTRATOR = "systemAdministrator"


def upgrade_tables(tables: dict[str, Table], version: Version) -> dict[str, Table]:
    """Upgrade the tables of a 1.0 or 1.1 drop to 1.2; return those of newer drops unchanged."""
    if version not in ONLY_1_1:
        return tables
    tables = dict(tables)
    if version == "1.0" and "users" in tables:
        # 1.0 does not say who may use the systems: everyone in the drop may.
        users = tables["users"]
        frame = users.frame.with_columns(pl.col("enabledUser").fill_null("true"))
        tables["users"] = replace(users, frame=frame, said=users.said | {"enabledUser"})
    if "users" in tables and "roles" not in tables:
        users, roles = _users_and_roles(tables["users"], tables.get("orgs"))
        tables |= {"users": users, "roles": roles}
    if "lineItems" in tables:
        tables["lineItems"] = _line_items(tables["lineItems"], tables.get("classes"))
    return tables


def _users_and_roles(users: Table, orgs: Table | None) -> tuple[Table, Table]:
    """Split users of 1.1 into users and roles of 1.2."""
    one_org = ~pl.col("orgSourcedIds").str.contains(",", literal=True)
    frame = users.frame.with_columns(
        pl.col("primaryOrgSourcedId").fill_null(pl.when(one_org).then("orgSourcedIds"))
    )
    roles = (
        users.frame.select(
            ROW,
            *LIFECYCLE,
            "role",
            userSourcedId="sourcedId",
            orgSourcedId=pl.col("orgSourcedIds").str.split(","),
        )
        .explode("orgSourcedId", empty_as_null=True, keep_nulls=True)
        .with_columns(orgSourcedId=pl.col("orgSourcedId").str.strip_chars())
        .unique(maintain_order=True)
        .filter(pl.col("status").ne_missing(TOBEDELETED))
    )
    roles = roles.with_columns(
        sourcedId=pl.concat_str("userSourcedId", pl.lit("/"), pl.col("orgSourcedId").fill_null("")),
        role=role_at(orgs),
        roleType=pl.lit("primary"),
        **dict.fromkeys(LIFECYCLE, pl.lit(None, pl.String)),
    )
    entity = ENTITIES["roles"]
    names = (column.name for column in entity.current)
    all_columns = roles.select(
        ROW,
        *(
            pl.col(name) if name in roles.columns else pl.lit(None, pl.String).alias(name)
            for name in names
        ),
    )
    users = replace(users, frame=frame, said=users.said | {"primaryOrgSourcedId"})
    # A user's row names all of their organizations, in a delta too.
    return users, Table(
        entity,
        all_columns,
        users.file,
        "bulk" if users.mode == "delta" else users.mode,
        complete=True,
    )


def role_at(orgs: Table | None) -> pl.Expr:
    """Return the role of 1.2: a district, site or system administrator, by the organization's type.

    A delta may refer to an organization that it does not contain. The type is then unknown, and the
    role stays `administrator`, so that nobody gets more rights than before.
    """
    types = dict(orgs.frame.select("sourcedId", "type").drop_nulls().iter_rows()) if orgs else {}
    names = {org: ADMINISTRATOR.get(kind, SYSTEM_ADMINISTRATOR) for org, kind in types.items()}
    administrator = pl.col("orgSourcedId").replace_strict(
        names, default=pl.col("role"), return_dtype=pl.String
    )
    return pl.when(pl.col("role") == "administrator").then(administrator).otherwise("role")


def _line_items(line_items: Table, classes: Table | None) -> Table:
    frame = line_items.frame.with_columns(
        pl.col("academicSessionSourcedId").fill_null(pl.col("gradingPeriodSourcedId"))
    )
    line_items = replace(line_items, frame=frame)
    if classes is None:
        return line_items
    return fill_in_schools(
        line_items, classes.frame.select("sourcedId", school="schoolSourcedId").unique("sourcedId")
    )


def fill_in_schools(table: Table, classes: pl.DataFrame) -> Table:
    """Fill in a blank `schoolSourcedId` with the school of the row's class.

    `classes` has the columns `sourcedId` and `school`.
    """
    schools = classes.rename({"sourcedId": "classSourcedId"})
    frame = table.frame.join(schools, on="classSourcedId", how="left", maintain_order="left")
    frame = frame.with_columns(pl.col("schoolSourcedId").fill_null(pl.col("school"))).drop("school")
    return replace(table, frame=frame)
