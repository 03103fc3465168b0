"""What a layout leaves to be understood: the organisation above the schools, roles, and the school of an enrollment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from transforms.findings import ROW, SPAN, Findings, of_file, of_rows
from transforms.layouts.assemble import PRESUMED, REPEATS, Part, Parts
from transforms.layouts.ids import DISTRICT, key_of, written
from transforms.layouts.options import Dialect
from transforms.schemas import ENTITIES, LIFECYCLE
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
    lines = [
        {**dict.fromkeys(names), **record, ROW: SPAN - 1 - number}
        for number, record in enumerate(records)
    ]
    return (
        pl.concat([pl.DataFrame(lines, schema=part.frame.schema), part.frame])
        if lines
        else part.frame
    )


def with_district(parts: Parts, dialect: Dialect) -> tuple[Parts, list[Findings]]:
    """Put an organisation above those that have none above them, unless the drop has one of that kind itself."""
    orgs = parts.get("orgs")
    if orgs is None or not orgs.frame.height:
        return parts, []
    tops = orgs.frame.filter(pl.col("parentSourcedId").is_null() & pl.col("type").is_not_null())
    if tops.height == 0 or tops["type"].is_in(ABOVE).all() or "district" in tops["type"]:
        return parts, []
    sourced_id = dialect.district_id or f"district/{written(dialect.district)}"
    above: dict[str, str | None] = {
        "sourcedId": sourced_id,
        "name": dialect.district,
        "type": "district",
    }
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
    tops = parts["orgs"].frame.filter(
        pl.col("parentSourcedId").is_null() & pl.col("sourcedId").is_not_null()
    )
    for candidates in (tops, tops.filter(pl.col("type") == "district")):
        if candidates.height == 1:
            return str(candidates["sourcedId"][0])
    return None


def with_district_named(parts: Parts, dialect: Dialect) -> Parts:
    """Write the id of the organisation above all others wherever a layout means that one."""
    known = district_of(parts) or dialect.district_id or None

    def named(name: str, part: Part) -> Part:
        columns = [
            column.name
            for column in ENTITIES[name].current
            if column.refers == "orgs" and not column.is_list
        ]
        return (
            part.having(part.frame.with_columns(pl.col(columns).replace({DISTRICT: known})))
            if columns
            else part
        )

    done = {name: named(name, part) for name, part in parts.items()}
    if known is None and "roles" in done:
        # A drop of changes need not have the organisation in which people are presumed to be something.
        nowhere = pl.col(PRESUMED) & (
            pl.col("orgSourcedId").is_null() | (pl.col("orgSourcedId") == DISTRICT)
        )
        done["roles"] = done["roles"].having(
            done["roles"].frame.filter(~nowhere.fill_null(value=False))
        )
    return done


def with_schools(parts: Parts) -> tuple[Parts, list[Findings]]:
    """Give enrollments the school of their class, which is right where a row says another."""
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
    told = of_rows(
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
    return parts | {"enrollments": part.having(frame, "schoolSourcedId")}, [told]


def with_roles(parts: Parts) -> tuple[Parts, list[Findings]]:
    """Give people without a certain role in any organisation the one that they have in classes."""
    if not {"users", "enrollments"} <= parts.keys():
        return parts, []
    users = parts["users"]
    part = parts.get("roles") or Part(_no_rows("roles", users.frame))
    certain = part.frame.filter(~pl.col(PRESUMED) & pl.col("status").ne_missing(TOBEDELETED))[
        "userSourcedId"
    ].drop_nulls()
    found = _roles_in_classes(parts["enrollments"].frame, certain)
    part = part.having(_without_presumed(part.frame, found, district_of(parts)))
    numbers = users.frame.select(ROW, userSourcedId="sourcedId").unique(
        "userSourcedId", keep="first"
    )
    found = found.join(numbers, on="userSourcedId", how="inner", maintain_order="left")
    if not found.height:
        return parts, []
    # Each further role of a person has a place of its own, so that no two rows have one number.
    further = pl.int_range(pl.len()).over("userSourcedId")
    places = int(found.select(further.max()).item()) + 1
    number = pl.col(ROW) + (len(part.files) + further * len(users.files)) * SPAN
    found = found.with_columns(
        number.cast(pl.UInt32).alias(ROW), pl.lit(value=False).alias(PRESUMED)
    )
    part = replace(part, files=(*part.files, *users.files * places))
    told = of_rows(
        "role_from_class",
        found.with_columns(sourcedId="userSourcedId"),
        file=part.file,
        entity="users",
        column="role",
        value="role",
    )
    rows = pl.concat([part.frame, found], how="diagonal")
    return parts | {"roles": part.having(rows, "userSourcedId", "orgSourcedId", "role")}, [told]


def _without_presumed(
    roles: pl.DataFrame, found: pl.DataFrame, district: str | None
) -> pl.DataFrame:
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
    found = rows.select(
        "userSourcedId", pl.col("role").alias(OF), orgSourcedId="schoolSourcedId", role=role
    )
    return found.drop_nulls().unique(maintain_order=True)


def roles_in_order(part: Part) -> Part:
    """Each role in an organisation once; of a person's roles in one organisation the first is primary, where none says so."""
    gone = pl.col("status").eq_missing(TOBEDELETED)
    ended = part.frame.filter(gone)
    frame = part.frame.filter(~gone)
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
    return part.having(pl.concat([frame.with_columns(kind.alias("roleType")), ended]), "roleType")


def teaching_once(part: Part) -> Part:
    """Whoever teaches a class as its first and as its second teacher is its first; the rows are equal then, and merged later."""
    own = pl.col("sourcedId").is_null()
    first = pl.col("primary").max().over("classSourcedId", "userSourcedId", "role", "beginDate")
    return part.having(
        part.frame.with_columns(pl.when(own).then(first).otherwise("primary").alias("primary"))
    )


def with_ids(part: Part, kind: str, columns: tuple[str, ...]) -> Part:
    """Give records without an id the one that their columns make; a second spell also has its first day in it."""
    lacking = pl.col("sourcedId").is_null()
    if not part.frame.select(lacking.any()).item():
        return part
    frame = part.frame.with_columns(
        key_of(kind, [pl.col(name) for name in columns], len(columns)).alias("#key")
    )
    spell = pl.col("beginDate").rank("dense").over("#key")
    later = pl.concat_str("#key", pl.lit("/"), "beginDate")
    key = (
        pl.when(lacking)
        .then(pl.when((spell > 1).fill_null(value=False)).then(later).otherwise("#key"))
        .otherwise("sourcedId")
    )
    return part.having(frame.with_columns(key.alias("sourcedId")).drop("#key"), "sourcedId")


def _no_rows(entity: str, like: pl.DataFrame) -> pl.DataFrame:
    names = [column.name for column in ENTITIES[entity].current]
    marks = {
        name: dtype for name, dtype in like.schema.items() if name.startswith("#") and name != ROW
    }
    return pl.DataFrame(schema={ROW: pl.UInt32, **dict.fromkeys(names, pl.String), **marks})


YEAR = "schoolYear"


def with_years(parts: Parts, dialect: Dialect) -> tuple[Parts, list[Findings]]:
    """Give every term a school year, every session a parent that is one, and classes without a term the current year."""
    if not {"academicSessions", "classes"} & parts.keys():
        return parts, []
    classes = parts.get("classes")
    # A drop of changes without the file that says the terms of classes leaves them open.
    open_ = classes is not None and "termSourcedIds" in classes.unsaid
    dateless = (
        classes.frame.filter(pl.col("termSourcedIds").is_null()).height
        if classes and not open_
        else 0
    )
    sessions = parts.get("academicSessions") or _no_sessions(parts["classes"])
    dated, found = _dated(sessions, dialect)
    frame, wanted = _under_years(dated.with_columns(_school_year(dialect)))
    years = {*wanted, *([str(dialect.current_year)] if dateless else [])}
    own = dict(
        frame.filter(pl.col("type") == YEAR)
        .select("schoolYear", "sourcedId")
        .drop_nulls()
        .iter_rows()
    )
    missing = sorted(years - own.keys())
    records = [_year(year, frame, dialect) for year in missing]
    sessions = sessions.having(
        made(sessions.having(frame), records), "schoolYear", "parentSourcedId"
    )
    parts = parts | {"academicSessions": sessions}
    titles = ", ".join(f"{one['title']}, {one['sourcedId']}" for one in records)
    told = [*found, *([of_file("year_made", sessions.file, titles)] if records else [])]
    if classes is None or not dateless:
        return parts, told
    current = own.get(str(dialect.current_year), _id_of(str(dialect.current_year)))
    rows = classes.frame.filter(pl.col("termSourcedIds").is_null())
    told.append(
        of_rows(
            "term_missing",
            rows,
            file=classes.file,
            entity="classes",
            column="termSourcedIds",
            detail=current,
        )
    )
    filled = classes.frame.with_columns(pl.col("termSourcedIds").fill_null(current))
    return parts | {"classes": classes.having(filled, "termSourcedIds")}, told


def _no_sessions(classes: Part) -> Part:
    """Sessions of a drop that has none; what is made of them is told of the classes' file."""
    names = [column.name for column in ENTITIES["academicSessions"].current]
    marks = {name: dtype for name, dtype in classes.frame.schema.items() if name.startswith("#")}
    return Part(
        pl.DataFrame(schema=marks | dict.fromkeys(names, pl.String)),
        files=classes.files,
        said=frozenset({"sourcedId", "title", "type", "startDate", "endDate"}),
    )


def _dated(sessions: Part, dialect: Dialect) -> tuple[pl.DataFrame, list[Findings]]:
    """Give sessions without any days those of the current school year: they go on for as long as they stand in the drop."""
    dateless = (
        pl.col("startDate").is_null() & pl.col("endDate").is_null() & pl.col("status").is_null()
    )
    rows = sessions.frame.filter(dateless)
    start, end = (day.isoformat() for day in dialect.days_of(dialect.current_year))
    told = of_rows(
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
    return sessions.frame.with_columns(days), [told]


def _school_year(dialect: Dialect) -> pl.Expr:
    """The year in which a session's school year ends, where the drop does not say it."""
    start = pl.col("startDate").str.to_date("%Y-%m-%d", strict=False)
    month, day = dialect.year_begins
    later = (start.dt.month() > month) | ((start.dt.month() == month) & (start.dt.day() >= day))
    year = start.dt.year() + (later & pl.lit((month, day) != (1, 1))).cast(pl.Int32)
    return pl.col("schoolYear").fill_null(year.cast(pl.String)).alias("schoolYear")


def _under_years(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Hang sessions without a parent under the school year that they are in; and name the years that are wanted."""
    years = (
        frame.filter(pl.col("type") == YEAR)
        .select("sourcedId", "schoolYear", "startDate", "endDate")
        .drop_nulls()
    )
    alone = (
        pl.col("parentSourcedId").is_null()
        & (pl.col("type") != YEAR)
        & pl.col("schoolYear").str.contains(r"^\d{4}$")
    )
    parents: dict[tuple[str, str, str], str] = {}
    lone = (
        frame.filter(alone).select("schoolYear", "startDate", "endDate").unique(maintain_order=True)
    )
    wanted = []
    for year, start, end in lone.iter_rows():
        around = [
            one
            for one, _, first, last in years.iter_rows()
            if first <= (start or "") and (end or "") <= last
        ]
        same = [one for one, its, _, _ in years.iter_rows() if its == year]
        parents[year, start, end] = (around or same or [_id_of(year)])[0]
        wanted += [] if around or same else [year]
    keys = pl.DataFrame(
        [(*key, parent) for key, parent in parents.items()],
        schema=["schoolYear", "startDate", "endDate", "#parent"],
        orient="row",
        schema_overrides=dict.fromkeys(
            ["schoolYear", "startDate", "endDate", "#parent"], pl.String
        ),
    )
    frame = frame.join(
        keys,
        on=["schoolYear", "startDate", "endDate"],
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    parent = pl.when(alone).then("#parent").otherwise("parentSourcedId")
    return frame.with_columns(parent.alias("parentSourcedId")).drop("#parent"), wanted


def _id_of(year: str) -> str:
    return f"year/{year}"


def _year(year: str, frame: pl.DataFrame, dialect: Dialect) -> dict[str, str | None]:
    """The school year that ends in `year`, long enough for its terms."""
    first, last = dialect.days_of(int(year))
    days = pl.col("startDate", "endDate").str.to_date("%Y-%m-%d", strict=False)
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


PLACE = "primaryOrgSourcedId"
NAMES = ("givenName", "familyName")
APART = frozenset({"sourcedId", *LIFECYCLE, PLACE})


def people(part: Part) -> tuple[Part, list[Findings]]:
    """Give each person once, with what all rows say; a row that was exported twice stays twice, and is merged later."""
    frame = still_here(part.frame)
    several = pl.col("sourcedId").is_duplicated() & pl.col("sourcedId").is_not_null()
    rows = frame.filter(several)
    if not rows.height:
        return part.having(
            frame.with_columns(pl.col("enabledUser").fill_null("true")), "enabledUser"
        ), []
    rows = rows.filter(~pl.col("sourcedId").is_in(_contradictions(rows).implode()))
    single = frame.join(
        rows.select(ROW, "sourcedId"), on=[ROW, "sourcedId"], how="anti", maintain_order="left"
    )
    whole = pl.concat([single, _whole(rows)], how="diagonal").sort(ROW, maintain_order=True)
    whole = whole.with_columns(pl.col("enabledUser").fill_null("true"))
    return part.having(whole, "enabledUser"), list(_differences(rows, part))


def once(part: Part) -> tuple[Part, list[Findings]]:
    """Give what is said of a person beside the user (demographics) once, the first word winning."""
    part = part.having(still_here(part.frame))
    rows = part.frame.filter(
        pl.col("sourcedId").is_duplicated() & pl.col("sourcedId").is_not_null()
    )
    single = part.frame.join(rows.select(ROW), on=ROW, how="anti", maintain_order="left")
    merged = _merged(rows)
    return part.having(pl.concat([single, merged], how="diagonal").sort(ROW)), list(
        _differences(rows, part)
    )


def still_here(frame: pl.DataFrame) -> pl.DataFrame:
    """Leave out rows that say that a record is gone, where another row has it."""
    gone = pl.col("status").eq_missing(TOBEDELETED)
    if not frame.select(gone.any()).item():
        return frame
    here = frame.filter(~gone)["sourcedId"].drop_nulls()
    return frame.filter(~(gone & pl.col("sourcedId").is_in(here.implode())))


def _contradictions(rows: pl.DataFrame) -> pl.Series:
    """The ids that cannot each be one person."""
    name = pl.concat_str([_alike(one) for one in NAMES], separator="|")
    named = rows.filter(pl.any_horizontal(pl.col(one).is_not_null() for one in NAMES)).with_columns(
        name.alias("#name")
    )
    differing = (
        named.group_by("sourcedId")
        .agg(pl.col("#name").n_unique())
        .filter(pl.col("#name") > 1)["sourcedId"]
    )
    place = [pl.col(ROW) // SPAN, pl.col(PLACE).fill_null("")]
    contents = rows.filter(~pl.col(REPEATS)).select(
        "sourcedId", *place, pl.struct(_singles(rows)).alias("#content")
    )
    twice = contents.unique().filter(pl.struct("sourcedId", ROW, PLACE).is_duplicated())[
        "sourcedId"
    ]
    return pl.concat([differing, twice]).unique()


def _alike(name: str) -> pl.Expr:
    """A name in lower case, with single spaces: other spellings are no other name."""
    return pl.col(name).str.to_lowercase().str.replace_all(r"\s+", " ").fill_null("")


def _singles(rows: pl.DataFrame) -> list[str]:
    """The columns of which a person has one value."""
    entity = ENTITIES["users"]
    lists = {column.name for column in entity.current if column.is_list or column.name == "grades"}
    return [name for name in rows.columns if not name.startswith("#") and name not in APART | lists]


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    """Each person's first row with what all of them say, and once more for each row that is there twice."""
    merged = _merged(rows)
    cells = [name for name in rows.columns if name != ROW]
    same = [pl.col(ROW) // SPAN, *(pl.col(name) for name in cells)]
    twins = rows.filter(~pl.col(REPEATS) & ~pl.struct(same).is_first_distinct()).select(
        ROW, "sourcedId"
    )
    copies = twins.join(merged.drop(ROW), on="sourcedId", how="left", maintain_order="left")
    return pl.concat([merged, copies.select(merged.columns)])


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    lists = ("agentSourcedIds", "grades", "userIds")
    columns = [name for name in rows.columns if name != "sourcedId"]
    # By file, and then by what rows say: the order of rows may be another tomorrow.
    order = [
        pl.col(ROW) // SPAN,
        *(pl.col(name) for name in rows.columns if not name.startswith("#")),
    ]
    each = rows.sort(order, nulls_last=True, maintain_order=True).group_by(
        "sourcedId", maintain_order=True
    )
    return each.agg(*(_items(name) if name in lists else _first(name) for name in columns)).select(
        rows.columns
    )


def _first(name: str) -> pl.Expr:
    return pl.col(name).drop_nulls().first()


def _items(name: str) -> pl.Expr:
    items = (
        pl.col(name).drop_nulls().str.split(",").explode().unique(maintain_order=True).str.join(",")
    )
    return pl.when(items != "").then(items).alias(name)


def _differences(rows: pl.DataFrame, part: Part) -> Iterator[Findings]:
    """Tell of which people rows say different things, by column; the first row counts."""
    for name in _singles(rows):
        counts = pl.col(name).n_unique() - pl.col(name).null_count().cast(pl.Boolean).cast(
            pl.UInt32
        )
        differing = rows.group_by("sourcedId").agg(counts).filter(pl.col(name) > 1)["sourcedId"]
        if differing.len():
            first = rows.filter(pl.col("sourcedId").is_in(differing.implode())).unique(
                "sourcedId", keep="last", maintain_order=True
            )
            yield of_rows(
                "person_differs", first, file=part.file, entity="users", column=name, value=name
            )
