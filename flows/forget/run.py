"""`roster forget`: removes one person here and in the target, and has later drops, restores and approvals leave that person out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.forget import MARKS, Erasure
from connectors.oneroster.client import Client
from connectors.oneroster.forget import Forgotten
from connectors.oneroster.forget import forget as forget_there
from connectors.oneroster.target import Endpoint as Address
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.feeds.keys import FILE, chosen
from flows.feeds.targets import choose
from flows.forget.redact import LONG, Mask, mask_files
from flows.job import new_run
from flows.ledgers import ledger_location
from flows.make_job import current_user
from flows.result import DONE, FAILED
from flows.send import DATABASE, open_target
from flows.target import Target
from transforms.findings import ROW
from transforms.fingerprint import fingerprints
from transforms.forget import PEOPLE, digest_of, erased, friends, is_of
from transforms.layouts.ids import discreet, plainly
from transforms.records import EntityRecords
from transforms.schemas import ENTITIES, LIFECYCLE


@dataclass(frozen=True)
class ForgetRequest:
    """Who is to be forgotten."""

    person: str  # the sourcedId of a user
    feed: str | None = None  # the name of a feed, its district's or its file; None for all feeds
    target: str | None = None
    by: str = ""  # who asks for it; blank for the user of this process
    note: str = ""
    here: bool = False  # leave the targets as they are


@dataclass(frozen=True)
class FeedErasure:
    """What came of one feed."""

    found: Traces
    target: Forgotten  # what the target did, if it was asked
    rosters: int = 0  # how many archived rosters changed
    asked: bool = True

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.target.is_done


@dataclass(frozen=True)
class ForgetResult:
    """What came of all feeds."""

    person: str
    feeds: Sequence[FeedErasure]
    files: int  # how many files of runs changed
    compacted: bool = True  # whether the file of the embedded sandbox is clean
    elsewhere: Sequence[FeedKey] = field(default_factory=list)  # other feeds that have the person

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return all(one.is_done for one in self.feeds)

    @property
    def exit_code(self) -> int:
        """1 if a target could not be brought to it; running again finishes."""
        return DONE if self.is_done else FAILED

    def is_foreign(self, one: FeedErasure) -> bool:
        """Whether none of these feeds has sent the person to the target, so that a user of that id there is not ours."""
        target = one.found.key.target
        return not any(
            other.found.is_ours for other in self.feeds if other.found.key.target == target
        )


def forget(asked: ForgetRequest, state: Path, environment: Mapping[str, str]) -> ForgetResult:
    """Forget a person in every feed that is meant.

    Raises `SettingsError`, before anything is done, if nobody knows the id or credentials are missing.
    """
    with Ledger.reading(ledger_location(state, environment)) as ledger, ExitStack() as locks:
        feeds = chosen(ledger.feeds(), asked.feed, asked.target, environment)
        keys = [one.key for one in _known(feeds, asked, state, ledger)]
        run = new_run()
        for key in keys:
            locks.enter_context(ledger.hold(key, run))
        # What was seen before the feeds were held may be another by now.
        found = sorted(_known(keys, asked, state, ledger), key=lambda one: one.is_ours)
        digest = digest_of(asked.person)
        if not found and digest not in ledger.forgotten():
            raise SettingsError(_nobody(asked.person, feeds, state))
        targets = {
            one.key: _target(one.key, asked, environment)
            for one in found
            if _is_in_target(one) and not asked.here
        }
        others = {
            new
            for key in keys
            for (name, new), was in ledger.renamed(key).items()
            if (name, was) == (PEOPLE, asked.person)
        }
        mask = Mask(
            {
                asked.person,
                discreet(asked.person),
                *others,
                *(word for one in found for word in one.words),
            }
        )
        by = asked.by or current_user()
        # An id that is made of personal data is this person's in any other spelling of that too.
        alike = {plainly(asked.person)} if "/" in asked.person else set()
        for one in (digest, *map(digest_of, sorted(others | alike))):
            ledger.note_forgotten(one, at=datetime.now(UTC), by=by, note=mask.over(asked.note))
        files = mask_files(state / "runs", mask)
        outcomes = [_of_feed(one, targets.get(one.key), mask, by, state, ledger) for one in found]
        ledger.compact()
        elsewhere = [
            one for one in ledger.feeds() if one not in keys and ledger.of_person(one, asked.person)
        ]
    return ForgetResult(asked.person, outcomes, files, _compacted(targets, state), elsewhere)


def _known(
    keys: Sequence[FeedKey], asked: ForgetRequest, state: Path, ledger: Ledger
) -> list[Traces]:
    found = (traces(key, asked.person, ledger, Archive(state / "rosters", key)) for key in keys)
    return [one for one in found if one.is_known]


def _nobody(person: str, feeds: Sequence[FeedKey], state: Path) -> str:
    if not feeds:
        return (
            f"No run is known in {state} yet, so that there is nothing of {person!r} to remove. "
            "Nothing was done."
        )
    there = f"these {len(feeds)} feeds" if len(feeds) > 1 else f"feed {feeds[0].feed!r}"
    return (
        f"Nobody knows a user {person!r}: no roster, plan or ledger of {there} in {state} has one. "
        f"Nothing was done. `roster why {person}` finds ids that are spelled alike."
    )


def _is_in_target(found: Traces) -> bool:
    """Whether the target has to be asked for anything."""
    return bool(found.sent or found.friends)


def _target(key: FeedKey, asked: ForgetRequest, environment: Mapping[str, str]) -> Target:
    if asked.feed is None or not asked.feed.lower().endswith(FILE):
        return choose(key.target, None, environment)
    from flows.feeds.feed import read_feed

    return choose(key.target, read_feed(Path(asked.feed)), environment)


def _of_feed(
    found: Traces, target: Target | None, mask: Mask, by: str, state: Path, ledger: Ledger
) -> FeedErasure:
    """Forget in one feed: in the target first, since what is kept here says what is to be removed there."""
    friends = _sent_friends(found, ledger)
    done = _in_target(found, target, friends, state) if target else Forgotten()
    if not done.is_done:
        return FeedErasure(found, done)
    contents = Archive(state / "rosters", found.key).rewrite(found.left)
    # Those who name the person were told apart in the target only if it was asked; else the next sync sends them.
    marks = found.marks if target else found.marks.clear()
    for plan in ledger.erase(found.key, Erasure(found.ids, marks, contents, mask.over)):
        ledger.decide(plan, "discarded", by=by, note="nothing of it is left", at=datetime.now(UTC))
    return FeedErasure(found, done, rosters=len(contents), asked=target is not None)


def _sent_friends(found: Traces, ledger: Ledger) -> list[str]:
    """Who names the person, of those that we sent."""
    known = ledger.known(found.key).get(PEOPLE)
    return (
        []
        if known is None or not found.friends
        else sorted(found.friends & set(known["sourcedId"]))
    )


def _in_target(found: Traces, target: Target, friends: Sequence[str], state: Path) -> Forgotten:
    with open_target(target, state) as address:
        return asyncio.run(_sent(found, friends, address))


async def _sent(found: Traces, friends: Sequence[str], address: Address) -> Forgotten:
    async with Client(address) as client:
        return await forget_there(client, found.person, found.sent, friends)


def _compacted(targets: Mapping[FeedKey, Target], state: Path) -> bool:
    """Leave nothing in the file of the embedded sandbox either; False if that was not possible."""
    if all(target.url for target in targets.values()):
        return True
    from connectors.oneroster.sandbox.store import compact

    return compact(state / DATABASE)


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

    def left(self, judged: EntityRecords) -> EntityRecords:
        """Take the person out of a roster's records of one entity."""
        ids = pl.Series("sourcedId", self.ids.get(judged.entity.name, []), dtype=pl.String)
        return erased(judged, ids, _series(self.person))


def traces(key: FeedKey, person: str, ledger: Ledger, archive: Archive) -> Traces:
    """Look for a person in ledger and archive of a feed. Raises `ArchiveError`, `LedgerError`."""
    sent = ledger.of_person(key, person)
    found = {name: set(ids) for name, ids in sent.items()}
    if ledger.awaits(key, person):
        found.setdefault(PEOPLE, set()).add(person)
    people, named, marks, words, rows = (
        _series(person),
        set[str](),
        [pl.DataFrame(schema=MARKS)],
        set[str](),
        0,
    )
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
    ids = {
        name: sorted(_own(key, name, ids, sent.get(name, []), ledger))
        for name, ids in found.items()
        if ids
    }
    words.update(_labels(ledger, key, person), *ids.values())
    return Traces(
        key, person, sent, ids, rows, frozenset(named), pl.concat(marks).unique(), frozenset(words)
    )


def _own(key: FeedKey, name: str, ids: set[str], sent: list[str], ledger: Ledger) -> set[str]:
    """Leave out the ids that another person's record has by now."""
    known = ledger.details(key, name, pl.Series("sourcedId", sorted(ids), dtype=pl.String))
    return ids - (set(known["sourcedId"]) - set(sent))


def _marks(judged: EntityRecords, people: pl.Series) -> pl.DataFrame:
    """The fingerprints of those who name the person, with that and without."""
    named = pl.col("sourcedId").is_in(friends(judged.accepted, people).implode())
    without = erased(judged, people.clear(), people).accepted
    before, after = (
        frame.filter(named).drop(ROW, *LIFECYCLE, strict=False)
        for frame in (judged.accepted, without)
    )
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
