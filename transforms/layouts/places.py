"""What a layout leaves to be understood: the organisation above the schools, roles, and the school of an enrollment."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, SPAN, Findings, of_file, of_rows
from transforms.layouts.assembling import PRESUMED, Part, Parts
from transforms.layouts.dialect import Dialect
from transforms.layouts.keys import DISTRICT, key_of, written
from transforms.schemas import ENTITIES
from transforms.schemas.vocabularies import TOBEDELETED

# The role in classes from which a role was made.
OF = "#of"
ABOVE = ("district", "state", "national", "local")
ROLE_OF = {
    "student": "student",
    "teacher": "teacher",
    "ext:aide": "aide",
    "administrator": "siteAdministrator",
    "proctor": "proctor",
}


def made(part: Part, records: list[dict[str, str | None]]) -> pl.DataFrame:
    """The rows of a part, with records that stand in no file; they are numbered from the end of its first file's span."""
    names = part.frame.columns
    lines = [{**dict.fromkeys(names), **record, ROW: SPAN - 1 - number} for number, record in enumerate(records)]
    return pl.concat([pl.DataFrame(lines, schema=part.frame.schema), part.frame]) if lines else part.frame


def with_district(parts: Parts, dialect: Dialect) -> tuple[Parts, list[Findings]]:
    """Put an organisation above those that have none above them, unless the drop has one of that kind itself."""
    orgs = parts.get("orgs")
    if orgs is None or not orgs.frame.height:
        return parts, []
    tops = orgs.frame.filter(pl.col("parentSourcedId").is_null() & pl.col("type").is_not_null())
    if tops.height == 0 or tops["type"].is_in(ABOVE).all() or "district" in tops["type"]:
        return parts, []
    sourced_id = dialect.district_id or f"district/{written(dialect.district)}"
    above: dict[str, str | None] = {"sourcedId": sourced_id, "name": dialect.district, "type": "district"}
    parent = (
        pl.when(~pl.col("type").is_in(ABOVE))
        .then(pl.col("parentSourcedId").fill_null(sourced_id))
        .otherwise("parentSourcedId")
    )
    frame = made(orgs.having(orgs.frame.with_columns(parent.alias("parentSourcedId"))), [above])
    told = of_file("district_made", orgs.file, f"{dialect.district!r}, {sourced_id}")
    return parts | {"orgs": orgs.having(frame, "parentSourcedId")}, [told]


def district_of(parts: Parts) -> str | None:
    """The one organisation above all others, or the one district that has nothing above it."""
    if "orgs" not in parts:
        return None
    tops = parts["orgs"].frame.filter(pl.col("parentSourcedId").is_null() & pl.col("sourcedId").is_not_null())
    for candidates in (tops, tops.filter(pl.col("type") == "district")):
        if candidates.height == 1:
            return str(candidates["sourcedId"][0])
    return None


def with_district_named(parts: Parts, dialect: Dialect) -> Parts:
    """Write the id of the organisation above all others wherever a layout means that one."""
    known = district_of(parts) or dialect.district_id or None

    def named(name: str, part: Part) -> Part:
        columns = [column.name for column in ENTITIES[name].current if column.refers == "orgs" and not column.is_list]
        return part.having(part.frame.with_columns(pl.col(columns).replace({DISTRICT: known}))) if columns else part

    done = {name: named(name, part) for name, part in parts.items()}
    if known is None and "roles" in done:
        # A drop of changes need not have the organisation in which people are presumed to be something.
        nowhere = pl.col(PRESUMED) & (pl.col("orgSourcedId").is_null() | (pl.col("orgSourcedId") == DISTRICT))
        done["roles"] = done["roles"].having(done["roles"].frame.filter(~nowhere.fill_null(value=False)))
    return done


def with_schools(parts: Parts) -> tuple[Parts, list[Findings]]:
    """Give enrollments the school of their class, which is right where a row says another."""
    if "enrollments" not in parts or "classes" not in parts:
        return parts, []
    part = parts["enrollments"]
    schools = (
        parts["classes"].frame.select(classSourcedId="sourcedId", school="schoolSourcedId").unique("classSourcedId")
    )
    frame = part.frame.join(schools, on="classSourcedId", how="left", maintain_order="left")
    other = frame.filter(pl.col("schoolSourcedId") != pl.col("school"))
    told = of_rows(
        "school_of_class",
        other,
        file=part.file,
        entity="enrollments",
        column="schoolSourcedId",
        value="schoolSourcedId",
    )
    frame = frame.with_columns(pl.coalesce("school", "schoolSourcedId").alias("schoolSourcedId")).drop("school")
    return parts | {"enrollments": part.having(frame, "schoolSourcedId")}, [told]


def with_roles(parts: Parts) -> tuple[Parts, list[Findings]]:
    """Give people without a certain role in any organisation the one that they have in classes."""
    if not {"users", "enrollments"} <= parts.keys():
        return parts, []
    users = parts["users"]
    part = parts.get("roles") or Part(_nothing("roles", users.frame))
    certain = part.frame.filter(~pl.col(PRESUMED) & pl.col("status").ne_missing(TOBEDELETED))[
        "userSourcedId"
    ].drop_nulls()
    found = _roles_in_classes(parts["enrollments"].frame, certain)
    part = part.having(_without_presumed(part.frame, found, district_of(parts)))
    numbers = users.frame.select(ROW, userSourcedId="sourcedId").unique("userSourcedId", keep="first")
    found = found.join(numbers, on="userSourcedId", how="inner", maintain_order="left")
    if not found.height:
        return parts, []
    # Each further role of a person has a place of its own, so that no two rows have one number.
    further = pl.int_range(pl.len()).over("userSourcedId")
    places = int(found.select(further.max()).item()) + 1
    number = pl.col(ROW) + (len(part.files) + further * len(users.files)) * SPAN
    found = found.with_columns(number.cast(pl.UInt32).alias(ROW), pl.lit(value=False).alias(PRESUMED))
    part = replace(part, files=(*part.files, *users.files * places))
    told = of_rows("role_from_class", found.with_columns(sourcedId="userSourcedId"), file=part.file, entity="users",
                   column="role", value="role")  # fmt: skip
    rows = pl.concat([part.frame, found], how="diagonal")
    return parts | {"roles": part.having(rows, "userSourcedId", "orgSourcedId", "role")}, [told]


def _without_presumed(roles: pl.DataFrame, found: pl.DataFrame, district: str | None) -> pl.DataFrame:
    """Leave out what is presumed of people where classes say more: in the same organisation, or in the whole district."""
    here = pl.struct("userSourcedId", "orgSourcedId").is_in(
        found.select(pl.struct("userSourcedId", "orgSourcedId")).to_series().implode()
    )
    everywhere = pl.col("orgSourcedId").eq_missing(district) & pl.col("userSourcedId").is_in(
        found["userSourcedId"].implode()
    )
    return roles.filter(~(pl.col(PRESUMED) & (here | everywhere).fill_null(value=False)))


def _roles_in_classes(enrollments: pl.DataFrame, having: pl.Series) -> pl.DataFrame:
    rows = enrollments.filter(
        pl.col("status").ne_missing(TOBEDELETED) & ~pl.col("userSourcedId").is_in(having.implode())
    )
    # A word that is unknown is told of the enrollment, and makes nobody anything.
    role = pl.col("role").replace_strict(ROLE_OF, default=None, return_dtype=pl.String)
    found = rows.select("userSourcedId", pl.col("role").alias(OF), orgSourcedId="schoolSourcedId", role=role)
    return found.drop_nulls().unique(maintain_order=True)


def roles_in_order(part: Part) -> Part:
    """Each role in an organisation once; of a person's roles in one organisation the first is primary, where none says so."""
    gone = pl.col("status").eq_missing(TOBEDELETED)
    ended = part.frame.filter(gone)
    frame = part.frame.filter(~gone)
    frame = frame.unique(["userSourcedId", "orgSourcedId", "role", "beginDate"], keep="first", maintain_order=True)
    rank = pl.when(pl.col("roleType") == "primary").then(0).otherwise(1)
    place = (rank * (1 << 33) + pl.int_range(pl.len())).rank("ordinal").over("userSourcedId", "orgSourcedId")
    kind = pl.when(place == 1).then(pl.lit("primary")).otherwise(pl.lit("secondary"))
    return part.having(pl.concat([frame.with_columns(kind.alias("roleType")), ended]), "roleType")


def teaching_once(part: Part) -> Part:
    """Whoever teaches a class as its first and as its second teacher is its first; the rows are equal then, and merged later."""
    own = pl.col("sourcedId").is_null()
    first = pl.col("primary").max().over("classSourcedId", "userSourcedId", "role", "beginDate")
    return part.having(part.frame.with_columns(pl.when(own).then(first).otherwise("primary").alias("primary")))


def with_ids(part: Part, kind: str, columns: tuple[str, ...]) -> Part:
    """Give records without an id the one that their columns make; a second spell also has its first day in it."""
    lacking = pl.col("sourcedId").is_null()
    if not part.frame.select(lacking.any()).item():
        return part
    frame = part.frame.with_columns(key_of(kind, [pl.col(name) for name in columns], len(columns)).alias("#key"))
    spell = pl.col("beginDate").rank("dense").over("#key")
    later = pl.concat_str("#key", pl.lit("/"), "beginDate")
    key = (
        pl.when(lacking)
        .then(pl.when((spell > 1).fill_null(value=False)).then(later).otherwise("#key"))
        .otherwise("sourcedId")
    )
    return part.having(frame.with_columns(key.alias("sourcedId")).drop("#key"), "sourcedId")


def _nothing(entity: str, like: pl.DataFrame) -> pl.DataFrame:
    names = [column.name for column in ENTITIES[entity].current]
    marks = {name: dtype for name, dtype in like.schema.items() if name.startswith("#") and name != ROW}
    return pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String), **marks})
