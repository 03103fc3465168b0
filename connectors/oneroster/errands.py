"""What is to be done with one record, told so that any process can do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from connectors.oneroster import sending
from connectors.oneroster.client import Client
from connectors.oneroster.loaded import Result
from connectors.oneroster.wire import addressable
from transforms.payload import Json

NONE: frozenset[str] = frozenset()
Action = Literal["create", "update", "revive", "agents", "delete", "disable", "end"]


@dataclass(frozen=True, slots=True)
class Errand:
    """One record on its way. `record` is what can be said now, of a removal the id alone.

    `whole` is what we have to say of it altogether; `earlier` is what killed runs may have sent of it;
    `gone` are the columns to clear, `partial` the lists to which ours are added, `ended` what of them has ended (by
    property); `day` is the last one (ISO).
    """

    entity: str
    action: Action
    record: Json
    whole: Json | None = None
    earlier: tuple[Json, ...] = ()
    gone: frozenset[str] = NONE
    partial: frozenset[str] = NONE
    ended: Json | None = None
    day: str = ""


async def done(client: Client, errand: Errand) -> Result:
    """Do what is to be done, and say what came of it."""
    collection, record = client.profile.collections[errand.entity], errand.record
    if not addressable(record["sourcedId"]):
        return Result("failed", sending.DOTS)
    match errand.action:
        case "create":
            whole = errand.whole or record
            return await sending.create(
                client,
                collection,
                record,
                whole=whole,
                earlier=errand.earlier,
                gone=errand.gone,
                partial=errand.partial,
            )
        case "update":
            return await sending.update(client, collection, record, errand.gone, errand.partial, errand.ended)
        case "revive":
            return await sending.revive(client, collection, record, errand.gone, errand.partial, errand.ended)
        case "agents":
            return await sending.lay_agents(client, collection, record)
        case "delete":
            return await sending.remove(client, collection, record["sourcedId"])
        case "disable":
            return await sending.disable(client, collection, record["sourcedId"])
        case "end":
            return await sending.end(client, collection, record["sourcedId"], errand.day)
