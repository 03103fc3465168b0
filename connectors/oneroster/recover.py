"""Finds what killed runs have left in the target, of which their successors do not speak any more.

A run that is killed between a request and its answer leaves an intent. Where the next drop has the record too, the load settles
it. Where it has not, nobody would know that the record is there, and so that it has vanished.
"""

from __future__ import annotations

import asyncio

import polars as pl

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import RECORDED
from connectors.oneroster.operations import is_sent, looked_up
from connectors.oneroster.profile import Collection
from transforms.changes import EntityChanges
from transforms.payload import Json, bodies


async def recover_records(
    client: Client, ledger: Ledger, key: FeedKey, run: str, part: EntityChanges
) -> pl.Series:
    """Enter in the ledger those of `part.upserts` that the target holds just so, and give their ids.

    One that it holds otherwise is not known to be ours. One that it does not hold may be on its way: its intent stays.
    Raises `TargetError` if the target cannot be used.
    """
    collection = client.profile.collections[part.entity]
    sent = [
        _is_there(client, collection, body, part.partial)
        for body in bodies(collection.entity, part.upserts)
    ]
    there = part.upserts.filter(pl.Series(await asyncio.gather(*sent), dtype=pl.Boolean))
    if there.height:
        ledger.record(
            key, part.entity, there.select(RECORDED), {}, there["sourcedId"].to_list(), run
        )
    return there["sourcedId"]


async def _is_there(
    client: Client, collection: Collection, sent: Json, partial: frozenset[str]
) -> bool:
    if not wire.addressable(sent["sourcedId"]):
        return False
    record = (await looked_up(client, collection, sent["sourcedId"])).record
    return record is not None and is_sent(collection, record, sent, partial)
