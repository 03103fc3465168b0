"""Sends requests to a target and hands back what it answers; retries are made here, and nowhere else."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import Self

import httpx

from connectors.oneroster import wire
from connectors.oneroster.exchange import Exchange
from connectors.oneroster.pace import Pace
from connectors.oneroster.patience import BROKEN, BUSY
from connectors.oneroster.slots import shared
from connectors.oneroster.target import Stopped, Target, TargetError
from connectors.oneroster.wire import Answer, Request

# So many records are made under ids of the target's own before it gets no more of their kind, if none was made under ours.
MOST_STRAYS = 10
# Who stops a service kills it some ten seconds later.
STOP_SECONDS = 7.0


class Client:
    """A target that is being used, and the profile of its API: an async context manager.

    `requests` counts what was sent to the API, `retries` what of it was sent again. Once a `TargetError`
    has ended the run, every other request ends with it.
    """

    def __init__(self, target: Target, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.target = target
        self.profile = target.profile
        self.retries = 0
        self._pace = Pace(target.concurrency)
        self._shared = AsyncExitStack()
        self._exchange = Exchange(target, transport, self._pace.rest)
        self._patience = target.patience
        self._was_reached = False
        self._hopeless = 0
        self._kept: set[str] = set()
        self._strays: Counter[str] = Counter()

    @property
    def concurrency(self) -> int:
        """How many requests may be under way at once, at most."""
        return self.target.concurrency

    @property
    def requests(self) -> int:
        """How many requests were sent to the API."""
        return self._exchange.requests

    async def __aenter__(self) -> Self:
        if self.target.slots:
            await self._shared.enter_async_context(shared(self.target.slots, self._pace))
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:  # fmt: skip
        await self._shared.aclose()
        await self._exchange.close()

    async def send(self, request: Request) -> Answer:
        """Send a request and give the answer, whatever its status; a lost one says why it was lost.

        What may pass is repeated, within the target's patience. Raises `TargetError` if the target cannot be
        reached, is down, asks for more patience than there is, or refuses a fresh token too.
        """
        answer = await self._sent(request)
        return await self._repeated(request, answer) if wire.may_pass(request, answer) else answer

    def end(self, error: TargetError) -> TargetError:
        """Send nothing more: what waits, also to be repeated, ends with the error; what is under way is finished."""
        self._pace.end(error)
        if isinstance(error, Stopped):
            self._exchange.hurry(STOP_SECONDS)
        return error

    def note_place(self, collection: str, *, elsewhere: bool) -> None:
        """Note whether a new record is kept under its id; a target that never does so would have everybody again each night."""
        if not elsewhere:
            self._kept.add(collection)
            return
        self._strays[collection] += 1
        if self._strays[collection] >= MOST_STRAYS and collection not in self._kept:
            self.end(TargetError(f"{self.target.host} keeps no {collection} under the ids that they are sent with, but makes ids of its own. Ask who runs it to keep them."))  # fmt: skip

    async def _sent(self, request: Request) -> Answer:
        burst = await self._pace.enter()
        try:
            answer = await self._exchange.answer(request)
        except TargetError as error:
            raise self.end(error) from None
        finally:
            self._pace.leave()
        if wire.may_pass(request, answer):
            self._heed(answer, burst)
        else:
            self._pace.answered()
            self._hopeless = 0
        self._was_reached = self._was_reached or answer.fault != "unreached"
        return answer

    def _heed(self, answer: Answer, burst: int) -> None:
        """Go slower if the target is too slow or asks for it, and leave it alone for as long as it asks."""
        if answer.status == BUSY or answer.fault == "slow":
            self._pace.slow_down(burst)
        if answer.wait is None:
            return
        if answer.wait > self._patience.pause:
            why = f"asks to be left alone for {answer.wait:,.0f} seconds (HTTP {answer.status}). Run again after that."
        elif self._pace.paused > self._patience.pauses:
            why = f"asks again and again to be left alone (HTTP {answer.status}), {self._pace.paused:,.0f} seconds so far. Run again later."
        else:
            self._pace.pause(answer.wait)
            return
        raise self.end(TargetError(f"{self.target.host} {why}", unsure=wire.may_be_done(answer)))

    async def _repeated(self, request: Request, answer: Answer) -> Answer:
        """Repeat a request until it is answered, is found to have been carried out, or the budget is spent."""
        attempt, again, began = 1, False, self._now()
        while wire.may_pass(request, answer):
            again = again or wire.may_be_done(answer)
            attempt += 1
            if not self._goes_on(attempt, self._now() - began, answer):
                self._give_up(request, answer, again=again)
                break
            try:
                await self._pace.rest(0.0 if answer.wait else self._patience.rest_before(attempt, random.random()))
                if request.seen_by and wire.may_be_done(answer) and await self._is_there(request.seen_by):
                    return replace(answer, again=again and answer.status != BROKEN)
                self.retries += 1
                answer = await self._sent(request)
            except TargetError as error:
                raise type(error)(str(error), unsure=again) from None
        return replace(answer, again=again)

    def _goes_on(self, attempt: int, seconds: float, answer: Answer) -> bool:
        if answer.fault == "unreached" and not self._was_reached:
            return attempt <= self._patience.first_attempts and seconds < self.target.connect_seconds
        within = attempt <= self._patience.attempts_after(answer.status) and seconds < self._patience.seconds
        return within and (answer.status == BUSY or self._patience.bears(self.retries, self.requests))

    def _now(self) -> float:
        """The time in seconds, without that for which the target asked to be left alone."""
        return time.monotonic() - self._pace.paused

    async def _is_there(self, path: str) -> bool:
        """Ask for a record before it is sent again."""
        read = Request("GET", path)
        return wire.understood(read, await self.send(read)).kind == "done"

    def _give_up(self, request: Request, answer: Answer, *, again: bool) -> None:
        """Raise `TargetError` if it is not this request that cannot be had, but the target.

        A 500 to a write may be the record's own fault.
        """
        if answer.fault == "unreached":
            raise self.end(TargetError(f"{self.target.host} cannot be reached: {answer.lost}. Check its address and the network, and run again.", unsure=again))  # fmt: skip
        if answer.status == BROKEN and request.method != "GET":
            return
        self._hopeless += 1
        if self._hopeless >= self._patience.hopeless:
            seen = wire.understood(request, answer).detail
            raise self.end(TargetError(f"{self.target.host} is down: {self._hopeless} requests in a row failed to the end, the last with {seen!r}. Run again when it is up.", unsure=again))  # fmt: skip
