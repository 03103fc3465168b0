"""The nightly flow: the straight line for one feed, as Prefect runs it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from flows.result import Result
from flows.running import Options, execute, finish, job_of
from flows.watch import Watch


@flow(name="nightly", flow_run_name="nightly {drop}", log_prints=True)
def nightly(drop: str = "sample_data/district.toml", target: str | None = None, state: str = ".roster",
            approve: str | None = None, strict: bool = False) -> State[Any]:  # fmt: skip
    """Load one feed's drop, and end in a state that says what happened: completed, held or failed."""
    options = Options("sync", Path(drop), target, state=Path(state), approve=approve, strict=strict)
    job = job_of(options, os.environ)
    result = execute(job, Watch())
    finish(result, drop)
    print(f"{drop}: {result.status}; report: {result.report}")
    return _state(result)


def _state(result: Result) -> State[Any]:
    """Name the outcome; a held run is completed, since what waits for a person must not block the next night."""
    outcome = result.as_json()
    if result.status in ("failed", "refused"):
        return Failed(name=result.status.title(), message=f"{result.status}: see {result.report}", data=outcome)
    return Completed(name="Held" if result.status == "held" else "Completed", data=outcome)
