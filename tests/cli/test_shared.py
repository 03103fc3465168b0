"""Two feeds of one target have the same person: columns belong to feeds, and no night undoes another."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.ledger import Ledger
from connectors.oneroster.sandbox.store import SandboxStore
from tests.rosters import changed, delta
from tests.running import Run
from tests.sharing import ANA_AT_OAK, Feeds, north, south, with_rows
from transforms.changes import imbalance

# Nights of one school each. Oak School writes another address of Tia, and has her phone number.
ELM, OAK = ("north", north()), ("south", south(email="t@example.edu", phone="555-0100"))
# What Elm School has no longer when Tia, or Ana, has left it; and Oak School without Tia.
NO_TIA, NO_ANA = ("tia", "r3", "e3"), ("ana", "r1", "e1", "mum", "r4")
NOT_AT_OAK = ("tia", "r5", "e4")


@pytest.fixture
def feeds(tmp_path: Path) -> Feeds:
    """No feed has run yet."""
    return Feeds(tmp_path)


def balances(run: Run) -> bool:
    """Whether each record of a run is counted once."""
    return not any(imbalance(counts) for counts in run.json["entities"].values())


def test_the_first_feed_owns_the_columns(feeds: Feeds) -> None:
    """The other one adds what only it knows: a phone number, a role and an enrollment. A plan says so before."""
    feeds.sync(*ELM)

    planned, run = feeds.sync(*OAK, command="plan"), feeds.sync(*OAK)

    assert (0, 0, 0) == (planned.code, run.code, run.total("held")), run.said
    sent = sum(run.total(term) for term in ("created", "updated", "unchanged"))
    assert (planned.total("created"), True) == (sent, balances(run))
    tia = feeds.user("tia")
    assert ("tia@example.edu", "555-0100") == (tia["email"], tia["phone"])
    assert (["s1", "s2"], [0, 0]) == (feeds.orgs_of("tia"), feeds.differences())


def test_ten_alternating_nights_send_nothing(feeds: Feeds) -> None:
    """Neither feed overwrites the other, nor asks the target."""
    feeds.requests(ELM, OAK)

    assert [0] * 10 == feeds.requests(*([ELM, OAK] * 5))


def test_the_named_feed_owns_the_columns(feeds: Feeds) -> None:
    """Also those that another one has sent first, from the night on that says so."""
    owner = '[shared]\nowner = "south"\n'
    feeds.sync(*ELM)
    feeds.sync(*OAK, more=owner)
    email = feeds.user("tia")["email"]

    settled = [feeds.sync(*night, more=owner).code for night in (ELM, OAK)]

    assert ("t@example.edu", "t@example.edu", [0, 0]) == (
        email,
        feeds.user("tia")["email"],
        settled,
    )
    assert ([0, 0], [0, 0]) == (feeds.requests(ELM, OAK, more=owner), feeds.differences())


def test_a_change_of_either_feed_arrives(feeds: Feeds) -> None:
    """In what belongs to it: one row, one write."""
    feeds.requests(ELM, OAK)

    elm = feeds.sync("north", changed(north(), "tia", email="new@example.edu"))
    oak = feeds.sync("south", south(email="other@example.edu", phone="555-0199"))

    assert (1, 1) == (elm.total("updated"), oak.total("updated"))
    tia = feeds.user("tia")
    assert ("new@example.edu", "555-0199") == (tia["email"], tia["phone"])
    assert (["s1", "s2"], [0, 0]) == (feeds.orgs_of("tia"), feeds.differences())


def test_who_is_missing_from_one_feed_stays_in_the_other(feeds: Feeds) -> None:
    """Without the role at its school, and with the values of the feed that is left."""
    feeds.requests(ELM, OAK)
    gone = ("north", north(*NO_TIA))

    run = feeds.sync(*gone)
    orgs, email = feeds.orgs_of("tia"), feeds.user("tia")["email"]
    taken = feeds.sync(*OAK)

    assert (0, 1, 0) == (run.code, run.json["entities"]["users"]["kept"], taken.code), run.said
    assert (True, True) == (balances(run), balances(taken))
    assert (["s2"], "tia@example.edu", "t@example.edu") == (orgs, email, feeds.user("tia")["email"])
    assert ("left", "active") == (feeds.status("north", "tia"), feeds.status("south", "tia"))
    assert ([0, 0], [0, 0]) == (feeds.requests(gone, OAK), feeds.differences())


def test_who_is_missing_from_both_feeds_is_disabled(feeds: Feeds) -> None:
    """By the last one, and enabled again by the first that has the person again."""
    feeds.requests(ELM, OAK)
    gone = ("south", south(*NOT_AT_OAK))
    feeds.sync("north", north(*NO_TIA))

    run = feeds.sync(*gone)
    disabled = feeds.user("tia")["enabledUser"]
    back = feeds.sync(*ELM)

    assert (0, 1, 0) == (run.code, run.json["entities"]["users"]["disabled"], back.code)
    assert ("false", "true") == (disabled, feeds.user("tia")["enabledUser"])
    assert ([0, 0], [0, 0]) == (feeds.requests(gone, ELM), feeds.differences())


@pytest.mark.parametrize("order", [("north", "south"), ("south", "north")])
def test_who_moves_between_two_feeds_is_taken_over(order: tuple[str, str], feeds: Feeds) -> None:
    """Whichever feed runs first: nobody is held, and the account works at the new school alone."""
    feeds.requests(ELM, OAK)
    drops = {"north": north(*NO_ANA), "south": with_rows(OAK[1], ANA_AT_OAK)}
    nights = [(name, drops[name]) for name in order]

    moved, settled = ([feeds.sync(*night) for night in nights] for _ in range(2))

    assert [0] * 4 == [run.code for run in (*moved, *settled)], [run.said for run in moved]
    assert (0, True) == (sum(run.total("held") for run in moved), all(map(balances, moved)))
    assert ("true", ["s2"]) == (feeds.user("ana")["enabledUser"], feeds.orgs_of("ana"))
    assert ([0, 0], [0, 0]) == (feeds.requests(*nights), feeds.differences())


def test_an_id_of_somebody_else_waits_for_a_person(feeds: Feeds) -> None:
    """Two feeds may number separately: nothing of the first is overwritten before a person has seen it."""
    feeds.sync(*ELM)
    other = changed(changed(south(), "tia", givenName="Ole", familyName="Berg"), "co", title="Art")

    run = feeds.sync("south", other)
    held = [run.json["entities"][name]["held"] for name in ("users", "courses")]
    orgs = feeds.orgs_of("tia")
    done = feeds.sync("south", other, "--approve", run.json["plan"])

    assert (3, [1, 1], ["s1"]) == (run.code, held, orgs), run.said
    assert "users: 1 id is that of something else in feed north (tia)" in " ".join(run.said.split())
    assert (0, "Tia") == (done.code, feeds.user("tia")["givenName"]), done.said


def test_who_leaves_one_feed_waits_for_approval_where_many_do(feeds: Feeds) -> None:
    """The guard counts them. An approval leaves her to the other feed."""
    feeds.requests(ELM, OAK)
    feeds.percent = 0
    held = feeds.sync("north", north(*NO_TIA))
    orgs = feeds.orgs_of("tia")

    done = feeds.sync("north", north(*NO_TIA), "--approve", held.json["plan"])

    assert (3, ["s1", "s2"]) == (held.code, orgs), held.said
    assert (0, ["s2"], "left") == (done.code, feeds.orgs_of("tia"), feeds.status("north", "tia"))


def test_a_row_that_says_so_leaves_a_person_to_the_other_feed(feeds: Feeds) -> None:
    """In a delta, as in a full export: the other feed takes over what belonged to this one."""
    feeds.requests(ELM, OAK)
    told = delta(
        {"users": [row for row in north()["users"] if row["sourcedId"] == "tia"]}, "tobedeleted"
    )

    run = feeds.sync("north", told, mode="delta")
    taken = feeds.sync(*OAK)

    assert (0, 0, ["s2"]) == (run.code, taken.code, feeds.orgs_of("tia")), run.said
    assert "t@example.edu" == feeds.user("tia")["email"]


def test_a_repair_restores_what_belongs_to_the_feed(feeds: Feeds) -> None:
    """Somebody else overwrites a teacher: each feed repairs its own part, and leaves the other's alone."""
    feeds.requests(ELM, OAK)
    store = SandboxStore(feeds.state / "sandbox.db")
    store.put("users", feeds.user("tia") | {"email": "x@example.edu", "phone": "1"})
    store.close()

    found = feeds.differences()
    repaired = [
        feeds.run("verify", feeds.file(name), "--repair").code for name in ("north", "south")
    ]

    tia = feeds.user("tia")
    assert ([1, 1], [0, 0]) == (found, repaired)
    assert ("tia@example.edu", "555-0100") == (tia["email"], tia["phone"])
    assert (["s1", "s2"], [0, 0]) == (feeds.orgs_of("tia"), feeds.requests(ELM, OAK))


def test_an_older_roster_brings_a_person_back_to_both(feeds: Feeds) -> None:
    """A restore adds the roles again that the feed had removed."""
    first = feeds.sync(*ELM).json["run"]
    feeds.requests(OAK, ("north", north(*NO_TIA)), OAK)

    run = feeds.run("restore", first, feeds.file("north"), "--json")

    assert (0, ["s1", "s2"], "active") == (
        run.code,
        feeds.orgs_of("tia"),
        feeds.status("north", "tia"),
    ), run.said


def test_a_feed_alone_knows_of_no_others(feeds: Feeds) -> None:
    """Its rows of the ledger have nothing about sharing."""
    feeds.sync(*ELM)

    with Ledger(feeds.state / "ledger.db") as ledger, ledger._database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT turn, items, yields FROM records").all()

    assert {(None, None, None)} == {tuple(row) for row in rows}
