"""Records that another feed has sent too, and which nobody will ever take away: that feed does not run any more."""

from __future__ import annotations

import polars as pl

from transforms.guard.past import Past
from transforms.guard.stops import Stops


def left_behind(stops: Stops, past: Past) -> None:
    """Stop removals of what a feed has sent too that no longer runs: it may be this one, under the name that it had."""
    for (feed, last, now, name), rows in past.left_behind.group_by(
        "feed", "last", "now", "entity", maintain_order=True
    ):
        sentence = (
            f"{name}: {rows.height:,} vanished that feed {feed} has sent too, which has most of this feed's {name} and last "
            f"ran {last}. If this feed was called {feed} before, move it: roster rename {feed} {now}. "
            "If they are two feeds, run the other one; to remove the records all the same, approve."
        )
        stops.stop("feed_left_behind", sentence, str(name), removals=pl.col("sourcedId").is_in(rows["sourcedId"].implode()))  # fmt: skip
