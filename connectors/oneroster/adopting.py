"""Takes records that the target holds already for ours: those that say what we would send, and those that say something else.

The ledger is the only thing that is written. A record that differs gets a fingerprint that no drop has, so that the
next sync lays ours over it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.agents import unfinished
from connectors.oneroster.batch import RECORDED
from connectors.oneroster.client import Client
from connectors.oneroster.differing import differing
from connectors.oneroster.profile import Collection
from connectors.oneroster.reading import pages
from transforms.changes import DELETED, FINGERPRINT, EntityChanges
from transforms.payload import Json, bodies
from transforms.schemas.vocabularies import TOBEDELETED

Watch = Callable[[str, int, int], None]


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


async def adopt(client: Client, ledger: Ledger, key: FeedKey, run: str, changes: EntityChanges,
                watch: Watch = lambda *_: None) -> Adopted:  # fmt: skip
    """Read a collection page by page, and enter in the ledger those of `changes.upserts` that it holds.

    Those that it holds as deleted are entered as deleted, so that the next sync brings them back. Raises
    `TargetError` if the target cannot be read; what was entered before stays, and is right.
    """
    done: set[str] = set()
    deleted = different = others = 0
    async for page in pages(client, changes.entity, limit=None):
        records = {record["sourcedId"]: record for record in page if record["sourcedId"] not in done}
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
    fingerprint = pl.when(pl.col("sourcedId").is_in(otherwise)).then(unfinished(pl.col(FINGERPRINT)))
    return ours.select(RECORDED).with_columns(fingerprint.otherwise(FINGERPRINT).alias(FINGERPRINT))
