"""What is asked of the target for one record, and what its answers decide.

Source: API reference, section 2.2 (the three disguises of "already exists") and 2.4 (merging).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.merge import covers, differences, merged, moved, same, write_shape
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.profile import Collection
from connectors.oneroster.target import TargetError
from connectors.oneroster.wire import addressable
from transforms.changes import Term
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.secrets import without_secrets

DOTS = "an id of dots alone cannot be written in an address"
GONE = "the user was deleted in the target before the agents could be added"


@dataclass(frozen=True)
class ReadRecord:
    """What a read came to: a record in write shape, or none; `trouble` if that is not known."""

    record: Json | None = None
    trouble: RecordResult | None = None


async def create(
    client: Client,
    collection: Collection,
    record: Json,
    *,
    whole: Json,
    earlier: Sequence[Json] = (),
    gone: Iterable[str] = (),
    partial: Container[str] = (),
) -> RecordResult:
    """POST a record; one that is there already is judged by its content: it is ours if it says what we sent.

    `whole` is what we have to say of it altogether, `record` what can be said now, `earlier` what killed runs may
    have sent, `gone` the columns that they filled and that are blank now. A record that says just what was sent, after
    a request which may have been carried out, is the one that it made.
    """
    request = wire.create(collection, record)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind in ("done", "elsewhere"):
        client.note_place(collection.name, elsewhere=outcome.kind == "elsewhere")
        return RecordResult("created") if outcome.kind == "done" else _failed(outcome)
    if outcome.kind not in ("exists", "unclear"):
        return _failed(outcome)
    sent = (record, *earlier) if answer.again or answer.status < 300 else earlier
    try:
        found = await looked_up(client, collection, record["sourcedId"])
    except TargetError as error:
        raise type(error)(str(error), unsure=outcome.kind == "unclear" or answer.again) from None
    if found.trouble:
        return found.trouble
    if found.record is None:
        # A gateway or a lost connection may still bring the request to the target.
        return RecordResult(
            "failed", outcome.detail, settled=outcome.kind == "exists" or answer.status == 500
        )
    if any(is_sent(collection, found.record, one, partial) for one in sent):
        return await _laid_over(client, collection, found.record, record, gone, "created", partial)
    return _not_ours(foreign(collection, found.record, whole, partial))


async def update(
    client: Client,
    collection: Collection,
    record: Json,
    gone: Iterable[str] = (),
    partial: Container[str] = (),
    ended: Json | None = None,
) -> RecordResult:
    """Bring a record that is ours up to date: read it, lay ours over it, PUT it; POST it if it is not there."""
    found = await looked_up(client, collection, record["sourcedId"])
    if found.trouble:
        return found.trouble
    if found.record is None:
        return await _created_again(client, collection, record)
    return await _laid_over(
        client, collection, found.record, record, gone, "updated", partial, ended
    )


async def revive(
    client: Client,
    collection: Collection,
    record: Json,
    gone: Iterable[str] = (),
    partial: Container[str] = (),
    ended: Json | None = None,
) -> RecordResult:
    """Bring back a record that we deleted; the target may have kept it, with what others wrote on it."""
    result = await update(client, collection, record, gone, partial, ended)
    return RecordResult("created", moved=result.moved) if result.arrived else result


async def lay_agents(client: Client, collection: Collection, record: Json) -> RecordResult:
    """Add the agents to a user who is in the target."""
    found = await looked_up(client, collection, record["sourcedId"])
    if found.record is None:
        return found.trouble or RecordResult("failed", GONE)
    agents = {name: record[name] for name in ("sourcedId", "status", AGENTS)}
    return await _laid_over(client, collection, found.record, agents, (), "updated")


async def remove(client: Client, collection: Collection, sourced_id: str) -> RecordResult:
    """DELETE a record; one that is not there is deleted.

    A 404 may only mean that this collection knows no DELETE (resources, section 2.3): then the record
    is put as deleted.
    """
    if not wire.addressable(sourced_id):
        return RecordResult("failed", DOTS)
    outcome = await _sent(client, wire.remove(collection, sourced_id))
    if outcome.kind == "missing":
        return await _put_as_deleted(client, collection, sourced_id)
    return RecordResult("deleted") if outcome.kind == "done" else _failed(outcome)


async def disable(client: Client, collection: Collection, sourced_id: str) -> RecordResult:
    """Take a user's right to sign in, and leave everything else as it is."""
    return await _set(client, collection, sourced_id, {"enabledUser": False})


async def end(client: Client, collection: Collection, sourced_id: str, day: str) -> RecordResult:
    """Give an enrollment its last day (ISO), and leave everything else as it is."""
    return await _set(client, collection, sourced_id, {"endDate": day})


async def _set(
    client: Client, collection: Collection, sourced_id: str, properties: Json
) -> RecordResult:
    """Change some properties of a record; one that is not there has nothing left to change."""
    if not wire.addressable(sourced_id):
        return RecordResult("failed", DOTS)
    found = await looked_up(client, collection, sourced_id)
    if found.trouble:
        return found.trouble
    if (
        found.record is None
        or found.record.get("status") == TOBEDELETED
        or covers(found.record, properties)
    ):
        return RecordResult("disabled")
    outcome = await put(client, collection, found.record, found.record | properties)
    return RecordResult("disabled") if outcome.kind == "done" else _failed(outcome)


async def _put_as_deleted(client: Client, collection: Collection, sourced_id: str) -> RecordResult:
    found = await looked_up(client, collection, sourced_id)
    if found.trouble:
        return found.trouble
    if found.record is None or found.record.get("status") == TOBEDELETED:
        return RecordResult("deleted")
    outcome = await put(client, collection, found.record, found.record | {"status": TOBEDELETED})
    return RecordResult("deleted") if outcome.kind == "done" else _failed(outcome)


async def put(client: Client, collection: Collection, theirs: Json, record: Json) -> wire.Outcome:
    """PUT a record in the place of theirs; if the answer tells nothing, a read tells whether that was carried out."""
    outcome = await _sent(client, wire.replace(collection, record))
    if outcome.kind == "broken":
        found = await looked_up(client, collection, record["sourcedId"])
        if found.record is not None and is_done(collection, theirs, found.record, record):
            return wire.Outcome("done")
    return outcome


async def _sent(client: Client, request: wire.Request) -> wire.Outcome:
    return wire.understood(request, await client.send(request))


async def looked_up(client: Client, collection: Collection, sourced_id: str) -> ReadRecord:
    """Read a record of the target, in write shape."""
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind == "missing":
        return ReadRecord()
    if outcome.kind != "done":
        return ReadRecord(trouble=_failed(outcome))
    if (record := wire.record_in(collection, answer)) is None:
        return ReadRecord(
            trouble=RecordResult(
                "failed", "the target's record could not be understood", settled=False
            )
        )
    return ReadRecord(write_shape(collection, record))


async def _laid_over(
    client: Client,
    collection: Collection,
    theirs: Json,
    ours: Json,
    gone: Iterable[str],
    term: Term,
    partial: Container[str] = (),
    ended: Json | None = None,
) -> RecordResult:
    """PUT ours over theirs. Nothing is sent if nothing would change.

    A 404 is a reference that leads nowhere (section 2.2): that the record is there was just read.
    """
    stays = moved(collection, theirs, ours)
    record = merged(collection, theirs, ours, gone, partial, ended)
    if same(theirs, record):
        return RecordResult("unchanged" if term == "updated" else term, moved=stays)
    outcome = await put(client, collection, theirs, record)
    return RecordResult(term, moved=stays) if outcome.kind == "done" else _failed(outcome)


async def _created_again(client: Client, collection: Collection, record: Json) -> RecordResult:
    """Make a record of ours that the target lost; an answer that was lost may have hidden that it is there."""
    make = wire.replace if collection.put_creates else wire.create
    outcome = await _sent(client, make(collection, record))
    if outcome.kind in ("exists", "unclear", "broken"):
        found = await looked_up(client, collection, record["sourcedId"])
        if found.record is not None and is_sent(collection, found.record, record):
            return RecordResult("updated")
    return RecordResult("updated") if outcome.kind == "done" else _failed(outcome)


def _not_ours(different: list[str]) -> RecordResult:
    """Judge a record that nobody knows to be ours: one that says the same is recorded, any other is foreign."""
    if not different:
        return RecordResult("unchanged")
    return RecordResult(
        "held",
        f"the target holds this id with another {', '.join(different)}, which we did not send",
    )


def _failed(outcome: wire.Outcome) -> RecordResult:
    return RecordResult("failed", outcome.detail, settled=outcome.kind not in ("broken", "unclear"))


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


async def done(client: Client, errand: Errand) -> RecordResult:
    """Do what is to be done, and say what came of it."""
    collection, record = client.profile.collections[errand.entity], errand.record
    if not addressable(record["sourcedId"]):
        return RecordResult("failed", DOTS)
    match errand.action:
        case "create":
            whole = errand.whole or record
            return await create(
                client,
                collection,
                record,
                whole=whole,
                earlier=errand.earlier,
                gone=errand.gone,
                partial=errand.partial,
            )
        case "update":
            return await update(
                client, collection, record, errand.gone, errand.partial, errand.ended
            )
        case "revive":
            return await revive(
                client, collection, record, errand.gone, errand.partial, errand.ended
            )
        case "agents":
            return await lay_agents(client, collection, record)
        case "delete":
            return await remove(client, collection, record["sourcedId"])
        case "disable":
            return await disable(client, collection, record["sourcedId"])
        case "end":
            return await end(client, collection, record["sourcedId"], errand.day)


# Users are sent without agents where those are not there yet, so that a user without them may be one that we sent.
AGENTS = "agents"


def is_sent(collection: Collection, theirs: Json, sent: Json, partial: Container[str] = ()) -> bool:
    """Tell whether a record in the target says what was sent."""
    return not differences(
        collection, theirs, {name: sent[name] for name in sent if name != AGENTS}, partial
    )


def is_done(collection: Collection, before: Json, after: Json, record: Json) -> bool:
    """Tell whether `record` was put in the place of `before`, by what the target holds `after` it.

    Where both say the same but for the spelling, only the spelling of the record itself shows it.
    """
    if differences(collection, after, record):
        return False
    return same(after, record) or bool(differences(collection, before, record))


def foreign(
    collection: Collection, theirs: Json, ours: Json, partial: Container[str] = ()
) -> list[str]:
    """Name the properties that show that a record is not known to be ours; that a password is ours, nobody can see."""
    hidden = [
        name for name, value in ours.items() if without_secrets({name: value}) != {name: value}
    ]
    return sorted({*differences(collection, theirs, ours, partial), *hidden})
