"""Compares what the target holds with what it should hold: by the ledger, and by the last roster that was sent.

A collection is read page by page. Rows may shift between pages while others write (API reference, section 6), so
that what no page had is asked for by itself before it is called missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import RECORDED
from connectors.oneroster.load_state import unfinished
from connectors.oneroster.merge import differing
from connectors.oneroster.profile import Collection
from connectors.oneroster.read import pages
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
from transforms.payload import Json, bodies
from transforms.records import EntityRecords
from transforms.schemas import LIFECYCLE
from transforms.schemas.vocabularies import TOBEDELETED

MISSING, EXTRA, DIFFERENT = KINDS = ("missing", "extra", "different")
FOUND: dict[str, type[pl.DataType]] = {
    "sourcedId": pl.String,
    "kind": pl.String,
    "detail": pl.String,
}
ABSENT = "not there"
# Up to so many records are asked for by themselves; if more are missing, it is not for rows that shift.
ASKED = 200

Watch = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Expected:
    """What the target should hold of one `collection`.

    `known` are the ledger's rows (`sourcedId`, `status`, ...). `records` are those of the last roster that the
    ledger says were acknowledged just so; None if no roster is kept. `partial` as in `Judged`.
    """

    collection: Collection
    known: pl.DataFrame
    records: pl.DataFrame | None = None
    partial: frozenset[str] = frozenset()

    @property
    def entity(self) -> str:
        """The name of the entity."""
        return self.collection.name


@dataclass(frozen=True)
class Verified:
    """What the target holds of one entity.

    `found` has `sourcedId`, `kind` (`missing`, `extra`, `different`) and `detail`, which names properties
    and never says values. `equal` are there as they were sent, `unchecked` are there and could not be
    compared. `others` are active in the target and not ours.
    """

    entity: str
    found: pl.DataFrame
    equal: int = 0
    unchecked: int = 0
    others: int = 0

    def of(self, kind: str) -> pl.Series:
        """The ids of one kind of difference."""
        return self.found.filter(pl.col("kind") == kind)["sourcedId"]


def expected(collection: Collection, known: pl.DataFrame, roster: EntityRecords | None) -> Expected:
    """Say what the target should hold, by the ledger (`sourcedId`, `fingerprint`, `status`) and the last `roster`."""
    if roster is None:
        return Expected(collection, known)
    frame = roster.accepted.drop(ROW, *LIFECYCLE)
    marked = frame.with_columns(fingerprints(roster.entity, frame))
    sent = known.filter(pl.col("status").is_in([ACTIVE, KEPT])).select(
        "sourcedId", pl.col("fingerprint").alias(FINGERPRINT)
    )
    records = marked.join(sent, on=["sourcedId", FINGERPRINT], how="semi")
    return Expected(collection, known, records, roster.partial)


@dataclass
class PagesRead:
    """What the pages have shown so far.

    `active` are the ids of ours that are there, `extra` those that should not be, `deleted` all that
    are `tobedeleted`, `different` names what differs, by id. `compared` and `others` are counts.
    """

    active: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    different: dict[str, str] = field(default_factory=dict)
    compared: int = 0
    others: int = 0


async def verified(client: Client, expected: Expected, watch: Watch = lambda *_: None) -> Verified:
    """Read a collection and compare; `watch` is told (entity, records of ours seen, records of ours). Raises `TargetError`."""
    seen = PagesRead()
    async for page in pages(client, expected.entity, limit=None):
        look_at(seen, expected, page)
        watch(expected.entity, len(seen.active), expected.known.height)
    absent = _absent(seen, expected)
    if len(absent) <= ASKED:
        look_at(
            seen, expected, [one async for one in _asked(client, expected.collection, absent, seen)]
        )
    return outcome(seen, expected)


def look_at(seen: PagesRead, expected: Expected, page: list[Json]) -> None:
    """Take note of what a page says; a record that was on an earlier page already is not looked at again."""
    new = [record for record in page if record["sourcedId"] not in seen.active]
    active = {record["sourcedId"]: record for record in new if record.get("status") != TOBEDELETED}
    seen.deleted.update(
        record["sourcedId"] for record in new if record.get("status") == TOBEDELETED
    )
    ids = pl.Series("sourcedId", list(active), dtype=pl.String).to_frame()
    met = ids.join(expected.known.select("sourcedId", "status"), on="sourcedId", how="left")
    ours = met.filter(pl.col("status").is_in(IN_TARGET))
    seen.active.update(ours["sourcedId"])
    seen.extra.update(met.filter(pl.col("status") == DELETED)["sourcedId"])
    seen.others += met["status"].null_count()
    for body in (*_bodies(expected, ours), *_disabled(ours)):
        seen.compared += 1
        if names := differing(
            expected.collection, active[body["sourcedId"]], body, expected.partial
        ):
            seen.different[body["sourcedId"]] = ", ".join(names)


def outcome(seen: PagesRead, expected: Expected) -> Verified:
    """Put together what the pages have shown."""
    rows = [
        (one, MISSING, TOBEDELETED if one in seen.deleted else ABSENT)
        for one in _absent(seen, expected)
    ]
    rows += [(one, EXTRA, "deleted by us, and active again") for one in sorted(seen.extra)]
    rows += [(one, DIFFERENT, names) for one, names in sorted(seen.different.items())]
    found = pl.DataFrame(rows, schema=FOUND, orient="row")
    equal = seen.compared - len(seen.different)
    return Verified(expected.entity, found, equal, len(seen.active) - seen.compared, seen.others)


def _absent(seen: PagesRead, expected: Expected) -> list[str]:
    """The ids that should be there, and that no page had as active."""
    ids = expected.known.filter(pl.col("status").is_in(IN_TARGET))["sourcedId"].sort()
    return [one for one in ids if one not in seen.active]


def _bodies(expected: Expected, ours: pl.DataFrame) -> Iterator[Json]:
    """The records as they were sent, of those that can be compared."""
    if expected.records is not None:
        frame = expected.records.join(ours, on="sourcedId", how="semi")
        yield from bodies(expected.collection.entity, frame)


def _disabled(ours: pl.DataFrame) -> Iterator[Json]:
    """What should hold of people whom we disabled."""
    for sourced_id in ours.filter(pl.col("status") == DISABLED)["sourcedId"]:
        yield {"sourcedId": sourced_id, "enabledUser": False}


async def _asked(
    client: Client, collection: Collection, ids: list[str], seen: PagesRead
) -> AsyncIterator[Json]:
    """Ask for records that no page had, one by one."""
    for one in ids:
        if one in seen.deleted or not wire.addressable(one):
            continue
        request = wire.read(collection, one)
        answer = await client.send(request)
        answered = wire.understood(request, answer)
        if answered.kind == "done" and (record := wire.record_in(collection, answer)) is not None:
            yield record
        elif answered.kind != "missing":
            raise TargetError(
                f"{client.target.host} does not say whether it holds {collection.name} {one}: {answered.detail}"
            )


@dataclass(frozen=True)
class Adopted:
    """How many records of one entity were adopted, as `equal` or `different`; `absent` are not in the target,
    or there as deleted.

    `others` are active in the target and not in the drop: they are left to whoever wrote them.
    """

    entity: str
    equal: int = 0
    different: int = 0
    absent: int = 0
    others: int = 0


async def adopt(
    client: Client,
    ledger: Ledger,
    key: FeedKey,
    run: str,
    changes: EntityChanges,
    watch: Watch = lambda *_: None,
) -> Adopted:
    """Read a collection page by page, and enter in the ledger those of `changes.upserts` that it holds.

    Those that it holds as deleted are entered as deleted, so that the next sync brings them back. Raises
    `TargetError` if the target cannot be read; what was entered before stays, and is right.
    """
    done: set[str] = set()
    deleted = different = others = 0
    async for page in pages(client, changes.entity, limit=None):
        records = {
            record["sourcedId"]: record for record in page if record["sourcedId"] not in done
        }
        ids = pl.Series("sourcedId", list(records), dtype=pl.String).to_frame()
        ours = changes.upserts.join(ids, on="sourcedId", how="semi")
        otherwise = _different(client.profile.collections[changes.entity], changes, ours, records)
        gone = [one for one in ours["sourcedId"] if not _active(records[one])]
        if ours.height:
            ledger.record(key, changes.entity, _rows(ours, otherwise), {DELETED: gone}, [], run)
        done.update(ours["sourcedId"])
        deleted += len(gone)
        different += len(set(otherwise).difference(gone))
        others += sum(map(_active, records.values())) - ours.height + len(gone)
        watch(changes.entity, len(done), changes.upserts.height)
    absent = changes.upserts.height - len(done) + deleted
    return Adopted(changes.entity, len(done) - deleted - different, different, absent, others)


def _active(record: Json) -> bool:
    return bool(record.get("status") != TOBEDELETED)


def _different(
    collection: Collection, changes: EntityChanges, ours: pl.DataFrame, records: dict[str, Json]
) -> list[str]:
    return [
        body["sourcedId"]
        for body in bodies(collection.entity, ours)
        if differing(collection, records[body["sourcedId"]], body, changes.partial)
    ]


def _rows(ours: pl.DataFrame, otherwise: list[str]) -> pl.DataFrame:
    fingerprint = pl.when(pl.col("sourcedId").is_in(otherwise)).then(
        unfinished(pl.col(FINGERPRINT))
    )
    return ours.select(RECORDED).with_columns(fingerprint.otherwise(FINGERPRINT).alias(FINGERPRINT))
