"""A backfill with the ledger on a server: it is rehearsed in a file, and the server learns nothing of that."""

from __future__ import annotations

from pathlib import Path

from connectors.ledger import Ledger
from tests.ledger.server import Server
from tests.replaying import FIRST, SECOND, THIRD, Feed, counted
from tests.running import Run, roster


def test_a_rehearsal_leaves_the_server_as_it_is(tmp_path: Path, server: Server) -> None:
    """And counts what the backfill then counts."""
    address, feed = server.new(), Feed(tmp_path)
    feed.three_days()

    def backfill(*words: str) -> Run:
        return roster(
            "backfill",
            feed.file,
            FIRST,
            THIRD,
            "--drops",
            feed.drops,
            "--every-step",
            "--json",
            *words,
            state=feed.state,
            environment={"ROSTER_LEDGER": address},
        )

    told = backfill("--dry-run")
    with Ledger.reading(address) as ledger:
        before = ledger.runs()
    done = backfill()

    assert ([], [FIRST, SECOND, THIRD]) == (before, [day for day, _, _ in counted(done)])
    assert counted(done) == counted(told)
    assert not (feed.state / "ledger.db").exists()
