"""`roster adopt`: builds the ledger from the target, for a district that was loaded by other means or lost its state."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from rich.console import Console
from rich.table import Table

from connectors.ledger import Ledger
from connectors.oneroster.adopting import Adopted, Watch, adopt
from connectors.oneroster.client import Client
from connectors.oneroster.collections import COLLECTIONS
from flows import report
from flows.errors import SettingsError
from flows.job import Job
from flows.loading import active_ids
from flows.make_job import Options, make_job
from flows.opening import opened
from flows.pipeline import accept_drop, run_result
from flows.progress import Bars
from flows.result import DONE
from flows.running import finish
from flows.salts import note_salt
from flows.showing import Screen
from transforms.changes import Changes
from transforms.diff import diff
from transforms.schemas import ENTITIES

COUNTS = {"equal": "as the drop says", "different": "otherwise", "absent": "not in the target", "others": "others'"}
NEXT = "Nothing was sent. `roster sync` sends what is not in the target or says something else there."


def run_adopt(options: Options, environment: Mapping[str, str], *, again: bool) -> int:
    """Read the drop and the target, enter in the ledger what the target holds of the drop, and tell.

    Raises `SettingsError` if the ledger has records of the feed already, unless it is to be built `again`.
    """
    started = time.monotonic()
    job = make_job(options, environment)
    console = Screen(stderr=options.json)
    bars = Bars(console)
    with Ledger(job.ledger_at) as ledger, ledger.hold(job.key, job.run.id), bars:
        _refuse_known(job, ledger, again=again)
        console.print(f"Target: {job.load.target.name}, from which nothing but reading is asked")
        accepted = accept_drop(job, ledger)
        if accepted.salted:
            accepted = accept_drop(replace(job, source=replace(job.source, unsent=_people_there(job))), ledger)
        if accepted.refused.height:
            result = run_result(job, started, [accepted.findings], refused=accepted.refused)
            finish(result, str(options.drop))
            report.show(console, result, str(options.drop))
            if options.json:
                print(json.dumps(result.as_json()), flush=True)
            return result.exit_code
        if accepted.salted:
            note_salt(job.source.salt, job.key, job.run.id, ledger)
        adopted, requests = _adopted(diff(accepted.standing, {}).changes, job, ledger, bars.advance)
    with suppress(BrokenPipeError):
        _show(console, adopted)
        if options.json:
            print(json.dumps(_as_json(adopted, job, requests, time.monotonic() - started)), flush=True)
    return DONE


def _people_there(job: Job) -> frozenset[str]:
    """The ids of people in the target that are made of something: whoever has such an id there keeps it."""
    return frozenset(one for one in active_ids(["users"], job)["users"] if "/" in one)


def _refuse_known(job: Job, ledger: Ledger, *, again: bool) -> None:
    known = sum(frame.height for frame in ledger.known(job.key).values())
    if known and not again:
        raise SettingsError(
            f"The ledger has {known:,} records of feed {job.key.feed!r} in {job.key.target} already. "
            "To compare the two: roster verify. To enter over them what the target holds: roster adopt --again."
        )


def _adopted(changes: Changes, job: Job, ledger: Ledger, watch: Watch) -> tuple[list[Adopted], int]:
    with opened(job.load.target, job.run.state, job.load.concurrency) as address:

        async def each() -> tuple[list[Adopted], int]:
            async with Client(address) as client:
                names = [name for name in ENTITIES if name in changes and name in COLLECTIONS]
                done = [await adopt(client, ledger, job.key, job.run.id, changes[name], watch) for name in names]
                return done, client.requests

        return asyncio.run(each())


def _show(console: Console, adopted: list[Adopted]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for title in COUNTS.values():
        table.add_column(title, justify="right")
    for one in adopted:
        table.add_row(one.entity, *(f"{getattr(one, name):,}" for name in COUNTS))
    console.print(table)
    console.print(NEXT)


def _as_json(adopted: list[Adopted], job: Job, requests: int, seconds: float) -> dict[str, object]:
    return {
        "run": job.run.id,
        "district": job.run.district,
        "target": job.load.target.name,
        "status": "done",
        "entities": {one.entity: {name: getattr(one, name) for name in COUNTS} for one in adopted},
        "requests": requests,
        "seconds": round(seconds, 3),
    }
