"""What a feed has of one person: ids in ledger and rosters, who names that person, and by which words the person is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from connectors.archive import Archive
from connectors.ledger import FeedKey, Ledger
from connectors.ledger.forgotten import MARKS
from flows.forgetting.masking import LONG
from transforms.findings import ROW
from transforms.fingerprint import fingerprints
from transforms.forgetting import PEOPLE, erased, friends, is_of
from transforms.judged import Judged
from transforms.schemas import ENTITIES, LIFECYCLE

# Besides the label: what stands for one person alone, if it is long enough to be no other word.
TELLING = ("email", "username", "identifier", "userMasterIdentifier", "sms", "phone")


@dataclass(frozen=True)
class Traces:
    """`sent` are the ids of what the target holds of ours, `ids` all that are known, both by entity.

    `rows` counts the archived records. `friends` are users who name the person, `marks` their fingerprints with and
    without (`sourcedId`, `old`, `new`). `words` are the ids, names and addresses by which the person is known.
    """

    key: FeedKey
    person: str
    sent: Mapping[str, list[str]] = field(default_factory=dict)
    ids: Mapping[str, list[str]] = field(default_factory=dict)
    rows: int = 0
    friends: frozenset[str] = frozenset()
    marks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=MARKS))
    words: frozenset[str] = frozenset()

    @property
    def is_known(self) -> bool:
        """Whether the feed has anything of the person."""
        return bool(self.ids or self.friends)

    @property
    def is_ours(self) -> bool:
        """Whether we sent the person, so that the record in the target is ours."""
        return PEOPLE in self.sent

    def left(self, judged: Judged) -> Judged:
        """Take the person out of a roster's records of one entity."""
        ids = pl.Series("sourcedId", self.ids.get(judged.entity.name, []), dtype=pl.String)
        return erased(judged, ids, _series(self.person))


def traces(key: FeedKey, person: str, ledger: Ledger, archive: Archive) -> Traces:
    """Look for a person in ledger and archive of a feed. Raises `ArchiveError`, `LedgerError`."""
    sent = ledger.of_person(key, person)
    found = {name: set(ids) for name, ids in sent.items()}
    if ledger.awaits(key, person):
        found.setdefault(PEOPLE, set()).add(person)
    people, named, marks, words, rows = _series(person), set[str](), [pl.DataFrame(schema=MARKS)], set[str](), 0
    for judged in (one for name in ENTITIES for one in archive.contents(name)):
        mine = is_of(judged, people)
        rows += mine.len()
        found.setdefault(judged.entity.name, set()).update(mine)
        if judged.entity.name == PEOPLE:
            others = pl.concat([judged.refused, judged.withheld])["sourcedId"]
            found[PEOPLE].update(others.filter(others == person))
            named.update(friends(judged.accepted, people))
            marks.append(_marks(judged, people))
            words.update(_words(judged.accepted.filter(sourcedId=person)))
    ids = {name: sorted(_own(key, name, ids, sent.get(name, []), ledger)) for name, ids in found.items() if ids}
    words.update(_labels(ledger, key, person), *ids.values())
    return Traces(key, person, sent, ids, rows, frozenset(named), pl.concat(marks).unique(), frozenset(words))


def _own(key: FeedKey, name: str, ids: set[str], sent: list[str], ledger: Ledger) -> set[str]:
    """Leave out the ids that another person's record has by now."""
    known = ledger.details(key, name, pl.Series("sourcedId", sorted(ids), dtype=pl.String))
    return ids - (set(known["sourcedId"]) - set(sent))


def _marks(judged: Judged, people: pl.Series) -> pl.DataFrame:
    """The fingerprints of those who name the person, with that and without."""
    named = pl.col("sourcedId").is_in(friends(judged.accepted, people).implode())
    without = erased(judged, people.clear(), people).accepted
    before, after = (frame.filter(named).drop(ROW, *LIFECYCLE, strict=False) for frame in (judged.accepted, without))
    return pl.DataFrame(
        {
            "sourcedId": before["sourcedId"],
            "old": fingerprints(judged.entity, before),
            "new": fingerprints(judged.entity, after),
        },
        schema=MARKS,
    )


def _words(rows: pl.DataFrame) -> Iterator[str]:
    """The name and what else stands for one person alone."""
    label = [name for name in ENTITIES[PEOPLE].label if name in rows.columns]
    for row in rows.iter_rows(named=True):
        yield from filter(None, [" ".join(row[name] for name in label if row[name])])
        yield from (row[name] for name in TELLING if len(row.get(name) or "") >= LONG)


def _labels(ledger: Ledger, key: FeedKey, person: str) -> Iterator[str]:
    yield from ledger.details(key, PEOPLE, _series(person))["label"].drop_nulls()


def _series(person: str) -> pl.Series:
    return pl.Series("sourcedId", [person], dtype=pl.String)
