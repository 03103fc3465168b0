"""The files of a layout -> a frame for each entity, of all the rows that describe its records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.findings import ROW, SEVERAL, SPAN, Findings, of_rows
from transforms.layouts.expressions import Cell
from transforms.layouts.layout import File, Frames, Join, Layout, Rows
from transforms.layouts.match import MatchedFile
from transforms.layouts.options import Dialect
from transforms.roster import LOST
from transforms.schemas import ENTITIES

REPEATS, DERIVED, PRESUMED = "#repeats", "#derived", "#presumed"


@dataclass(frozen=True)
class Part:
    """What the files say of one entity.

    `frame` has the entity's columns, `#row` (numbered over several `files`, see `findings.placed`), and `#repeats`,
    `#derived` and `#presumed` (as in `Rows`). `lost` are rows that do not fit their header, `said` the columns that are spoken of; `unsaid` are those
    of which only a file speaks that is not there. `fed` is as in `Table`.
    """

    frame: pl.DataFrame
    lost: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LOST))
    said: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    fed: tuple[str, ...] = ()
    unsaid: frozenset[str] = frozenset()

    @property
    def file(self) -> str:
        """The names of its files."""
        return SEVERAL.join(self.files)

    def having(self, frame: pl.DataFrame, *said: str) -> Part:
        """Give it other rows, and columns that are now spoken of."""
        return replace(self, frame=frame, said=self.said | frozenset(said))


Parts = dict[str, Part]


def assembled(layout: Layout, files: dict[str, MatchedFile], dialect: Dialect) -> Parts:
    """Read every row of every file, for each entity that it describes; parents first."""
    frames = layout.prepare({name: found.frame for name, found in files.items()})
    parts: Parts = {}
    for file in layout.files:
        if file.name in files:
            frame = _with_joins(file, frames)
            for one in file.gives:
                here = _Giver(file, files[file.name], frozenset(files))
                # What many rows describe together is not described without the file that says what it is.
                if _is_there(one, files[file.name], file) and not (
                    one.derived and here.unsaid(one)
                ):
                    parts[one.entity] = _added(parts.get(one.entity), one, frame, here, dialect)
    return {name: parts[name] for name in ENTITIES if name in parts}


def leading_nowhere(layout: Layout, files: dict[str, MatchedFile]) -> list[Findings]:
    """Tell of the rows of joined files of which all are meant, and that belong to no row here."""
    found = []
    for file in (file for file in layout.files if file.name in files):
        for join in (join for join in file.joins if join.all_of_them and join.file in files):
            other = files[join.file]
            keys = files[file.name].frame[join.on].drop_nulls()
            rows = other.frame.filter(~pl.col(join.key).is_in(keys.implode())).with_columns(
                sourcedId=join.key
            )
            found.append(
                of_rows(
                    "link_nowhere",
                    rows,
                    file=other.raw.name,
                    entity=other.file.name,
                    column=join.key,
                    value=join.key,
                    detail=files[file.name].raw.name,
                )
            )
    return found


def _with_joins(file: File, frames: Frames) -> pl.DataFrame:
    frame = frames[file.name]
    for join in file.joins:
        frame = _with_join(frame, join, frames.get(join.file))
    return frame


def _with_join(frame: pl.DataFrame, join: Join, other: pl.DataFrame | None) -> pl.DataFrame:
    names = {name: f"{join.file}.{name}" for name in join.columns}
    if other is None:
        return frame.with_columns(pl.lit(None, pl.String).alias(name) for name in names.values())
    found = other.select(
        pl.col(join.key).alias("#key"), *(pl.col(name).alias(new) for name, new in names.items())
    )
    found = found.drop_nulls("#key")
    if join.all_of_them:
        listed = (
            pl.col(name).drop_nulls().unique(maintain_order=True).str.join(",")
            for name in names.values()
        )
        found = found.group_by("#key", maintain_order=True).agg(listed)
        found = found.with_columns(
            pl.when(pl.col(name) != "").then(name) for name in names.values()
        )
    found = found.unique("#key", keep="first", maintain_order=True)
    return frame.join(found, left_on=join.on, right_on="#key", how="left", maintain_order="left")


def _is_there(one: Rows, found: MatchedFile, file: File) -> bool:
    """Whether a file has the columns without which its rows describe no such record."""
    wanted = (
        [one.given]
        if one.given
        else list(one.where.reads)
        if one.where and not one.where.holds_without
        else []
    )
    own = [name for name in wanted if name.partition(".")[0] not in file.joined]
    return not own or any(name in found.cells for name in own)


@dataclass(frozen=True)
class _Giver:
    """A file that gives rows, and the files of the layout that are in the drop."""

    file: File
    found: MatchedFile
    there: frozenset[str]

    def said(self, one: Rows) -> frozenset[str]:
        """The columns of which the drop speaks."""
        joins = (join for join in self.file.joins if join.file in self.there)
        there = {
            *self.found.cells,
            *(f"{join.file}.{name}" for join in joins for name in join.columns),
        }
        return frozenset(
            name
            for name, cell in one.columns.items()
            if name != "status" and (not cell.reads or there.intersection(cell.reads))
        )

    def unsaid(self, one: Rows) -> frozenset[str]:
        """The columns of which files speak that are not in the drop."""
        gone = {f"{join.file}." for join in self.file.joins if join.file not in self.there}
        absent = (
            name
            for name, cell in one.columns.items()
            if any(read.startswith(tuple(gone)) for read in cell.reads)
        )
        return frozenset(absent) - self.said(one)

    def fed(self, one: Rows) -> list[str]:
        """The file, if it has rows, and the filled columns without which it would describe no such record."""
        where = one.where.reads if one.where is not None and not one.where.holds_without else ()
        names = (self.found.cells.get(name, "") for name in (one.given, one.each, *where))
        filled = [name for name in names if name and self.found.raw.frame[name].count()]
        return (
            [self.found.raw.name, *(f"{self.found.raw.name}: {name}" for name in filled)]
            if self.found.filled
            else []
        )


def _added(
    part: Part | None, one: Rows, frame: pl.DataFrame, giver: _Giver, dialect: Dialect
) -> Part:
    found = giver.found
    part = part or Part(_read(one, frame.clear(), 0, dialect))
    # A row that describes two records of one entity has a number for each, so that a fault in one leaves the other.
    place = len(part.files)
    files = (*part.files, found.raw.name) if found.filled else part.files
    blank = [pl.lit(None, pl.String).alias(name) for name in giver.unsaid(one)]
    read = _read(one, frame, place, dialect).with_columns(blank)
    lost = _once([part.lost, _lost(one, place, found)], files)
    frame = pl.concat([part.frame, read], how="diagonal")
    fed = tuple(dict.fromkeys([*part.fed, *giver.fed(one)]))
    said, unsaid = part.said | giver.said(one), part.unsaid | giver.unsaid(one)
    return Part(frame, lost, said, files, fed, unsaid - said)


def _read(one: Rows, frame: pl.DataFrame, place: int, dialect: Dialect) -> pl.DataFrame:
    if one.given:
        frame = frame.filter(pl.col(one.given).is_not_null())
    if one.each:
        items = pl.col(one.each).str.replace_all("[;|]", ",").str.split(",")
        frame = frame.with_columns(items).explode(one.each, empty_as_null=True, keep_nulls=True)
        frame = frame.with_columns(pl.col(one.each).str.strip_chars())
    if one.where is not None:
        frame = frame.filter(one.where.of(dialect))
    names = dict.fromkeys([*(column.name for column in ENTITIES[one.entity].current), *one.columns])
    return frame.with_columns(
        **{name: _cell(one.columns.get(name), dialect) for name in names},
        **{
            ROW: pl.col(ROW) + place * SPAN,
            REPEATS: pl.lit(one.repeats),
            DERIVED: pl.lit(one.derived),
            PRESUMED: pl.lit(one.presumed),
        },
    ).select(ROW, *names, REPEATS, DERIVED, PRESUMED)


def _cell(cell: Cell | None, dialect: Dialect) -> pl.Expr:
    return pl.lit(None, pl.String) if cell is None else cell.of(dialect).cast(pl.String)


def _once(lost: list[pl.DataFrame], files: tuple[str, ...]) -> pl.DataFrame:
    """Each row that does not fit once for each record that it may describe, by the id as far as it can be told."""
    rows = pl.concat(lost)
    if not rows.height:
        return rows
    names = {place: files.index(name) for place, name in enumerate(files)}
    file = (pl.col(ROW) // SPAN).replace_strict(names)
    same = [file.alias("#file"), pl.col(ROW) % SPAN, pl.col("sourcedId")]
    return rows.filter(pl.struct(same).is_first_distinct())


def _lost(one: Rows, place: int, found: MatchedFile) -> pl.DataFrame:
    """The rows that do not fit the header, with the cell in the place of the sourcedId, where that is one column."""
    key = one.columns.get("sourcedId")
    plain = key is not None and len(key.reads) == 1 and not (one.derived or one.where or one.given)
    column = found.cells.get(key.reads[0]) if plain and key is not None else None
    at = found.raw.header.index(column) if column is not None else None
    ids = [
        cells[at].strip() if at is not None and at < len(cells) else ""
        for cells in found.raw.ragged.values()
    ]
    rows = [row + place * SPAN for row in found.raw.ragged]
    return pl.DataFrame({ROW: rows, "sourcedId": [value or None for value in ids]}, schema=LOST)
