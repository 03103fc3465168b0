"""Drops, faults, kills, approvals and refusals in any order: what must hold after each of them, and in the end."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from tests import processes
from tests.chaos.weather import Weather
from tests.laws.strategies import CARRIED, Dirt, dirt, rosters
from tests.rosters import Rows, drop
from tests.strength import expensive
from transforms.changes import IN_TARGET, imbalance

DONE, FAILED, HELD = 0, 1, 3
CREDENTIALS = {"MACHINE_ID": "sandbox", "MACHINE_SECRET": "sandbox"}
FEED = """
district = "machine"
drop = "drop"
[target]
url = "{url}"
token_url = "{token_url}"
client_id_env = "MACHINE_ID"
client_secret_env = "MACHINE_SECRET"
email_template = "{{sourcedId}}@example.edu"
batch_size = 5
[share]
demographics = true
contacts = true
[removed]
{removed}
[limits]
vanished_percent = 0
vanished_records = 0
updated_percent = 100
rejected_percent = 100
"""
Ids = dict[str, set[str]]


class Machine(RuleBasedStateMachine):
    """A feed, its ledger and its target. With these limits nothing is ever deleted but by an approval."""

    @initialize(rows=rosters())
    def begin(self, rows: Rows) -> None:
        """Start with a first drop, and nothing loaded."""
        self.open = ExitStack()
        self.folder = Path(tempfile.mkdtemp())
        self.open.callback(shutil.rmtree, self.folder)
        self.weather = Weather(7, 0.0)
        self.sandbox = self.open.enter_context(Sandbox(None, wrap=self.weather.over))
        self.weather.expire = self.sandbox.tokens.expire
        removed = "\n".join(f'{name} = "delete"' for name in CARRIED)
        self.feed = self.folder / "feed.toml"
        self.feed.write_text(
            FEED.format(url=self.sandbox.url, token_url=self.sandbox.token_url, removed=removed)
        )
        self.plan = ""
        self.a_drop(rows, [])

    @rule(rows=rosters(), faults=st.lists(dirt(), max_size=2))
    def a_drop(self, rows: Rows, faults: list[Dirt]) -> None:
        """Another export arrives, with its dirt."""
        for fault in faults:
            rows = fault(rows)
        drop(self.folder / "drop", rows)

    @rule(bad=st.sampled_from([0.0, 0.0, 0.1]))
    def a_night(self, bad: float) -> None:
        """A sync in some weather: nothing is lost but records that wait for nobody."""
        self.weather.bad = bad
        before = self.target()
        code, said = self.run("sync")
        self.weather.bad = 0.0
        assert {} == {
            name: gone for name, ids in self.target().items() if (gone := before[name] - ids)
        }
        self.told(code, said)

    @rule(after=st.integers(0, 25))
    def a_killed_night(self, after: int) -> None:
        """A sync is killed after some requests."""
        before, until = len(self.sandbox.requests), time.monotonic() + 1
        process = self.start("sync")
        while len(self.sandbox.requests) < before + after and time.monotonic() < until:
            time.sleep(0.002)
        process.send(signal.SIGKILL)
        process.wait()

    @precondition(lambda self: bool(getattr(self, "plan", "")))
    @rule()
    def an_approval(self) -> None:
        """A person approves what waits."""
        code, said = self.run("sync", "--approve", self.plan)
        self.told(code, said)

    def teardown(self) -> None:
        """In the end, and with everybody's consent, the target is the ledger, and another night writes nothing."""
        if not hasattr(self, "open"):
            return
        with self.open:
            code, said = self.run("sync")
            for _ in range(3):
                self.told(code, said)
                if code != HELD or not said["plan"]:
                    break
                self.run("sync", "--approve", said["plan"])
                code, said = self.run("sync")
            waiting = self.waiting_for_damaged_ids(said)
            assert code != FAILED or waiting, self.whole(said)
            self.sandbox.requests.clear()
            assert code == self.run("sync")[0]
            writes = [request for request in self.sandbox.requests if request[0] != "GET"]
            assert waiting == len(writes)

    def waiting_for_damaged_ids(self, said: dict[str, Any]) -> int:
        """Count what failed since it belongs to records whose ids the drop has damaged; nothing else may have failed."""
        failed: int = sum(counts["failed"] for counts in said["entities"].values())
        missing = re.findall(r"HTTP 404: \w+ (\S+) not found", self.whole(said))
        files = "".join(file.read_text() for file in (self.folder / "drop").glob("*.csv"))
        damaged = [one for one in missing if f"{one} !" in files]
        assert failed == len(damaged), self.whole(said)
        return failed

    def whole(self, said: dict[str, Any]) -> str:
        """All that a run says, with the reason of each record: pytest cuts other values short."""
        return f"{json.dumps(said)}\n{Path(said['report']).read_text()}"

    def run(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run a command; give its exit code and its JSON."""
        done = self.start(*words).wait()
        assert "Traceback" not in done.err, done.err
        assert done.out.strip(), done
        return done.code, done.json

    def start(self, command: str, *more: str) -> processes.Process:
        """Start a command on the feed."""
        words = (*more, "--state", str(self.folder / "state"), "--json", "--first-run")
        return processes.roster(
            self.folder, command, self.feed, *words, environment=os.environ | CREDENTIALS
        )

    def told(self, code: int, said: dict[str, Any]) -> None:
        """What a run says of itself is true."""
        entities = said.get("entities", {})
        total = {
            term: sum(counts[term] for counts in entities.values())
            for term in ("held", "failed", "waiting")
        }
        assert not [name for name, counts in entities.items() if imbalance(counts)]
        assert (code == FAILED) == (said["status"] == "failed")
        if code == DONE:
            assert {"held": 0, "failed": 0, "waiting": 0} == total
        if code in (DONE, HELD):
            assert self.ledger() == self.target()
        self.plan = said["plan"] or ""

    def ledger(self) -> Ids:
        """The ids that the target holds, as the ledger has it."""
        with Ledger(self.folder / "state" / "ledger.db") as ledger:
            known = ledger.known(FeedKey(self.sandbox.url, "machine/feed"))
        held = {
            name: frame.filter(frame["status"].is_in(IN_TARGET)) for name, frame in known.items()
        }
        return {name: set(held[name]["sourcedId"]) if name in held else set() for name in CARRIED}

    def target(self) -> Ids:
        """The ids that the target holds as active."""
        return {name: set(self.sandbox.store.ids(name)) for name in CARRIED}


Machine.TestCase.settings = settings(expensive(6, 3), stateful_step_count=6)
TestMachine = Machine.TestCase
