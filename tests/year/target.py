"""A target in memory, in place of one that is reached by requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from connectors.oneroster.load_state import BatchResult, Sender
from connectors.oneroster.merge import merge
from connectors.oneroster.operations import Operation
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.senders import TERMS
from connectors.oneroster.target import Endpoint
from flows.job import Job
from flows.watch import Watch
from transforms.payload import Json

Records = dict[tuple[str, str], Json]


class Memory(Watch):
    """The records of the target, by entity and id, and the sender of all loads that it watches."""

    retries = 0

    def __init__(self, records: Records | None = None) -> None:
        self.records: Records = dict(records or {})
        self.requests = 0

    @asynccontextmanager
    async def sending(
        self, _local: AbstractAsyncContextManager[Sender], _address: Endpoint, _job: Job, /
    ) -> AsyncIterator[Sender]:
        """Yield this target as the sender."""
        yield self

    async def run(
        self, _batch: str, errands: list[Operation], _at_once: int, _stop: asyncio.Event | None
    ) -> BatchResult:
        """Apply each operation as a target does."""
        for errand in errands:
            self._do(errand)
        self.requests += len(errands)
        return {
            place: RecordResult(TERMS[errand.action]) for place, errand in enumerate(errands)
        }, None

    def _do(self, errand: Operation) -> None:
        key = errand.entity, errand.record["sourcedId"]
        before = self.records.get(key, {})
        match errand.action:
            case "delete":
                self.records[key] = before | {"status": "tobedeleted"}
            case "disable":
                self.records[key] = before | {"enabledUser": "false"}
            case "end":
                self.records[key] = before | {"endDate": errand.day}
            case _:
                collection = TIMEBACK.collections[errand.entity]
                self.records[key] = merge(
                    collection, before, errand.record, errand.gone, errand.partial
                )
