"""Send what one record needs, and decide by the responses what became of it.

Source: API reference, section 2.2 (the three disguises of "already exists") and 2.4 (merging).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.merge import (
    covers,
    differing_in_write_shape,
    differs_in_fixed_property,
    is_same,
    merge,
    to_write_shape,
    without_items,
)
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.profile import Collection
from connectors.oneroster.target import TargetError
from connectors.oneroster.wire import is_addressable
from transforms.changes import Term
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED
from transforms.secrets import without_secrets

ID_OF_DOTS = "an id of dots alone cannot be written in an address"
USER_DELETED = "the user was deleted in the target before the agents could be added"
# A user is first sent without agents that are not in the target yet. So a user without them may be
# one that we sent.
AGENTS = "agents"
NO_COLUMNS: frozenset[str] = frozenset()
Action = Literal[
    "create", "join", "update", "revive", "agents", "delete", "disable", "end", "leave"
]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation for one record."""

    entity: str
    action: Action
    # What can be sent now. For a removal, the id alone.
    record: Json
    # All that our drop has of the record, if more than `record`.
    whole: Json | None = None
    # What to create if the target no longer has it, where other feeds have it too.
    alone: Json | None = None
    # What runs that were killed may have sent of it.
    earlier: tuple[Json, ...] = ()
    # Columns to clear.
    gone: frozenset[str] = NO_COLUMNS
    # Lists in which the items of others stay.
    partial: frozenset[str] = NO_COLUMNS
    # Items of lists that have ended, by property.
    ended: Json | None = None
    # What identifies the items of other feeds, which stay, by property.
    others: Json | None = None
    # The last day of an enrollment (ISO), for `end`.
    day: str = ""


async def carry_out(client: Client, errand: Operation) -> RecordResult:
    """Carry out an operation, and return what became of the record."""
    collection, record = client.profile.collections[errand.entity], errand.record
    if not is_addressable(record["sourcedId"]):
        return RecordResult("failed", ID_OF_DOTS)
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
            return await update(client, collection, errand)
        case "revive":
            return await revive(client, collection, errand)
        case "join":
            return await join(client, collection, errand)
        case "agents":
            return await add_agents(client, collection, record)
        case "delete":
            return await delete(client, collection, record["sourcedId"])
        case "disable":
            return await disable_user(client, collection, record["sourcedId"])
        case "end":
            return await end_enrollment(client, collection, record["sourcedId"], errand.day)
        case "leave":
            return await leave(client, collection, errand)


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
    """POST a record; decide by its content whether one that exists already is ours.

    It is ours if it equals what we sent. `whole` is all that we have of the record, and `record`
    what can be sent now. `earlier` is what killed runs may have sent, and `gone` are the columns
    that they filled and that are blank now. If the request may have been carried out before, a
    record that equals `record` is the one that it created.
    """
    request = wire.create(collection, record)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
    if outcome.kind in ("done", "elsewhere"):
        client.note_place(collection.name, elsewhere=outcome.kind == "elsewhere")
        return RecordResult("created") if outcome.kind == "done" else _failed(outcome)
    if outcome.kind not in ("exists", "unclear"):
        return _failed(outcome)
    # Only a request that may have been carried out can have created the record.
    sent = (record, *earlier) if answer.again or answer.status < 300 else earlier
    try:
        found = await read_record(client, collection, record["sourcedId"])
    except TargetError as error:
        raise type(error)(str(error), unsure=outcome.kind == "unclear" or answer.again) from None
    if found.trouble:
        return found.trouble
    if found.record is None:
        # A gateway, or a connection that broke, may still deliver the request.
        return RecordResult(
            "failed", outcome.detail, settled=outcome.kind == "exists" or answer.status == 500
        )
    if any(equals_sent(collection, found.record, one, partial) for one in sent):
        return await _put_merged(client, collection, found.record, record, gone, "created", partial)
    return _unknown_record(foreign_properties(collection, found.record, whole, partial))


async def update(client: Client, collection: Collection, errand: Operation) -> RecordResult:
    """Bring a record of ours up to date: read it, merge ours into it, and PUT it.

    A record that the target does not have is created again.
    """
    found = await read_record(client, collection, errand.record["sourcedId"])
    if found.trouble:
        return found.trouble
    if found.record is None:
        result = await _create_again(client, collection, errand.alone or errand.record)
        return replace(result, whole=errand.alone is not None)
    return await _put_errand(client, collection, found.record, errand, "updated")


async def revive(client: Client, collection: Collection, errand: Operation) -> RecordResult:
    """Bring back a record that we deleted.

    The target may have kept it, with what others wrote on it.
    """
    result = await update(client, collection, errand)
    return replace(result, term="created") if result.arrived else result


async def join(client: Client, collection: Collection, errand: Operation) -> RecordResult:
    """Add what belongs to us to a record that another feed of the same ledger has sent.

    It is ours, whatever it contains (`transforms/ownership.py`). One that the target no longer has
    is created.
    """
    found = await read_record(client, collection, errand.record["sourcedId"])
    if found.trouble:
        return found.trouble
    if found.record is None:
        result = await _create_again(client, collection, errand.alone or errand.record)
        return replace(result, term="created", whole=True) if result.arrived else result
    term: Term = "created" if found.record.get("status") == TOBEDELETED else "updated"
    return await _put_errand(client, collection, found.record, errand, term)


async def leave(client: Client, collection: Collection, errand: Operation) -> RecordResult:
    """Remove what only we have of a record that other feeds have too."""
    if not (errand.ended or errand.gone):
        return RecordResult("kept")
    found = await read_record(client, collection, errand.record["sourcedId"])
    if found.trouble:
        return found.trouble
    if found.record is None or found.record.get("status") == TOBEDELETED:
        return RecordResult("kept")
    rest = merge(collection, found.record, {}, errand.gone)
    record = without_items(rest, errand.ended or {}, errand.others or {})
    if is_same(found.record, record):
        return RecordResult("kept")
    outcome = await put(client, collection, found.record, record)
    return RecordResult("kept") if outcome.kind == "done" else _failed(outcome)


async def add_agents(client: Client, collection: Collection, record: Json) -> RecordResult:
    """Add the agents to a user who is in the target."""
    found = await read_record(client, collection, record["sourcedId"])
    if found.record is None:
        return found.trouble or RecordResult("failed", USER_DELETED)
    agents = {name: record[name] for name in ("sourcedId", "status", AGENTS) if name in record}
    return await _put_merged(client, collection, found.record, agents, (), "updated")


async def delete(client: Client, collection: Collection, sourced_id: str) -> RecordResult:
    """DELETE a record; one that the target does not have counts as deleted.

    A 404 may only mean that the collection has no DELETE (resources, section 2.3). Then the record
    is PUT as deleted.
    """
    if not is_addressable(sourced_id):
        return RecordResult("failed", ID_OF_DOTS)
    outcome = await _outcome_of(client, wire.delete(collection, sourced_id))
    if outcome.kind == "missing":
        return await _put_as_deleted(client, collection, sourced_id)
    return RecordResult("deleted") if outcome.kind == "done" else _failed(outcome)


async def disable_user(client: Client, collection: Collection, sourced_id: str) -> RecordResult:
    """Disable a user's sign-in, and leave everything else as it is."""
    return await _change(client, collection, sourced_id, {"enabledUser": False})


async def end_enrollment(
    client: Client, collection: Collection, sourced_id: str, day: str
) -> RecordResult:
    """Give an enrollment its last day (ISO), and leave everything else as it is."""
    return await _change(client, collection, sourced_id, {"endDate": day})


async def _change(
    client: Client, collection: Collection, sourced_id: str, properties: Json
) -> RecordResult:
    """Change properties of a record; a record that the target does not have needs no change."""
    if not is_addressable(sourced_id):
        return RecordResult("failed", ID_OF_DOTS)
    found = await read_record(client, collection, sourced_id)
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
    found = await read_record(client, collection, sourced_id)
    if found.trouble:
        return found.trouble
    if found.record is None or found.record.get("status") == TOBEDELETED:
        return RecordResult("deleted")
    outcome = await put(client, collection, found.record, found.record | {"status": TOBEDELETED})
    return RecordResult("deleted") if outcome.kind == "done" else _failed(outcome)


@dataclass(frozen=True)
class ReadRecord:
    """The result of reading a record."""

    # In write shape; None if the target does not have it, or in trouble.
    record: Json | None = None
    # Set if the read failed: the target may or may not have the record.
    trouble: RecordResult | None = None


async def put(client: Client, collection: Collection, theirs: Json, record: Json) -> wire.Outcome:
    """PUT a record in the place of `theirs`.

    If the response does not say what happened, a read decides.
    """
    outcome = await _outcome_of(client, wire.replace(collection, record))
    if outcome.kind == "broken":
        found = await read_record(client, collection, record["sourcedId"])
        if found.record is not None and was_put(collection, theirs, found.record, record):
            return wire.Outcome("done")
    return outcome


async def read_record(client: Client, collection: Collection, sourced_id: str) -> ReadRecord:
    """Read a record of the target, in write shape."""
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
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
    return ReadRecord(to_write_shape(collection, record))


async def _outcome_of(client: Client, request: wire.Request) -> wire.Outcome:
    return wire.outcome_of(request, await client.send(request))


async def _put_errand(
    client: Client, collection: Collection, theirs: Json, errand: Operation, term: Term
) -> RecordResult:
    return await _put_merged(
        client,
        collection,
        theirs,
        errand.record,
        errand.gone,
        term,
        errand.partial,
        errand.ended,
        errand.others,
    )


async def _put_merged(
    client: Client,
    collection: Collection,
    theirs: Json,
    ours: Json,
    gone: Iterable[str],
    term: Term,
    partial: Container[str] = (),
    ended: Json | None = None,
    others: Json | None = None,
) -> RecordResult:
    """Merge our record into theirs, and PUT the result if it changes anything.

    A 404 means an unknown reference (section 2.2): we have just read the record itself.
    """
    is_fixed = differs_in_fixed_property(collection, theirs, ours)
    record = merge(collection, theirs, ours, gone, partial, ended, others)
    if is_same(theirs, record):
        return RecordResult("unchanged" if term == "updated" else term, moved=is_fixed)
    outcome = await put(client, collection, theirs, record)
    return RecordResult(term, moved=is_fixed) if outcome.kind == "done" else _failed(outcome)


async def _create_again(client: Client, collection: Collection, record: Json) -> RecordResult:
    """Create a record of ours that the target has lost.

    If the response was lost, a read shows whether the record is there.
    """
    make = wire.replace if collection.put_creates else wire.create
    outcome = await _outcome_of(client, make(collection, record))
    if outcome.kind in ("exists", "unclear", "broken"):
        found = await read_record(client, collection, record["sourcedId"])
        if found.record is not None and equals_sent(collection, found.record, record):
            return RecordResult("updated")
    return RecordResult("updated") if outcome.kind == "done" else _failed(outcome)


def _unknown_record(different: list[str]) -> RecordResult:
    """Decide about a record that we do not know to be ours.

    One that equals ours is recorded. Any other is foreign, and is held.
    """
    if not different:
        return RecordResult("unchanged")
    return RecordResult(
        "held",
        f"the target holds this id with another {', '.join(different)}, which we did not send",
    )


def equals_sent(
    collection: Collection, theirs: Json, sent: Json, partial: Container[str] = ()
) -> bool:
    """Return whether a record in the target equals what was sent."""
    return not differing_in_write_shape(
        collection, theirs, {name: sent[name] for name in sent if name != AGENTS}, partial
    )


def was_put(collection: Collection, before: Json, after: Json, record: Json) -> bool:
    """Return whether `record` was put in the place of `before`.

    `after` is what the target holds now. If `before` and `record` differ only in spelling, only the
    spelling of `after` decides.
    """
    if differing_in_write_shape(collection, after, record):
        return False
    return is_same(after, record) or bool(differing_in_write_shape(collection, before, record))


def foreign_properties(
    collection: Collection, theirs: Json, ours: Json, partial: Container[str] = ()
) -> list[str]:
    """Return the names of the properties that keep us from knowing a record as ours.

    A password is always one of them, since no read shows it.
    """
    hidden = [
        name for name, value in ours.items() if without_secrets({name: value}) != {name: value}
    ]
    return sorted({*differing_in_write_shape(collection, theirs, ours, partial), *hidden})


def _failed(outcome: wire.Outcome) -> RecordResult:
    return RecordResult("failed", outcome.detail, settled=outcome.kind not in ("broken", "unclear"))
