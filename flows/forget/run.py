"""`roster forget`: removes one person here and in the target.

Later drops, restores and approvals leave that person out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.forget import FINGERPRINT_COLUMNS, Erasure
from connectors.oneroster.client import Client
from connectors.oneroster.forget import Forgotten
from connectors.oneroster.forget import forget as forget_there
from connectors.oneroster.target import Endpoint
from connectors.roster_archive import Archive
from flows.errors import SettingsError
from flows.feeds.keys import FEED_SUFFIX, select_feeds
from flows.feeds.targets import choose_target
from flows.forget.redact import LONG_WORD, Mask, mask_files
from flows.job import new_run_id
from flows.ledgers import ledger_location
from flows.make_job import current_user
from flows.result import DONE, FAILED
from flows.send import DATABASE, open_target
from flows.target import Target
from transforms.findings import ROW
from transforms.fingerprint import fingerprints
from transforms.forget import PEOPLE, erase_people, id_digest, ids_belonging_to, users_naming
from transforms.layouts.ids import plain_form, redact_ids, source_spelling, spellings
from transforms.records import EntityRecords
from transforms.schemas import ENTITIES, LIFECYCLE


@dataclass(frozen=True)
class ForgetRequest:
    """The person to forget."""

    person: str  # the sourcedId of a user
    feed: str | None = None  # the name of a feed, its district's or its file; None for all feeds
    target: str | None = None
    by: str = ""  # who asks for it; blank: the user of this process
    note: str = ""
    here: bool = False  # leave the targets as they are


@dataclass(frozen=True)
class Traces:
    """What one feed has about a person."""

    key: FeedKey
    person: str
    # the ids of our records in the target, by entity
    sent: Mapping[str, list[str]] = field(default_factory=dict)
    # all known ids, by entity
    ids: Mapping[str, list[str]] = field(default_factory=dict)
    rows: int = 0  # how many archived records there are
    friends: frozenset[str] = frozenset()  # users who refer to the person
    # their fingerprints with and without the person: `sourcedId`, `old`, `new`
    marks: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=FINGERPRINT_COLUMNS))
    words: frozenset[str] = frozenset()  # the ids, names and addresses that identify the person

    @property
    def is_known(self) -> bool:
        """Whether the feed has anything of the person."""
        return bool(self.ids or self.friends)

    @property
    def is_ours(self) -> bool:
        """Whether we sent the person, so that the record in the target is ours."""
        return PEOPLE in self.sent

    def left(self, judged: EntityRecords) -> EntityRecords:
        """Return a roster's records of one entity without the person."""
        ids = pl.Series("sourcedId", self.ids.get(judged.entity.name, []), dtype=pl.String)
        return erase_people(judged, ids, _series(self.person))


@dataclass(frozen=True)
class FeedErasure:
    """The result for one feed."""

    found: Traces
    target: Forgotten  # what was done in the target, if anything
    rosters: int = 0  # how many archived rosters were changed
    asked: bool = True  # the target was asked; False with `ForgetRequest.here`

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return self.target.is_done


@dataclass(frozen=True)
class ForgetResult:
    """The result for all feeds."""

    person: str
    feeds: Sequence[FeedErasure]
    files: int  # how many files of runs were changed
    compacted: bool = True  # the embedded sandbox's file has no traces any more
    elsewhere: Sequence[FeedKey] = field(default_factory=list)  # other feeds that have the person

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return all(one.is_done for one in self.feeds)

    @property
    def exit_code(self) -> int:
        """1 if a target could not remove the person; running again finishes."""
        return DONE if self.is_done else FAILED

    def is_foreign(self, one: FeedErasure) -> bool:
        """Whether no feed has sent the person to this target: such a user there is not ours."""
        target = one.found.key.target
        return not any(
            other.found.is_ours for other in self.feeds if other.found.key.target == target
        )


def forget(request: ForgetRequest, state: Path, environment: Mapping[str, str]) -> ForgetResult:
    """Forget a person in every selected feed.

    Raises `SettingsError`, before anything is done, if no feed knows the id or credentials are
    missing.
    """
    with Ledger.reading(ledger_location(state, environment)) as ledger, ExitStack() as locks:
        feeds = select_feeds(ledger.feeds(), request.feed, request.target, environment)
        request = _as_known(request, feeds, state, ledger)
        keys = [one.key for one in _search(feeds, request, state, ledger)]
        run = new_run_id()
        for key in keys:
            locks.enter_context(ledger.hold(key, run))
        # Searched again under the locks: the feeds may have changed before.
        found = sorted(_search(keys, request, state, ledger), key=lambda one: one.is_ours)
        digest = id_digest(request.person)
        if not found and digest not in ledger.forgotten():
            raise SettingsError(_unknown_message(request.person, feeds, state))
        targets = {
            one.key: _choose_target(one.key, request, environment)
            for one in found
            if (one.sent or one.friends) and not request.here
        }
        newer_ids = {
            new
            for key in keys
            for (name, new), was in ledger.renamed(key).items()
            if (name, was) == (PEOPLE, request.person)
        }
        mask = Mask(
            {
                request.person,
                redact_ids(request.person),
                source_spelling(request.person),
                *newer_ids,
                *(word for one in found for word in one.words),
            }
        )
        by = request.by or current_user()
        # An id that is derived from personal data is this person's in any other spelling, too.
        other_spellings = {plain_form(request.person)} if "/" in request.person else set()
        other_spellings |= {source_spelling(request.person)} - {request.person}
        for one in (digest, *map(id_digest, sorted(newer_ids | other_spellings))):
            ledger.note_forgotten(one, at=datetime.now(UTC), by=by, note=mask.over(request.note))
        files = mask_files(state / "runs", mask)
        outcomes = [
            _forget_in_feed(one, targets.get(one.key), mask, by, state, ledger) for one in found
        ]
        ledger.compact()
        elsewhere = [
            one
            for one in ledger.feeds()
            if one not in keys and ledger.of_person(one, request.person)
        ]
    return ForgetResult(
        request.person, outcomes, files, _compact_sandbox(targets, state), elsewhere
    )


def _as_known(
    request: ForgetRequest, feeds: Sequence[FeedKey], state: Path, ledger: Ledger
) -> ForgetRequest:
    """Return the request with the id that records have, if it is as the source spells it."""
    asked = [replace(request, person=one) for one in spellings(request.person)]
    known = (
        one
        for one in asked
        if id_digest(one.person) in ledger.forgotten() or _search(feeds, one, state, ledger)
    )
    return next(known, request)


def _search(
    keys: Sequence[FeedKey], request: ForgetRequest, state: Path, ledger: Ledger
) -> list[Traces]:
    found = (
        find_traces(key, request.person, ledger, Archive(state / "rosters", key)) for key in keys
    )
    return [one for one in found if one.is_known]


def find_traces(key: FeedKey, person: str, ledger: Ledger, archive: Archive) -> Traces:
    """Search a feed's ledger and archive for a person. Raises `ArchiveError` or `LedgerError`."""
    sent = ledger.of_person(key, person)
    found = {name: set(ids) for name, ids in sent.items()}
    if ledger.awaits(key, person):
        found.setdefault(PEOPLE, set()).add(person)
    people, rows = _series(person), 0
    referring, words = set[str](), set[str]()
    marks = [pl.DataFrame(schema=FINGERPRINT_COLUMNS)]
    for judged in (one for name in ENTITIES for one in archive.contents(name)):
        own_ids = ids_belonging_to(judged, people)
        rows += own_ids.len()
        found.setdefault(judged.entity.name, set()).update(own_ids)
        if judged.entity.name == PEOPLE:
            others = pl.concat([judged.refused, judged.withheld])["sourcedId"]
            # Before ids were escaped, the record was refused as the source spells it.
            found[PEOPLE].update({person, source_spelling(person)}.intersection(others))
            referring.update(users_naming(judged.accepted, people))
            marks.append(_marks(judged, people))
            words.update(_words(judged.accepted.filter(sourcedId=person)))
    ids = {
        name: sorted(_without_others_ids(key, name, ids, sent.get(name, []), ledger))
        for name, ids in found.items()
        if ids
    }
    labels = ledger.details(key, PEOPLE, people)["label"].drop_nulls()
    words.update(labels, *ids.values())
    return Traces(
        key,
        person,
        sent,
        ids,
        rows,
        frozenset(referring),
        pl.concat(marks).unique(),
        frozenset(words),
    )


def _without_others_ids(
    key: FeedKey, name: str, ids: set[str], sent: list[str], ledger: Ledger
) -> set[str]:
    """Return only the ids that do not belong to another person's record by now."""
    known = ledger.details(key, name, pl.Series("sourcedId", sorted(ids), dtype=pl.String))
    return ids - (set(known["sourcedId"]) - set(sent))


def _marks(judged: EntityRecords, people: pl.Series) -> pl.DataFrame:
    """Return the fingerprints of users who refer to the person, before and after the removal."""
    refers = pl.col("sourcedId").is_in(users_naming(judged.accepted, people).implode())
    without = erase_people(judged, people.clear(), people).accepted
    before, after = (
        frame.filter(refers).drop(ROW, *LIFECYCLE, strict=False)
        for frame in (judged.accepted, without)
    )
    return pl.DataFrame(
        {
            "sourcedId": before["sourcedId"],
            "old": fingerprints(judged.entity, before),
            "new": fingerprints(judged.entity, after),
        },
        schema=FINGERPRINT_COLUMNS,
    )


# Columns that identify one person, besides the label. Short values are skipped: they may be other
# words.
TELLING = ("email", "username", "identifier", "userMasterIdentifier", "sms", "phone")


def _words(rows: pl.DataFrame) -> Iterator[str]:
    """Yield the person's name, and other values that identify the person."""
    label = [name for name in ENTITIES[PEOPLE].label if name in rows.columns]
    for row in rows.iter_rows(named=True):
        yield from filter(None, [" ".join(row[name] for name in label if row[name])])
        yield from (row[name] for name in TELLING if len(row.get(name) or "") >= LONG_WORD)


def _series(person: str) -> pl.Series:
    return pl.Series("sourcedId", [person], dtype=pl.String)


def _unknown_message(person: str, feeds: Sequence[FeedKey], state: Path) -> str:
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


def _choose_target(key: FeedKey, request: ForgetRequest, environment: Mapping[str, str]) -> Target:
    if request.feed is None or not request.feed.lower().endswith(FEED_SUFFIX):
        return choose_target(key.target, None, environment)
    # The models of feed files take a while to build, and the name of a feed does not need them.
    from flows.feeds.feed import read_feed

    return choose_target(key.target, read_feed(Path(request.feed)), environment)


def _forget_in_feed(
    found: Traces, target: Target | None, mask: Mask, by: str, state: Path, ledger: Ledger
) -> FeedErasure:
    """Forget the person in one feed, in the target first: our records say what to remove there."""
    friends = _sent_friends(found, ledger)
    done = _forget_in_target(found, target, friends, state) if target else Forgotten()
    if not done.is_done:
        return FeedErasure(found, done)
    contents = Archive(state / "rosters", found.key).rewrite(found.left)
    # The target has the changed users only if it was updated. Otherwise the next sync sends them.
    marks = found.marks if target else found.marks.clear()
    for plan in ledger.erase(found.key, Erasure(found.ids, marks, contents, mask.over)):
        ledger.decide(plan, "discarded", by=by, note="nothing of it is left", at=datetime.now(UTC))
    return FeedErasure(found, done, rosters=len(contents), asked=target is not None)


def _sent_friends(found: Traces, ledger: Ledger) -> list[str]:
    """Return the users who refer to the person, and whom we have sent."""
    known = ledger.known(found.key).get(PEOPLE)
    if known is None or not found.friends:
        return []
    return sorted(found.friends & set(known["sourcedId"]))


def _forget_in_target(
    found: Traces, target: Target, friends: Sequence[str], state: Path
) -> Forgotten:
    with open_target(target, state) as address:
        return asyncio.run(_send_forget(found, friends, address))


async def _send_forget(found: Traces, friends: Sequence[str], address: Endpoint) -> Forgotten:
    async with Client(address) as client:
        return await forget_there(client, found.person, found.sent, friends)


def _compact_sandbox(targets: Mapping[FeedKey, Target], state: Path) -> bool:
    """Remove all traces from the embedded sandbox's file. Return False if that was not possible."""
    if all(target.url for target in targets.values()):
        return True
    # The sandbox takes a while to import, and other targets do not need it.
    from connectors.oneroster.sandbox.store import compact

    return compact(state / DATABASE)
