"""Which feed owns what of a record that several feeds have."""

from __future__ import annotations

import pytest

from transforms.changes import ACTIVE, DISABLED, LEFT
from transforms.ownership import NOTHING, Claim, FeedOrder, Share, share

NORTH, SOUTH = FeedOrder("north"), FeedOrder("south")
ELM, OAK = '{"roles":[["s1","teacher"]]}', '{"roles":[["s2","teacher"]]}'


def claim(feed: str, fields: str, turn: int = 0, *, same: bool = False, **cells: str) -> Claim:
    """What the ledger has of a feed's record."""
    number = ("north", "south", "east").index(feed)
    row = {"status": ACTIVE, "items": "", "yields": NOTHING, "parents": "", "run": "r1"} | cells
    return Claim(feed, number, fields=fields, turn=turn, same=same, **row)


def shared(order: FeedOrder, *rows: Claim, columns: str, items: str = "") -> Share:
    """What a feed sends of a record with these columns."""
    return share(order, rows, frozenset(columns.split(",")), items)


def test_a_later_feed_leaves_columns_to_the_first() -> None:
    """And fills those that this one leaves blank."""
    found = shared(SOUTH, claim("north", "email,givenName"), columns="email,phone")

    assert (1, ["email"]) == (found.turn, [*found.columns])
    assert not found.outdated


def test_the_first_feed_leaves_nothing() -> None:
    """Whatever the others have sent meanwhile of what they leave to it."""
    rows = (
        claim("north", "email,givenName"),
        claim("south", "email,phone", 1, yields='{"columns":["email"]}'),
    )

    found = shared(NORTH, *rows, columns="email,givenName")

    assert (frozenset(), False) == (found.columns, found.outdated)
    assert {"email", "phone"} == found.taken


def test_what_a_later_feed_has_overwritten_is_sent_again() -> None:
    """Once, as after two runs at the same time. The later feed sends nothing, and notes what it leaves."""
    rows = (claim("north", "email"), claim("south", "email", 1))
    found, later = shared(NORTH, *rows, columns="email"), shared(SOUTH, *rows, columns="email")

    again = shared(NORTH, claim("north", "email", yields=found.yields), rows[1], columns="email")
    once_more = claim("south", "email", 1, run="r2")
    newer = shared(NORTH, claim("north", "email", yields=found.yields), once_more, columns="email")

    assert (True, False, {"email"}) == (found.outdated, later.outdated, {*later.columns})
    assert (False, None, True) == (again.outdated, again.noted, newer.outdated)


def test_feeds_that_say_the_same_send_nothing_again() -> None:
    """Whatever belongs to whom: the target has it."""
    rows = (claim("north", "email", same=True), claim("south", "email", 1, same=True))

    assert not shared(NORTH, *rows, columns="email").outdated
    left = claim("north", "email", status=LEFT, same=True)
    late = claim("south", "email", 1, yields='{"columns":["email"]}')
    assert (False, NOTHING) == (
        (found := shared(SOUTH, left, late, columns="email")).outdated,
        found.noted,
    )


def test_what_two_feeds_sent_before_they_knew_of_each_other_stays() -> None:
    """As after an upgrade: both note what belongs to them from now on."""
    rows = (claim("north", "email", yields=""), claim("south", "email", yields=""))
    first, later = shared(NORTH, *rows, columns="email"), shared(SOUTH, *rows, columns="email")

    noted = claim("north", "email", yields=first.noted or "")
    after = shared(NORTH, noted, rows[1], columns="email")

    assert [False] * 3 == [one.outdated for one in (first, later, after)]
    assert ('{"seen":{"1":"r1"}}', '{"columns":["email"]}') == (first.noted, later.noted)


def test_a_feed_leaves_only_what_another_one_sends() -> None:
    """While the feed that is named now has not run, nobody stops sending."""
    rows = (claim("north", "email"), claim("south", "email", 1, yields='{"columns":["email"]}'))
    order = FeedOrder("north", owners=("south",))

    found = shared(order, *rows, columns="email")

    assert (2, frozenset(), False) == (found.turn, found.columns, found.outdated)


def test_what_a_feed_gives_back_is_sent_by_the_other() -> None:
    """The feed that was named has overwritten it, and is named no longer: once, until both know it."""
    first = claim("north", "email")
    named = shared(FeedOrder("south", owners=("south",)), first, columns="email")
    south = claim("south", "email", named.turn, yields=named.yields)

    given = shared(SOUTH, first, south, columns="email")
    south = south._replace(turn=given.turn, yields=given.noted or "")
    taken = shared(NORTH, first, south, columns="email")
    first = first._replace(yields=taken.yields, run="r2")

    assert (False, {"email"}, True) == (given.outdated, {*given.columns}, taken.outdated)
    assert not shared(NORTH, first, south, columns="email").outdated
    assert "gave" not in (shared(SOUTH, first, south, columns="email").noted or "gave")


def test_a_password_belongs_to_the_first_feed() -> None:
    """Also if it has none: another feed never changes how somebody signs in."""
    found = shared(SOUTH, claim("north", "email"), columns="password,phone")

    assert {"password"} == found.columns


@pytest.mark.parametrize("status", [LEFT, DISABLED])
def test_a_feed_without_the_record_owns_nothing_of_it(status: str) -> None:
    """What it has sent passes to the next feed, which clears what it has not."""
    rows = (
        claim("north", "email,middleName", status=status, items=ELM),
        claim("south", "email", 1, yields='{"columns":["email"]}', items=OAK),
    )

    found = shared(SOUTH, *rows, columns="email", items=OAK)

    assert (frozenset(), frozenset(), True) == (found.columns, found.others, found.outdated)
    assert {"email", "middleName"} == found.lost


def test_the_setting_comes_before_the_order_of_the_nights() -> None:
    """For the feed that reads it, and for others by the turn that this one has in the ledger."""
    rows = (claim("north", "email"), claim("south", "email", -1))
    order = FeedOrder("south", owners=("south",))

    found = shared(order, rows[0], columns="email")

    assert (-1, frozenset()) == (found.turn, found.columns)
    assert {"email"} == shared(NORTH, *rows, columns="email").columns


def test_a_feed_that_was_replaced_owns_nothing() -> None:
    """It is this one under an earlier name."""
    order = FeedOrder("south", replaced=frozenset({"north"}))

    found = shared(order, claim("north", "email"), columns="email")

    assert (0, frozenset(), frozenset()) == (found.turn, found.columns, found.taken)


def test_a_feed_that_has_not_run_for_long_owns_nothing_and_loses_nothing() -> None:
    """Nobody knows whether it will come again."""
    order = FeedOrder("south", idle=frozenset({"north"}))

    found = shared(order, claim("north", "email,phone", items=ELM), columns="email", items=OAK)

    assert (frozenset(), frozenset(), frozenset()) == (found.columns, found.items, found.lost)
    assert ({"email", "phone"}, {("roles", ("s1", "teacher"))}) == (
        set(found.taken),
        set(found.others),
    )


def test_roles_of_both_feeds_stay() -> None:
    """One that both have belongs to the first; organizations are all that earlier releases know."""
    both = '{"roles":[["s1","teacher"],["s2","teacher"]]}'
    rows = (claim("north", "email", items=ELM),)
    older = (claim("north", "email", parents="orgs:s1 users:x"),)

    found = shared(SOUTH, *rows, columns="phone", items=both)

    assert {("roles", ("s1", "teacher"))} == found.items
    assert found.items == found.others
    assert {("roles", ("s1",))} == shared(SOUTH, *older, columns="phone", items=OAK).others


def test_columns_in_objects_are_compared_by_their_paths() -> None:
    """Metadata may be an object in one feed, of which the other has a part."""
    rows = (claim("north", "metadata.a.b"),)

    assert {"metadata.a"} == shared(SOUTH, *rows, columns="metadata.a,metadata.c").columns
