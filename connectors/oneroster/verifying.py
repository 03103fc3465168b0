"""Compares what the target holds with what it should hold: by the ledger, and by the last roster that was sent.

A collection is read page by page. Rows may shift between pages while others write (API reference, section 6), so
that what no page had is asked for by itself before it is called missing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field

import polars as pl

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.differing import differing
from connectors.oneroster.profile import Collection
from connectors.oneroster.reading import pages
from connectors.oneroster.target import TargetError
from transforms.changes import ACTIVE, DELETED, DISABLED, FINGERPRINT, IN_TARGET, KEPT
from transforms.findings import ROW
from transforms.fingerprint import fingerprints
from transforms.judged import Judged
from transforms.payload import Json, bodies
from transforms.schemas import LIFECYCLE
from transforms.schemas.vocabularies import TOBEDELETED

MISSING, EXTRA, DIFFERENT = KINDS = ("missing", "extra", "different")
FOUND: dict[str, type[pl.DataType]] = {"sourcedId": pl.String, "kind": pl.String, "detail": pl.String}
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


def expected(collection: Collection, known: pl.DataFrame, roster: Judged | None) -> Expected:
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
class Seen:
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
    seen = Seen()
    async for page in pages(client, expected.entity, limit=None):
        look_at(seen, expected, page)
        watch(expected.entity, len(seen.active), expected.known.height)
    absent = _absent(seen, expected)
    if len(absent) <= ASKED:
        look_at(seen, expected, [one async for one in _asked(client, expected.collection, absent, seen)])
    return outcome(seen, expected)


def look_at(seen: Seen, expected: Expected, page: list[Json]) -> None:
    """Take note of what a page says; a record that was on an earlier page already is not looked at again."""
    new = [record for record in page if record["sourcedId"] not in seen.active]
    active = {record["sourcedId"]: record for record in new if record.get("status") != TOBEDELETED}
    seen.deleted.update(record["sourcedId"] for record in new if record.get("status") == TOBEDELETED)
    ids = pl.Series("sourcedId", list(active), dtype=pl.String).to_frame()
    met = ids.join(expected.known.select("sourcedId", "status"), on="sourcedId", how="left")
    ours = met.filter(pl.col("status").is_in(IN_TARGET))
    seen.active.update(ours["sourcedId"])
    seen.extra.update(met.filter(pl.col("status") == DELETED)["sourcedId"])
    seen.others += met["status"].null_count()
    for body in (*_bodies(expected, ours), *_disabled(ours)):
        seen.compared += 1
        if names := differing(expected.collection, active[body["sourcedId"]], body, expected.partial):
            seen.different[body["sourcedId"]] = ", ".join(names)


def outcome(seen: Seen, expected: Expected) -> Verified:
    """Put together what the pages have shown."""
    rows = [(one, MISSING, TOBEDELETED if one in seen.deleted else ABSENT) for one in _absent(seen, expected)]
    rows += [(one, EXTRA, "deleted by us, and active again") for one in sorted(seen.extra)]
    rows += [(one, DIFFERENT, names) for one, names in sorted(seen.different.items())]
    found = pl.DataFrame(rows, schema=FOUND, orient="row")
    equal = seen.compared - len(seen.different)
    return Verified(expected.entity, found, equal, len(seen.active) - seen.compared, seen.others)


def _absent(seen: Seen, expected: Expected) -> list[str]:
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


async def _asked(client: Client, collection: Collection, ids: list[str], seen: Seen) -> AsyncIterator[Json]:
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
