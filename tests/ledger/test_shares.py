"""What the ledger knows of records that several feeds of a target have, in both databases."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from connectors.ledger import FeedKey, Ledger
from tests.ledger.server import Server
from tests.sharing import Feeds, north, south
from transforms.changes import FIELDS, FINGERPRINT, LABEL, LEFT, PARENTS, SCHOOL

NORTH, SOUTH, ELSEWHERE = (
    FeedKey("sandbox", "north"),
    FeedKey("sandbox", "south"),
    FeedKey("https://api.example.edu", "north"),
)


def rows(*ids: str, **cells: str | int) -> pl.DataFrame:
    """Acknowledged users, perhaps with what they share (`turn`, `items`, `yields`)."""
    told = {f"#{name}": value for name, value in cells.items()}
    texts = {PARENTS: "orgs:s1", LABEL: "Tia Diaz", FIELDS: "email,givenName", SCHOOL: "s1"}
    frame = pl.DataFrame({"sourcedId": ids, FINGERPRINT: range(1, len(ids) + 1)})
    return frame.with_columns(pl.lit(value).alias(name) for name, value in (texts | told).items())


def test_feeds_see_what_the_others_have_of_their_records(ledger: Ledger) -> None:
    """Of the same target alone, and only of records that both have sent."""
    ledger.record(NORTH, "users", rows("ana", "tia"), {}, [], "r1")
    shared = rows("tia", turn=1, items='{"roles":[["s2","teacher"]]}', yields="y")
    ledger.record(SOUTH, "users", shared, {}, [], "r2")
    ledger.record(ELSEWHERE, "users", rows("tia"), {}, [], "r3")

    found = ledger.shares(NORTH, "users").sort("feed")

    assert [("tia", "north", 0, "", ""), ("tia", "south", 1, shared["#items"][0], "y")] == (
        found.select("sourcedId", "feed", "turn", "items", "yields").rows()
    )
    assert found.equals(ledger.shares(NORTH, "users", found["sourcedId"].unique()).sort("feed"))
    assert ([SOUTH], [], 0) == (
        ledger.other_feeds(NORTH),
        ledger.other_feeds(ELSEWHERE),
        ledger.shares(ELSEWHERE, "users").height,
    )


def test_how_a_record_is_shared_stays_until_it_is_said_anew(ledger: Ledger) -> None:
    """A repair that records a record again says nothing of it."""
    ledger.record(NORTH, "users", rows("tia"), {}, [], "r1")
    ledger.record(SOUTH, "users", rows("tia", turn=1, yields="y"), {}, [], "r2")

    ledger.record(SOUTH, "users", rows("tia"), {LEFT: ["tia"]}, [], "r3")

    south_row = ledger.shares(NORTH, "users").filter(feed="south")
    assert [(1, "y", "left")] == south_row.select("turn", "yields", "status").rows()


def test_what_other_feeds_call_a_record_is_known(ledger: Ledger) -> None:
    """The guard compares it with what this feed calls it."""
    ledger.record(NORTH, "users", rows("tia"), {}, [], "r1")

    found = ledger.claims(SOUTH, "users", pl.Series(["tia", "bo"]))

    assert [("tia", "north", "Tia Diaz", "orgs:s1", "")] == found.rows()


def test_a_feed_under_a_new_name_shares_with_nobody(ledger: Ledger) -> None:
    """What it left to its old name is sent again, unless both said the same."""
    ledger.record(NORTH, "users", rows("ana", "tia"), {}, [], "r1")
    left = rows("ana", "bo", "tia", turn=1, yields='{"columns":["email"]}')
    ledger.record(SOUTH, "users", left, {}, [], "r2")

    ledger.move(NORTH, SOUTH)

    marks = ledger.known(SOUTH)["users"].sort("sourcedId").select("sourcedId", "fingerprint")
    assert [("ana", 1), ("bo", 2), ("tia", 3 ^ 1)] == marks.rows()
    assert 0 == ledger.shares(SOUTH, "users").height


def test_what_changes_in_the_ledger_alone_is_noted(ledger: Ledger) -> None:
    """The record stays as it was sent, by the run that sent it."""
    ledger.record(NORTH, "users", rows("tia"), {}, [], "r1")
    ledger.record(SOUTH, "users", rows("tia"), {}, [], "r2")
    noted = pl.DataFrame({"sourcedId": ["tia"], "#turn": [1], "#items": [None], "#yields": ["{}"]})

    ledger.note_shares(SOUTH, "users", noted.cast({"#items": pl.String}))

    row = ledger.shares(NORTH, "users").filter(feed="south")
    assert [("r2", 1, "", "{}", 1)] == row.select(
        "run", "turn", "items", "yields", "fingerprint"
    ).rows()


def test_two_feeds_share_a_person_by_a_ledger_on_a_server(tmp_path: Path, server: Server) -> None:
    """As they do by one in a file."""
    feeds = Feeds(tmp_path, {"ROSTER_LEDGER": server.new()})
    nights = [("north", north()), ("south", south(email="t@example.edu"))]
    feeds.requests(*nights)

    again = feeds.requests(*nights)
    left = feeds.sync("north", north("tia", "r3", "e3"))

    assert ([0, 0], 0, 1) == (again, left.code, left.json["entities"]["users"]["kept"])
    assert ["s2"] == feeds.orgs_of("tia")


def test_a_ledger_of_an_earlier_release_on_a_server_learns_to_share(
    tmp_path: Path, server: Server
) -> None:
    """Its first nights send nothing. What each feed changes then arrives."""
    place = server.new()
    feeds = Feeds(tmp_path, {"ROSTER_LEDGER": place})
    nights = [("north", north()), ("south", south(email="t@example.edu"))]
    feeds.requests(*nights)
    for change in (
        *(f"ALTER TABLE records DROP COLUMN {name}" for name in ("turn", "items", "yields")),
        "UPDATE ledger SET version = 5",
    ):
        server.run(change, place.rpartition("/")[2])

    after = feeds.requests(*nights, *nights)
    feeds.sync("south", south(email="new@example.edu", phone="555-0100"))

    tia = feeds.user("tia")
    assert ([0] * 4, "tia@example.edu", "555-0100") == (after, tia["email"], tia["phone"])
