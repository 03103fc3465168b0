"""References between the files of a drop: the keys of files, and the columns that refer to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from transforms.grammar import count_of
from transforms.infer_mapping.columns import MOST, Columns, SourceColumn, words_of
from transforms.infer_mapping.spellings import FILES, has_names, looks_like_id, subject_of

PROBE = 50  # values to try before all values
NAMED = 0.5  # the share of rows that must refer to a file whose words the column has
REPEATED = 0.6  # the share of distinct values in the key of a file with repeated rows
MEANINGLESS = frozenset({"id", "code", "number", "name", "csv", "sis"})


@dataclass(frozen=True)
class Link:
    """A column that refers to the key of another file."""

    column: SourceColumn
    key: SourceColumn
    hits: int  # rows whose value is in the key

    @property
    def rows(self) -> int:
        """The number of rows with a value."""
        return self.column.cells.len()

    @property
    def share(self) -> str:
        """The share of rows whose value is in the key; rounded down, so 100% means all."""
        return f"{self.hits * 100 // self.rows}%"


@dataclass(frozen=True)
class Links:
    """The keys of files, and the references to them."""

    keys: dict[str, SourceColumn]  # by file; not every file has a key
    links: tuple[Link, ...]

    def of(self, column: SourceColumn) -> Link | None:
        """Return the link of a column."""
        return next((link for link in self.links if link.column is column), None)

    def to(self, file: str) -> list[Link]:
        """Return the links to a file."""
        return [link for link in self.links if link.key.file == file]


def find_links(columns: Columns) -> Links:
    """Find the keys, and the links to them: the nearest one for each column, by its words."""
    every = [one for each in columns.values() for one in each if not one.dates]
    certain = [one for one in every if one.unique]
    candidates = _links(every, certain)
    linking = {id(link.column) for link in candidates}
    likely = [
        one for one in every if not one.unique and id(one) not in linking and _may_be_key(one)
    ]
    candidates += _links(every, likely)
    possible = [*certain, *likely]
    linked_keys = [link.key for link in _nearest(candidates) if not link.column.unique]
    named = {id(link.column) for link in candidates if _shared(link.column, link.key)[0]}
    keys = _keys(columns, possible, linked_keys, named)
    borrowed = _borrowed_keys(columns, keys, candidates)
    keys = _keys(columns, [one for one in possible if id(one) not in borrowed], linked_keys, named)
    links = [
        link
        for link in candidates
        if link.key is keys.get(link.key.file) and link.column is not keys.get(link.column.file)
    ]
    return Links(keys, tuple(_nearest(links)))


def _keys(
    columns: Columns,
    possible: list[SourceColumn],
    linked_keys: list[SourceColumn],
    named: set[int],
) -> dict[str, SourceColumn]:
    return {
        name: key
        for name, each in columns.items()
        if (key := _key(name, each, possible, linked_keys, named))
    }


def _borrowed_keys(
    columns: Columns, keys: dict[str, SourceColumn], candidates: list[Link]
) -> set[int]:
    """Return the columns of files without people that have the name of the key of people.

    `UPN` in a file of classes is the pupil, even if each pupil has one class.
    """
    people = {name for name, each in columns.items() if has_names(one.name for one in each)}
    return {
        id(link.column)
        for link in candidates
        if link.key is keys.get(link.key.file)
        and link.key.file in people
        and link.column.file not in people
        and link.column.words == link.key.words
        and set(link.key.words) - MEANINGLESS
    }


def _links(columns: list[SourceColumn], keys: list[SourceColumn]) -> list[Link]:
    return [link for one in columns for key in keys if (link := _link(one, key))]


def _may_be_key(column: SourceColumn) -> bool:
    """Whether a column may be the key of a file with repeated rows: a filled column of ids."""
    return (
        looks_like_id(column.words)
        and column.cells.len() == column.rows
        and column.distinct.len() > column.rows * REPEATED
    )


def _link(column: SourceColumn, key: SourceColumn) -> Link | None:
    if column.file == key.file or not column.distinct.len():
        return None
    about, own = _shared(column, key)
    if not about + own and not _is_distinctive(column):
        return None
    probe = column.distinct.head(PROBE)
    if probe.is_in(key.distinct.implode()).sum() * 2 < probe.len():
        return None
    hits = int(column.cells.is_in(key.distinct.implode()).sum())
    share = NAMED if about else MOST
    return Link(column, key, hits) if hits >= share * column.cells.len() else None


def _is_distinctive(column: SourceColumn) -> bool:
    """Whether the values are in another file by no accident.

    A single value and short numbers are in many files.
    """
    return column.distinct.len() > 1 and not bool(
        column.distinct.str.contains(r"^[0-9]{1,3}$").all()
    )


def _shared(column: SourceColumn, key: SourceColumn) -> tuple[int, int]:
    """Count the words that a column shares with the subject of the key's file, and with the key."""
    about = {
        *words_of(key.file),
        *next((words for words in FILES.values() if set(words) & set(words_of(key.file))), ()),
    }
    own = set(column.words) - MEANINGLESS
    return len(own & about), len(own & set(key.words))


def _nearest(links: list[Link]) -> list[Link]:
    """Keep one link of each column: by the most shared words, and then by the most rows."""
    best: dict[int, Link] = {}
    for link in links:
        best[id(link.column)] = max(best.get(id(link.column), link), link, key=_nearness)
    return list(best.values())


def _nearness(link: Link) -> tuple[int, int, int, int]:
    return *_shared(link.column, link.key), link.hits, -link.key.rows


def _key(
    file: str,
    each: list[SourceColumn],
    possible: list[SourceColumn],
    linked_keys: list[SourceColumn],
    named: set[int],
) -> SourceColumn | None:
    """Choose the key of a file.

    These decide, in this order: the most links to it, not named after another file, no value twice,
    named as an id, first in the file. Enrollments have no key: the class and the person together
    identify them. Neither has a file of which nothing says what it holds, if all that could be its
    key is named after other files: each of a few students has one class.
    """
    subject = subject_of(file)
    candidates = [
        one
        for one in each
        if any(one is other for other in possible) and not (one.emails and len(each) > 1)
    ]
    if not subject and not has_names(one.name for one in each):
        candidates = [
            one
            for one in candidates
            if id(one) not in named or any(one is key for key in linked_keys)
        ]
    if not candidates or (subject and subject[0] == "enrollments"):
        return None

    def merit(one: SourceColumn) -> tuple[int, bool, bool, bool, int]:
        count = sum(one is key for key in linked_keys)
        return count, id(one) not in named, one.unique, looks_like_id(one.words), -each.index(one)

    return max(candidates, key=merit)


def key_reasons(links: Links, key: SourceColumn) -> Iterator[str]:
    """Yield the reasons why a column is the key of its file, for people who read the mapping."""
    count = key.distinct.len()
    yield (
        f"{key.name!r} is different in each of {count_of(key.rows, 'rows')}"
        if count == key.rows
        else f"{key.name!r} has {count_of(count, 'values')} in {count_of(key.rows, 'rows')}"
    )
    for link in links.to(key.file):
        yield (
            f"{link.column.name!r} of {link.column.file} leads to it in {link.share} of "
            f"{count_of(link.rows, 'rows')}"
        )
