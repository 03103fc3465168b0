"""The backfill flow: replays dated drops or archived rosters of a district, the oldest first."""

from __future__ import annotations

import os
from functools import partial
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.backfills.run import backfilled, wish_of
from flows.orchestration.flow_end import conducted
from flows.orchestration.runs import options_of, replay_step, show_backfill
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
    """Replay what is of the days from `start` to `end` (ISO 8601): drops in a folder at any address, or the feed's rosters.

    Ends as Completed, as Held at a day that waits for a person, or as Refused or Failed.
    """

    def done() -> FlowEnd:
        options = options_of(district, state, replays=True)
        wish = wish_of(
            options, start, end, drops, force=force, dry_run=dry_run, every_step=every_step
        )
        return show_backfill(
            backfilled(options, wish, os.environ, partial(replay_step, options)), options
        )

    return conducted(done)
