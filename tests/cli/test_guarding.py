"""The guard as people meet it: what is held, why, and what they can do about it."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
import time_machine

from connectors.ledger import Ledger
from connectors.oneroster.sandbox.store import SandboxStore
from tests.loads import Loads
from tests.rosters import DISTRICT, Row, Rows, changed, delta, district, drop, without
from tests.running import Run, roster

FEED = 'drop = "{drop}"\n{head}\n[target]\nurl = "sandbox"\n[share]\ndemographics = true\ncontacts = true\n{tail}\n'
OPEN = "[limits]\nvanished_percent = 100\nschool_percent = 100\nweek_percent = 100\nupdated_percent = 100\n"


def today() -> date:
    """The day on which the tests run."""
    return datetime.now().astimezone().date()


class Feed:
    """A feed file, its drop and its state."""

    def __init__(self, folder: Path, loads: Loads) -> None:
        self.folder, self.loads = folder, loads
        self.state = folder / "state"
        self.path = folder / "larkspur.toml"
        self.configure()

    def configure(self, head: str = "", tail: str = "", name: str = "drop") -> None:
        """Write the feed file anew."""
        self.path.write_text(FEED.format(drop=name, head=head, tail=tail))

    def sync(self, rows: Rows | None, *more: str, mode: str = "bulk", name: str = "drop") -> Run:
        """Load rows; None loads the drop that is there."""
        if rows is not None:
            drop(self.folder / name, rows, mode)
        return roster("sync", self.path, "--json", *more, state=self.state)

    def plan(self, *more: str) -> Run:
        """Say what would be sent."""
        return roster("plan", self.path, "--json", *more, state=self.state)

    def restore(self, run: str, *more: str) -> Run:
        """Bring back the roster of a run."""
        return roster("restore", run, self.path, "--json", *more, state=self.state)

    def begin(self) -> None:
        """Load many people for the first time."""
        self.loads.begin("many people", self.state, lambda: self.sync(many()).code == 0)
        drop(self.folder / "drop", many())

    def record(self, entity: str, sourced_id: str) -> dict[str, object]:
        """Read a record as the target keeps it."""
        store = SandboxStore(self.state / "sandbox.db")
        try:
            return store.get(entity, sourced_id) or {}
        finally:
            store.close()

    def active(self, entity: str) -> set[str]:
        """The ids that the target holds as active."""
        store = SandboxStore(self.state / "sandbox.db")
        try:
            return set(store.ids(entity))
        finally:
            store.close()


@pytest.fixture
def feed(tmp_path: Path, loads: Loads) -> Feed:
    """A feed without a history."""
    return Feed(tmp_path, loads)


def many(count: int = 60) -> Rows:
    """A district with many enrollments, so that a few are few."""
    users: list[Row] = [
        DISTRICT["users"][1]
        | {
            "sourcedId": f"u{number}",
            "username": f"u{number}",
            "givenName": f"Bo{number}",
            "email": f"u{number}@example.edu",
        }
        for number in range(count)
    ]
    return {
        **district(),
        "users": [*DISTRICT["users"], *users],
        "roles": [
            *DISTRICT["roles"],
            *(
                DISTRICT["roles"][0]
                | {"sourcedId": f"r-{u['sourcedId']}", "userSourcedId": u["sourcedId"]}
                for u in users
            ),
        ],
        "enrollments": [
            *DISTRICT["enrollments"],
            *(
                DISTRICT["enrollments"][0]
                | {"sourcedId": f"e-{u['sourcedId']}", "userSourcedId": u["sourcedId"]}
                for u in users
            ),
        ],
    }


def test_a_few_enrollments_go_and_a_few_users_are_disabled(feed: Feed) -> None:
    """Nobody is asked for what happens every week."""
    feed.begin()

    run = feed.sync(without(many(), "u1", "e-u1", "r-u1"))

    assert (0, 1, 1, 0) == (
        run.code,
        run.total("deleted"),
        run.total("disabled"),
        run.total("held"),
    )
    assert "tobedeleted" == feed.record("enrollments", "e-u1")["status"]
    assert ("active", "false") == (
        feed.record("users", "u1")["status"],
        str(feed.record("users", "u1")["enabledUser"]).lower(),
    )
    assert 0 == feed.sync(None).json["requests"]


def test_whoever_returns_is_enabled_and_enrolled_again(feed: Feed) -> None:
    """After a delete and after a disabling."""
    feed.begin()
    feed.sync(without(many(), "u1", "e-u1", "r-u1"))

    run = feed.sync(many())

    assert (0, 1, 1) == (run.code, run.total("created"), run.total("updated"))
    assert ("active", "true") == (
        feed.record("enrollments", "e-u1")["status"],
        str(feed.record("users", "u1")["enabledUser"]).lower(),
    )


def test_an_enrollment_can_be_ended_instead(feed: Feed) -> None:
    """Its last day is the day of the run; when it returns, it has none again."""
    feed.configure(tail='[removed]\nenrollments = "end"\n')
    feed.sync(many())

    run = feed.sync(without(many(), "e-u1"))

    assert (0, 1) == (run.code, run.total("disabled"))
    assert str(feed.record("enrollments", "e-u1")["endDate"]).startswith(str(today()))
    feed.sync(many())
    assert feed.record("enrollments", "e-u1").get("endDate") in (None, "")


@pytest.mark.parametrize(("ends", "waits"), [("2020-06-10", False), ("2099-06-10", True)])
def test_a_system_may_end_all_enrollments_of_a_term_that_is_over(
    feed: Feed, ends: str, waits: bool
) -> None:
    """Every term ends, and nothing is wrong with that; while it runs, everybody would lose their classes."""
    feed.configure(tail="[limits]\nupdated_percent = 100\n")
    rows = changed(changed(many(), "y", endDate=ends), "t1", endDate=ends)
    rows = changed(changed(rows, "y", startDate="2019-08-15"), "t1", startDate="2019-08-15")
    assert 0 == feed.sync(rows).code
    ended = [row | {"endDate": "2020-06-10"} for row in rows["enrollments"]]

    run = feed.sync(rows | {"enrollments": ended})

    assert (3 if waits else 0) == run.code, run.said


def test_a_school_loses_too_much(feed: Feed) -> None:
    """The plan says why, without a name; the names stand in a file of its own; creates go on."""
    feed.begin()
    rows = without(many(), *(f"e-u{number}" for number in range(20)))
    rows["orgs"].append(
        {"sourcedId": "s3", "name": "New School", "type": "school", "parentSourcedId": "d"}
    )

    run = feed.sync(rows)

    folder = Path(run.json["report"]).parent
    plan = (folder / "plan.md").read_text()
    named = list(csv.DictReader((folder / "plan.csv").read_text().splitlines()))
    assert (3, 20, 1) == (run.code, run.total("held"), run.total("created"))
    assert (
        "Elm School (s1): 20 of 61 student enrollments vanished, more than 30 % and 5 records of a school."
        in plan
    )
    assert ("enrollments", "delete", "s1") == (
        named[0]["entity"],
        named[0]["action"],
        named[0]["school"],
    )
    assert 0o600 == (folder / "plan.csv").stat().st_mode & 0o777
    assert f"roster discard {run.json['plan']}" in run.err


def test_a_plan_can_be_approved_days_later(feed: Feed) -> None:
    """Its changes are sent, from the roster that was archived, and nothing else that lies in the drop by now; and only once."""
    feed.begin()
    rows = without(many(), *(f"e-u{number}" for number in range(20)))
    held = feed.sync(rows)
    drop(feed.folder / "drop", changed(rows, "u50", givenName="Later"))

    first = feed.sync(
        None, "--approve", held.json["plan"], "--by", "Data Office", "--note", "graduation"
    )
    second = feed.sync(None, "--approve", held.json["plan"])

    assert (0, 20, 0, 20) == (
        first.code,
        first.total("deleted"),
        first.total("updated"),
        first.json["requests"],
    )
    assert (2, True) == (second.code, "was sent on" in second.err)
    assert "e-u5" not in feed.active("enrollments")


def test_a_plan_is_made_anew_without_what_has_moved(feed: Feed) -> None:
    """A record of the plan was changed by a later delta: the rest waits under another id, and the first one is closed."""
    feed.configure(tail="[limits]\nschool_percent = 10\n")
    feed.sync(many())
    held = feed.sync(without(many(), *(f"e-u{number}" for number in range(20))))
    teacher = DISTRICT["enrollments"][0] | {
        "sourcedId": "e-u3",
        "userSourcedId": "u3",
        "role": "teacher",
    }
    later = feed.sync(delta({"enrollments": [teacher]}), mode="delta")

    first = feed.sync(None, "--approve", held.json["plan"])
    second = feed.sync(None, "--approve", later.json["plan"])

    assert (2, True) == (first.code, "was replaced by a newer one" in first.err)
    assert (3, 0, 19) == (later.code, second.code, second.total("deleted"))
    assert "e-u3" in feed.active("enrollments")


def test_a_newer_plan_takes_the_place_of_an_older_one(feed: Feed) -> None:
    """The older one cannot be approved any more."""
    feed.begin()
    older = feed.sync(without(many(), *(f"e-u{number}" for number in range(20))))
    newer = feed.sync(without(many(), *(f"e-u{number}" for number in range(21))))

    run = feed.sync(None, "--approve", older.json["plan"])

    assert (2, True, True) == (
        run.code,
        "was replaced by a newer one" in run.err,
        newer.json["plan"] in run.err,
    )


def test_a_corrected_export_ends_a_plan(feed: Feed) -> None:
    """Everybody is back: nobody can delete them by an old approval any more."""
    feed.begin()
    held = feed.sync(without(many(), *(f"e-u{number}" for number in range(20))))
    feed.sync(many())

    run = feed.sync(None, "--approve", held.json["plan"])

    assert (2, 63) == (run.code, len(feed.active("enrollments")))


def dies(feed: Feed, run: Run) -> None:
    """Leave of a run in the ledger what is there if it is killed after its last batch."""
    with closing(sqlite3.connect(feed.state / "ledger.db")) as ledger, ledger:
        ledger.execute(
            "UPDATE runs SET ended = NULL, status = '', exit_code = NULL, counts = '{}' WHERE id = ?",
            (run.json["run"],),
        )


def test_what_killed_runs_removed_counts_toward_the_seven_days(feed: Feed) -> None:
    """Their rows say it; what a person approved, or came back, does not count."""
    feed.begin()
    feed.configure(tail="[limits]\nweek_percent = 10\nweek_records = 5\n")
    first = feed.sync(without(many(), *(f"e-u{number}" for number in range(4))))
    dies(feed, first)

    second = feed.sync(without(many(), *(f"e-u{number}" for number in range(8))))
    approved = feed.sync(None, "--approve", second.json["plan"])
    back = feed.sync(many())
    third = feed.sync(without(many(), *(f"e-u{number}" for number in range(4))))

    assert (0, 4, 3, 4) == (first.code, first.total("deleted"), second.code, second.total("held"))
    assert (
        "8 of 63 enrollments were removed, locked out or ended in seven days, more than"
        in " ".join(second.err.split())
    )
    assert [(0, 4), (0, 0), (0, 4)] == [
        (run.code, run.total("deleted")) for run in (approved, back, third)
    ]


def test_what_is_kept_by_policy_counts_too(feed: Feed) -> None:
    """Runs tell how much that was."""
    feed.begin()
    feed.configure(
        tail='[removed]\nenrollments = "keep"\n[limits]\nweek_percent = 10\nweek_records = 5\n'
    )
    first = feed.sync(without(many(), *(f"e-u{number}" for number in range(4))))

    second = feed.sync(without(many(), *(f"e-u{number}" for number in range(8))))

    assert (4, 3, 4) == (first.total("kept"), second.code, second.total("held"))


def test_limits_are_raised_once(feed: Feed) -> None:
    """For the run that needs it, and not for the next one."""
    until = today() + timedelta(days=2)
    feed.sync(many())
    feed.configure(
        tail=f"[limits.once]\nuntil = {until}\nschool_percent = 90\nvanished_percent = 90\n"
    )

    first = feed.sync(without(many(), *(f"e-u{number}" for number in range(20))))
    second = feed.sync(without(many(), *(f"e-u{number}" for number in range(42))))

    assert (0, 20, True) == (first.code, first.total("deleted"), "used up" in first.err)
    assert (3, 22) == (second.code, second.total("held"))


def test_an_older_drop_waits(feed: Feed) -> None:
    """By the date in its name; an earlier content under a newer date is not older."""
    for name in ("larkspur_2026-11-23", "larkspur_2026-11-22", "larkspur_2026-11-24"):
        feed.configure(name=name)
        run = feed.sync(changed(district(), "bo", givenName=name[-1]), name=name)
        assert (3 if name.endswith("22") else 0) == run.code, run.err

    feed.configure(name="larkspur_2026-11-25")
    assert 0 == feed.sync(changed(district(), "bo", givenName="3"), name="larkspur_2026-11-25").code
    assert "3" == feed.record("users", "bo")["givenName"]


def test_renamed_people_are_held_and_then_renamed_back(feed: Feed) -> None:
    """All ids are others: a file of old and new ids says that they are the same people."""
    feed.sync(district())
    rows = {name: [dict(row) for row in table] for name, table in district().items()}
    for table in rows.values():
        for row in table:
            for column in (
                "userSourcedId",
                "agentSourcedIds",
                *(["sourcedId"] if "givenName" in row or "birthDate" in row else []),
            ):
                if row.get(column):
                    row[column] = f"x-{row[column]}"

    held = feed.sync(rows)
    (feed.folder / "ids.csv").write_text(
        "old,new\n" + "".join(f"{one},x-{one}\n" for one in ("ana", "bo", "tia", "mum"))
    )
    feed.configure(head='ids = "ids.csv"')
    renamed = feed.sync(None)

    assert (3, True) == (
        held.code,
        "4 users vanished and came again under new ids (ana is now x-ana, " in held.said,
    )
    lines = (Path(held.json["report"]).parent / "ids.csv").read_text().splitlines()
    assert ["old,new,entity", "ana,x-ana,users"] == lines[:2]
    assert (0, 0, {"ana", "bo", "tia", "mum"}) == (
        renamed.code,
        renamed.json["requests"],
        feed.active("users"),
    )


def test_nothing_is_sent_in_a_blackout_and_little_when_only_adds_are_let_through(
    feed: Feed,
) -> None:
    """The calendar stands in the feed file."""
    feed.sync(district())
    rows = changed(without(many(3), "e1"), "bo", givenName="Boris")
    feed.configure(tail=f'[calendar]\nblackout = ["{today()}"]\n')
    dark = feed.sync(rows)
    feed.configure(tail=f'[calendar]\nadds_only = ["{today()}"]\n')
    summer = feed.sync(rows)

    assert (3, 0, True) == (dark.code, dark.json["requests"], "Nothing is sent until" in dark.err)
    assert (0, 6, 1, 1) == (
        summer.code,
        summer.total("created"),
        summer.total("waiting"),
        summer.total("kept"),
    )
    assert "Bo" == feed.record("users", "bo")["givenName"]
    feed.configure(tail=OPEN)
    assert (1, 1) == ((after := feed.sync(None)).total("updated"), after.total("deleted"))


def test_a_stale_drop_ends_as_held(feed: Feed) -> None:
    """An export that stopped coming looks like a quiet night."""
    feed.configure(head='max_age = "2d"', name="larkspur_2026-01-05")

    run = feed.sync(district(), name="larkspur_2026-01-05")

    assert (3, 16, True) == (
        run.code,
        run.total("created"),
        "Stale: the drop larkspur_2026-01-05 is of 2026-01-05" in run.err,
    )


def test_an_earlier_roster_is_restored(feed: Feed) -> None:
    """What the later runs changed, made and deleted is undone, through the same guard."""
    feed.configure(tail=OPEN)
    first = feed.sync(many(5))
    feed.sync(changed(without(many(6), "e-u1"), "bo", givenName="Boris"))

    dry, run = feed.restore(first.json["run"], "--dry-run"), feed.restore(first.json["run"])

    assert (0, 0) == (dry.code, dry.json["requests"])
    assert ("Plan: restore of " in dry.err, "Restore of " in run.err, "Sync of" in run.err) == (
        True,
        True,
        False,
    )
    heading = f"# Restore of {feed.path} for default to sandbox, back to the roster of run {first.json['run']}"
    assert heading == Path(run.json["report"]).read_text().splitlines()[0]
    assert (0, 1, 1, 1, 1) == (
        run.code,
        run.total("created"),
        run.total("updated"),
        run.total("deleted"),
        run.total("disabled"),
    )
    assert ("Bo", "active") == (
        feed.record("users", "bo")["givenName"],
        feed.record("enrollments", "e-u1")["status"],
    )
    unknown = roster("restore", "20200101-000000-abcd", feed.path, state=feed.state)
    assert (2, True) == (unknown.code, "No roster of run" in unknown.err)


def test_what_a_delta_deletes_waits_in_its_plan(feed: Feed) -> None:
    """The next drop does not forget it."""
    feed.begin()
    gone = delta(
        {
            "enrollments": [
                DISTRICT["enrollments"][0] | {"sourcedId": f"e-u{number}"} for number in range(30)
            ]
        },
        "tobedeleted",
    )
    held = feed.sync(gone, mode="delta")
    next_night = feed.sync(
        delta(
            {
                "users": [DISTRICT["users"][1] | {"givenName": "Boris"}],
                "roles": [DISTRICT["roles"][1]],
            }
        ),
        mode="delta",
    )

    run = feed.sync(None, "--approve", held.json["plan"])

    assert (3, 30, 0, 30) == (held.code, held.total("held"), run.code, run.total("deleted"))
    assert (3, 1, True) == (
        next_night.code,
        next_night.total("updated"),
        "still waits" in next_night.err,
    )


def test_what_several_deltas_hold_is_one_plan(feed: Feed) -> None:
    """A newer plan has what the older one had, as far as it still waits."""
    feed.configure(tail="[limits]\nschool_percent = 10\n")
    feed.sync(many())
    for first in (0, 30):
        ids = [f"e-u{number}" for number in range(first, first + 25)]
        held = feed.sync(
            delta(
                {"enrollments": [DISTRICT["enrollments"][0] | {"sourcedId": one} for one in ids]},
                "tobedeleted",
            ),
            mode="delta",
        )

    run = feed.sync(None, "--approve", held.json["plan"])

    assert (3, 25, 0, 50) == (held.code, held.total("held"), run.code, run.total("deleted"))


def test_what_a_delta_could_not_deliver_is_sent_with_the_next_one(feed: Feed) -> None:
    """The second delta does not speak of it any more, and neither it nor what depends on it is lost."""
    feed.sync(district())
    new = delta(
        {
            "users": [DISTRICT["users"][1] | {"sourcedId": "new"}],
            "roles": [DISTRICT["roles"][1] | {"sourcedId": "rn", "userSourcedId": "new"}],
        }
    )
    feed.configure(tail=f'[calendar]\nblackout = ["{today()}"]\n[limits]\nrejected_percent = 1\n')
    held = feed.sync(new, mode="delta")
    enrollment = delta(
        {
            "enrollments": [
                DISTRICT["enrollments"][0] | {"sourcedId": "e-new", "userSourcedId": "new"}
            ]
        }
    )
    feed.configure()
    waits = feed.sync(enrollment, mode="delta")

    approved = feed.sync(None, "--approve", held.json["plan"])
    last = feed.sync(
        delta(
            {
                "users": [DISTRICT["users"][1] | {"givenName": "Boris"}],
                "roles": [DISTRICT["roles"][1]],
            }
        ),
        mode="delta",
    )

    assert (3, 0, 1) == (held.code, approved.code, approved.total("created"))
    assert waits.code in (0, 3)
    assert (0, True) == (last.code, "e-new" in feed.active("enrollments"))


def test_a_full_snapshot_asks_anew_what_a_person_had_discarded(feed: Feed) -> None:
    """What it could not send, for what waits, comes with the next changes: the older decision was of another night."""
    feed.sync(district())
    rows = many(1)
    feed.configure(tail=f'[calendar]\nblackout = ["{today()}"]\n')
    dark = feed.sync(rows)
    assert 0 == roster("discard", dark.json["plan"], state=feed.state).code
    feed.configure(tail="[limits]\ncreated_percent = 0\ncreated_records = 0\n")
    whole = feed.sync(rows)
    approved = feed.sync(None, "--approve", whole.json["plan"])
    feed.configure()
    later = {
        "users": [DISTRICT["users"][1] | {"givenName": "Boris"}],
        "roles": [DISTRICT["roles"][1]],
    }

    changes = feed.sync(delta(later), mode="delta")

    assert (3, 3, 1, 0, 0) == (
        dark.code,
        whole.code,
        whole.total("waiting"),
        approved.code,
        changes.code,
    )
    assert "e-u0" in feed.active("enrollments")


def test_what_is_left_of_an_approval_that_broke_off_waits_again(feed: Feed) -> None:
    """The next delta does not speak of it: it is approved once more, and not lost."""
    feed.configure(tail="[limits]\nschool_percent = 10\n")
    feed.begin()
    gone = [DISTRICT["enrollments"][0] | {"sourcedId": f"e-u{number}"} for number in range(30)]
    held = feed.sync(delta({"enrollments": gone}, "tobedeleted"), mode="delta")
    with Ledger(
        feed.state / "ledger.db"
    ) as ledger:  # the approval was noted, and half of it was sent
        plan = held.json["plan"]
        ledger.decide(plan, "approved", by="Data Office", note="", at=datetime.now(UTC))
        half = {"deleted": [f"e-u{number}" for number in range(15)]}
        ledger.record(ledger.feeds()[0], "enrollments", pl.DataFrame(), half, [], "approval")
    later = {
        "users": [DISTRICT["users"][1] | {"givenName": "Boris"}],
        "roles": [DISTRICT["roles"][1]],
    }
    night = feed.sync(delta(later), mode="delta")

    run = feed.sync(None, "--approve", night.json["plan"])

    assert (3, 1, "15 of these changes have been on hold since run" in night.err) == (
        night.code,
        night.total("updated"),
        True,
    )
    assert (0, 15) == (run.code, run.total("deleted"))


def test_what_another_feed_has_too_is_left_to_it(feed: Feed) -> None:
    """Both have sent a record, or found it there: it stays as long as one of them has it."""
    feed.begin()
    other = feed.folder / "other.toml"
    other.write_text(FEED.format(drop="other", head='district = "other"', tail=OPEN))
    drop(feed.folder / "other", many())
    roster("sync", other, "--first-run", state=feed.state)
    drop(feed.folder / "other", without(many(), "u1", "e-u1", "r-u1"))

    run = roster("sync", other, "--json", state=feed.state)

    assert (0, 0, 2) == (run.code, run.json["requests"], run.total("kept"))
    assert ("active", "e-u1" in feed.active("enrollments")) == (
        feed.record("users", "u1")["status"],
        True,
    )

    last = feed.sync(without(many(), "u1", "e-u1", "r-u1"))

    assert (0, 1, 1) == (last.code, last.total("deleted"), last.total("disabled"))


def test_a_delta_that_only_deletes_is_no_empty_export(feed: Feed) -> None:
    """What it says is gone, within the limits, goes."""
    feed.begin()

    run = feed.sync(
        delta({"enrollments": [DISTRICT["enrollments"][0] | {"sourcedId": "e-u1"}]}, "tobedeleted"),
        mode="delta",
    )

    assert (0, 1) == (run.code, run.total("deleted"))


def test_a_drop_from_the_future_waits(feed: Feed) -> None:
    """A date that was mistyped would make every later drop an older one."""
    name = f"larkspur_{today() + timedelta(days=400)}"
    feed.configure(name=name)

    run = feed.sync(district(), name=name)

    assert (3, 0, True) == (run.code, run.json["requests"], "Correct its name" in run.err)
    feed.configure(name=f"larkspur_{today()}")
    assert 0 == feed.sync(district(), name=f"larkspur_{today()}").code


def test_a_new_person_under_an_old_id_waits(feed: Feed) -> None:
    """The name and the day of birth are others; a new name alone may be a wedding."""
    feed.begin()
    wed = changed(many(), "bo", familyName="Diaz")
    ana = DISTRICT["users"][0] | {"givenName": "Zoë", "familyName": "Quist"}
    born = DISTRICT["demographics"][0] | {"birthDate": "2016-01-09"}
    other = {**wed, "users": [ana, *wed["users"][1:]], "demographics": [born]}

    married, recycled = feed.sync(wed), feed.sync(other)

    assert (0, 1) == (married.code, married.total("updated"))
    assert (3, 2, 0) == (recycled.code, recycled.total("held"), recycled.total("updated"))
    assert ("Ana", "Diaz") == (
        feed.record("users", "ana")["givenName"],
        feed.record("users", "ana")["familyName"],
    )
    assert "1 id seems to have passed to other people (ana)" in recycled.said


def test_a_few_who_are_locked_out_each_night_are_many_in_a_week(feed: Feed) -> None:
    """Who was locked out counts as who was removed, for seven days; what a person has seen does not."""
    feed.begin()
    rows = many()

    codes = []
    for night in range(1, 5):
        rows = {
            **rows,
            "users": [
                user | {"enabledUser": "false"} if place < 4 + 15 * night and place > 3 else user
                for place, user in enumerate(rows["users"])
            ],
        }
        run = feed.sync(rows)
        codes.append((run.code, run.total("updated")))

    assert [(0, 15), (0, 15), (0, 15), (3, 0)] == codes
    assert (
        "60 of 109 users were removed, locked out or ended in seven days, more than 20 % and 50 records."
        in " ".join(run.said.split())
    )


def test_a_newcomer_who_leaves_again_makes_no_old_export(feed: Feed) -> None:
    """The roster is again what it was, by chance."""
    with time_machine.travel(datetime.now().astimezone() - timedelta(days=10), tick=True):
        feed.sync(many(3))
    feed.sync(many(4))

    run = feed.sync(many(3))

    assert "older_drop" not in run.said
    assert (0, 1) == (run.code, run.total("disabled"))


def test_the_export_of_last_month_waits(feed: Feed) -> None:
    """It is known by its content, every night until somebody approves it."""
    users = many()["users"]
    rows = {**many(), "users": [*({**user, "phone": "1"} for user in users[:12]), *users[12:]]}
    with time_machine.travel(datetime.now().astimezone() - timedelta(days=10), tick=True):
        feed.sync(many())
    feed.sync(rows)

    again, still = feed.sync(many()), feed.sync(None)
    approved, after = feed.sync(None, "--approve", still.json["plan"]), feed.sync(None)

    assert [(3, 0, "held")] * 2 == [
        (run.code, run.json["requests"], run.json["status"]) for run in (again, still)
    ]
    assert "This drop is, to the last cell, the one of" in " ".join(again.said.split())
    assert ([0, 0], 0) == ([approved.code, after.code], after.json["requests"])
