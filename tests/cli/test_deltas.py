"""Deltas that arrive in another order than they were made: the newer value stays, and the older row is reported."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.oneroster.sandbox.store import SandboxStore
from tests.loads import Loads
from tests.replaying import FIRST
from tests.replaying import Feed as Replayed
from tests.rest.test_syncing import districts
from tests.rosters import DISTRICT, Row, Rows, district, drop
from tests.running import Run, roster

FIFTH, ELEVENTH = "2026-09-05T08:00:00.000Z", "2026-09-11T08:00:00.000Z"


class Feed:
    """A bare drop and its state."""

    def __init__(self, folder: Path, loads: Loads) -> None:
        self.drop, self.state = folder / "drop", folder / "state"
        loads.begin(
            "a district as it is", self.state, lambda: self.sync(district(), "bulk").code == 0
        )

    def sync(self, rows: Rows, mode: str = "delta") -> Run:
        """Load rows."""
        return roster("sync", drop(self.drop, rows, mode), "--json", state=self.state)

    def user(self) -> dict[str, object]:
        """Bo, as the target has him."""
        store = SandboxStore(self.state / "sandbox.db")
        try:
            return store.get("users", "bo") or {}
        finally:
            store.close()


@pytest.fixture
def feed(tmp_path: Path, loads: Loads) -> Feed:
    """A feed whose district was loaded."""
    return Feed(tmp_path, loads)


def bo(moment: str, status: str = "active", **cells: str) -> Rows:
    """Give a delta with Bo as of a moment."""
    lifecycle = {"status": status, "dateLastModified": moment}
    rows: list[Row] = [DISTRICT["users"][1] | lifecycle | cells]
    return {"users": rows, "roles": [DISTRICT["roles"][1] | lifecycle]}


def test_an_older_row_does_not_go_over_a_newer_one(feed: Feed) -> None:
    """It is reported with its row; new rows of the same drop arrive, also one that names the record."""
    newer = feed.sync(bo(ELEVENTH, givenName="Newer"))
    older = bo(FIFTH, givenName="Older")
    older["users"].append(older["users"][0] | {"sourcedId": "new", "username": "new"})
    older["roles"].append(older["roles"][0] | {"sourcedId": "rn", "userSourcedId": "new"})
    lifecycle = {"status": "active", "dateLastModified": FIFTH}
    older["enrollments"] = [
        DISTRICT["enrollments"][0] | lifecycle | {"sourcedId": "late", "userSourcedId": "bo"}
    ]

    run = feed.sync(older)

    with Path(run.json["rejects"]).open(newline="") as file:
        told = [
            (row["entity"], row["sourcedId"], row["rule"], row["value"])
            for row in csv.DictReader(file)
        ]
    assert (0, 1) == (newer.code, newer.total("updated"))
    assert (0, 2, 0, "Newer") == (
        run.code,
        run.total("created"),
        run.total("updated"),
        feed.user()["givenName"],
    )
    assert ("users", "bo", "outdated", FIFTH) in told
    assert (
        "older, by its `dateLastModified`, than the accepted version of the same record"
        in " ".join(run.err.split())
    )


def test_nor_does_an_older_row_that_says_a_record_is_gone(feed: Feed) -> None:
    """And one that was deleted is not brought back by an older row; a newer one does that."""
    e4 = DISTRICT["enrollments"][1] | {"sourcedId": "e4"}

    def told(moment: str, status: str = "active", role: str = "student") -> Run:
        return feed.sync(
            {"enrollments": [e4 | {"status": status, "dateLastModified": moment, "role": role}]}
        )

    # So many that one is not most of them.
    more = [
        e4 | {"sourcedId": f"e{number}", "status": "active", "dateLastModified": ELEVENTH}
        for number in range(4, 9)
    ]
    feed.sync({"enrollments": more})
    stays, gone = told(FIFTH, "tobedeleted"), told("2026-09-12T08:00:00.000Z", "tobedeleted")
    late, back = told(ELEVENTH), told("2026-09-13T08:00:00.000Z")

    assert [(0, 1), (1, 0)] == [
        (run.total("deleted"), run.total("rejected")) for run in (stays, gone)
    ]
    assert [(0, 1), (1, 0)] == [
        (run.total("created"), run.total("rejected")) for run in (late, back)
    ]


def test_the_same_moment_goes_through_and_so_does_a_row_that_was_rejected(feed: Feed) -> None:
    """A delta may be mended and sent again; what was refused was never accepted."""
    feed.sync(bo(ELEVENTH, givenName="Newer"))
    same = feed.sync(bo("2026-09-11T10:00:00.000+02:00", givenName="Mended"))
    feed.sync(bo("2026-09-13T08:00:00.000Z", enabledUser="perhaps"))
    between = feed.sync(bo("2026-09-12T08:00:00.000Z", givenName="Between"))

    assert (1, 1, "Between") == (
        same.total("updated"),
        between.total("updated"),
        feed.user()["givenName"],
    )


def test_the_newer_row_counts_that_was_accepted_and_not_sent(feed: Feed) -> None:
    """A plan of it sent nothing, and keeps nothing in mind."""
    roster("plan", drop(feed.drop, bo(ELEVENTH, givenName="Newer"), "delta"), state=feed.state)

    assert (1, "Older") == (
        feed.sync(bo(FIFTH, givenName="Older")).total("updated"),
        feed.user()["givenName"],
    )


def test_the_newer_value_is_sent_if_it_had_not_arrived(tmp_path: Path) -> None:
    """The run that accepted it left it for later; then an older row comes."""
    feed, today = Replayed(tmp_path), datetime.now().astimezone().date()
    feed.deliver(FIRST, district())
    drop(feed.drops / "larkspur_newer", bo(ELEVENTH, givenName="Newer"), "delta")
    drop(feed.drops / "larkspur_older", bo(FIFTH, givenName="Older"), "delta")
    first = feed.sync(FIRST)
    waits = feed.sync("newer", f'[calendar]\nadds_only = ["{today}"]\n')

    late = feed.sync("older")

    assert (0, 1, "Newer") == (first.code, waits.total("waiting"), feed.names()["bo"])
    assert (1, 1) == (late.total("updated"), late.total("rejected"))


def test_a_backfill_by_force_puts_older_rows_over_newer_ones(tmp_path: Path) -> None:
    """That is what it is for."""
    feed = Replayed(tmp_path)
    feed.deliver(FIRST, district())
    for moment in (FIFTH, ELEVENTH):
        drop(feed.drops / f"larkspur_{moment[:10]}", bo(moment, givenName=moment[:10]), "delta")
    assert 0 == feed.backfill(end="2026-09-11").code
    before = feed.names()["bo"]

    again = feed.backfill("--force", start="2026-09-05", end="2026-09-05")

    assert (0, "2026-09-11", "2026-09-05") == (again.code, before, feed.names()["bo"])


def test_a_source_that_tells_an_older_change_is_not_believed(tmp_path: Path) -> None:
    """Its database was brought back, and what it says of a record is older than what it said before."""
    with districts(tmp_path, "delta = true") as both:
        both.feed.run("sync")
        both.source.change("users", "ana", familyName="Vega")
        both.feed.run("sync")
        store = both.source.sandbox.store
        ana = store.get("users", "ana") or {}
        earlier = datetime.fromisoformat(ana["dateLastModified"]) - timedelta(minutes=1)
        older = ana | {
            "familyName": "Older",
            "dateLastModified": earlier.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        }
        store.query(
            "UPDATE records SET body = ? WHERE collection = 'users' AND id = 'ana'",
            (json.dumps(older),),
        )
        run = both.feed.run("sync")

        assert (0, "Vega") == (run.code, both.feed.record("users", "ana")["familyName"])
        assert (1, 0) == (run.json["entities"]["users"]["rejected"], run.total("updated"))
