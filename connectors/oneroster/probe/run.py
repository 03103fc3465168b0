"""Find out with throw-away records what a target really does.

However the probe ends, it removes its records again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from connectors.oneroster import operations, wire
from connectors.oneroster.client import Client, credential_spellings
from connectors.oneroster.probe import questions
from connectors.oneroster.probe.questions import LimitListener, ProbeFact, ProbeSession
from connectors.oneroster.probe.records import KINDS, MadeRecord, ProbeRecords
from connectors.oneroster.target import Endpoint, TargetError
from transforms.schemas.vocabularies import TOBEDELETED


@dataclass(frozen=True)
class ProbeResult:
    """The result of a probe."""

    facts: tuple[ProbeFact, ...]
    # The records that it could not remove.
    left: tuple[MadeRecord, ...] = ()
    # Why it ended early; blank if it did not.
    broken: str = ""
    requests: int = 0


async def probe(
    target: Endpoint,
    run: str,
    earlier: Sequence[MadeRecord] = (),
    swept: Callable[[Sequence[MadeRecord]], None] = lambda _: None,
) -> ProbeResult:
    """Ask a target all questions; never raises `TargetError`.

    `run` is a word that no other probe has. What `earlier` probes left is removed too. `swept` is
    called with what remains, also if the probe is interrupted.
    """
    facts: list[ProbeFact] = []
    made, listening, broken, requests = (
        list(earlier),
        LimitListener(credential_spellings(target)),
        "",
        0,
    )
    try:
        async with Client(target, listening) as client:
            try:
                async for fact in _facts(client, ProbeRecords(run), made, listening):
                    facts.append(fact)  # noqa: PERF401 (what was found before it broke off is kept)
            except TargetError as error:
                broken = str(error)
                if not facts and not error.unsure:
                    made = list(earlier)  # nothing was sent
            finally:
                requests = client.requests
    finally:
        left, sent = await _sweep(target, made)
        swept(left)
    return ProbeResult(tuple(facts), tuple(left), broken, requests + sent)


async def _facts(
    client: Client, things: ProbeRecords, made: list[MadeRecord], listening: LimitListener
) -> AsyncIterator[ProbeFact]:
    there: set[str] = set()
    for kind in KINDS:
        if kind.name not in client.profile.collections or not there.issuperset(kind.needs):
            continue
        asking = ProbeSession(client, things, kind, made)
        yield (first := await questions.create(asking))
        if first.answer == "accepted":
            there.add(kind.name)
            async for fact in questions.ask_about_active(asking):
                yield fact
    for kind in reversed(KINDS):
        if kind.name in there:
            async for fact in questions.ask_about_deleted(ProbeSession(client, things, kind, made)):
                yield fact
    for question in (questions.ask_largest_page, questions.ask_larger_page, questions.ask_filter):
        yield await question(client)
    yield questions.limits_fact(listening)


async def _sweep(target: Endpoint, made: Sequence[MadeRecord]) -> tuple[list[MadeRecord], int]:
    """Remove records, the last one first, and return those that remain.

    A new client does it: the first one may have ended.
    """
    left = list(made)
    async with Client(target) as client:
        try:
            for one in reversed(made):
                if await _remove(client, *one):
                    left.remove(one)
        except TargetError:
            return left, client.requests
    return left, client.requests


async def _remove(client: Client, name: str, sourced_id: str) -> bool:
    """Remove a record, and return whether it is deleted.

    If a DELETE has no effect, the record is PUT as deleted.
    """
    collection = client.profile.collections[name]
    if await _is_deleted(client, name, sourced_id):
        return True
    await operations.delete(client, collection, sourced_id)
    if await _is_deleted(client, name, sourced_id):
        return True
    invented = ProbeRecords.with_id(sourced_id).record_of(name, sourced_id)
    deleted = operations.Operation(name, "update", invented | {"status": TOBEDELETED})
    await operations.update(client, collection, deleted)
    return await _is_deleted(client, name, sourced_id)


async def _is_deleted(client: Client, name: str, sourced_id: str) -> bool:
    collection = client.profile.collections[name]
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.outcome_of(request, answer)
    record = wire.record_in(collection, answer)
    if outcome.kind == "missing":
        return True
    return outcome.kind == "done" and record is not None and record.get("status") == TOBEDELETED
