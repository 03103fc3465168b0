"""What a probe asks a target, and which responses the loader cannot work with.

`wire`, `operations` and `read` are written for an API whose documentation leaves most of this open
(API reference, section 11). Each question lists the responses for which they do not do what they
should, and the consequence.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field, replace

import httpx
from httpx_aiohttp import AiohttpTransport

from connectors.oneroster import operations, wire
from connectors.oneroster.client import Client, hide, spellings
from connectors.oneroster.merge import is_blank, merge, to_write_shape
from connectors.oneroster.probe.records import MadeRecord, ProbeKind, ProbeRecords
from connectors.oneroster.profile import Collection
from connectors.oneroster.wire import describe_failure, is_html_page, is_json_object, parse_object
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED


@dataclass(frozen=True)
class ProbeQuestion:
    """One question to a target."""

    says: str
    # The answers that the loader cannot work with, each with its consequence.
    harms: Mapping[str, str] = field(default_factory=dict)


NOT_LOADED = "`roster sync` cannot load these records"
UNSEEN_DUPLICATE = (
    "`roster sync` takes a record that is there for one that failed: a killed run does not find "
    "what it had sent"
)
NOT_RESTORED = (
    "`roster sync` and `roster restore` fail for each record that comes back after it was deleted"
)
QUESTIONS: Mapping[str, ProbeQuestion] = {
    "create": ProbeQuestion("POST of a new record", {
        "forbidden": f"{NOT_LOADED}: the client lacks the scope to write them",
        "refused": NOT_LOADED,
        "missing": NOT_LOADED,
        "broken": NOT_LOADED,
        "elsewhere": f"{NOT_LOADED}: the target makes them under ids of its own, where nobody "
        "finds them again",
        "not kept": f"{NOT_LOADED}: the target says that it made them, and does not have them",
    }),
    "duplicate": ProbeQuestion("POST of an id that exists", {
        "accepted": "`roster sync` lays its record over one of others that has the same id, "
        "instead of holding it",
        "refused": UNSEEN_DUPLICATE,
        "missing": UNSEEN_DUPLICATE,
        "elsewhere": "`roster sync` makes a record that is there a second time, under an id of the "
        "target's own",
    }),
    "left out": ProbeQuestion("PUT without a property"),
    "null": ProbeQuestion("null in a PUT", {
        "kept": "`roster sync` cannot clear a value: `roster verify` finds a difference that no "
        "`--repair` mends",
        "refused": "`roster sync` fails for each record in which a value became blank",
    }),
    "unchanged": ProbeQuestion("PUT of what is there already"),
    "unknown": ProbeQuestion("PUT of an unknown id"),
    "orphan": ProbeQuestion("POST with a reference that leads nowhere"),
    "delete": ProbeQuestion("DELETE", {
        "hard": "`roster sync`, `roster restore` and a repair make a record anew when it comes "
        "back: what others wrote on it is lost, and so is what hangs on it",
        "ignored": "`roster sync` counts as deleted what stays in the target; `roster verify` "
        "finds it as extra",
        "refused": "`roster sync` deletes nothing: who leaves stays in the target. `[removed]` in "
        "the feed file can say \"keep\"",
        "missing": "`roster sync` puts such records as deleted, which does not work here either",
    }),
    "post deleted": ProbeQuestion("POST of a deleted id", {
        "gone for good": NOT_RESTORED,
    }),
    "revive": ProbeQuestion("PUT as active on a deleted id", {
        "stays deleted": "`roster sync` and `roster restore` cannot bring back what was deleted, "
        "and do not notice",
        "refused": NOT_RESTORED,
        "missing": NOT_RESTORED,
        "broken": NOT_RESTORED,
    }),
    "page": ProbeQuestion("a page of 3,000", {
        "refused": "`roster verify`, `roster adopt` and a feed with `external` cannot read the "
        "target",
    }),
    "page beyond": ProbeQuestion("a page of more than 3,000"),
    "filter": ProbeQuestion("filter=status='active'", {
        "refused": "a feed with `external` cannot read the target",
        "ignored": "a feed with `external` takes deleted records for active ones",
    }),
    "limits": ProbeQuestion("limits on requests, in headers"),
}  # fmt: skip
# Harmful only in a collection whose PUT should create a missing record (section 2.1).
NOT_CREATED = "a repair and `roster sync` fail for a record that the target has lost"
# A collection with few records and no personal data.
COLLECTION = "orgs"
NEWEST = {"sort": "dateLastModified", "orderBy": "desc", "limit": "100"}
FORBIDDEN = 403
WORDS: dict[wire.Kind, str] = {"done": "accepted"}
# The names of draft-ietf-httpapi-ratelimit-headers, and older names that gateways use.
LIMITING = ("retry-after", "ratelimit", "x-ratelimit", "x-rate-limit")
BUSY = 429


@dataclass(frozen=True)
class ProbeFact:
    """A target's answer to one question.

    It has no personal data: all records of a probe are invented.
    """

    question: str
    # Blank if the answer is about the whole API.
    collection: str
    answer: str
    # Status of the response that decided, and the kind of its body.
    status: int = 0
    body: str = ""
    # What else the response showed.
    detail: str = ""


@dataclass(frozen=True)
class ProbeProblem:
    """An answer that the loader cannot work with."""

    question: str
    answer: str
    collections: tuple[str, ...]
    # The consequence.
    means: str


def find_problems(facts: Iterable[ProbeFact], put_creates: frozenset[str]) -> list[ProbeProblem]:
    """Return where a target differs from what the loader assumes, each difference once.

    `put_creates` are the collections whose PUT is expected to create a missing record.
    """
    found: dict[tuple[str, str, str], list[str]] = {}
    for fact in facts:
        if means := _harm(fact, put_creates):
            found.setdefault((fact.question, fact.answer, means), []).append(fact.collection)
    return [
        ProbeProblem(question, answer, tuple(names), means)
        for (question, answer, means), names in found.items()
    ]


def _harm(fact: ProbeFact, put_creates: frozenset[str]) -> str:
    if fact.question == "unknown" and fact.collection in put_creates and fact.answer != "created":
        return NOT_CREATED
    question = QUESTIONS.get(fact.question)
    return question.harms.get(fact.answer, "") if question else ""


@dataclass(frozen=True)
class ProbeSession:
    """The questions about one kind of record, in one probe."""

    client: Client
    things: ProbeRecords
    kind: ProbeKind
    # The records that may be in the target by now.
    made: list[MadeRecord]

    @property
    def collection(self) -> Collection:
        """The target's collection of this kind of record."""
        return self.client.profile.collections[self.kind.name]

    @property
    def record(self) -> Json:
        """The record as it was created."""
        return self.things.record(self.kind)

    async def send(self, request: wire.Request) -> tuple[wire.Response, str]:
        """Send a request; return the response and a word for it.

        A success without a usable body counts as accepted, as it does for the loader, which then
        reads the record.
        """
        answer = await self.client.send(request)
        outcome = wire.outcome_of(request, answer)
        if outcome.kind == "elsewhere":
            return replace(answer, lost=outcome.detail), outcome.kind
        looked_up = outcome.kind in ("unclear", "broken") and answer.status in range(200, 300)
        if looked_up and not wire.is_transient(request, answer):
            return answer, "accepted"
        return answer, WORDS.get(outcome.kind, outcome.kind)

    async def put(self, record: Json) -> tuple[wire.Response, str]:
        """PUT a record."""
        return await self.send(wire.replace(self.collection, record))

    async def read(self, which: str = "") -> Json | None:
        """Read the record, or another one of the kind; None if it is not there."""
        answer = await self.client.send(
            wire.read(self.collection, self.things.id_of(self.kind.name, which))
        )
        return wire.record_in(self.collection, answer) if answer.status < 300 else None

    def about_to_make(self, which: str = "") -> None:
        """Note a record before it is sent.

        Whatever the response, the record may be in the target then.
        """
        self.made.append((self.kind.name, self.things.id_of(self.kind.name, which)))

    def fact(self, question: str, word: str, answer: wire.Response, detail: str = "") -> ProbeFact:
        """Return an answer as a fact."""
        return ProbeFact(
            question, self.kind.name, word, answer.status, kind_of_body(answer.body), detail
        )


def kind_of_body(body: bytes) -> str:
    """Name the kind of body that a response has."""
    if not body.strip():
        return "nothing"
    if is_html_page(body):
        return "a page"
    if not is_json_object(body):
        return "something else"
    return (
        "an error of the API"
        if any(name.startswith("imsx_") for name in parse_object(body))
        else "JSON"
    )


async def create(asking: ProbeSession) -> ProbeFact:
    """POST a new record."""
    asking.about_to_make()
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    if word == "accepted" and await asking.read() is None:
        word = "not kept"
    detail = "" if word == "accepted" else _response_words(answer)
    return asking.fact(
        "create",
        "forbidden" if answer.status == FORBIDDEN else _without_duplicates(word),
        answer,
        detail,
    )


async def ask_about_active(asking: ProbeSession) -> AsyncIterator[ProbeFact]:
    """Ask the questions about a record that is active."""
    yield await _duplicate(asking)
    yield await _unchanged(asking)
    if asking.kind.spare:
        yield await _spare_property(
            asking, "left out", {k: v for k, v in asking.record.items() if k != asking.kind.spare}
        )
        yield await _spare_property(asking, "null", asking.record | {asking.kind.spare: None})
    yield await _unknown(asking)
    if asking.kind.refers or asking.kind.shares:
        yield await _orphan(asking)


async def ask_about_deleted(asking: ProbeSession) -> AsyncIterator[ProbeFact]:
    """Delete a record, and ask how it can be brought back; delete it again at the end."""
    yield (deleted := await _delete(asking))
    if deleted.answer in ("hard", "soft", "soft by PUT"):
        yield await _post_deleted(asking, hard=deleted.answer == "hard")
        if deleted.answer != "hard":
            await _delete_record(asking)
            yield await _revive(asking)
    await _delete_record(asking)


async def _duplicate(asking: ProbeSession) -> ProbeFact:
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    return asking.fact(
        "duplicate", word, answer, "" if word == "accepted" else _response_words(answer)
    )


async def _unchanged(asking: ProbeSession) -> ProbeFact:
    collection, before = asking.collection, await asking.read() or {}
    answer, word = await asking.put(
        merge(collection, to_write_shape(collection, before), asking.record)
    )
    after = await asking.read() or {}
    if word != "accepted":
        return asking.fact("unchanged", _without_duplicates(word), answer, _response_words(answer))
    moved = before.get("dateLastModified") != after.get("dateLastModified")
    return asking.fact(
        "unchanged", "new dateLastModified" if moved else "same dateLastModified", answer
    )


async def _spare_property(asking: ProbeSession, question: str, record: Json) -> ProbeFact:
    """PUT a record with its spare property left out or null, and see what became of it."""
    await asking.put(asking.record)
    before = await asking.read() or {}
    answer, word = await asking.put(record)
    after = await asking.read() or {}
    name = asking.kind.spare
    if word != "accepted":
        return asking.fact(question, _without_duplicates(word), answer, _response_words(answer))
    if is_blank(before.get(name)):
        return asking.fact(question, "not shown", answer, f"the target does not give {name} back")
    return asking.fact(question, "cleared" if is_blank(after.get(name)) else "kept", answer, name)


async def _unknown(asking: ProbeSession) -> ProbeFact:
    asking.about_to_make("unknown")
    answer, word = await asking.put(asking.things.record(asking.kind, "unknown"))
    if word == "accepted":
        word = "created" if await asking.read("unknown") else "accepted, not made"
        await _delete_record(asking, "unknown")
    return asking.fact("unknown", _without_duplicates(word), answer)


async def _orphan(asking: ProbeSession) -> ProbeFact:
    asking.about_to_make("orphan")
    answer, word = await asking.send(
        wire.create(asking.collection, asking.things.orphan(asking.kind))
    )
    if word == "accepted":
        await _delete_record(asking, "orphan")
    return asking.fact(
        "orphan", word, answer, "" if word == "accepted" else _response_words(answer)
    )


async def _delete(asking: ProbeSession) -> ProbeFact:
    answer, word = await asking.send(wire.delete(asking.collection, asking.record["sourcedId"]))
    if word == "missing":
        await _delete_record(asking)
    remaining = await asking.read()
    if word == "accepted":
        word = "hard" if remaining is None else "soft" if _is_deleted(remaining) else "ignored"
    elif word == "missing" and remaining is not None and _is_deleted(remaining):
        word = "soft by PUT"
    return asking.fact("delete", _without_duplicates(word), answer)


async def _post_deleted(asking: ProbeSession, *, hard: bool) -> ProbeFact:
    answer, word = await asking.send(wire.create(asking.collection, asking.record))
    if word == "accepted":
        remaining = await asking.read()
        word = "revived" if remaining and not _is_deleted(remaining) else "accepted, stays deleted"
    return asking.fact(
        "post deleted", "gone for good" if hard and word != "revived" else word, answer
    )


async def _revive(asking: ProbeSession) -> ProbeFact:
    answer, word = await asking.put(asking.record)
    if word == "accepted":
        remaining = await asking.read()
        word = "revived" if remaining and not _is_deleted(remaining) else "stays deleted"
    return asking.fact(
        "revive",
        _without_duplicates(word),
        answer,
        "" if word == "revived" else _response_words(answer),
    )


async def _delete_record(asking: ProbeSession, which: str = "") -> None:
    await operations.delete(
        asking.client, asking.collection, asking.things.id_of(asking.kind.name, which)
    )


def _is_deleted(record: Json) -> bool:
    return record.get("status") == TOBEDELETED


def _without_duplicates(word: str) -> str:
    """Return the word for a request that can meet no duplicate: `unclear` is a failure then."""
    return "broken" if word == "unclear" else word


def _response_words(answer: wire.Response) -> str:
    """Return the words of a response.

    They are not filtered: all records of a probe are invented.
    """
    return describe_failure(answer.status, answer.body, answer.lost)


async def ask_largest_page(client: Client) -> ProbeFact:
    """Ask for the largest page that the loader reads."""
    answer, _ = await _list_orgs(
        client, {"limit": str(client.profile.largest_page), "fields": "sourcedId"}
    )
    return _fact_about_orgs("page", "held" if answer.status < 300 else "refused", answer)


async def ask_larger_page(client: Client) -> ProbeFact:
    """Ask for a page of one record more than documented."""
    wanted = client.profile.largest_page + 1
    answer, body = await _list_orgs(client, {"limit": str(wanted), "fields": "sourcedId"})
    if answer.status >= 300:
        return _fact_about_orgs("page beyond", "refused", answer)
    limit = body.get("limit")
    records = body.get(client.profile.lists[COLLECTION].list_key)
    if limit == wanted or (isinstance(records, list) and len(records) == wanted):
        return _fact_about_orgs("page beyond", "held", answer)
    return _fact_about_orgs(
        "page beyond", "clamped" if isinstance(limit, int) else "accepted", answer
    )


async def ask_filter(client: Client) -> ProbeFact:
    """Ask for the active ones among the newest records.

    Records that the probe has just deleted must not be among them.
    """
    answer, body = await _list_orgs(client, NEWEST | {"filter": "status='active'"})
    records = body.get(client.profile.lists[COLLECTION].list_key)
    if answer.status >= 300 or not isinstance(records, list):
        return _fact_about_orgs("filter", "refused", answer)
    ignored = any(isinstance(one, dict) and one.get("status") == TOBEDELETED for one in records)
    return _fact_about_orgs("filter", "ignored" if ignored else "works", answer)


def limits_fact(heard: LimitListener) -> ProbeFact:
    """Return which headers about limits the target has sent so far."""
    names = ", ".join(f"{name}: {value}" for name, value in sorted(heard.limits.items()))
    busy = f"HTTP 429 {heard.busy} times" if heard.busy else ""
    detail = "; ".join(filter(None, (names, busy)))
    return ProbeFact("limits", "", "seen" if detail else "none seen", detail=detail)


async def _list_orgs(client: Client, parameters: dict[str, str]) -> tuple[wire.Response, Json]:
    answer = await client.send(wire.list_page(client.profile.lists[COLLECTION].path, parameters))
    return answer, parse_object(answer.body)


def _fact_about_orgs(question: str, word: str, answer: wire.Response) -> ProbeFact:
    detail = (
        describe_failure(answer.status, answer.body, answer.lost)
        if answer.status >= 300 or answer.lost
        else ""
    )
    return ProbeFact(question, COLLECTION, word, answer.status, kind_of_body(answer.body), detail)


@dataclass
class LimitListener(httpx.AsyncBaseTransport):
    """A transport that passes requests on and notes headers about limits."""

    # Hidden in the values of the headers.
    secrets: tuple[bytes, ...] = ()
    real: httpx.AsyncBaseTransport = field(default_factory=AiohttpTransport)
    # Headers about limits, each with its first value.
    limits: dict[str, str] = field(default_factory=dict)
    # How many responses had status 429.
    busy: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request, and look at the headers of its response."""
        response = await self.real.handle_async_request(request)
        for name, value in response.headers.items():
            if name.lower().startswith(LIMITING):
                token = request.headers.get("authorization", "").removeprefix("Bearer ")
                value_shown = hide(value.encode(), (*self.secrets, *spellings(token)))
                self.limits.setdefault(name.lower(), value_shown.decode())
        self.busy += response.status_code == BUSY
        return response

    async def aclose(self) -> None:
        """Close the real transport."""
        await self.real.aclose()
