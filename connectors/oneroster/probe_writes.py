"""The questions of a probe that need a throw-away record: what a target does with each kind of write, by what it holds after it.

Each function asks one question of one kind of record and gives a `Fact`, whose answers are those that
`assumptions` knows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from connectors.oneroster import sending, wire
from connectors.oneroster.answers import description, is_page, parsed, readable
from connectors.oneroster.assumptions import Fact
from connectors.oneroster.client import Client
from connectors.oneroster.compare import blank
from connectors.oneroster.merging import merged, write_shape
from connectors.oneroster.profile import Collection
from connectors.oneroster.throwaway import Kind, Made, Throwaways
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED

FORBIDDEN = 403
WORDS: dict[wire.Kind, str] = {"done": "accepted"}


@dataclass(frozen=True)
class Asking:
    """One kind of record, of one probe, and the target that is asked about it; what may be there by now is in `made`."""

    client: Client
    things: Throwaways
    kind: Kind
    made: list[Made]

    @property
    def collection(self) -> Collection:
        """Where the target has records of the kind."""
        return self.client.profile.collections[self.kind.name]

    @property
    def record(self) -> Json:
        """The record as it was made."""
        return self.things.record(self.kind)

    async def send(self, request: wire.Request) -> tuple[wire.Answer, str]:
        """Send a request; give the answer and the word for it. One that is not understood is looked up, as the loader does."""
        answer = await self.client.send(request)
        outcome = wire.understood(request, answer)
        if outcome.kind == "elsewhere":
            return replace(answer, lost=outcome.detail), outcome.kind
        looked_up = outcome.kind in ("unclear", "broken") and answer.status in range(200, 300)
        if looked_up and not wire.may_pass(request, answer):
            return answer, "accepted"
        return answer, WORDS.get(outcome.kind, outcome.kind)

    async def put(self, record: Json) -> tuple[wire.Answer, str]:
        """PUT a record."""
        return await self.send(wire.replace(self.collection, record))

    async def read(self, which: str = "") -> Json | None:
        """Read the record, or another one of the kind; None if it is not there."""
        answer = await self.client.send(wire.read(self.collection, self.things.id_of(self.kind.name, which)))
        return wire.record_in(self.collection, answer) if answer.status < 300 else None

    def about_to_make(self, which: str = "") -> None:
        """Note a record before it is sent: whatever the answer, it may be there then."""
        self.made.append((self.kind.name, self.things.id_of(self.kind.name, which)))

    def fact(self, question: str, word: str, answer: wire.Answer, detail: str = "") -> Fact:
        """Put an answer down."""
        return Fact(question, self.kind.name, word, answer.status, kind_of_body(answer.body), detail)


def kind_of_body(body: bytes) -> str:
    """Say what kind of body an answer had."""
    if not body.strip():
        return "nothing"
    if is_page(body):
        return "a page"
    if not readable(body):
        return "something else"
    return "an error of the API" if any(name.startswith("imsx_") for name in parsed(body)) else "JSON"


async def create(asking: Asking) -> Fact:
    """POST a new record."""
    asking.about_to_make()
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    if word == "accepted" and await asking.read() is None:
        word = "not kept"
    detail = "" if word == "accepted" else _said(answer)
    return asking.fact("create", "forbidden" if answer.status == FORBIDDEN else _plain(word), answer, detail)


async def while_there(asking: Asking) -> AsyncIterator[Fact]:
    """Ask what is to be asked of a record that is active."""
    yield await _duplicate(asking)
    yield await _unchanged(asking)
    if asking.kind.spare:
        yield await _spare(asking, "left out", {k: v for k, v in asking.record.items() if k != asking.kind.spare})
        yield await _spare(asking, "null", asking.record | {asking.kind.spare: None})
    yield await _unknown(asking)
    if asking.kind.refers or asking.kind.shares:
        yield await _orphan(asking)


async def while_going(asking: Asking) -> AsyncIterator[Fact]:
    """Delete a record, and ask how it can be brought back; at the end it is deleted, if it can be."""
    yield (deleted := await _delete(asking))
    if deleted.answer in ("hard", "soft", "soft by PUT"):
        yield await _post_deleted(asking, hard=deleted.answer == "hard")
        if deleted.answer != "hard":
            await _remove(asking)
            yield await _revive(asking)
    await _remove(asking)


async def _duplicate(asking: Asking) -> Fact:
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    return asking.fact("duplicate", word, answer, "" if word == "accepted" else _said(answer))


async def _unchanged(asking: Asking) -> Fact:
    collection, before = asking.collection, await asking.read() or {}
    answer, word = await asking.put(merged(collection, write_shape(collection, before), asking.record))
    after = await asking.read() or {}
    if word != "accepted":
        return asking.fact("unchanged", _plain(word), answer, _said(answer))
    moved = before.get("dateLastModified") != after.get("dateLastModified")
    return asking.fact("unchanged", "new dateLastModified" if moved else "same dateLastModified", answer)


async def _spare(asking: Asking, question: str, record: Json) -> Fact:
    """PUT a record with its spare property left out or null, and see what became of that."""
    await asking.put(asking.record)
    before = await asking.read() or {}
    answer, word = await asking.put(record)
    after = await asking.read() or {}
    name = asking.kind.spare
    if word != "accepted":
        return asking.fact(question, _plain(word), answer, _said(answer))
    if blank(before.get(name)):
        return asking.fact(question, "not shown", answer, f"the target does not give {name} back")
    return asking.fact(question, "cleared" if blank(after.get(name)) else "kept", answer, name)


async def _unknown(asking: Asking) -> Fact:
    asking.about_to_make("unknown")
    answer, word = await asking.put(asking.things.record(asking.kind, "unknown"))
    if word == "accepted":
        word = "created" if await asking.read("unknown") else "accepted, not made"
        await _remove(asking, "unknown")
    return asking.fact("unknown", _plain(word), answer)


async def _orphan(asking: Asking) -> Fact:
    asking.about_to_make("orphan")
    answer, word = await asking.send(wire.create(asking.collection, asking.things.orphan(asking.kind)))
    if word == "accepted":
        await _remove(asking, "orphan")
    return asking.fact("orphan", word, answer, "" if word == "accepted" else _said(answer))


async def _delete(asking: Asking) -> Fact:
    answer, word = await asking.send(wire.remove(asking.collection, asking.record["sourcedId"]))
    if word == "missing":
        await _remove(asking)
    left = await asking.read()
    if word == "accepted":
        word = "hard" if left is None else "soft" if _is_deleted(left) else "ignored"
    elif word == "missing" and left is not None and _is_deleted(left):
        word = "soft by PUT"
    return asking.fact("delete", _plain(word), answer)


async def _post_deleted(asking: Asking, *, hard: bool) -> Fact:
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    if word == "accepted":
        left = await asking.read()
        word = "revived" if left and not _is_deleted(left) else "accepted, stays deleted"
    return asking.fact("post deleted", "gone for good" if hard and word != "revived" else word, answer)


async def _revive(asking: Asking) -> Fact:
    answer, word = await asking.put(asking.record)
    if word == "accepted":
        left = await asking.read()
        word = "revived" if left and not _is_deleted(left) else "stays deleted"
    return asking.fact("revive", _plain(word), answer, "" if word == "revived" else _said(answer))


async def _remove(asking: Asking, which: str = "") -> None:
    await sending.remove(asking.client, asking.collection, asking.things.id_of(asking.kind.name, which))


def _is_deleted(record: Json) -> bool:
    return record.get("status") == TOBEDELETED


def _plain(word: str) -> str:
    """Where nothing has to be told from a duplicate, an answer that is not clear is a failure of the server."""
    return "broken" if word == "unclear" else word


def _said(answer: wire.Answer) -> str:
    """What the target said; of records that are all invented it may say anything."""
    return description(answer.status, answer.body, answer.lost)
