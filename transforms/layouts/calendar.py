"""Sessions: the school year of each term, a year where a layout has none, and the year of classes without a term."""

from __future__ import annotations

import polars as pl

from transforms.findings import Findings, of_file, of_rows
from transforms.layouts.assembling import Part, Parts
from transforms.layouts.dialect import Dialect
from transforms.layouts.places import made
from transforms.schemas import ENTITIES

YEAR = "schoolYear"


def with_years(parts: Parts, dialect: Dialect) -> tuple[Parts, list[Findings]]:
    """Give every term a school year, every session a parent that is one, and classes without a term the current year."""
    if not {"academicSessions", "classes"} & parts.keys():
        return parts, []
    classes = parts.get("classes")
    # A drop of changes without the file that says the terms of classes leaves them open.
    open_ = classes is not None and "termSourcedIds" in classes.unsaid
    dateless = classes.frame.filter(pl.col("termSourcedIds").is_null()).height if classes and not open_ else 0
    sessions = parts.get("academicSessions") or _nothing(parts["classes"])
    dated, found = _dated(sessions, dialect)
    frame, wanted = _under_years(dated.with_columns(_school_year(dialect)))
    years = {*wanted, *([str(dialect.current_year)] if dateless else [])}
    own = dict(frame.filter(pl.col("type") == YEAR).select("schoolYear", "sourcedId").drop_nulls().iter_rows())
    missing = sorted(years - own.keys())
    records = [_year(year, frame, dialect) for year in missing]
    sessions = sessions.having(made(sessions.having(frame), records), "schoolYear", "parentSourcedId")
    parts = parts | {"academicSessions": sessions}
    titles = ", ".join(f"{one['title']}, {one['sourcedId']}" for one in records)
    told = [*found, *([of_file("year_made", sessions.file, titles)] if records else [])]
    if classes is None or not dateless:
        return parts, told
    current = own.get(str(dialect.current_year), _id_of(str(dialect.current_year)))
    rows = classes.frame.filter(pl.col("termSourcedIds").is_null())
    told.append(
        of_rows("term_missing", rows, file=classes.file, entity="classes", column="termSourcedIds", detail=current)
    )
    filled = classes.frame.with_columns(pl.col("termSourcedIds").fill_null(current))
    return parts | {"classes": classes.having(filled, "termSourcedIds")}, told


def _nothing(classes: Part) -> Part:
    """Sessions of a drop that has none; what is made of them is told of the classes' file."""
    names = [column.name for column in ENTITIES["academicSessions"].current]
    marks = {name: dtype for name, dtype in classes.frame.schema.items() if name.startswith("#")}
    return Part(pl.DataFrame(schema=marks | dict.fromkeys(names, pl.String)), files=classes.files,
                said=frozenset({"sourcedId", "title", "type", "startDate", "endDate"}))  # fmt: skip


def _dated(sessions: Part, dialect: Dialect) -> tuple[pl.DataFrame, list[Findings]]:
    """Give sessions without any days those of the current school year: they go on for as long as they stand in the drop."""
    dateless = pl.col("startDate").is_null() & pl.col("endDate").is_null() & pl.col("status").is_null()
    rows = sessions.frame.filter(dateless)
    start, end = (day.isoformat() for day in dialect.days_of(dialect.current_year))
    told = of_rows("term_undated", rows, file=sessions.file, entity="academicSessions", column="startDate",
                   value="sourcedId", detail=f"{start} to {end}")  # fmt: skip
    days = (pl.when(dateless).then(pl.lit(day)).otherwise(name).alias(name)
            for name, day in (("startDate", start), ("endDate", end)))  # fmt: skip
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
    years = frame.filter(pl.col("type") == YEAR).select("sourcedId", "schoolYear", "startDate", "endDate").drop_nulls()
    alone = (
        pl.col("parentSourcedId").is_null() & (pl.col("type") != YEAR) & pl.col("schoolYear").str.contains(r"^\d{4}$")
    )
    parents: dict[tuple[str, str, str], str] = {}
    lone = frame.filter(alone).select("schoolYear", "startDate", "endDate").unique(maintain_order=True)
    wanted = []
    for year, start, end in lone.iter_rows():
        around = [one for one, _, first, last in years.iter_rows() if first <= (start or "") and (end or "") <= last]
        same = [one for one, its, _, _ in years.iter_rows() if its == year]
        parents[year, start, end] = (around or same or [_id_of(year)])[0]
        wanted += [] if around or same else [year]
    keys = pl.DataFrame([(*key, parent) for key, parent in parents.items()],
                        schema=["schoolYear", "startDate", "endDate", "#parent"], orient="row", schema_overrides=dict.fromkeys(["schoolYear", "startDate", "endDate", "#parent"], pl.String))  # fmt: skip
    frame = frame.join(
        keys, on=["schoolYear", "startDate", "endDate"], how="left", nulls_equal=True, maintain_order="left"
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
    return {"sourcedId": _id_of(year), "title": title, "type": YEAR, "startDate": start.isoformat(),
            "endDate": end.isoformat(), "schoolYear": year}  # fmt: skip
