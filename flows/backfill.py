"""The backfill flow: replays a district's dated drops or archived rosters, oldest first."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.backfills.run import backfill_request, run_backfill
from flows.orchestration.flow_end import run_flow
from flows.orchestration.runs import options_of, publish_backfill, replay_step
from flows.result import FlowEnd


@flow(name="backfill", flow_run_name="backfill of {district} from {start} to {end}")
def backfill(
    district: str = "sample_data/demo.toml",
    start: str = "",
    end: str = "",
    drops: str = "",
    force: bool = False,
    dry_run: bool = True,
    every_step: bool = False,
    state: str = "",
) -> State[Any]:
    """Replay the days from `start` to `end` (ISO 8601).

    `drops` is a folder of drops at any address; if it is blank, the feed's archived rosters are
    replayed. Ends as Completed, as Held on a day that needs approval, or as Refused or Failed.
    """

    def replay() -> FlowEnd:
        options = options_of(district, state, replays=True)
        request = backfill_request(
            options, start, end, drops, force=force, dry_run=dry_run, every_step=every_step
        )
        return publish_backfill(
            run_backfill(options, request, os.environ, partial(replay_step, options)), options
        )

    return run_flow(replay)
