"""How the files of a drop hang together: which column is the key of its file, and which columns lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from transforms.guessing.columns import MOST, Columns, Seen, words_of
from transforms.guessing.spellings import FILES, looks_like_id

PROBE = 50  # values that are tried before all are


@dataclass(frozen=True)
class Link:
    """A column whose values are found in the key of another file; `hits` of its `rows` lead there."""

    column: Seen
    key: Seen
    hits: int

    @property
    def rows(self) -> int:
        """How many rows have a value."""
        return self.column.cells.len()

    @property
    def share(self) -> str:
        """The share of rows that lead there, never rounded up to all."""
        return f"{self.hits * 100 // self.rows}%"


@dataclass(frozen=True)
class Links:
    """The key of each file that has one, and what leads to it."""

    keys: dict[str, Seen]
    links: tuple[Link, ...]

    def of(self, column: Seen) -> Link | None:
        """Where a column leads."""
        return next((link for link in self.links if link.column is column), None)

    def to(self, file: str) -> list[Link]:
        """What leads to a file."""
        return [link for link in self.links if link.key.file == file]


def linked(columns: Columns) -> Links:
    """Find keys and links; a column leads to one file at most, the one whose words it shares."""
    able = [one for each in columns.values() for one in each if one.unique and not one.dates]
    found = [link for each in columns.values() for one in each for key in able if (link := _link(one, key))]
    keys = {name: key for name, each in columns.items() if (key := _key(each, able, found))}
    best: dict[int, Link] = {}
    for link in found:
        if link.key is keys.get(link.key.file) and link.column is not keys.get(link.column.file):
            other = best.get(id(link.column))
            best[id(link.column)] = link if other is None or _nearness(link) > _nearness(other) else other
    return Links(keys, tuple(best.values()))


def _link(column: Seen, key: Seen) -> Link | None:
    if column.file == key.file or not column.rows or column.dates or column.distinct.len() < 1:
        return None
    if not _alike(column, key) and not _telling(column):
        return None
    probe = column.distinct.head(PROBE)
    if probe.is_in(key.distinct.implode()).sum() * 2 < probe.len():
        return None
    hits = int(column.cells.is_in(key.distinct.implode()).sum())
    return Link(column, key, hits) if hits >= MOST * column.cells.len() else None


def _telling(column: Seen) -> bool:
    """Whether values are found elsewhere by no accident: not few, and not short numbers, which are everywhere."""
    return column.distinct.len() > 1 and not bool(column.distinct.str.contains(r"^\d{1,3}$").all())


def _alike(column: Seen, key: Seen) -> bool:
    """Whether a column is named after a key or the file that it is in."""
    kind = next((words for words in FILES.values() if set(words) & set(words_of(key.file))), ())
    return bool(set(column.words) & {*key.words, *kind, *words_of(key.file)} - {"id", "code", "number", "name", "csv"})


def _nearness(link: Link) -> tuple[bool, int, int]:
    return _alike(link.column, link.key), link.hits, -link.key.rows


def _key(each: list[Seen], able: list[Seen], found: list[Link]) -> Seen | None:
    """The key of a file: what others lead to, is called an id, and stands first."""
    candidates = [one for one in each if any(one is other for other in able) and not (one.emails and len(each) > 1)]
    return max(candidates, key=lambda one: _merit(one, each, found), default=None)


def _merit(one: Seen, each: list[Seen], found: list[Link]) -> tuple[int, bool, int]:
    inward = sum(link.key is one and not link.column.unique for link in found)
    return inward, looks_like_id(one.words), -each.index(one)


def reasons(links: Links, key: Seen) -> Iterator[str]:
    """Why a column is the key of its file: in the words of whoever reads the mapping."""
    yield f"{key.name!r} is different in each of {key.rows} rows"
    for link in links.to(key.file):
        yield f"{link.column.name!r} of {link.column.file} leads to it in {link.share} of {link.rows} rows"
