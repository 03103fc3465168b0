"""The summary flow: the state of every feed of a folder, each morning."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State

from flows.feeds.feed import feeds_folder, state_folder
from flows.orchestration.artifacts import publish_table
from flows.orchestration.flow_end import run_flow
from flows.orchestration.nights import newest_night
from flows.reports.status import summary_end, summary_row
from flows.result import FlowEnd
from flows.status import feed_states


@flow(name="summary", flow_run_name="summary of {feeds}")
def summary(feeds: str = "sample_data", state: str = "") -> State[Any]:
    """Report whether each feed's last night succeeded, was held, is stale, failed, crashed, ....

    `feeds` is $ROSTER_FEEDS, or a folder in it. Ends as Completed if all succeeded, as Held if some
    need approval or are still to come, otherwise as Failed.
    """

    def summarize() -> FlowEnd:
        folder, place = feeds_folder(feeds, os.environ), state_folder(state, os.environ)
        now = datetime.now(UTC)
        with get_client(sync_client=True) as client:
            found = feed_states(
                folder,
                place,
                os.environ,
                now,
                lambda name: newest_night(f"nightly/{name}", now, client),
            )
        publish_table("feeds", [summary_row(one) for one in found], "How every feed stands")
        return summary_end(found)

    return run_flow(summarize)
