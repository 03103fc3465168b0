"""Assemble the frame of each entity from all rows of all files that describe its records."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import polars as pl

from transforms.findings import FILE_SEPARATOR, ROW, SPAN, Findings, row_findings
from transforms.layouts.expressions import Cell
from transforms.layouts.layout import File, Frames, Join, Layout, Rows
from transforms.layouts.match import MatchedFile
from transforms.layouts.options import ReadingOptions
from transforms.roster import LOST_COLUMNS
from transforms.schemas import ENTITIES

# Columns that hold the fields of `Rows` with the same names.
REPEATS, DERIVED, PRESUMED = "#repeats", "#derived", "#presumed"
# Column: whether the names of a person come from one column, which has the full name.
FULL_NAME = "#full_name"
NAMES = ("givenName", "familyName")


@dataclass(frozen=True)
class EntityRows:
    """The rows of one entity, on their way to a `Table`."""

    # The entity's columns, `#repeats`, `#derived`, `#presumed`, `#full_name`, and `#row`, which is
    # numbered over several files (see `findings.placed`).
    frame: pl.DataFrame
    # Rows that do not fit their header.
    lost: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=LOST_COLUMNS))
    # Columns that the drop has a value for.
    said: frozenset[str] = frozenset()
    files: tuple[str, ...] = ()
    # As in `Table`.
    fed: tuple[str, ...] = ()
    # Columns that only files have that are missing from the drop.
    unsaid: frozenset[str] = frozenset()
    # The file of the layout, and its rows, that each of `files` is read for; as long as `files`
    # until roster adds rows of its own.
    places: tuple[tuple[str, Rows], ...] = ()
    # Of users: ids, with the prefix, that several people have in this drop, and that it is new to
    # set apart.
    contested: frozenset[str] = frozenset()

    @property
    def file(self) -> str:
        """The names of the files, as findings name them."""
        return FILE_SEPARATOR.join(self.files)

    def having(self, frame: pl.DataFrame, *said: str) -> EntityRows:
        """Return a copy with other rows, and with more columns that have values."""
        return replace(self, frame=frame, said=self.said | frozenset(said))

    def with_lost(self, lost: pl.DataFrame) -> EntityRows:
        """Return a copy with other rows that do not fit their header."""
        return replace(self, lost=lost)


RowsByEntity = dict[str, EntityRows]


def assemble(
    layout: Layout, files: dict[str, MatchedFile], frames: Frames, dialect: ReadingOptions
) -> RowsByEntity:
    """Read every row of every file, for each entity that it describes; parents first.

    `frames` are those of the files, as the layout prepares them.
    """
    parts: RowsByEntity = {}
    for file in (file for file in layout.files if file.name in files):
        source = _Source(file, files[file.name], frozenset(files))
        frame = _with_joins(file, frames)
        for rows in file.gives:
            # Derived records are skipped if the file with some of their columns is missing.
            if source.describes(rows) and not (rows.derived and source.unsaid(rows)):
                parts[rows.entity] = _add_rows(parts.get(rows.entity), rows, frame, source, dialect)
    return {name: parts[name] for name in ENTITIES if name in parts}


def unmatched_joins(layout: Layout, files: dict[str, MatchedFile]) -> list[Findings]:
    """Report the rows of joined files that match no row.

    Only for joins that take all matches: those list something for each row here.
    """
    found = []
    for file in (file for file in layout.files if file.name in files):
        for join in (join for join in file.joins if join.all_of_them and join.file in files):
            other = files[join.file]
            keys = files[file.name].frame[join.on].drop_nulls()
            rows = other.frame.filter(~pl.col(join.key).is_in(keys.implode())).with_columns(
                sourcedId=join.key
            )
            found.append(
                row_findings(
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
    matches = other.select(
        pl.col(join.key).alias("#key"), *(pl.col(name).alias(new) for name, new in names.items())
    )
    matches = matches.drop_nulls("#key")
    if join.all_of_them:
        lists = (
            pl.col(name).drop_nulls().unique(maintain_order=True).str.join(",")
            for name in names.values()
        )
        matches = matches.group_by("#key", maintain_order=True).agg(lists)
        matches = matches.with_columns(
            pl.when(pl.col(name) != "").then(name) for name in names.values()
        )
    matches = matches.unique("#key", keep="first", maintain_order=True)
    return frame.join(matches, left_on=join.on, right_on="#key", how="left", maintain_order="left")


@dataclass(frozen=True)
class _Source:
    """A file that describes records."""

    file: File
    match: MatchedFile
    present: frozenset[str]  # the files of the layout that are in the drop

    def describes(self, rows: Rows) -> bool:
        """Whether the file has the columns that decide whether its rows describe such a record."""
        needed: tuple[str, ...] = (rows.given,) if rows.given else _condition_reads(rows)
        own = [name for name in needed if name.partition(".")[0] not in self.file.joined]
        return not own or any(name in self.match.cells for name in own)

    def said(self, rows: Rows) -> frozenset[str]:
        """The columns of the entity that the drop has a value for."""
        joins = (join for join in self.file.joins if join.file in self.present)
        columns = {
            *self.match.cells,
            *(f"{join.file}.{name}" for join in joins for name in join.columns),
        }
        return frozenset(
            name
            for name, cell in rows.columns.items()
            if name != "status" and (not cell.reads or columns.intersection(cell.reads))
        )

    def unsaid(self, rows: Rows) -> frozenset[str]:
        """The columns of the entity that only files have that are missing from the drop."""
        missing = tuple(
            f"{join.file}." for join in self.file.joins if join.file not in self.present
        )
        columns = (
            name
            for name, cell in rows.columns.items()
            if any(read.startswith(missing) for read in cell.reads)
        )
        return frozenset(columns) - self.said(rows)

    def fed(self, rows: Rows) -> list[str]:
        """The file, if it has rows, and its filled columns that decide whether a row counts."""
        if not self.match.filled:
            return []
        decisive = (rows.given, rows.each, *_condition_reads(rows))
        names = (self.match.cells.get(name, "") for name in decisive)
        raw = self.match.raw
        return [
            raw.name,
            *(f"{raw.name}: {name}" for name in names if name and raw.frame[name].count()),
        ]


def _condition_reads(rows: Rows) -> tuple[str, ...]:
    """The columns without which the condition of rows does not hold."""
    return () if rows.where is None or rows.where.holds_without else rows.where.reads


def _add_rows(
    part: EntityRows | None,
    rows: Rows,
    frame: pl.DataFrame,
    source: _Source,
    dialect: ReadingOptions,
) -> EntityRows:
    match = source.match
    part = part or EntityRows(_read_rows(rows, frame.clear(), 0, dialect))
    # A row that describes two records of one entity gets two row numbers, so that an error in one
    # record does not affect the other.
    place = len(part.files)
    files = (*part.files, match.raw.name) if match.filled else part.files
    here = (source.file.name, rows)
    places = (*part.places, here) if match.filled else part.places
    blank = [pl.lit(None, pl.String).alias(name) for name in source.unsaid(rows)]
    added = _read_rows(rows, frame, place, dialect).with_columns(blank)
    lost = _once([part.lost, _lost_rows(rows, place, match)], files)
    frame = pl.concat([part.frame, added], how="diagonal")
    fed = tuple(dict.fromkeys([*part.fed, *source.fed(rows)]))
    said, unsaid = part.said | source.said(rows), part.unsaid | source.unsaid(rows)
    return EntityRows(frame, lost, said, files, fed, unsaid - said, places)


def _read_rows(
    rows: Rows, frame: pl.DataFrame, place: int, dialect: ReadingOptions
) -> pl.DataFrame:
    if rows.given:
        frame = frame.filter(pl.col(rows.given).is_not_null())
    if rows.each:
        items = pl.col(rows.each).str.replace_all("[;|]", ",").str.split(",")
        frame = frame.with_columns(items).explode(rows.each, empty_as_null=True, keep_nulls=True)
        frame = frame.with_columns(pl.col(rows.each).str.strip_chars())
    if rows.where is not None:
        frame = frame.filter(rows.where.of(dialect))
    columns = (column.name for column in ENTITIES[rows.entity].current)
    names = dict.fromkeys([*columns, *rows.columns])
    return frame.with_columns(
        **{name: _cell(rows.columns.get(name), dialect) for name in names},
        **{
            ROW: pl.col(ROW) + place * SPAN,
            REPEATS: pl.lit(rows.repeats),
            DERIVED: pl.lit(rows.derived),
            PRESUMED: pl.lit(rows.presumed),
            FULL_NAME: pl.lit(_has_full_name(rows)),
        },
    ).select(ROW, *names, REPEATS, DERIVED, PRESUMED, FULL_NAME)


def _has_full_name(rows: Rows) -> bool:
    reads = [set(rows.columns[name].reads) for name in NAMES if name in rows.columns]
    return len(reads) == len(NAMES) and bool(set.intersection(*reads))


def _cell(cell: Cell | None, dialect: ReadingOptions) -> pl.Expr:
    return pl.lit(None, pl.String) if cell is None else cell.of(dialect).cast(pl.String)


def _once(lost: list[pl.DataFrame], files: tuple[str, ...]) -> pl.DataFrame:
    """Keep each lost row once for each record that it may describe (each id that could be read)."""
    rows = pl.concat(lost)
    if not rows.height:
        return rows
    names = {place: files.index(name) for place, name in enumerate(files)}
    file = (pl.col(ROW) // SPAN).replace_strict(names)
    same = [file.alias("#file"), pl.col(ROW) % SPAN, pl.col("sourcedId")]
    return rows.filter(pl.struct(same).is_first_distinct())


def _lost_rows(rows: Rows, place: int, match: MatchedFile) -> pl.DataFrame:
    """The rows that do not fit the header.

    Their sourcedId is the cell at the position of that column, if the id is made from one column.
    """
    key = rows.columns.get("sourcedId")
    column = None
    if key and len(key.reads) == 1 and not (rows.derived or rows.where or rows.given):
        column = match.cells.get(key.reads[0])
    at = match.raw.header.index(column) if column is not None else None
    ids = [
        cells[at].strip() if at is not None and at < len(cells) else ""
        for cells in match.raw.ragged.values()
    ]
    numbers = [row + place * SPAN for row in match.raw.ragged]
    return pl.DataFrame(
        {ROW: numbers, "sourcedId": [value or None for value in ids]}, schema=LOST_COLUMNS
    )
