"""A district on its way into a sandbox: rows in, the real difference, the real ledger, real HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import polars as pl
from httpx_aiohttp import AiohttpTransport

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import LoadResult, load
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.retry import RetryPolicy
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint
from transforms.changes import FINGERPRINT, Changes, EntityChanges
from transforms.diff import diff
from transforms.findings import ROW
from transforms.payload import json_records, write_parts
from transforms.records import EntityRecords
from transforms.schemas import ENTITIES
from transforms.stages import load_stages

Row = dict[str, str | None]
Json = dict[str, Any]
Twist = Callable[[httpx.Request], httpx.Response | Exception | None]
KEY = FeedKey("sandbox", "default")
# As persistent as any other, and in no mood to wait.
QUICK = RetryPolicy(rest=0.001, longest_rest=0.01)


def org(sourced_id: str, parent: str | None = None, **cells: str | None) -> Row:
    """Make a school, or a district if there is nothing above it."""
    return {
        "sourcedId": sourced_id,
        "name": f"Org {sourced_id}",
        "type": "school" if parent else "district",
        "parentSourcedId": parent,
        **cells,
    }


def user(sourced_id: str, agents: str | None = None, **cells: str | None) -> Row:
    """Make a student of school `s`."""
    role = {"role": "student", "roleType": "primary", "orgSourcedId": "s"}
    return {
        "sourcedId": sourced_id,
        "enabledUser": "true",
        "givenName": "Ann",
        "familyName": "Lee",
        "email": "ann@example.edu",
        "roles": write_parts([role]),
        "agentSourcedIds": agents,
        **cells,
    }


def session(sourced_id: str, parent: str | None = None) -> Row:
    """Make a term, or a school year if there is nothing above it."""
    return {
        "sourcedId": sourced_id,
        "title": sourced_id,
        "type": "term" if parent else "schoolYear",
        "startDate": "2026-08-01",
        "endDate": "2027-06-01",
        "schoolYear": "2027",
        "orgSourcedId": "d",
        "parentSourcedId": parent,
    }


def course(sourced_id: str = "k", **cells: str | None) -> Row:
    """Make a course of the district."""
    return {
        "sourcedId": sourced_id,
        "title": "Math",
        "orgSourcedId": "d",
        "schoolYearSourcedId": "y",
        **cells,
    }


def a_class(sourced_id: str = "c", **cells: str | None) -> Row:
    """Make a class of school `s`."""
    return {
        "sourcedId": sourced_id,
        "title": "Math 1",
        "courseSourcedId": "k",
        "classType": "scheduled",
        "schoolSourcedId": "s",
        "termSourcedIds": "t",
        **cells,
    }


def enrollment(sourced_id: str = "e", **cells: str | None) -> Row:
    """Put user `u` into class `c`."""
    return {
        "sourcedId": sourced_id,
        "classSourcedId": "c",
        "schoolSourcedId": "s",
        "userSourcedId": "u",
        "role": "student",
        **cells,
    }


ORGS = [org("s", "d"), org("d")]
WHOLE: dict[str, list[Row]] = {
    "orgs": ORGS,
    "academicSessions": [session("t", "y"), session("y")],
    "users": [user("u")],
    "demographics": [{"sourcedId": "u", "birthDate": "2015-03-04"}],
    "courses": [course()],
    "classes": [a_class()],
    "enrollments": [enrollment()],
}


class Twisted(httpx.AsyncBaseTransport):
    """A network on which things go wrong: an answer is given in the target's place, or lost on its way back.

    The twist gives a response to answer with, an error to raise after the target did what it was
    asked, or None to leave the request alone; it may raise an error before the target hears of it.
    """

    def __init__(self, twist: Twist) -> None:
        self._twist = twist
        self._real = AiohttpTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, or pass the request on."""
        twisted = self._twist(request)
        if isinstance(twisted, httpx.Response):
            return twisted
        response = await self._real.handle_async_request(request)
        if isinstance(twisted, Exception):
            await response.aclose()
            raise twisted
        return response

    async def aclose(self) -> None:
        """Close the real network."""
        await self._real.aclose()


class Answered(Twisted):
    """A network behind which the target does what it is asked to write to orgs, and something else is said in its place."""

    def __init__(self, answer: Callable[[], httpx.Response]) -> None:
        super().__init__(lambda _: None)
        self._answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; keep to oneself what is said to a write."""
        response = await super().handle_async_request(request)
        if request.method == "GET" or "/orgs" not in str(request.url):
            return response
        await response.aclose()
        return self._answer()


@dataclass
class District:
    """A sandbox, a ledger and the runs between them."""

    sandbox: Sandbox
    ledger: Ledger
    twist: Twist | None = None
    concurrency: int = 10
    secret: str = "sandbox"
    patience: RetryPolicy = QUICK
    answer_bytes: int = 1_000_000
    runs: Iterator[int] = field(default_factory=lambda: iter(range(1000)))
    rosters: list[Changes] = field(default_factory=list)

    def changes(self, gone: dict[str, list[str]] | None = None, /, **rows: list[Row]) -> Changes:
        """Compare a delta of these rows with the ledger; `gone` are ids that the drop says are deleted."""
        gone = gone or {}
        names = [name for name in ENTITIES if name in rows or name in gone]
        standing = {name: judged(name, rows.get(name, []), gone.get(name, [])) for name in names}
        return diff(standing, self.ledger.known(KEY)).changes

    def load(self, gone: dict[str, list[str]] | None = None, /, **rows: list[Row]) -> LoadResult:
        """Load a delta of these rows."""
        return self.send(self.changes(gone, **rows))

    def send(
        self, changes: Changes, transport: httpx.AsyncBaseTransport | None = None, **options: Any
    ) -> LoadResult:
        """Load changes; each record must end in exactly one term."""
        loaded = asyncio.run(self._load(changes, transport, options))
        assert {name: due(part) for name, part in changes.items() if due(part)} == {
            name: sum(counts.values()) for name, counts in loaded.counts.items()
        }
        return loaded

    def kill(self, *, arrived: Sequence[str] = (), **rows: list[Row]) -> None:
        """Leave what a run leaves that is killed while it sends these rows: its roster, its intents, and what `arrived`, by id."""
        changes = self.changes(**rows)
        self.rosters.append(changes)
        for name, part in changes.items():
            self.ledger.intend(
                KEY, name, part.upserts.select("sourcedId", FINGERPRINT), f"run-{next(self.runs)}"
            )
            for body in json_records(ENTITIES[name], part.upserts):
                if body["sourcedId"] in arrived:
                    self.app(wire.create(TIMEBACK.collections[name], body))

    def said(self, entity: str, ids: pl.Series) -> Iterator[pl.DataFrame]:
        """What each roster said of some records."""
        for roster in self.rosters:
            if entity in roster:
                yield roster[entity].upserts.filter(pl.col("sourcedId").is_in(ids.implode()))

    def writes(self) -> list[tuple[str, str]]:
        """Give the writes that the sandbox has served since this was last asked: method and path below the service."""
        served = [
            (method, path.partition("/v1p2/")[2])
            for method, path in self.sandbox.requests
            if "/v1p2/" in path
        ]
        self.sandbox.requests.clear()
        return [(method, path) for method, path in served if method != "GET"]

    def app(self, request: wire.Request) -> wire.Response:
        """Let somebody else send a request to the target."""

        async def run() -> wire.Response:
            async with Client(self.target) as client:
                return await client.send(request)

        answer = asyncio.run(run())
        self.sandbox.requests.clear()
        assert wire.outcome_of(request, answer) == wire.Outcome("done")
        return answer

    def read(self, entity: str, sourced_id: str) -> Json:
        """Read a record through the API."""
        collection = TIMEBACK.collections[entity]
        return wire.record_in(collection, self.app(wire.read(collection, sourced_id))) or {}

    def write(self, entity: str, sourced_id: str, **properties: Any) -> None:
        """Let somebody else change a record in the target."""
        self.app(
            wire.replace(TIMEBACK.collections[entity], self.read(entity, sourced_id) | properties)
        )

    def active(self, entity: str) -> set[str]:
        """Give the ids that the ledger holds as active."""
        known = self.ledger.known(KEY).get(entity)
        return (
            set() if known is None else set(known.filter(pl.col("status") == "active")["sourcedId"])
        )

    @property
    def target(self) -> Endpoint:
        """Where the sandbox is, and its one client."""
        sandbox = self.sandbox
        return Endpoint(
            sandbox.url,
            sandbox.token_url,
            "sandbox",
            self.secret,
            concurrency=self.concurrency,
            patience=self.patience,
            answer_bytes=self.answer_bytes,
            profile=TIMEBACK,
        )

    async def _load(
        self, changes: Changes, transport: httpx.AsyncBaseTransport | None, options: Json
    ) -> LoadResult:
        twisted = Twisted(self.twist) if self.twist else None
        self.rosters.append(changes)
        async with Client(self.target, transport or twisted) as client:
            return await load(
                load_stages(changes),
                client,
                self.ledger,
                KEY,
                f"run-{next(self.runs)}",
                rosters=self.said,
                **options,
            )


@contextmanager
def opened(sandbox: Sandbox, folder: Path) -> Iterator[District]:
    """Give a target, and an empty ledger for it."""
    with Ledger(folder / "ledger.db") as ledger:
        yield District(sandbox, ledger)


def judged(name: str, rows: list[Row], gone: list[str]) -> EntityRecords:
    """Take rows as accepted; the drop speaks of the columns that any row has."""
    said = frozenset(column for row in rows for column in row) | {"sourcedId"}
    schema = dict.fromkeys([*sorted(said), "status", "dateLastModified"], pl.String)
    frame = pl.DataFrame(rows, schema=schema).with_row_index(ROW, 1)
    blank = EntityRecords(ENTITIES[name], frame, "delta", f"{name}.csv")
    return replace(blank, gone=pl.Series("sourcedId", gone, dtype=pl.String), said=said)


def due(part: EntityChanges) -> int:
    """How many records of an entity are to be sent."""
    return part.upserts.height + part.of("delete").height
