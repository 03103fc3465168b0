"""Two feeds of one target have the same people: whole feeds that join, take over, leave and are upgraded."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.sandbox.store import SandboxStore
from tests.rosters import DISTRICT, Rows, changed, delta, district, without
from tests.sharing import Feeds, north, south

# More people than the guard lets through at once.
COUNT = 30
CLOSED = "[limits]\nvanished_percent = 10\n"
# Oak School writes other addresses, and has telephone numbers.
OAK = south(email="t@example.edu", phone="555-0100")
ELM = north()
NO_TIA = ("tia", "r3", "e3")


def many(*gone: str, **cells: str) -> Rows:
    """A district with many students, without some of them, and with other cells."""
    student, role, enrollment = (
        DISTRICT[name][place] for name, place in (("users", 1), ("roles", 1), ("enrollments", 1))
    )
    ids = [f"u{number}" for number in range(COUNT)]
    more = {
        "users": [
            student | {"sourcedId": one, "username": one, "givenName": f"Bo {one}"} | cells
            for one in ids
        ],
        "roles": [role | {"sourcedId": f"r-{one}", "userSourcedId": one} for one in ids],
        "enrollments": [
            enrollment | {"sourcedId": f"e-{one}", "userSourcedId": one} for one in ids
        ],
    }
    rows = {name: [*table, *more.get(name, [])] for name, table in district().items()}
    return without(rows, *gone)


@pytest.fixture
def feeds(tmp_path: Path) -> Feeds:
    """No feed has run yet."""
    return Feeds(tmp_path)


def test_the_target_is_not_asked_on_ordinary_nights(tmp_path: Path, sandbox: Sandbox) -> None:
    """Counted where the requests arrive: two feeds with the same people, ten nights in turn."""
    feeds = Feeds(
        tmp_path,
        {
            "TIMEBACK_API_URL": sandbox.url,
            "TIMEBACK_TOKEN_URL": sandbox.token_url,
            "TIMEBACK_CLIENT_ID": "sandbox",
            "TIMEBACK_CLIENT_SECRET": "sandbox",
        },
    )
    nights = [("north", many(email="a@example.edu")), ("south", many(email="b@example.edu"))]
    first = [feeds.sync(*night, "--target", "env", "--first-run") for night in nights]
    sent = len(sandbox.requests)

    codes = [feeds.sync(*night, "--target", "env").code for night in nights * 5]

    assert ([0, 0], [0] * 10) == ([run.code for run in first], codes), first[1].said
    assert (True, sent) == (sent > 0, len(sandbox.requests))
    assert "a@example.edu" == (sandbox.store.get("users", "u1") or {})["email"]


def test_whoever_leaves_one_feed_costs_the_other_nothing(feeds: Feeds) -> None:
    """Both have said the same of them, so there is nothing to take over, and no hold."""
    gone = [name for one in range(COUNT) for name in (f"u{one}", f"r-u{one}", f"e-u{one}")]
    feeds.requests(("north", many()), ("south", many()))

    left = feeds.sync("north", many(*gone))
    night = feeds.sync("south", many())

    assert (0, 0, 2 * COUNT) == (left.code, left.json["requests"], left.total("kept")), left.said
    assert (0, 0) == (night.code, night.json["requests"]), night.said
    assert ([0, 0], "active") == (feeds.differences(), feeds.user("u1")["status"])
    feeds.sync("south", changed(many(), "u1", email="new@example.edu"))
    assert "new@example.edu" == feeds.user("u1")["email"]


def test_many_who_leave_one_feed_wait_though_another_has_them(feeds: Feeds) -> None:
    """Half an export is half an export."""
    gone = [name for one in range(COUNT) for name in (f"u{one}", f"r-u{one}", f"e-u{one}")]
    feeds.requests(("north", many()), ("south", many()))
    feeds.percent = 10

    run = feeds.sync("north", many(*gone))

    assert (3, 0) == (run.code, run.json["requests"]), run.said


def test_a_feed_that_owns_all_at_once_waits_for_a_person(feeds: Feeds) -> None:
    """Where it has other values. Meanwhile the first feed goes on, and afterwards it yields."""
    owner = '[shared]\nowner = "south"\n'
    elm, oak = many(email="a@example.edu"), many(email="b@example.edu")
    feeds.requests(("north", elm), ("south", oak))
    held = feeds.sync("south", oak, more=owner)
    feeds.sync("north", changed(elm, "u1", email="new@example.edu"), more=owner)
    before = [feeds.user(one)["email"] for one in ("u1", "u2")]

    done = feeds.sync("south", oak, "--approve", held.json["plan"], more=owner)

    assert (3, ["new@example.edu", "a@example.edu"]) == (held.code, before), held.said
    assert "takes over" in " ".join(held.said.split())
    assert (0, "b@example.edu") == (done.code, feeds.user("u2")["email"]), done.said
    nights = [("north", elm), ("south", oak)]
    feeds.requests(*nights, more=owner)
    assert ([0, 0], [0, 0]) == (feeds.requests(*nights, more=owner), feeds.differences())
    assert "b@example.edu" == feeds.user("u1")["email"]


def test_an_owner_that_is_no_feed_is_reported(feeds: Feeds) -> None:
    """Each night, until its name is corrected or it runs."""
    owners = '[shared]\nowner = ["nord", "south"]\n'
    first, corrected = (
        feeds.sync("north", ELM, more=more) for more in (owners, owners.replace("nord", "north"))
    )
    feeds.sync("south", OAK)

    again = feeds.sync("north", ELM, more=owners.replace("nord", "north"))

    assert ("owner = nord" in first.said, "owner = south" in first.said) == (True, True), first.said
    assert ("owner = north" in corrected.said, "owner = south" in corrected.said) == (False, True)
    assert "owner_unknown" not in again.said


def test_the_owner_may_be_named_in_either_file(feeds: Feeds) -> None:
    """While the named feed has not run, the other one goes on sending."""
    owner = '[shared]\nowner = "south"\n'
    feeds.requests(("north", ELM), ("south", OAK))
    feeds.sync("north", changed(ELM, "tia", email="new@example.edu"), more=owner)
    before = feeds.user("tia")["email"]

    feeds.sync("south", OAK)

    assert ("new@example.edu", "t@example.edu") == (before, feeds.user("tia")["email"])
    nights = [("north", changed(ELM, "tia", email="new@example.edu")), ("south", OAK)]
    feeds.requests(nights[0], more=owner)
    assert ([0], [0], [0, 0]) == (
        feeds.requests(nights[0], more=owner),
        feeds.requests(nights[1]),
        feeds.differences(),
    )


def older_ledger(feeds: Feeds) -> None:
    """Turn the ledger back into one of the version before records were shared."""
    with closing(sqlite3.connect(feeds.state / "ledger.db")) as ledger, ledger:
        for name in ("turn", "items", "yields"):
            ledger.execute(f"ALTER TABLE records DROP COLUMN {name}")
        ledger.execute("UPDATE ledger SET version = 5")


def test_the_first_nights_after_an_upgrade_send_nothing(feeds: Feeds) -> None:
    """What two feeds have sent of the same people stays, and belongs to the first one from now on."""
    elm, oak = many(), many(email="b@example.edu", phone="555-0100")
    nights = [("north", elm), ("south", oak)]
    feeds.requests(*nights)
    older_ledger(feeds)

    after = [feeds.sync(*night) for night in nights * 2]

    assert [(0, 0)] * 4 == [(run.code, run.json["requests"]) for run in after], after[0].said
    changes = [
        ("north", changed(elm, "u1", givenName="Ben u1")),
        ("south", changed(oak, "u1", email="c@example.edu", phone="555-0199")),
    ]
    assert ([0, 0], [0, 0]) == (
        [feeds.sync(*one).code for one in changes],
        feeds.requests(*changes),
    )
    u1 = feeds.user("u1")
    assert ("Ben u1", "555-0199") == (u1["givenName"], u1["phone"])
    assert "c@example.edu" != u1.get("email")


def test_what_an_older_release_held_joins_after_the_upgrade(feeds: Feeds) -> None:
    """It took the second feed's view of a person for foreign, and asked the target every night."""
    feeds.requests(("north", ELM), ("south", OAK))
    older_ledger(feeds)
    with closing(sqlite3.connect(feeds.state / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM records WHERE sourced_id = 'tia' AND feed_id = 2")

    runs = [feeds.sync(*night) for night in (("south", OAK), ("north", ELM))]

    assert [0, 0] == [run.code for run in runs], runs[0].said
    assert (["s1", "s2"], [0, 0]) == (
        feeds.orgs_of("tia"),
        feeds.requests(("north", ELM), ("south", OAK)),
    )


def test_a_feed_of_changes_beside_one_of_snapshots(feeds: Feeds) -> None:
    """Nights without news send nothing; what belongs to it arrives, and what passes to it, too."""
    feeds.requests(("north", ELM), ("south", OAK))
    none = delta(without(OAK, *(row["sourcedId"] for rows in OAK.values() for row in rows)))

    quiet = [
        feeds.sync("south", none, mode="delta").json["requests"],
        *feeds.requests(("north", ELM)),
    ]
    news = delta(
        {
            "users": [
                row
                for row in south(email="t@example.edu", phone="555-0199")["users"]
                if row["sourcedId"] == "tia"
            ]
        }
    )
    told = feeds.sync("south", news, mode="delta")
    phone = feeds.user("tia")["phone"]
    feeds.sync("north", north(*NO_TIA))
    taken = feeds.sync("south", none, mode="delta")

    assert ([0, 0], 0, "555-0199", 0) == (quiet, told.code, phone, taken.code), told.said
    tia = feeds.user("tia")
    assert ("t@example.edu", "555-0199", ["s2"]) == (
        tia["email"],
        tia["phone"],
        feeds.orgs_of("tia"),
    )
    assert 0 == feeds.sync("south", none, mode="delta").json["requests"]


def test_what_only_one_feed_has_leaves_with_it(feeds: Feeds) -> None:
    """Also if the other feed owns the rest, and so has nothing to send."""
    feeds.requests(("north", ELM), ("south", OAK))
    gone = ("south", south("tia", "r5", "e4"))

    left = feeds.sync(*gone)

    tia = feeds.user("tia")
    assert (0, None, ["s1"]) == (left.code, tia.get("phone"), feeds.orgs_of("tia")), left.said
    assert "tia@example.edu" == tia["email"]
    assert ([0, 0], [0, 0]) == (feeds.requests(("north", ELM), gone), feeds.differences())


def test_a_record_that_the_target_lost_is_whole_again(feeds: Feeds) -> None:
    """The feed that repairs it sends all that it has; the feed that owns columns sends them again."""
    nights = [("north", ELM), ("south", OAK)]
    feeds.requests(*nights)
    store = SandboxStore(feeds.state / "sandbox.db")
    store.query("DELETE FROM records WHERE collection = ? AND id = ?", ("users", "tia"))
    store.close()

    repaired = feeds.run("verify", feeds.file("south"), "--repair")
    night = feeds.sync(*nights[0])

    tia = feeds.user("tia")
    assert (0, 0) == (repaired.code, night.code), repaired.said
    assert ("tia@example.edu", "555-0100", ["s1", "s2"]) == (
        tia["email"],
        tia["phone"],
        feeds.orgs_of("tia"),
    )
    assert ([0, 0], [0, 0]) == (feeds.requests(*nights), feeds.differences())


def test_a_feed_that_adopts_shares_from_then_on(feeds: Feeds) -> None:
    """Only its share is compared, so what the other feed writes otherwise is no difference."""
    feeds.requests(("north", ELM), ("south", OAK))
    with closing(sqlite3.connect(feeds.state / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM records WHERE feed_id = 2")

    adopted = feeds.run("adopt", feeds.file("south"), "--json")

    assert 0 == adopted.code, adopted.said
    assert ([0, 0], [0, 0]) == (feeds.requests(("south", OAK), ("north", ELM)), feeds.differences())


def test_a_run_that_was_killed_before_it_recorded_joins_again(feeds: Feeds) -> None:
    """The target has the role already, the ledger has the intent."""
    nights = [("north", ELM), ("south", OAK)]
    feeds.requests(*nights)
    with closing(sqlite3.connect(feeds.state / "ledger.db")) as ledger, ledger:
        ledger.execute("DELETE FROM records WHERE sourced_id = 'tia' AND feed_id = 2")
        ledger.execute(
            "INSERT INTO intents (feed_id, entity, sourced_id, fingerprint, run) VALUES (2, 'users', 'tia', 1, 'r0')"
        )

    runs = [feeds.sync(*night) for night in nights]

    assert [0, 0] == [run.code for run in runs], runs[1].said
    assert (["s1", "s2"], [0, 0]) == (feeds.orgs_of("tia"), feeds.requests(*nights))


def test_a_renamed_feed_has_nobody_to_share_with(feeds: Feeds) -> None:
    """What it left to its old name is its own; where both said the same, nothing is sent."""
    elm, oak = many(), changed(many(), "u1", givenName="Ben u1")
    feeds.requests(("north", elm), ("south", oak))

    renamed = feeds.run("rename", "north", feeds.file("south"))
    night = feeds.sync("south", oak)

    assert (0, 0, 1) == (renamed.code, night.code, night.total("updated")), renamed.said
    assert ("Ben u1", 0) == (feeds.user("u1")["givenName"], feeds.requests(("south", oak))[0])


def test_a_forgotten_person_stays_forgotten_in_both(feeds: Feeds) -> None:
    """No feed brings the person back, or asks the target."""
    nights = [("north", ELM), ("south", OAK)]
    feeds.requests(*nights)

    forgotten = feeds.run("forget", "tia")

    assert 0 == forgotten.code, forgotten.said
    assert ([0, 0], "tobedeleted") == (feeds.requests(*nights), feeds.user("tia")["status"])


def test_a_feed_never_changes_a_password_of_another(feeds: Feeds) -> None:
    """Nor adds one, though it shares passwords."""
    share = "[share]\npasswords = true\n"
    feeds.sync("north", ELM)

    run = feeds.sync("south", changed(OAK, "tia", password="hunter2hunter2"), more=share)

    assert (0, None) == (run.code, feeds.user("tia").get("password")), run.said
    with Ledger(feeds.state / "ledger.db") as ledger:
        rows = ledger.shares(FeedKey("sandbox", "south"), "users").filter(feed="south")
    assert "password" in rows["yields"][0]
