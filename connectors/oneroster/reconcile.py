"""Compare what the target has with what the ledger and the last roster say that it should have.

`verified` finds the differences, and `adopt` records what the target has already. A collection is
read page by page. Rows may shift between pages while others write (API reference, section 6), so a
record that no page had is read by itself before it counts as missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import LEDGER_COLUMNS
from connectors.oneroster.load_state import mark_unfinished
from connectors.oneroster.merge import differing_properties
from connectors.oneroster.profile import Collection
from connectors.oneroster.read import read_pages
from connectors.oneroster.target import TargetError
from transforms.changes import (
    ACTIVE,
    DELETED,
    DISABLED,
    FINGERPRINT,
    IN_TARGET,
    KEPT,
    EntityChanges,
)
from transforms.findings import ROW
from transforms.fingerprint import fingerprints
from transforms.ownership import FeedOrder, SharedRecords, items_as_json, own_share, shares_of
from transforms.payload import Json, json_records
from transforms.records import EntityRecords
from transforms.schemas import LIFECYCLE
from transforms.schemas.vocabularies import TOBEDELETED

MISSING, EXTRA, DIFFERENT = KINDS = ("missing", "extra", "different")
DIFFERENCE_COLUMNS: dict[str, type[pl.DataType]] = {
    "sourcedId": pl.String,
    "kind": pl.String,
    "detail": pl.String,
}
ABSENT = "not there"
# Up to so many records are read one by one. If more are missing, shifting rows are not the cause.
READ_ONE_BY_ONE = 200

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Expected:
    """What the target should have of one collection."""

    collection: Collection
    # The ledger's rows: `sourcedId`, `status`, ...
    known: pl.DataFrame
    # The last roster's records that the target acknowledged as they are; None without a roster.
    records: pl.DataFrame | None = None
    # Lists in which the items of others stay.
    partial: frozenset[str] = frozenset()
    # What identifies the items of other feeds of the same ledger, by id and property.
    others: Mapping[str, Json] = field(default_factory=dict)

    @property
    def entity(self) -> str:
        """The name of the entity."""
        return self.collection.name


@dataclass(frozen=True)
class Verified:
    """How the target's records of one entity compare with ours."""

    entity: str
    # Columns: `sourcedId`, `kind` (`missing`, `extra`, `different`), and `detail`, which names
    # properties but never values.
    found: pl.DataFrame
    # Records that the target has as they were sent.
    equal: int = 0
    # Records that the target has and that could not be compared.
    unchecked: int = 0
    # Records that are active in the target and not ours.
    others: int = 0

    def of(self, kind: str) -> pl.Series:
        """Return the ids of one kind of difference."""
        return self.found.filter(pl.col("kind") == kind)["sourcedId"]


def expect(
    collection: Collection,
    known: pl.DataFrame,
    roster: EntityRecords | None,
    shared: SharedRecords | None = None,
) -> Expected:
    """Return what the target should have.

    `known` are the ledger's rows (`sourcedId`, `fingerprint`, `status`). `roster` is the last one
    that was sent, if it is kept. Of `shared` records only what belongs to this feed is compared,
    and none that it removed and that another feed has.
    """
    if shared and shared.claims:
        gone = ~pl.col("status").is_in([ACTIVE, KEPT])
        known = known.filter(~(gone & pl.col("sourcedId").is_in(shared.elsewhere())))
    if roster is None:
        return Expected(collection, known)
    frame = roster.accepted.drop(ROW, *LIFECYCLE)
    marked = frame.with_columns(fingerprints(roster.entity, frame))
    sent = known.filter(pl.col("status").is_in([ACTIVE, KEPT])).select(
        "sourcedId", pl.col("fingerprint").alias(FINGERPRINT)
    )
    records = marked.join(sent, on=["sourcedId", FINGERPRINT], how="semi")
    if not (shared and shared.claims):
        return Expected(collection, known, records, roster.partial)
    shares = shares_of(records, shared)
    others = {one: items_as_json(roster.entity, share.others) for one, share in shares.items()}
    return Expected(collection, known, own_share(records, shares), roster.partial, others)


@dataclass
class PagesRead:
    """What the pages have shown so far."""

    # Our ids that are active.
    active: set[str] = field(default_factory=set)
    # Our ids that are active and should be deleted.
    extra: set[str] = field(default_factory=set)
    # All ids that are `tobedeleted`.
    deleted: set[str] = field(default_factory=set)
    # The properties that differ, by id.
    different: dict[str, str] = field(default_factory=dict)
    # Counts of our records that were compared, and of records that are not ours.
    compared: int = 0
    others: int = 0


async def verified(
    client: Client, expected: Expected, watch: Progress = lambda *_: None
) -> Verified:
    """Read a collection and compare it with what we expect.

    `watch` is called with the entity, how many of our records were seen, and how many we have.
    Raises `TargetError` if the target cannot be read.
    """
    seen = PagesRead()
    async for page in read_pages(client, expected.entity, limit=None):
        note_page(seen, expected, page)
        watch(expected.entity, len(seen.active), expected.known.height)
    absent = _absent(seen, expected)
    if len(absent) <= READ_ONE_BY_ONE:
        records = _read_one_by_one(client, expected.collection, absent, seen)
        note_page(seen, expected, [record async for record in records])
    return result_of(seen, expected)


def note_page(seen: PagesRead, expected: Expected, page: list[Json]) -> None:
    """Note what a page shows; a record that was on an earlier page is skipped."""
    new = [record for record in page if record["sourcedId"] not in seen.active]
    active = {record["sourcedId"]: record for record in new if record.get("status") != TOBEDELETED}
    seen.deleted.update(
        record["sourcedId"] for record in new if record.get("status") == TOBEDELETED
    )
    ids = pl.Series("sourcedId", list(active), dtype=pl.String).to_frame()
    matched = ids.join(expected.known.select("sourcedId", "status"), on="sourcedId", how="left")
    ours = matched.filter(pl.col("status").is_in(IN_TARGET))
    seen.active.update(ours["sourcedId"])
    seen.extra.update(matched.filter(pl.col("status") == DELETED)["sourcedId"])
    seen.others += matched["status"].null_count()
    for body in (*_bodies(expected, ours), *_disabled_people(ours)):
        seen.compared += 1
        if names := differing_properties(
            expected.collection,
            active[body["sourcedId"]],
            body,
            expected.partial,
            expected.others.get(body["sourcedId"]),
        ):
            seen.different[body["sourcedId"]] = ", ".join(names)


async def _read_one_by_one(
    client: Client, collection: Collection, ids: list[str], seen: PagesRead
) -> AsyncIterator[Json]:
    """Read the records that no page had, one by one."""
    for one in ids:
        if one in seen.deleted or not wire.is_addressable(one):
            continue
        request = wire.read(collection, one)
        answer = await client.send(request)
        answered = wire.outcome_of(request, answer)
        if answered.kind == "done" and (record := wire.record_in(collection, answer)) is not None:
            yield record
        elif answered.kind != "missing":
            raise TargetError(
                f"{client.target.host} does not say whether it holds {collection.name} {one}: "
                f"{answered.detail}"
            )


def result_of(seen: PagesRead, expected: Expected) -> Verified:
    """Return the result of all pages."""
    rows = [
        (one, MISSING, TOBEDELETED if one in seen.deleted else ABSENT)
        for one in _absent(seen, expected)
    ]
    rows += [(one, EXTRA, "deleted by us, and active again") for one in sorted(seen.extra)]
    rows += [(one, DIFFERENT, names) for one, names in sorted(seen.different.items())]
    found = pl.DataFrame(rows, schema=DIFFERENCE_COLUMNS, orient="row")
    equal = seen.compared - len(seen.different)
    return Verified(expected.entity, found, equal, len(seen.active) - seen.compared, seen.others)


def _absent(seen: PagesRead, expected: Expected) -> list[str]:
    """Return the ids that should be in the target, and that no page had as active."""
    ids = expected.known.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"].sort()
    return [one for one in ids if one not in seen.active]


def _bodies(expected: Expected, ours: pl.DataFrame) -> Iterator[Json]:
    """Yield the records as they were sent, of those that can be compared."""
    if expected.records is not None:
        frame = expected.records.join(ours, on="sourcedId", how="semi")
        yield from json_records(expected.collection.entity, frame)


def _disabled_people(ours: pl.DataFrame) -> Iterator[Json]:
    """Yield what should be true of people whom we disabled."""
    for sourced_id in ours.filter(pl.col("status") == DISABLED)["sourcedId"]:
        yield {"sourcedId": sourced_id, "enabledUser": False}


@dataclass(frozen=True)
class Adoption:
    """How many records of one entity were adopted."""

    entity: str
    # Adopted records that equal ours.
    equal: int = 0
    # Adopted records that differ: the next sync updates them.
    different: int = 0
    # Records of the drop that the target does not have, or has as deleted.
    absent: int = 0
    # Records that are active in the target and not in the drop. They stay as they are.
    others: int = 0


async def adopt(
    client: Client,
    ledger: Ledger,
    key: FeedKey,
    run: str,
    changes: EntityChanges,
    watch: Progress = lambda *_: None,
    order: FeedOrder | None = None,
) -> Adoption:
    """Record in the ledger the `changes.upserts` that the target has already.

    Of records that other feeds have too, by their `order`, only this feed's share is compared.

    The collection is read page by page. A record that the target has as deleted is recorded as
    deleted, so the next sync brings it back. Raises `TargetError` if the target cannot be read.
    What was recorded before stays, and is right.
    """
    adopted: set[str] = set()
    deleted = different = others = 0
    async for page in read_pages(client, changes.entity, limit=None):
        records = {
            record["sourcedId"]: record for record in page if record["sourcedId"] not in adopted
        }
        ids = pl.Series("sourcedId", list(records), dtype=pl.String).to_frame()
        ours = changes.upserts.join(ids, on="sourcedId", how="semi")
        claims = ledger.shares(key, changes.entity, ours["sourcedId"])
        shared = SharedRecords.of(changes.entity, claims, order or FeedOrder(key.feed))
        changed_ids = _different_ids(
            client.profile.collections[changes.entity], changes, ours, records, shared
        )
        deleted_ids = [one for one in ours["sourcedId"] if not _is_active(records[one])]
        if ours.height:
            ledger.record(
                key,
                changes.entity,
                _ledger_rows(ours, changed_ids),
                {DELETED: deleted_ids},
                [],
                run,
            )
        adopted.update(ours["sourcedId"])
        deleted += len(deleted_ids)
        different += len(set(changed_ids).difference(deleted_ids))
        others += sum(map(_is_active, records.values())) - ours.height + len(deleted_ids)
        watch(changes.entity, len(adopted), changes.upserts.height)
    absent = changes.upserts.height - len(adopted) + deleted
    return Adoption(changes.entity, len(adopted) - deleted - different, different, absent, others)


def _is_active(record: Json) -> bool:
    return bool(record.get("status") != TOBEDELETED)


def _different_ids(
    collection: Collection,
    changes: EntityChanges,
    ours: pl.DataFrame,
    records: dict[str, Json],
    shared: SharedRecords,
) -> list[str]:
    shares = shares_of(ours, shared)
    others = {one: items_as_json(collection.entity, share.others) for one, share in shares.items()}
    return [
        one
        for body in json_records(collection.entity, own_share(ours, shares))
        if differing_properties(
            collection, records[one := body["sourcedId"]], body, changes.partial, others.get(one)
        )
    ]


def _ledger_rows(ours: pl.DataFrame, changed_ids: list[str]) -> pl.DataFrame:
    fingerprint = pl.when(pl.col("sourcedId").is_in(changed_ids)).then(
        mark_unfinished(pl.col(FINGERPRINT))
    )
    return ours.select(LEDGER_COLUMNS).with_columns(
        fingerprint.otherwise(FINGERPRINT).alias(FINGERPRINT)
    )
