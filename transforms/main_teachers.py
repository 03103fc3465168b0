"""One main teacher of each class at a time, in every drop by the same rule.

Of enrollments that are `primary` at one time, the one whose id comes first stays so. A delta has
some of them only, and is compared with the roster before it: otherwise a full night and a delta
would change the same records back and forth.
"""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from transforms.findings import ROW, Findings, row_findings
from transforms.records import EntityRecords, RosterState

ENROLLMENTS = "enrollments"
FROM, UNTIL = "0000", "9999"  # before and after every day
MAIN = (pl.col("primary") == "true") & (pl.col("role") == "teacher")


def may_add_main_teachers(standing: RosterState) -> bool:
    """Tell whether a drop is a delta with the enrollment of a main teacher."""
    drop = standing.get(ENROLLMENTS)
    return drop is not None and drop.mode == "delta" and drop.accepted.filter(MAIN).height > 0


def with_one_main_teacher(enrollments: EntityRecords) -> tuple[EntityRecords, Findings]:
    """Leave each class one main teacher at a time, whatever the order of the rows."""
    extra = enrollments.accepted.filter(
        pl.col("sourcedId").is_in(_extra_ids(enrollments.accepted).implode())
    ).sort("sourcedId")
    if not extra.height:
        return enrollments, Findings()
    return _demote(enrollments, extra["sourcedId"]), _finding(extra, enrollments)


def settle_main_teachers(
    standing: RosterState, before: EntityRecords | None
) -> tuple[RosterState, Findings]:
    """Leave each class one main teacher at a time after a delta.

    `before` are the enrollments before this drop. One that is not in the drop, and is no longer
    that of the main teacher, is added to it.
    """
    if not may_add_main_teachers(standing):
        return standing, Findings()
    drop = standing[ENROLLMENTS]
    others = _others(drop, before) if before is not None else drop.accepted.clear()
    columns = ("sourcedId", "primary", "role", "classSourcedId", "beginDate", "endDate")
    classes = drop.accepted.filter(MAIN)["classSourcedId"].unique()
    rivals = others.filter(pl.col("classSourcedId").is_in(classes.implode()))
    extra = _extra_ids(pl.concat([drop.accepted.select(columns), rivals.select(columns)]))
    if not extra.len():
        return standing, Findings()
    found = _finding(drop.accepted.filter(pl.col("sourcedId").is_in(extra.implode())), drop)
    added = rivals.filter(pl.col("sourcedId").is_in(extra.implode()))
    if added.height:
        rows = [drop.accepted.drop(ROW), added.drop(ROW)]
        drop = replace(drop, accepted=pl.concat(rows, how="diagonal").with_row_index(ROW, 1))
    return standing | {ENROLLMENTS: _demote(drop, extra)}, found


def _others(drop: EntityRecords, before: EntityRecords) -> pl.DataFrame:
    """Return the earlier enrollments of which the drop has no news."""
    news = pl.concat([drop.accepted["sourcedId"], drop.withheld["sourcedId"], drop.gone])
    return before.accepted.filter(~pl.col("sourcedId").is_in(news.implode()))


def _extra_ids(rows: pl.DataFrame) -> pl.Series:
    """Return the enrollments of main teachers that overlap one whose id comes first."""
    main = rows.filter(MAIN)
    main = main.filter(main["classSourcedId"].is_duplicated()).sort("sourcedId")
    flags = _overlaps(main.select("classSourcedId", "beginDate", "endDate").rows())
    return main["sourcedId"].filter(pl.Series(flags, dtype=pl.Boolean))


def _overlaps(rows: list[tuple[str, str | None, str | None]]) -> list[bool]:
    """Tell for each class and period whether it overlaps an earlier one that does not."""
    kept: dict[str, list[tuple[str, str]]] = {}
    found = []
    for class_id, first, last in rows:
        begin, end = first or FROM, last or UNTIL
        overlaps = any(begin < until and start < end for start, until in kept.get(class_id, []))
        found.append(overlaps)
        if not overlaps:
            kept.setdefault(class_id, []).append((begin, end))
    return found


def _demote(enrollments: EntityRecords, ids: pl.Series) -> EntityRecords:
    is_extra = pl.col("sourcedId").is_in(ids.implode())
    primary = pl.when(is_extra).then(pl.lit("false")).otherwise("primary").alias("primary")
    return replace(enrollments, accepted=enrollments.accepted.with_columns(primary))


def _finding(extra: pl.DataFrame, enrollments: EntityRecords) -> Findings:
    return row_findings(
        "primary_twice",
        extra,
        file=enrollments.file,
        entity=ENROLLMENTS,
        column="primary",
        value="primary",
    )
