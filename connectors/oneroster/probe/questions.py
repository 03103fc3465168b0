"""What a probe asks a target, and which of the answers the loader can live with.

`wire`, `sending` and `reading` are written for an API whose documentation leaves most of this open (API reference,
section 11): each question says for which answers they do not do what they should, and what that comes to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace

import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.oneroster import client as hiding
from connectors.oneroster import operations as sending
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.merge import blank, merged, write_shape
from connectors.oneroster.probe.records import Made, ProbeKind, Throwaways
from connectors.oneroster.profile import Collection
from connectors.oneroster.wire import description, is_page, parsed, readable
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED


@dataclass(frozen=True)
class ProbeQuestion:
    """One question; `harms` are the answers that the loader does not bear, each with what it means for whom."""

    says: str
    harms: Mapping[str, str] = field(default_factory=dict)


NOT_LOADED = "`roster sync` cannot load these records"
UNSEEN_DUPLICATE = "`roster sync` takes a record that is there for one that failed: a killed run does not find what it had sent"
NOT_BACK = (
    "`roster sync` and `roster restore` fail for each record that comes back after it was deleted"
)
QUESTIONS: Mapping[str, ProbeQuestion] = {
    "create": ProbeQuestion("POST of a new record", {
        "forbidden": f"{NOT_LOADED}: the client lacks the scope to write them",
        "refused": NOT_LOADED,
        "missing": NOT_LOADED,
        "broken": NOT_LOADED,
        "elsewhere": f"{NOT_LOADED}: the target makes them under ids of its own, where nobody finds them again",
        "not kept": f"{NOT_LOADED}: the target says that it made them, and does not have them",
    }),
    "duplicate": ProbeQuestion("POST of an id that exists", {
        "accepted": "`roster sync` lays its record over one of others that has the same id, instead of holding it",
        "refused": UNSEEN_DUPLICATE,
        "missing": UNSEEN_DUPLICATE,
        "elsewhere": "`roster sync` makes a record that is there a second time, under an id of the target's own",
    }),
    "left out": ProbeQuestion("PUT without a property"),
    "null": ProbeQuestion("null in a PUT", {
        "kept": "`roster sync` cannot clear a value: `roster verify` finds a difference that no `--repair` mends",
        "refused": "`roster sync` fails for each record in which a value became blank",
    }),
    "unchanged": ProbeQuestion("PUT of what is there already"),
    "unknown": ProbeQuestion("PUT of an unknown id"),
    "orphan": ProbeQuestion("POST with a reference that leads nowhere"),
    "delete": ProbeQuestion("DELETE", {
        "hard": "`roster sync`, `roster restore` and a repair make a record anew when it comes back: what others wrote on it is lost, "
        "and so is what hangs on it",
        "ignored": "`roster sync` counts as deleted what stays in the target; `roster verify` finds it as extra",
        "refused": "`roster sync` deletes nothing: who leaves stays in the target. `[removed]` in the feed's file can say \"keep\"",
        "missing": "`roster sync` puts such records as deleted, which does not work here either",
    }),
    "post deleted": ProbeQuestion("POST of a deleted id", {
        "gone for good": NOT_BACK,
    }),
    "revive": ProbeQuestion("PUT as active on a deleted id", {
        "stays deleted": "`roster sync` and `roster restore` cannot bring back what was deleted, and do not notice",
        "refused": NOT_BACK,
        "missing": NOT_BACK,
        "broken": NOT_BACK,
    }),
    "page": ProbeQuestion("a page of 3,000", {
        "refused": "`roster verify`, `roster adopt` and a feed with `external` cannot read the target",
    }),
    "page beyond": ProbeQuestion("a page of more than 3,000"),
    "filter": ProbeQuestion("filter=status='active'", {
        "refused": "a feed with `external` cannot read the target",
        "ignored": "a feed with `external` takes deleted records for active ones",
    }),
    "limits": ProbeQuestion("limits on requests, in headers"),
}  # fmt: skip
# Answers that do harm only where the collection is to make what is not there (section 2.1).
UNMADE = "a repair and `roster sync` fail for a record that the target has lost"


@dataclass(frozen=True)
class Fact:
    """What a target answered to one question, in one collection (blank: of the whole API).

    `status` is that of the answer which decided, `body` what kind of body it had, and `detail` what was seen beside
    it. There is nothing personal in a fact: all records were invented.
    """

    question: str
    collection: str
    answer: str
    status: int = 0
    body: str = ""
    detail: str = ""


@dataclass(frozen=True)
class ProbeProblem:
    """An answer that the loader does not bear, of some collections, and what that means."""

    question: str
    answer: str
    collections: tuple[str, ...]
    means: str


def problems(facts: Iterable[Fact], put_creates: frozenset[str]) -> list[ProbeProblem]:
    """Say where a target differs from what the loader assumes, each difference once.

    `put_creates` are the collections in which a PUT is relied on to make what is not there.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for fact in facts:
        if means := _harm(fact, put_creates):
            found.setdefault((fact.question, fact.answer, means), []).append(fact.collection)
    return [
        ProbeProblem(question, answer, tuple(names), means)
        for (question, answer, means), names in found.items()
    ]


def _harm(fact: Fact, put_creates: frozenset[str]) -> str:
    if fact.question == "unknown" and fact.collection in put_creates and fact.answer != "created":
        return UNMADE
    question = QUESTIONS.get(fact.question)
    return question.harms.get(fact.answer, "") if question else ""


# Few, and nothing personal.
COLLECTION = "orgs"
NEWEST = {"sort": "dateLastModified", "orderBy": "desc", "limit": "100"}


async def page(client: Client) -> Fact:
    """Ask for the largest page that the loader asks for."""
    answer, _ = await _listed(
        client, {"limit": str(client.profile.largest_page), "fields": "sourcedId"}
    )
    return _fact("page", "held" if answer.status < 300 else "refused", answer)


async def page_beyond(client: Client) -> Fact:
    """Ask for a page of one more than is documented."""
    wanted = client.profile.largest_page + 1
    answer, body = await _listed(client, {"limit": str(wanted), "fields": "sourcedId"})
    if answer.status >= 300:
        return _fact("page beyond", "refused", answer)
    limit = body.get("limit")
    records = body.get(client.profile.lists[COLLECTION].list_key)
    if limit == wanted or (isinstance(records, list) and len(records) == wanted):
        return _fact("page beyond", "held", answer)
    return _fact("page beyond", "clamped" if isinstance(limit, int) else "accepted", answer)


async def filter_status(client: Client) -> Fact:
    """Ask for the active records among the newest; of those that a probe deleted a moment ago there must be none."""
    answer, body = await _listed(client, NEWEST | {"filter": "status='active'"})
    records = body.get(client.profile.lists[COLLECTION].list_key)
    if answer.status >= 300 or not isinstance(records, list):
        return _fact("filter", "refused", answer)
    ignored = any(isinstance(one, dict) and one.get("status") == TOBEDELETED for one in records)
    return _fact("filter", "ignored" if ignored else "works", answer)


def limits(heard: Listening) -> Fact:
    """Tell of the headers by which a target spoke of limits so far."""
    names = ", ".join(f"{name}: {value}" for name, value in sorted(heard.limits.items()))
    busy = f"HTTP 429 {heard.busy} times" if heard.busy else ""
    told = "; ".join(filter(None, (names, busy)))
    return Fact("limits", "", "seen" if told else "none seen", detail=told)


async def _listed(client: Client, parameters: dict[str, str]) -> tuple[wire.Answer, Json]:
    answer = await client.send(wire.listing(client.profile.lists[COLLECTION].path, parameters))
    return answer, parsed(answer.body)


def _fact(question: str, word: str, answer: wire.Answer) -> Fact:
    detail = (
        description(answer.status, answer.body, answer.lost)
        if answer.status >= 300 or answer.lost
        else ""
    )
    return Fact(question, COLLECTION, word, answer.status, kind_of_body(answer.body), detail)


FORBIDDEN = 403
WORDS: dict[wire.Kind, str] = {"done": "accepted"}


@dataclass(frozen=True)
class Asking:
    """One kind of record, of one probe, and the target that is asked about it; what may be there by now is in `made`."""

    client: Client
    things: Throwaways
    kind: ProbeKind
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
        answer = await self.client.send(
            wire.read(self.collection, self.things.id_of(self.kind.name, which))
        )
        return wire.record_in(self.collection, answer) if answer.status < 300 else None

    def about_to_make(self, which: str = "") -> None:
        """Note a record before it is sent: whatever the answer, it may be there then."""
        self.made.append((self.kind.name, self.things.id_of(self.kind.name, which)))

    def fact(self, question: str, word: str, answer: wire.Answer, detail: str = "") -> Fact:
        """Put an answer down."""
        return Fact(
            question, self.kind.name, word, answer.status, kind_of_body(answer.body), detail
        )


def kind_of_body(body: bytes) -> str:
    """Say what kind of body an answer had."""
    if not body.strip():
        return "nothing"
    if is_page(body):
        return "a page"
    if not readable(body):
        return "something else"
    return (
        "an error of the API" if any(name.startswith("imsx_") for name in parsed(body)) else "JSON"
    )


async def create(asking: Asking) -> Fact:
    """POST a new record."""
    asking.about_to_make()
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    if word == "accepted" and await asking.read() is None:
        word = "not kept"
    detail = "" if word == "accepted" else _said(answer)
    return asking.fact(
        "create", "forbidden" if answer.status == FORBIDDEN else _plain(word), answer, detail
    )


async def while_there(asking: Asking) -> AsyncIterator[Fact]:
    """Ask what is to be asked of a record that is active."""
    yield await _duplicate(asking)
    yield await _unchanged(asking)
    if asking.kind.spare:
        yield await _spare(
            asking, "left out", {k: v for k, v in asking.record.items() if k != asking.kind.spare}
        )
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
    answer, word = await asking.put(
        merged(collection, write_shape(collection, before), asking.record)
    )
    after = await asking.read() or {}
    if word != "accepted":
        return asking.fact("unchanged", _plain(word), answer, _said(answer))
    moved = before.get("dateLastModified") != after.get("dateLastModified")
    return asking.fact(
        "unchanged", "new dateLastModified" if moved else "same dateLastModified", answer
    )


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
    answer, word = await asking.send(
        wire.create(asking.collection, asking.things.orphan(asking.kind))
    )
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
    return asking.fact(
        "post deleted", "gone for good" if hard and word != "revived" else word, answer
    )


async def _revive(asking: Asking) -> Fact:
    answer, word = await asking.put(asking.record)
    if word == "accepted":
        left = await asking.read()
        word = "revived" if left and not _is_deleted(left) else "stays deleted"
    return asking.fact("revive", _plain(word), answer, "" if word == "revived" else _said(answer))


async def _remove(asking: Asking, which: str = "") -> None:
    await sending.remove(
        asking.client, asking.collection, asking.things.id_of(asking.kind.name, which)
    )


def _is_deleted(record: Json) -> bool:
    return record.get("status") == TOBEDELETED


def _plain(word: str) -> str:
    """Where nothing has to be told from a duplicate, an answer that is not clear is a failure of the server."""
    return "broken" if word == "unclear" else word


def _said(answer: wire.Answer) -> str:
    """What the target said; of records that are all invented it may say anything."""
    return description(answer.status, answer.body, answer.lost)


# Draft-ietf-httpapi-ratelimit-headers, and what gateways have called it before.
LIMITING = ("retry-after", "ratelimit", "x-ratelimit", "x-rate-limit")
BUSY = 429


@dataclass
class Listening(httpx.AsyncBaseTransport):
    """Passes requests on. `limits` are the headers that speak of limits, with the first value of each; `busy` counts the 429s.

    `secrets` are hidden in what the headers say.
    """

    secrets: tuple[bytes, ...] = ()
    real: httpx.AsyncBaseTransport = field(default_factory=AiohttpTransport)
    limits: dict[str, str] = field(default_factory=dict)
    busy: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and look at the headers of its answer."""
        response = await self.real.handle_async_request(request)
        for name, value in response.headers.items():
            if name.lower().startswith(LIMITING):
                token = request.headers.get("authorization", "").removeprefix("Bearer ")
                said = hiding.without(value.encode(), (*self.secrets, *hiding.spellings(token)))
                self.limits.setdefault(name.lower(), said.decode())
        self.busy += response.status_code == BUSY
        return response

    async def aclose(self) -> None:
        """Close the real network."""
        await self.real.aclose()
