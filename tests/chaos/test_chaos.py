"""Whatever happens on the way: in the end the target is the drop, the ledger is the target, and no run lied."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from tests import processes
from tests.chaos.weather import Weather
from tests.rosters import DISTRICT, Rows, drop
from tests.strength import examples
from transforms.changes import imbalance

SEEDS = range(examples(5, 2))
NIGHTS, MOST_RUNS = 2, 14
SENT = ("orgs", "academicSessions", "users", "demographics", "courses", "classes", "enrollments")
CREDENTIALS = {"CHAOS_ID": "sandbox", "CHAOS_SECRET": "sandbox"}
FEED = """
district = "chaos"
drop = "drop"
[target]
url = "{url}"
token_url = "{token_url}"
client_id_env = "CHAOS_ID"
client_secret_env = "CHAOS_SECRET"
batch_size = 20
[share]
demographics = true
contacts = true
[removed]
users = "delete"
[limits]
vanished_percent = 100
week_percent = 100
school_percent = 100
updated_percent = 100
identity_percent = 100
moved_percent = 100
class_percent = 100
"""


@dataclass
class Night:
    """A district whose drop is carried by a real process, in bad weather."""

    folder: Path
    sandbox: Sandbox
    chance: random.Random

    def run(self, *, killed: bool) -> tuple[int, dict[str, Any]]:
        """Run a sync; perhaps kill it at some instant. Give its exit code and, if it lived, its JSON."""
        words = (
            "sync",
            self.folder / "feed.toml",
            "--state",
            self.folder / "state",
            "--json",
            "--first-run",
        )
        process = processes.roster(self.folder, *words, environment=os.environ | CREDENTIALS)
        if killed:
            self._wait_for_some_requests()
            process.send(signal.SIGKILL)
        done = process.wait()
        if done.code < 0:
            return done.code, {}
        assert "Traceback" not in done.err, done.err
        assert done.out.strip(), done
        return done.code, done.json

    def _wait_for_some_requests(self) -> None:
        """Until the run is somewhere in the middle of its requests, or has had its time."""
        before, some, until = (
            len(self.sandbox.requests),
            self.chance.randint(0, 60),
            time.monotonic() + 1,
        )
        while len(self.sandbox.requests) < before + some and time.monotonic() < until:
            time.sleep(0.002)

    def ledger(self) -> dict[str, set[str]]:
        """The ids that the ledger holds as active."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            key = FeedKey(self.sandbox.url, "chaos/feed")
            return {
                name: set(frame.filter(status="active")["sourcedId"])
                for name, frame in ledger.known(key).items()
            }

    def target(self) -> dict[str, set[str]]:
        """The ids that the target holds as active."""
        return {name: set(self.sandbox.store.ids(name)) for name in SENT}


def roster(chance: random.Random, name: str) -> Rows:
    """Draw a district of some dozen people, all of whom have a name of this night."""
    people = [f"u{number:02}" for number in range(30) if chance.random() < 0.8]
    classes = [f"c{number}" for number in range(5) if number == 0 or chance.random() < 0.8]
    user = DISTRICT["users"][1]
    rows = {name: list(table) for name, table in DISTRICT.items()}
    rows["users"] = [
        user
        | {
            "sourcedId": one,
            "givenName": chance.choice([name, "Ann"]),
            "familyName": one,
            "username": one,
            "email": f"{one}@example.edu",
            "agentSourcedIds": people[0] if int(one[1:]) % 3 else "",
        }
        for one in people
    ]
    rows["roles"] = [
        DISTRICT["roles"][0] | {"sourcedId": f"r-{one}", "userSourcedId": one} for one in people
    ]
    # Demographics stay with their user: everybody has them, or nobody ever.
    rows["demographics"] = [
        {"sourcedId": one, "sex": "female"} for one in people if int(one[1:]) % 2
    ]
    rows["classes"] = [DISTRICT["classes"][0] | {"sourcedId": one, "title": one} for one in classes]
    rows["enrollments"] = [
        {
            "sourcedId": f"e-{one}-{place}",
            "classSourcedId": place,
            "schoolSourcedId": "s1",
            "userSourcedId": one,
            "role": "student",
        }
        for one in people
        for place in classes
        if chance.random() < 0.5
    ]
    return rows


def apart(expected: dict[str, set[str]], found: dict[str, set[str]]) -> dict[str, set[str]]:
    """The ids that are in one of the two only, by entity."""
    return {name: ids ^ found[name] for name, ids in expected.items() if ids != found[name]}


@pytest.fixture(params=SEEDS, ids=[f"seed {seed}" for seed in SEEDS])
def night(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Night, Weather]]:
    """Serve a target in the weather of a seed."""
    weather = Weather(request.param, 0.08)
    sandbox = Sandbox(None, wrap=weather.over)
    weather.expire = sandbox.tokens.expire
    with sandbox:
        (tmp_path / "feed.toml").write_text(
            FEED.format(url=sandbox.url, token_url=sandbox.token_url)
        )
        yield Night(tmp_path, sandbox, random.Random(request.param)), weather


def test_in_the_end_the_target_is_the_drop(night: tuple[Night, Weather]) -> None:
    """Over several nights of faults and kills; a run that says 0 has done all of it, one that has not says 1."""
    one, weather = night
    for name in ("Ida", "Eve", "Zoe")[:NIGHTS]:
        rows = roster(one.chance, name)
        drop(one.folder / "drop", rows)
        expected = {entity: {row["sourcedId"] for row in rows[entity]} for entity in SENT}
        for attempt in range(MOST_RUNS):
            code, said = one.run(killed=attempt < 2 and one.chance.random() < 0.7)
            if said:
                assert not [
                    entity for entity, counts in said["entities"].items() if imbalance(counts)
                ]
                assert (code == 1) == (said["status"] == "failed")
            if code == 0:
                break
            assert code in (1, -9), said
            if attempt == MOST_RUNS - 4:
                weather.clear_up()

        assert (0, {}) == (code, apart(expected, one.target()))
        assert {} == apart(expected, one.ledger())
        names = {row["sourcedId"]: row["givenName"] for row in rows["users"]}
        assert names == {
            user: (one.sandbox.store.get("users", user) or {})["givenName"] for user in names
        }
    assert weather.met.total() > 3

    before = len(one.sandbox.requests)
    assert (0, 0) == (one.run(killed=False)[0], len(one.sandbox.requests) - before)
