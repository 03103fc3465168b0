"""Find the records that killed runs left in the target and that are not in the next drop.

A run that is killed between a request and its response leaves an intent. If the next drop has the
record too, the load settles the intent. If it does not, only this step notices that the record is
in the target, and no longer in the drop.
"""

from __future__ import annotations

import asyncio

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import LEDGER_COLUMNS
from connectors.oneroster.operations import equals_sent, read_record
from connectors.oneroster.profile import Collection
from transforms.changes import EntityChanges
from transforms.payload import Json, json_records


async def recover_records(
    client: Client, ledger: Ledger, key: FeedKey, run: str, part: EntityChanges
) -> pl.Series:
    """Record in the ledger the `part.upserts` that the target has exactly so; return their ids.

    A record that the target has otherwise is not known to be ours. The request for a record that it
    does not have may still arrive, so its intent stays. Raises `TargetError` if the target cannot
    be used.
    """
    collection = client.profile.collections[part.entity]
    checks = [
        _is_in_target(client, collection, body, part.partial)
        for body in json_records(collection.entity, part.upserts)
    ]
    there = part.upserts.filter(pl.Series(await asyncio.gather(*checks), dtype=pl.Boolean))
    if there.height:
        ledger.record(
            key, part.entity, there.select(LEDGER_COLUMNS), {}, there["sourcedId"].to_list(), run
        )
    return there["sourcedId"]


async def _is_in_target(
    client: Client, collection: Collection, sent: Json, partial: frozenset[str]
) -> bool:
    if not wire.is_addressable(sent["sourcedId"]):
        return False
    record = (await read_record(client, collection, sent["sourcedId"])).record
    return record is not None and equals_sent(collection, record, sent, partial)
