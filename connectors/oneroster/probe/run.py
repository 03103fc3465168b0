"""Finds out with throw-away records what a target really does, and takes them away again however it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from connectors.oneroster import client as hiding
from connectors.oneroster import operations as sending
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.probe import questions as probe_reads
from connectors.oneroster.probe import questions as probe_writes
from connectors.oneroster.probe.questions import Asking, Fact, Listening
from connectors.oneroster.probe.records import KINDS, Made, Throwaways
from connectors.oneroster.target import Endpoint, TargetError
from transforms.schemas.vocabularies import TOBEDELETED


@dataclass(frozen=True)
class Probe:
    """What a probe came to: `broken` says why it broke off, if it did; `left` is what it could not take away."""

    facts: tuple[Fact, ...]
    left: tuple[Made, ...] = ()
    broken: str = ""
    requests: int = 0


async def probe(
    target: Endpoint,
    run: str,
    earlier: Sequence[Made] = (),
    swept: Callable[[Sequence[Made]], None] = lambda _: None,
) -> Probe:
    """Ask a target everything; never raises `TargetError`.

    `run` is a word that no other probe has. What `earlier` probes left is taken away too. `swept` is told what
    remains, also where the probe is interrupted.
    """
    facts: list[Fact] = []
    made, heard, broken, requests = list(earlier), Listening(hiding.credentials(target)), "", 0
    try:
        async with Client(target, heard) as client:
            try:
                async for fact in _facts(client, Throwaways(run), made, heard):
                    facts.append(fact)  # noqa: PERF401 (what was found before it broke off is kept)
            except TargetError as error:
                broken = str(error)
                if not facts and not error.unsure:
                    made = list(earlier)  # nothing was sent
            finally:
                requests = client.requests
    finally:
        left, sent = await _swept(target, made)
        swept(left)
    return Probe(tuple(facts), tuple(left), broken, requests + sent)


async def _facts(
    client: Client, things: Throwaways, made: list[Made], heard: Listening
) -> AsyncIterator[Fact]:
    there: set[str] = set()
    for kind in KINDS:
        if kind.name not in client.profile.collections or not there.issuperset(kind.needs):
            continue
        asking = Asking(client, things, kind, made)
        yield (first := await probe_writes.create(asking))
        if first.answer == "accepted":
            there.add(kind.name)
            async for fact in probe_writes.while_there(asking):
                yield fact
    for kind in reversed(KINDS):
        if kind.name in there:
            async for fact in probe_writes.while_going(Asking(client, things, kind, made)):
                yield fact
    for question in (probe_reads.page, probe_reads.page_beyond, probe_reads.filter_status):
        yield await question(client)
    yield probe_reads.limits(heard)


async def _swept(target: Endpoint, made: Sequence[Made]) -> tuple[list[Made], int]:
    """Take records away, the last first, with a client that nothing has ended yet; give those that remain."""
    left = list(made)
    async with Client(target) as client:
        try:
            for one in reversed(made):
                if await _taken_away(client, *one):
                    left.remove(one)
        except TargetError:
            return left, client.requests
    return left, client.requests


async def _taken_away(client: Client, name: str, sourced_id: str) -> bool:
    """Delete a record, or put it as deleted where that is all that works; tell whether it is gone."""
    collection = client.profile.collections[name]
    if await _is_gone(client, name, sourced_id):
        return True
    await sending.remove(client, collection, sourced_id)
    if await _is_gone(client, name, sourced_id):
        return True
    whole = Throwaways.with_id(sourced_id).record_of(name, sourced_id)
    await sending.update(client, collection, whole | {"status": TOBEDELETED})
    return await _is_gone(client, name, sourced_id)


async def _is_gone(client: Client, name: str, sourced_id: str) -> bool:
    collection = client.profile.collections[name]
    request = wire.read(collection, sourced_id)
    answer = await client.send(request)
    outcome = wire.understood(request, answer)
    record = wire.record_in(collection, answer)
    if outcome.kind == "missing":
        return True
    return outcome.kind == "done" and record is not None and record.get("status") == TOBEDELETED
