"""Exports, kills, approvals of old plans, renamed feeds and foreign writers, in any order: what must hold after each of them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import assume, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from connectors.oneroster.sandbox import Sandbox
from flows.errors import SettingsError
from flows.result import DONE, FAILED, HELD, REFUSED, USAGE, RunResult
from tests.chaos.feed import Deadly, Feed, Killed
from tests.chaos.promises import (
    One,
    Others,
    Roster,
    Told,
    accepted,
    balanced,
    delivered,
    in_force,
    nobody_lost,
    others_kept,
    ours,
    uncertain,
)
from tests.chaos.registrar import Mode, Registrar
from tests.chaos.turns import TURNS
from tests.strength import examples, expensive

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class Promises(RuleBasedStateMachine):
    """A feed, its target, and whoever has to do with them. Runs are killed in this process (`feed.Deadly`)."""

    @initialize()
    def begin(self) -> None:
        """Load the district for the first time."""
        self.open = ExitStack()
        folder = Path(tempfile.mkdtemp())
        self.open.callback(shutil.rmtree, folder)
        self.feed = Feed(folder, self.open.enter_context(Sandbox(None)))
        self.registrar, self.others, self.told = Registrar(), Others(), Told()
        self.rosters: dict[str, Roster] = {}
        self.restored: set[str] = set()
        self.plans: list[str] = []
        self.roster: Roster = {}
        self.export = self.registrar.export(self.feed.drop, "bulk", "", 0)
        self.mode = self.export.mode
        assert DONE == self.a_run()

    @rule(turn=TURNS)
    def a_turn(self, turn: tuple[str, dict[str, Any]]) -> None:
        """What happens next: one rule, since hypothesis leaves out half of several, and of this every part is needed."""
        name, said = turn
        getattr(self, name)(**said)

    def a_night(self, **said: Any) -> None:
        """A new export, and a run."""
        self.an_export_that_nobody_loads(**said)
        self.a_run()

    def a_killed_night(self, after: int, **said: Any) -> None:
        """A new export, and a run that is killed."""
        self.an_export_that_nobody_loads(**said)
        self.a_run(after)

    def an_export_that_nobody_loads(
        self, happened: list[tuple[str, int]], mode: Mode, fault: str, place: int
    ) -> None:
        """It lies there until the next run, or until another one takes its place."""
        for what, where in happened:
            self.registrar.happen(what, where)
        self.export = self.registrar.export(self.feed.drop, mode, fault, place)

    def the_same_export_again(self) -> None:
        """Where nothing is left to report, nothing is sent."""
        code = self.a_run()
        if code == DONE and not self.told.reported:
            self.feed.sandbox.requests.clear()
            assert DONE == self.a_run()
            assert [] == [request for request in self.feed.sandbox.requests if request[0] in WRITES]

    def an_approval_of_an_old_plan(self, back: int) -> None:
        """Of one of some nights ago, whatever became of it."""
        self.an_approval(back + 1)

    def an_approval(self, back: int) -> None:
        """Of the newest plan that there was, or of one before."""
        if back >= len(self.plans):
            return
        plan = self.plans[-1 - back]
        before, lying = in_force(self.feed), self.lying()
        try:
            result = self.feed.sync(plan)
        except SettingsError:
            assert before == in_force(self.feed)
            return
        self.heard(result)
        if result.told:  # what is left out is named
            self.told.reported |= self.feed.planned(plan)
        if plan not in self.restored:
            nobody_lost(before, self.feed, lying, set())
        self.looked_at(before)

    def a_refusal(self) -> None:
        """A person says that the newest plan is not to be sent; what it held is left as it is until a whole export comes."""
        plan = self.plans[-1] if self.plans else ""
        if plan and self.feed.discard(plan) == 0:
            self.told.left |= self.feed.planned(plan)

    def a_restore(self, back: int) -> None:
        """The roster of an earlier run is brought back."""
        runs = [run for run in self.feed.archive.runs() if run in self.rosters]
        before, run = in_force(self.feed), runs[-1 - back % len(runs)]
        result = self.feed.restore(run)
        self.roster = self.rosters[result.run] = self.rosters[run]
        self.told = Told(settled=True)
        self.heard(result)
        if result.plan:
            self.restored.add(result.plan)
        self.looked_at(before)

    def another_name(self, late: bool) -> None:
        """The feed file is renamed, perhaps a night before anybody says so; that night has a whole export."""
        here = ours(self.feed)
        self.feed.rename()
        if late and self.export.mode == "bulk":
            left = self.told.left
            # The two names are two feeds, and what both have is said by the older one.
            self.a_run(elsewhere=here)
            # The new name knew no record of the old one: nothing that was turned down is asked anew.
            self.told.left = (self.told.left - here) | left
            self.told.settled = False
        there = ours(self.feed)
        # Where nearly everybody has a new id, the two names seem to be two feeds.
        two_feeds = 2 * len(here & there) < len(there)
        assert (USAGE if two_feeds else DONE) == self.feed.move()
        assume(not two_feeds)

    def a_record_of_others(self, kind: str, ahead: int) -> None:
        """Another program writes a record, perhaps under an id that is the next of ours."""
        one = (kind, f"{kind[0]}{self.registrar.number + ahead}")
        store = self.feed.sandbox.store
        if not store.has(*one) and one not in self.others.records and one not in ours(self.feed):
            self.others.records[one] = store.put(
                kind,
                {"sourcedId": one[1], "status": "active", "title": "Theirs", "givenName": "Theirs"},
            )

    def a_property_of_others(self, place: int, value: int) -> None:
        """Another program adds something to a person of ours."""
        if user := self.somebody(place):
            metadata = {**(user.get("metadata") or {}), "app": value}
            self.feed.sandbox.store.put("users", {**user, "metadata": metadata})
            self.others.added[user["sourcedId"]] = value

    def a_change_of_others(self, place: int) -> None:
        """Another program changes what we said of a person."""
        if user := self.somebody(place):
            self.feed.sandbox.store.put("users", {**user, "givenName": "Changed"})
            self.others.changed.add(("users", user["sourcedId"]))

    def a_repair(self) -> None:
        """What others changed is as it was, if the last run came to its end and sent all that it read."""
        before = in_force(self.feed)
        result = self.feed.repair()
        self.rosters[result.run] = self.roster
        self.heard(result)
        if self.told.settled:
            unsent = self.feed.waiting()
            self.others.changed = {
                (name, one)
                for name, one in self.others.changed
                if (name, one) in unsent or self.roster[name].get(one) is None
            }
        self.looked_at(before)

    def teardown(self) -> None:
        """Close what is open."""
        if hasattr(self, "open"):
            self.open.close()

    def a_run(self, after: int | None = None, elsewhere: Collection[One] = ()) -> int:
        """Load what lies there, and look at what came of it; what is `elsewhere` is another feed's."""
        before, runs = in_force(self.feed), self.feed.archive.runs()
        try:
            result = self.feed.sync(watch=Deadly(after)) if after is not None else self.feed.sync()
        except Killed:
            result = None
        # Only the newest rosters are kept, so that there may be no more of them than before.
        if new := [run for run in self.feed.archive.runs() if run not in runs]:
            self.roster = self.rosters[new[0]] = accepted(self.roster, self.export, self.feed)
            self.mode = self.export.mode
            # A snapshot asks anew what a person has turned down, once it comes to its end.
            asked = self.export.mode == "bulk" and result is not None
            left = set() if asked else self.told.left
            self.told = Told(left=left.union(elsewhere), settled=result is not None)
        assert bool(new) == (result is None or result.exit_code != REFUSED)
        if result:
            self.heard(result)
        self.looked_at(before)
        return result.exit_code if result else FAILED

    def heard(self, result: RunResult) -> None:
        """Take note of what a run says."""
        balanced(result.counts)
        assert result.exit_code in (DONE, HELD, REFUSED), result.troubles
        self.told.reported |= {(one.entity, one.sourcedId) for one in result.troubles}
        if result.plan and result.plan not in self.plans:
            self.plans.append(result.plan)

    def looked_at(self, before: set[tuple[str, str]]) -> None:
        """Look whether all that was promised holds."""
        others_kept(self.feed, self.others)
        # An accepted export of changes may say of each who is gone.
        nobody_lost(
            before,
            self.feed,
            self.roster,
            uncertain(self.feed) if self.mode == "bulk" else set(),
        )
        if self.told.settled:
            delivered(self.feed, self.roster, self.others, self.told)

    def lying(self) -> Roster:
        """Whom the export has that lies there."""
        return {
            name: {row["sourcedId"]: row for row in self.export.rows.get(name, [])}
            for name in self.roster
        }

    def somebody(self, place: int) -> dict[str, Any]:
        """One of our people in the target."""
        users = sorted(one for name, one in ours(self.feed) if name == "users")
        return (
            self.feed.sandbox.store.get("users", users[place % len(users)]) or {} if users else {}
        )


Promises.TestCase.settings = settings(expensive(3, 3), stateful_step_count=examples(12, 12))
TestPromises = Promises.TestCase
