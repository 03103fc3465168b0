"""The report of `roster discard`."""

from __future__ import annotations

from flows.decide import DiscardResult
from flows.reports.screen import print_line


def print_discard(result: DiscardResult) -> None:
    """Print which plan was discarded, and what the next sync will do."""
    plan = result.plan
    print_line(
        f"Plan {plan.id} of feed {plan.key.feed} into {plan.key.target} is discarded: nothing "
        "of it is sent."
    )
    print_line(
        "The next sync of this feed holds the same again, unless its drop is another by then."
    )
