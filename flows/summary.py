"""The summary flow: the state of every feed of a folder, each morning."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from prefect import flow
from prefect.client.schemas.objects import State

from flows.feeds.feed import feeds_folder, state_folder
from flows.orchestration.artifacts import table
from flows.orchestration.flow_end import conducted
from flows.reports.status import standing_row, summary_end
from flows.result import FlowEnd
from flows.status import standings


@flow(name="summary", flow_run_name="summary of {feeds}")
def summary(feeds: str = "sample_data", state: str = "") -> State[Any]:
    """Report whether each feed's last night succeeded, was held, is stale, failed or did not run.

    `feeds` is $ROSTER_FEEDS, or a folder in it. Ends as Completed if all succeeded, as Held if some
    need approval, otherwise as Failed.
    """

    def summarize() -> FlowEnd:
        folder, place = feeds_folder(feeds, os.environ), state_folder(state, os.environ)
        found = standings(folder, place, os.environ, datetime.now(UTC))
        table("feeds", [standing_row(one) for one in found], "How every feed stands")
        return summary_end(found)

    return conducted(summarize)
