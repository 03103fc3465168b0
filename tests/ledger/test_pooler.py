"""A ledger behind a connection pooler: what belongs to a connection cannot be trusted there."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from connectors.ledger import Busy, FeedKey, Ledger, LedgerError
from tests.ledger.pooler import pooled
from tests.ledger.server import Server
from tests.ledger.test_command_line import on_server
from tests.ledger.test_server import rows
from tests.rosters import district, drop

KEY, OTHER = FeedKey("sandbox", "larkspur-valley"), FeedKey("sandbox", "other")


def test_a_lock_of_a_connection_holds_nobody_off(server: Server) -> None:
    """The stand-in does what makes a pooler dangerous: two programs have one lock, and one setting."""
    ask = "SELECT pg_try_advisory_lock(1), set_config('lock_timeout', '1s', false)"
    with (
        pooled(server, size=1) as address,
        psycopg.connect(address, autocommit=True) as first,
        psycopg.connect(address, autocommit=True) as second,
    ):
        taken = [one.execute(ask).fetchone() for one in (first, second)]
        setting = second.execute("SHOW lock_timeout").fetchone()

    assert ([(True, "1s"), (True, "1s")], ("1s",)) == (taken, setting)


def test_one_run_holds_a_feed_behind_a_pooler(server: Server) -> None:
    """The second learns who the first is, loads another feed meanwhile, and gets this one afterwards."""
    with pooled(server) as address, Ledger(address) as first, Ledger(address) as second:
        with first.hold(KEY, "first"):
            first.record(KEY, "users", rows("u"), {}, [], "first")
            with pytest.raises(Busy, match="run first"), second.hold(KEY, "second"):
                pass
            with second.hold(OTHER, "other"):
                second.record(OTHER, "users", rows("v"), {}, [], "other")
            during = second.holder(KEY), second.holder(OTHER)
        with second.hold(KEY, "second"):
            after = first.holder(KEY)

    assert during[0] is not None
    assert after is not None
    assert ("first", None, "second") == (during[0].run, during[1], after.run)


def test_two_nights_behind_a_pooler_are_two_nights(tmp_path: Path, server: Server) -> None:
    """The first loads everything, the second finds nothing to send, and preflight is content."""
    state, folder = tmp_path / "state", drop(tmp_path / "drop", district())
    with pooled(server) as address:
        ready = on_server(address, "preflight", folder, "--json", state=state)
        first = on_server(address, "sync", folder, "--json", state=state)
        again = on_server(address, "sync", folder, "--json", state=state)

    checks = {check["name"]: check["standing"] for check in ready.json["checks"]}
    assert ("ok", "ok") == (checks["ledger"], checks["feed"])
    assert (0, 0, "unchanged") == (first.code, again.code, again.json["status"])


def test_a_pooler_that_knows_no_transactions_is_refused(tmp_path: Path, server: Server) -> None:
    """At once, by preflight too, with the setting that helps."""
    state, folder = tmp_path / "state", drop(tmp_path / "drop", district())
    with pooled(server, "statement") as address:
        ready = on_server(address, "preflight", folder, "--json", state=state)
        run = on_server(address, "sync", folder, "--json", state=state)

    said = next(check["says"] for check in ready.json["checks"] if check["name"] == "ledger")
    assert (1, 1) == (ready.code, run.code)
    assert ["PgBouncer: pool_mode" in one for one in (said, run.err)] == [True, True]


def test_a_run_that_died_behind_a_pooler_holds_nothing(server: Server) -> None:
    """Its connection to the pooler ends with it, and the pooler's to the server."""
    with pooled(server) as address, Ledger(address) as first, Ledger(address) as second:
        with first.hold(KEY, "first"):
            locks = first._database._locks  # type: ignore[attr-defined]
            locks._connection.close()
            with (
                second.hold(KEY, "second"),
                pytest.raises(LedgerError, match="kept other runs away"),
            ):
                first.record(KEY, "users", rows("u"), {}, [], "first")

        assert {} == second.known(KEY)
