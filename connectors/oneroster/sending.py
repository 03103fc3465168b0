"""What is asked of the target for one record, and what its answers decide.

Source: API reference, section 2.2 (the three disguises of "already exists") and 2.4 (merging).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.compare import covers, same
from connectors.oneroster.loaded import Result
from connectors.oneroster.merging import merged, moved, write_shape
from connectors.oneroster.profile import Collection
from connectors.oneroster.proving import AGENTS, foreign, is_done, is_sent
from connectors.oneroster.target import TargetError
from transforms.changes import Term
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED

DOTS = "an id of dots alone cannot be written in an address"
GONE = "the user was deleted in the target before the agents could be added"


@dataclass(frozen=True)
class Found:
    """What a read came to: a record in write shape, or none; `trouble` if that is not known."""

    record: Json | None = None
    trouble: Result | None = None


async def create(client: Client, collection: Collection, record: Json, *, whole: Json, earlier: Sequence[Json] = (),
                 gone: Iterable[str] = (), partial: Container[str] = ()) -> Result:  # fmt: skip
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
        return Result("created") if outcome.kind == "done" else _failed(outcome)
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
        return Result("failed", outcome.detail, settled=outcome.kind == "exists" or answer.status == 500)
    if any(is_sent(collection, found.record, one, partial) for one in sent):
        return await _laid_over(client, collection, found.record, record, gone, "created", partial)
    return _not_ours(foreign(collection, found.record, whole, partial))


async def update(client: Client, collection: Collection, record: Json, gone: Iterable[str] = (),
                 partial: Container[str] = (), ended: Json | None = None) -> Result:  # fmt: skip
    """Bring a record that is ours up to date: read it, lay ours over it, PUT it; POST it if it is not there."""
    found = await looked_up(client, collection, record["sourcedId"])
    if found.trouble:
        return found.trouble
    if found.record is None:
        return await _created_again(client, collection, record)
    return await _laid_over(client, collection, found.record, record, gone, "updated", partial, ended)


async def revive(client: Client, collection: Collection, record: Json, gone: Iterable[str] = (),
                 partial: Container[str] = (), ended: Json | None = None) -> Result:  # fmt: skip
    """Bring back a record that we deleted; the target may have kept it, with what others wrote on it."""
    result = await update(client, collection, record, gone, partial, ended)
    return Result("created", moved=result.moved) if result.arrived else result


async def lay_agents(client: Client, collection: Collection, record: Json) -> Result:
    """Add the agents to a user who is in the target."""
    found = await looked_up(client, collection, record["sourcedId"])
    if found.record is None:
        return found.trouble or Result("failed", GONE)
    agents = {name: record[name] for name in ("sourcedId", "status", AGENTS)}
    return await _laid_over(client, collection, found.record, agents, (), "updated")


async def remove(client: Client, collection: Collection, sourced_id: str) -> Result:
    """DELETE a record; one that is not there is deleted.

    A 404 may only mean that this collection knows no DELETE (resources, section 2.3): then the record
    is put as deleted.
    """
    if not wire.addressable(sourced_id):
        return Result("failed", DOTS)
    outcome = await _sent(client, wire.remove(collection, sourced_id))
    if outcome.kind == "missing":
        return await _put_as_deleted(client, collection, sourced_id)
    return Result("deleted") if outcome.kind == "done" else _failed(outcome)


async def disable(client: Client, collection: Collection, sourced_id: str) -> Result:
    """Take a user's right to sign in, and leave everything else as it is."""
    return await _set(client, collection, sourced_id, {"enabledUser": False})


async def end(client: Client, collection: Collection, sourced_id: str, day: str) -> Result:
    """Give an enrollment its last day (ISO), and leave everything else as it is."""
    return await _set(client, collection, sourced_id, {"endDate": day})


async def _set(client: Client, collection: Collection, sourced_id: str, properties: Json) -> Result:
    """Change some properties of a record; one that is not there has nothing left to change."""
    if not wire.addressable(sourced_id):
        return Result("failed", DOTS)
    found = await looked_up(client, collection, sourced_id)
    if found.trouble:
        return found.trouble
    if found.record is None or found.record.get("status") == TOBEDELETED or covers(found.record, properties):
        return Result("disabled")
    outcome = await put(client, collection, found.record, found.record | properties)
    return Result("disabled") if outcome.kind == "done" else _failed(outcome)


async def _put_as_deleted(client: Client, collection: Collection, sourced_id: str) -> Result:
    found = await looked_up(client, collection, sourced_id)
    if found.trouble:
        return found.trouble
    if found.record is None or found.record.get("status") == TOBEDELETED:
        return Result("deleted")
    outcome = await put(client, collection, found.record, found.record | {"status": TOBEDELETED})
    return Result("deleted") if outcome.kind == "done" else _failed(outcome)


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


async def looked_up(client: Client, collection: Collection, sourced_id: str) -> Found:
    """Read a record of the target, in write shape."""
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    if outcome.kind == "missing":
        return Found()
    if outcome.kind != "done":
        return Found(trouble=_failed(outcome))
    if (record := wire.record_in(collection, answer)) is None:
        return Found(trouble=Result("failed", "the target's record could not be understood", settled=False))
    return Found(write_shape(collection, record))


async def _laid_over(client: Client, collection: Collection, theirs: Json, ours: Json, gone: Iterable[str],
                     term: Term, partial: Container[str] = (), ended: Json | None = None) -> Result:  # fmt: skip
    """PUT ours over theirs. Nothing is sent if nothing would change.

    A 404 is a reference that leads nowhere (section 2.2): that the record is there was just read.
    """
    stays = moved(collection, theirs, ours)
    record = merged(collection, theirs, ours, gone, partial, ended)
    if same(theirs, record):
        return Result("unchanged" if term == "updated" else term, moved=stays)
    outcome = await put(client, collection, theirs, record)
    return Result(term, moved=stays) if outcome.kind == "done" else _failed(outcome)


async def _created_again(client: Client, collection: Collection, record: Json) -> Result:
    """Make a record of ours that the target lost; an answer that was lost may have hidden that it is there."""
    make = wire.replace if collection.put_creates else wire.create
    outcome = await _sent(client, make(collection, record))
    if outcome.kind in ("exists", "unclear", "broken"):
        found = await looked_up(client, collection, record["sourcedId"])
        if found.record is not None and is_sent(collection, found.record, record):
            return Result("updated")
    return Result("updated") if outcome.kind == "done" else _failed(outcome)


def _not_ours(different: list[str]) -> Result:
    """Judge a record that nobody knows to be ours: one that says the same is recorded, any other is foreign."""
    if not different:
        return Result("unchanged")
    return Result("held", f"the target holds this id with another {', '.join(different)}, which we did not send")


def _failed(outcome: wire.Outcome) -> Result:
    return Result("failed", outcome.detail, settled=outcome.kind not in ("broken", "unclear"))
