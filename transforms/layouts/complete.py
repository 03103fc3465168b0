"""Complete the records of a drop with what its layout only implies.

Adds the org above the schools, school years, schools of enrollments, roles and ids, and merges the
rows of one person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import polars as pl

from transforms.findings import ROW, SPAN, Findings, file_finding, row_findings
from transforms.layouts.assemble import NAMES, PRESUMED, REPEATS, EntityRows, RowsByEntity
from transforms.layouts.ids import DISTRICT, escape, make_id
from transforms.layouts.options import ReadingOptions
from transforms.layouts.people import NAME, agreeing_ids, with_evidence
from transforms.moments import parse_date
from transforms.names import comparable
from transforms.schemas import ENTITIES, LIFECYCLE
from transforms.schemas.vocabularies import TOBEDELETED

# Column: the enrollment role from which a role was made.
CLASS_ROLE = "#of"
# Types of orgs above schools.
ABOVE = ("district", "state", "national", "local")
# Enrollment role -> role in the school.
ROLE_OF = {
    "student": "student",
    "teacher": "teacher",
    "ext:aide": "aide",
    "administrator": "siteAdministrator",
    "proctor": "proctor",
}
# The type of sessions that are school years.
YEAR = "schoolYear"
ORG, MIDDLE_NAME = "primaryOrgSourcedId", "middleName"
DAY = r"^\d{4}-\d{2}-\d{2}$"
# Records that end altogether, or not at all.
DELETED_AS_A_WHOLE = ("orgs", "academicSessions", "courses", "classes")
# Columns in which the rows of one person may differ.
MAY_DIFFER = frozenset({"sourcedId", *LIFECYCLE, ORG})


def with_district(
    parts: RowsByEntity, dialect: ReadingOptions
) -> tuple[RowsByEntity, list[Findings]]:
    """Add a district above the orgs without a parent, unless the drop has an org of such a type.

    If several orgs of such types have no parent, and no single one is the district, the added one
    is above all of them. An org that had the district above it before keeps it.
    """
    orgs = parts.get("orgs")
    if orgs is None or not orgs.frame.height:
        return parts, []
    sourced_id = dialect.district_id or f"district/{escape(dialect.district)}"
    if sourced_id in orgs.frame["sourcedId"]:
        return parts, []
    below = _below_district(orgs.frame, sourced_id, dialect)
    if not orgs.frame.select(below.any()).item():
        return parts, []
    district: dict[str, str | None] = {
        "sourcedId": sourced_id,
        "name": dialect.district,
        "type": "district",
    }
    parent = pl.when(below).then(pl.lit(sourced_id)).otherwise("parentSourcedId")
    frame = with_records(
        orgs.having(orgs.frame.with_columns(parent.alias("parentSourcedId"))), [district]
    )
    findings = [file_finding("district_made", orgs.file, f"{dialect.district!r}, {sourced_id}")]
    if {"district.name", "district.id"} <= dialect.said:
        findings = []  # it is the one that the feed file describes
    return parts | {"orgs": orgs.having(frame, "parentSourcedId")}, findings


def _below_district(orgs: pl.DataFrame, sourced_id: str, dialect: ReadingOptions) -> pl.Expr:
    """Whether an org is to be below the district that roster adds."""
    known = [
        one.removeprefix(dialect.prefix)
        for one, above in dialect.orgs.items()
        if above == f"{dialect.prefix}{sourced_id}"
    ]
    is_top = pl.col("parentSourcedId").is_null() & pl.col("status").is_null()
    is_above = pl.col("type").is_in(ABOVE)
    stays = is_top & pl.col("sourcedId").is_in(known)
    tops = orgs.filter(is_top & pl.col("type").is_not_null()).unique("sourcedId")
    above = tops.filter(is_above)["type"]
    if above.len() > 1 and (above == "district").sum() != 1:
        return is_top & (pl.col("type").is_not_null() | stays)
    if tops.height == above.len() or "district" in above:
        return stays
    return is_top & (~is_above | stays)


def district_of(parts: RowsByEntity) -> str | None:
    """Return the only org without a parent, or the only district without one."""
    if "orgs" not in parts:
        return None
    tops = parts["orgs"].frame.filter(
        pl.col("parentSourcedId").is_null() & pl.col("sourcedId").is_not_null()
    )
    for candidates in (tops, tops.filter(pl.col("type") == "district")):
        if candidates.height == 1:
            return str(candidates["sourcedId"][0])
    return None


def with_district_id(parts: RowsByEntity, dialect: ReadingOptions) -> RowsByEntity:
    """Replace the placeholder `ids.DISTRICT` by the id of the org above all others."""
    district = district_of(parts) or dialect.district_id or None
    done = dict(parts)
    for name, part in parts.items():
        columns = [
            column.name
            for column in ENTITIES[name].current
            if column.refers == "orgs" and not column.is_list
        ]
        if columns:
            cells = pl.col(columns).replace({DISTRICT: district})
            done[name] = part.having(part.frame.with_columns(cells))
    if district is None and "roles" in done:
        # A delta may not contain the org of presumed roles.
        roles = done["roles"]
        without_org = pl.col("orgSourcedId").is_null() | (pl.col("orgSourcedId") == DISTRICT)
        left_out = (pl.col(PRESUMED) & without_org).fill_null(value=False)
        done["roles"] = roles.having(roles.frame.filter(~left_out))
    return done


def with_school_of_class(parts: RowsByEntity) -> tuple[RowsByEntity, list[Findings]]:
    """Give enrollments the school of their class; if a row has another school, the class counts."""
    if "enrollments" not in parts or "classes" not in parts:
        return parts, []
    part = parts["enrollments"]
    schools = (
        parts["classes"]
        .frame.select(classSourcedId="sourcedId", school="schoolSourcedId")
        .unique("classSourcedId")
    )
    frame = part.frame.join(schools, on="classSourcedId", how="left", maintain_order="left")
    other = frame.filter(pl.col("schoolSourcedId") != pl.col("school"))
    finding = row_findings(
        "school_of_class",
        other,
        file=part.file,
        entity="enrollments",
        column="schoolSourcedId",
        value="schoolSourcedId",
    )
    frame = frame.with_columns(
        pl.coalesce("school", "schoolSourcedId").alias("schoolSourcedId")
    ).drop("school")
    return parts | {"enrollments": part.having(frame, "schoolSourcedId")}, [finding]


def with_roles_from_classes(parts: RowsByEntity) -> tuple[RowsByEntity, list[Findings]]:
    """Give people who have only presumed roles, or none, the roles that they have in classes."""
    if not {"users", "enrollments"} <= parts.keys():
        return parts, []
    users = parts["users"]
    part = parts.get("roles") or EntityRows(_no_rows("roles", users.frame))
    certain = part.frame.filter(~pl.col(PRESUMED) & pl.col("status").ne_missing(TOBEDELETED))[
        "userSourcedId"
    ].drop_nulls()
    added = _roles_in_classes(parts["enrollments"].frame, certain)
    part = part.having(_without_presumed(part.frame, added, district_of(parts)))
    numbers = users.frame.select(ROW, userSourcedId="sourcedId").unique(
        "userSourcedId", keep="first"
    )
    added = added.join(numbers, on="userSourcedId", how="inner", maintain_order="left")
    if not added.height:
        return parts, []
    # Each further role of a person gets a span of its own, so that all row numbers are different.
    further = pl.int_range(pl.len()).over("userSourcedId")
    places = int(added.select(further.max()).item()) + 1
    number = pl.col(ROW) + (len(part.files) + further * len(users.files)) * SPAN
    added = added.with_columns(
        number.cast(pl.UInt32).alias(ROW), pl.lit(value=False).alias(PRESUMED)
    )
    part = replace(part, files=(*part.files, *users.files * places))
    finding = row_findings(
        "role_from_class",
        added.with_columns(sourcedId="userSourcedId"),
        file=part.file,
        entity="users",
        column="role",
        value="role",
    )
    rows = pl.concat([part.frame, added], how="diagonal")
    return parts | {"roles": part.having(rows, "userSourcedId", "orgSourcedId", "role")}, [finding]


def _no_rows(entity: str, like: pl.DataFrame) -> pl.DataFrame:
    """An empty frame of an entity, with the `#` columns of another frame."""
    names = [column.name for column in ENTITIES[entity].current]
    marks = {
        name: dtype for name, dtype in like.schema.items() if name.startswith("#") and name != ROW
    }
    return pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String), **marks})


def _roles_in_classes(enrollments: pl.DataFrame, others: pl.Series) -> pl.DataFrame:
    """The roles of people in classes, without the `others`, whose roles are certain."""
    rows = enrollments.filter(
        pl.col("status").ne_missing(TOBEDELETED) & ~pl.col("userSourcedId").is_in(others.implode())
    )
    # An unknown word makes no role; the check reports it for the enrollment.
    role = pl.col("role").replace_strict(ROLE_OF, default=None, return_dtype=pl.String)
    roles = rows.select(
        "userSourcedId", pl.col("role").alias(CLASS_ROLE), orgSourcedId="schoolSourcedId", role=role
    )
    return roles.drop_nulls().unique(maintain_order=True)


def _without_presumed(
    roles: pl.DataFrame, added: pl.DataFrame, district: str | None
) -> pl.DataFrame:
    """Remove presumed roles that are replaced by a role from a class.

    Those in the same org, and those in the district.
    """
    same_org = pl.struct("userSourcedId", "orgSourcedId").is_in(
        added.select(pl.struct("userSourcedId", "orgSourcedId")).to_series().implode()
    )
    in_district = pl.col("orgSourcedId").eq_missing(district) & pl.col("userSourcedId").is_in(
        added["userSourcedId"].implode()
    )
    return roles.filter(~(pl.col(PRESUMED) & (same_org | in_district).fill_null(value=False)))


def with_primary_roles(part: EntityRows) -> EntityRows:
    """Keep each role in an org once, and make one role of a person in each org primary.

    The first role is primary, unless the drop says that another one is.
    """
    deleted = pl.col("status").eq_missing(TOBEDELETED)
    frame = part.frame.filter(~deleted)
    frame = frame.unique(
        ["userSourcedId", "orgSourcedId", "role", "beginDate"], keep="first", maintain_order=True
    )
    rank = pl.when(pl.col("roleType") == "primary").then(0).otherwise(1)
    place = (
        (rank * (1 << 33) + pl.int_range(pl.len()))
        .rank("ordinal")
        .over("userSourcedId", "orgSourcedId")
    )
    kind = pl.when(place == 1).then(pl.lit("primary")).otherwise(pl.lit("secondary"))
    frame = pl.concat([frame.with_columns(kind.alias("roleType")), part.frame.filter(deleted)])
    return part.having(frame, "roleType")


def with_primary_teachers(part: EntityRows) -> EntityRows:
    """Make a person who is the first and the second teacher of a class its primary teacher.

    Both rows are then equal, and are merged later.
    """
    without_id = pl.col("sourcedId").is_null()
    first = pl.col("primary").max().over("classSourcedId", "userSourcedId", "role", "beginDate")
    primary = pl.when(without_id).then(first).otherwise("primary")
    return part.having(part.frame.with_columns(primary.alias("primary")))


def with_one_period(part: EntityRows) -> EntityRows:
    """Give all rows of one enrollment the same days: from its first begin to its last end.

    A blank day is open. A row that deletes an enrollment has no days, so that it deletes the one
    that there is.
    """
    key = ["classSourcedId", "userSourcedId", "role"]
    deleted = pl.col("status").eq_missing(TOBEDELETED)
    days = {name: pl.when(~deleted).then(pl.col(name)) for name in ("beginDate", "endDate")}
    # Text that is no day stays, for the check.
    is_day = {name: pl.col(name).str.contains(DAY) for name in days}
    open_days = {name: (~deleted & pl.col(name).is_null()).any().over(key) for name in days}
    outer = {
        "beginDate": pl.when(is_day["beginDate"]).then(days["beginDate"]).min().over(key),
        "endDate": pl.when(is_day["endDate"]).then(days["endDate"]).max().over(key),
    }
    several = pl.struct(key).is_duplicated()
    return part.having(
        part.frame.with_columns(
            pl.when(deleted)
            .then(None)
            .when(several & is_day[name])
            .then(pl.when(~open_days[name]).then(outer[name]))
            .otherwise(name)
            .alias(name)
            for name in days
        )
    )


def with_ids(part: EntityRows, kind: str, columns: tuple[str, ...]) -> EntityRows:
    """Make ids from columns, for records without an id.

    If a person was enrolled several times, the id of each later time also contains its first day.
    """
    without_id = pl.col("sourcedId").is_null()
    if not part.frame.select(without_id.any()).item():
        return part
    frame = part.frame.with_columns(
        make_id(kind, [pl.col(name) for name in columns], len(columns)).alias("#key")
    )
    nth = pl.col("beginDate").rank("dense").over("#key")
    with_day = pl.concat_str("#key", pl.lit("/"), "beginDate")
    key = (
        pl.when(without_id)
        .then(pl.when((nth > 1).fill_null(value=False)).then(with_day).otherwise("#key"))
        .otherwise("sourcedId")
    )
    return part.having(frame.with_columns(key.alias("sourcedId")).drop("#key"), "sourcedId")


def with_years(parts: RowsByEntity, dialect: ReadingOptions) -> tuple[RowsByEntity, list[Findings]]:
    """Complete sessions and the terms of classes.

    Every session gets a school year, and a parent session of type `schoolYear`. A class without a
    term gets the current school year.
    """
    if not {"academicSessions", "classes"} & parts.keys():
        return parts, []
    classes = parts.get("classes")
    without_term = 0
    # A delta without the file that has the terms of classes does not change them.
    if classes and "termSourcedIds" not in classes.unsaid:
        without_term = classes.frame.filter(pl.col("termSourcedIds").is_null()).height
    sessions = parts.get("academicSessions") or _no_sessions(parts["classes"])
    dated, findings = _with_dates(sessions, dialect)
    frame, parents = _with_parents(dated.with_columns(_school_year(dialect)))
    years = {*parents, *([str(dialect.current_year)] if without_term else [])}
    own = dict(
        frame.filter(pl.col("type") == YEAR)
        .select("schoolYear", "sourcedId")
        .drop_nulls()
        .iter_rows()
    )
    missing = sorted(years - own.keys())
    records = [_year(year, frame, dialect) for year in missing]
    sessions = sessions.having(
        with_records(sessions.having(frame), records), "schoolYear", "parentSourcedId"
    )
    parts = parts | {"academicSessions": sessions}
    # Files without any term mean nothing by it: then all classes are in the year that was made.
    no_terms = not frame.height and without_term > 0
    if records:
        titles = ", ".join(f"{one['title']}, {one['sourcedId']}" for one in records)
        detail = f"{titles}, for all classes" if no_terms else titles
        findings.append(file_finding("year_made", sessions.file, detail))
    if classes is None or not without_term:
        return parts, findings
    current = own.get(str(dialect.current_year), _id_of(str(dialect.current_year)))
    if not no_terms:
        rows = classes.frame.filter(pl.col("termSourcedIds").is_null())
        findings.append(
            row_findings(
                "term_missing",
                rows,
                file=classes.file,
                entity="classes",
                column="termSourcedIds",
                detail=current,
            )
        )
    filled = classes.frame.with_columns(pl.col("termSourcedIds").fill_null(current))
    return parts | {"classes": classes.having(filled, "termSourcedIds")}, findings


def _no_sessions(classes: EntityRows) -> EntityRows:
    """The sessions of a drop that has none; added ones are reported for the file of the classes."""
    names = [column.name for column in ENTITIES["academicSessions"].current]
    marks = {name: dtype for name, dtype in classes.frame.schema.items() if name.startswith("#")}
    return EntityRows(
        pl.DataFrame(schema=marks | dict.fromkeys(names, pl.String)),
        files=classes.files,
        said=frozenset({"sourcedId", "title", "type", "startDate", "endDate"}),
    )


def _with_dates(
    sessions: EntityRows, dialect: ReadingOptions
) -> tuple[pl.DataFrame, list[Findings]]:
    """Give sessions without dates those of the current school year.

    Such a session has no end: it continues for as long as it is in the drops.
    """
    dateless = (
        pl.col("startDate").is_null() & pl.col("endDate").is_null() & pl.col("status").is_null()
    )
    rows = sessions.frame.filter(dateless)
    start, end = (day.isoformat() for day in dialect.days_of(dialect.current_year))
    finding = row_findings(
        "term_undated",
        rows,
        file=sessions.file,
        entity="academicSessions",
        column="startDate",
        value="sourcedId",
        detail=f"{start} to {end}",
    )
    days = (
        pl.when(dateless).then(pl.lit(day)).otherwise(name).alias(name)
        for name, day in (("startDate", start), ("endDate", end))
    )
    return sessions.frame.with_columns(days), [finding]


def _school_year(dialect: ReadingOptions) -> pl.Expr:
    """The year in which a session's school year ends, by its start date unless the drop has it."""
    start = parse_date(pl.col("startDate"))
    month, day = dialect.year_begins
    later = (start.dt.month() > month) | ((start.dt.month() == month) & (start.dt.day() >= day))
    year = start.dt.year() + (later & pl.lit((month, day) != (1, 1))).cast(pl.Int32)
    return pl.col("schoolYear").fill_null(year.cast(pl.String)).alias("schoolYear")


def _with_parents(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Give sessions without a parent the school year that they are in.

    Also returns the school years that must be added.
    """
    years = (
        frame.filter(pl.col("type") == YEAR)
        .select("sourcedId", "schoolYear", "startDate", "endDate")
        .drop_nulls()
    )
    orphan = (
        pl.col("parentSourcedId").is_null()
        & (pl.col("type") != YEAR)
        & pl.col("schoolYear").str.contains("^[0-9]{4}$")
    )
    key = ["schoolYear", "startDate", "endDate"]
    rows = []
    missing = []
    for year, start, end in (
        frame.filter(orphan).select(key).unique(maintain_order=True).iter_rows()
    ):
        around = [
            sourced_id
            for sourced_id, _, first, last in years.iter_rows()
            if first <= (start or "") and (end or "") <= last
        ]
        same = [sourced_id for sourced_id, other, _, _ in years.iter_rows() if other == year]
        rows.append((year, start, end, (around or same or [_id_of(year)])[0]))
        missing += [] if around or same else [year]
    parents = pl.DataFrame(rows, schema=dict.fromkeys([*key, "#parent"], pl.String), orient="row")
    frame = frame.join(parents, on=key, how="left", nulls_equal=True, maintain_order="left")
    parent = pl.when(orphan).then("#parent").otherwise("parentSourcedId")
    return frame.with_columns(parent.alias("parentSourcedId")).drop("#parent"), missing


def _id_of(year: str) -> str:
    return f"year/{year}"


def _year(year: str, frame: pl.DataFrame, dialect: ReadingOptions) -> dict[str, str | None]:
    """The record of the school year that ends in `year`; it contains all of its terms."""
    first, last = dialect.days_of(int(year))
    days = (parse_date(pl.col(name)) for name in ("startDate", "endDate"))
    terms = frame.filter(pl.col("schoolYear") == year).select(days)
    start = min([first, *terms["startDate"].drop_nulls()])
    end = max([last, *terms["endDate"].drop_nulls()])
    title = year if first.year == int(year) else f"{first.year}-{year}"
    return {
        "sourcedId": _id_of(year),
        "title": title,
        "type": YEAR,
        "startDate": start.isoformat(),
        "endDate": end.isoformat(),
        "schoolYear": year,
    }


def merge_people(
    part: EntityRows, demographics: EntityRows | None, made: Collection[str]
) -> tuple[EntityRows, list[Findings], pl.Series]:
    """Merge the rows of each person into one row.

    A row that was exported twice stays twice; exact duplicates are merged, and counted, later.
    `made` are the ids that were made from personal data. Also returns the ids that cannot be one
    person each, whose rows stay.
    """
    frame = without_superseded_deletions(part.frame)
    enabled = pl.col("enabledUser").fill_null("true")
    rows = frame.filter(pl.col("sourcedId").is_duplicated() & pl.col("sourcedId").is_not_null())
    if not rows.height:
        frame = frame.with_columns(enabled)
        return part.having(frame, "enabledUser"), [], rows["sourcedId"]
    contradictory = _contradictions(with_evidence(part.having(rows), demographics), made)
    rows = rows.filter(~pl.col("sourcedId").is_in(contradictory.implode()))
    single = frame.join(
        rows.select(ROW, "sourcedId"), on=[ROW, "sourcedId"], how="anti", maintain_order="left"
    )
    merged = pl.concat([single, _merged_with_copies(rows)], how="diagonal")
    merged = merged.sort(ROW, maintain_order=True).with_columns(enabled)
    return part.having(merged, "enabledUser"), list(_differences(rows, part)), contradictory


def several_grades(part: EntityRows) -> Findings:
    """Report people with several grades: in several rows, or in one."""
    rows = part.frame.filter(pl.col("grades").str.contains(",", literal=True))
    rows = rows.unique("sourcedId", keep="first", maintain_order=True)
    return row_findings(
        "several_grades", rows, file=part.file, entity="users", column="grades", value="grades"
    )


def _contradictions(rows: pl.DataFrame, made: Collection[str]) -> pl.Series:
    """The ids that cannot be one person each.

    Their rows have different names and nothing else in common, or one file has different rows for
    the same org. An id that was `made` from the name or address proves nothing about either.
    """
    names = rows.drop_nulls(NAME).group_by("sourcedId").agg(pl.col(NAME).n_unique())
    differing = names.filter(pl.col(NAME) > 1)["sourcedId"]
    if differing.len():
        agreeing = agreeing_ids(rows.filter(pl.col("sourcedId").is_in(differing.implode())))
        agreeing = agreeing.filter(~agreeing.is_in(list(made)))
        differing = differing.filter(~differing.is_in(agreeing.implode()))
    file_and_org = [pl.col(ROW) // SPAN, pl.col(ORG).fill_null("")]
    # The names agree here, whatever their spelling.
    others = [name for name in _single_valued(rows) if name not in (*NAMES, MIDDLE_NAME)]
    content = pl.struct(*others, comparable(pl.col(MIDDLE_NAME)))
    contents = rows.filter(~pl.col(REPEATS)).select(
        "sourcedId", *file_and_org, content.alias("#content")
    )
    twice = contents.unique().filter(pl.struct("sourcedId", ROW, ORG).is_duplicated())["sourcedId"]
    return pl.concat([differing, twice]).unique()


def _single_valued(rows: pl.DataFrame) -> list[str]:
    """The columns in which all rows of a person should have the same value."""
    entity = ENTITIES["users"]
    lists = {column.name for column in entity.current if column.is_list or column.name == "grades"}
    others = MAY_DIFFER | lists
    return [name for name in rows.columns if not name.startswith("#") and name not in others]


def _merged_with_copies(rows: pl.DataFrame) -> pl.DataFrame:
    """Merge the rows of each person, and repeat the merged row for each exact duplicate."""
    merged = _merged(rows)
    cells = [name for name in rows.columns if name != ROW]
    same = [pl.col(ROW) // SPAN, *(pl.col(name) for name in cells)]
    twins = rows.filter(~pl.col(REPEATS) & ~pl.struct(same).is_first_distinct()).select(
        ROW, "sourcedId"
    )
    copies = twins.join(merged.drop(ROW), on="sourcedId", how="left", maintain_order="left")
    return pl.concat([merged, copies.select(merged.columns)])


def merge_demographics(
    part: EntityRows, contradictory: pl.Series
) -> tuple[EntityRows, list[Findings]]:
    """Merge the rows with the demographics of each person; the first value counts.

    Of `contradictory` people no value counts: they are rejected.
    """
    part = part.having(without_superseded_deletions(part.frame))
    rows = part.frame.filter(
        pl.col("sourcedId").is_duplicated() & pl.col("sourcedId").is_not_null()
    )
    single = part.frame.join(rows.select(ROW), on=ROW, how="anti", maintain_order="left")
    merged = pl.concat([single, _merged(rows)], how="diagonal").sort(ROW)
    certain = rows.filter(~pl.col("sourcedId").is_in(contradictory.implode()))
    return part.having(merged), list(_differences(certain, part))


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """Merge the rows of each person: the first value of a column, or all items of a list."""
    lists = ("agentSourcedIds", "grades", "userIds")
    columns = [name for name in rows.columns if name != "sourcedId"]
    # By file and contents, so that another order of rows makes no difference.
    order = [
        pl.col(ROW) // SPAN,
        *(pl.col(name) for name in rows.columns if not name.startswith("#")),
    ]
    each = rows.sort(order, nulls_last=True, maintain_order=True).group_by(
        "sourcedId", maintain_order=True
    )
    cells = (
        _all_items(name) if name in lists else pl.col(name).drop_nulls().first() for name in columns
    )
    return each.agg(*cells).select(rows.columns)


def _all_items(name: str) -> pl.Expr:
    items = (
        pl.col(name).drop_nulls().str.split(",").explode().unique(maintain_order=True).str.join(",")
    )
    return pl.when(items != "").then(items).alias(name)


def _differences(rows: pl.DataFrame, part: EntityRows) -> Iterator[Findings]:
    """Report the people whose rows have different values, by column; the first row counts."""
    for name in _single_valued(rows):
        counts = pl.col(name).n_unique() - pl.col(name).null_count().cast(pl.Boolean).cast(
            pl.UInt32
        )
        differing = rows.group_by("sourcedId").agg(counts).filter(pl.col(name) > 1)["sourcedId"]
        if differing.len():
            first = rows.filter(pl.col("sourcedId").is_in(differing.implode())).unique(
                "sourcedId", keep="last", maintain_order=True
            )
            yield row_findings(
                "person_differs", first, file=part.file, entity="users", column=name, value=name
            )


def contradicted_deletions(part: EntityRows, entity: str) -> Findings:
    """Report rows that delete a record which an earlier row keeps.

    A row that keeps it and comes after brings it back, and people and their enrollments may end in
    one place and go on in another.
    """
    deleted = pl.col("status").eq_missing(TOBEDELETED)
    if entity not in DELETED_AS_A_WHOLE or not part.frame.select(deleted.any()).item():
        return Findings()
    kept = part.frame.filter(~deleted).drop_nulls("sourcedId")
    last = kept.group_by("sourcedId").agg(pl.col(ROW).max().alias("#last"))
    rows = part.frame.filter(deleted).join(last, on="sourcedId", how="inner", maintain_order="left")
    return row_findings(
        "deleted_and_kept",
        rows.filter(pl.col(ROW) > pl.col("#last")),
        file=part.file,
        entity=entity,
        column="status",
        value="sourcedId",
    )


def without_superseded_deletions(frame: pl.DataFrame) -> pl.DataFrame:
    """Remove rows that delete a record which another row still has."""
    deleted = pl.col("status").eq_missing(TOBEDELETED)
    if not frame.select(deleted.any()).item():
        return frame
    active = frame.filter(~deleted)["sourcedId"].drop_nulls()
    return frame.filter(~(deleted & pl.col("sourcedId").is_in(active.implode())))


def with_records(part: EntityRows, records: list[dict[str, str | None]]) -> pl.DataFrame:
    """Return the rows of a part, with added records that are in no file.

    Their row numbers count down from the end of the first file's span (see `findings.MADE`).
    """
    names = part.frame.columns
    rows = [
        {**dict.fromkeys(names), **record, ROW: SPAN - 1 - number}
        for number, record in enumerate(records)
    ]
    return pl.concat([pl.DataFrame(rows, schema=part.frame.schema), part.frame])
