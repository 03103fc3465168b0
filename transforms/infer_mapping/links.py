"""How the files of a drop hang together: which column is the key of its file, and which columns lead to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from transforms.infer_mapping.columns import MOST, Columns, SourceColumn, words_of
from transforms.infer_mapping.spellings import FILES, looks_like_id, subject_of

PROBE = 50  # values that are tried before all are
NAMED = 0.5  # of its rows at least lead to the file that a column is named after
REPEATED = (
    0.6  # of its rows at least have a value of their own in a key of a file with repeated rows
)
MEANINGLESS = frozenset({"id", "code", "number", "name", "csv", "sis"})


@dataclass(frozen=True)
class Link:
    """A column whose values are found in the key of another file; `hits` of its `rows` lead there."""

    column: SourceColumn
    key: SourceColumn
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

    keys: dict[str, SourceColumn]
    links: tuple[Link, ...]

    def of(self, column: SourceColumn) -> Link | None:
        """Where a column leads."""
        return next((link for link in self.links if link.column is column), None)

    def to(self, file: str) -> list[Link]:
        """What leads to a file."""
        return [link for link in self.links if link.key.file == file]


def linked(columns: Columns) -> Links:
    """Find keys and links; a column leads to one file at most, the one whose words it shares."""
    every = [one for each in columns.values() for one in each if not one.dates]
    certain = [one for one in every if one.unique]
    found = _all_links(every, certain)
    leading = {id(link.column) for link in found}
    likely = [one for one in every if not one.unique and id(one) not in leading and _nearly(one)]
    found += _all_links(every, likely)
    able = [*certain, *likely]
    inward = [link.key for link in _nearest(found) if not link.column.unique]
    named = {id(link.column) for link in found if _shared(link.column, link.key)[0]}
    keys = {
        name: key
        for name, each in columns.items()
        if (key := _key(name, each, able, inward, named))
    }
    chosen = [
        link
        for link in found
        if link.key is keys.get(link.key.file) and link.column is not keys.get(link.column.file)
    ]
    return Links(keys, tuple(_nearest(chosen)))


def _all_links(columns: list[SourceColumn], keys: list[SourceColumn]) -> list[Link]:
    return [link for one in columns for key in keys if (link := _link(one, key))]


def _nearly(column: SourceColumn) -> bool:
    """Whether a column may be the key of a file with rows that are repeated: it is called an id, and filled in each."""
    return (
        looks_like_id(column.words)
        and column.cells.len() == column.rows
        and column.distinct.len() > column.rows * REPEATED
    )


def _link(column: SourceColumn, key: SourceColumn) -> Link | None:
    if column.file == key.file or not column.distinct.len():
        return None
    about, own = _shared(column, key)
    if not about + own and not _telling(column):
        return None
    probe = column.distinct.head(PROBE)
    if probe.is_in(key.distinct.implode()).sum() * 2 < probe.len():
        return None
    hits = int(column.cells.is_in(key.distinct.implode()).sum())
    return (
        Link(column, key, hits) if hits >= (NAMED if about else MOST) * column.cells.len() else None
    )


def _telling(column: SourceColumn) -> bool:
    """Whether values are found elsewhere by no accident: not few, and not short numbers, which are everywhere."""
    return column.distinct.len() > 1 and not bool(column.distinct.str.contains(r"^\d{1,3}$").all())


def _shared(column: SourceColumn, key: SourceColumn) -> tuple[int, int]:
    """How many words a column shares with what the key's file is about, and with the key itself."""
    about = {
        *words_of(key.file),
        *next((words for words in FILES.values() if set(words) & set(words_of(key.file))), ()),
    }
    own = set(column.words) - MEANINGLESS
    return len(own & about), len(own & set(key.words))


def _nearest(links: list[Link]) -> list[Link]:
    """One link of each column: the one that shares most words, and then the one that most rows follow."""
    best: dict[int, Link] = {}
    for link in links:
        best[id(link.column)] = max(best.get(id(link.column), link), link, key=_nearness)
    return list(best.values())


def _nearness(link: Link) -> tuple[int, int, int, int]:
    return *_shared(link.column, link.key), link.hits, -link.key.rows


def _key(
    file: str,
    each: list[SourceColumn],
    able: list[SourceColumn],
    inward: list[SourceColumn],
    named: set[int],
) -> SourceColumn | None:
    """The key of a file: what others lead to, is not named after another file, has no value twice, is called an id, and stands first.

    Who is in which class is known by both together, and by no key.
    """
    said = subject_of(file)
    candidates = [
        one
        for one in each
        if any(one is other for other in able) and not (one.emails and len(each) > 1)
    ]
    if not candidates or (said and said[0] == "enrollments"):
        return None

    def merit(one: SourceColumn) -> tuple[int, bool, bool, bool, int]:
        ways_in = sum(one is key for key in inward)
        return ways_in, id(one) not in named, one.unique, looks_like_id(one.words), -each.index(one)

    return max(candidates, key=merit)


def reasons(links: Links, key: SourceColumn) -> Iterator[str]:
    """Why a column is the key of its file: in the words of whoever reads the mapping."""
    count = key.distinct.len()
    yield (
        f"{key.name!r} is different in each of {key.rows} rows"
        if count == key.rows
        else f"{key.name!r} has {count} values in {key.rows} rows"
    )
    for link in links.to(key.file):
        yield f"{link.column.name!r} of {link.column.file} leads to it in {link.share} of {link.rows} rows"
