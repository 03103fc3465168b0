"""A source of OneRoster 1.1, whose requests are signed, over real HTTP: page by page, night by night, with faults."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.oneroster.profile import standard_profile
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.source import SigningKey, read_source
from connectors.oneroster.target import Endpoint
from tests.rest.feeds import CHANGES, DELTA, EVERYTHING, Feed
from tests.rest.older import Older, juniper, older, reference
from tests.rest.verifying import KEY, SECRET

SIGNED = ('version = "1.1"', 'oauth = "1.0a"')
ALWAYS = 99


@pytest.fixture(scope="module")
def target() -> Iterator[Sandbox]:
    """Serve one target for all tests of this module."""
    with Sandbox(None) as sandbox:
        yield sandbox


@contextmanager
def feeding(folder: Path, target: Sandbox, *settings: str) -> Iterator[tuple[Older, Feed]]:
    """Serve a district, and give its feed into an emptied target."""
    target.store.clear()
    with older(juniper()) as source:
        feed = Feed(folder, target, KEY, SECRET)
        feed.configure(f'url = "{source.url}"', *SIGNED, *(settings or ("patience_seconds = 0",)))
        yield source, feed


def test_a_district_arrives_page_by_page(tmp_path: Path, target: Sandbox) -> None:
    """Its users have a role at each of their schools, as the newer version has it."""
    with feeding(tmp_path, target) as (_, feed):
        first, again = feed.run("sync"), feed.run("sync")

        assert (0, 0, "unchanged") == (first.code, first.total("rejected"), again.json["status"])
        assert ["ana", "bo", "tia"] == feed.holds("users")
        assert ["e-ana", "e-bo", "e-tia"] == feed.holds("enrollments")
        assert [("student", "s1"), ("student", "s2")] == roles(feed, "bo")
        assert {"bus": "12"} == feed.record("users", "ana")["metadata"]


def roles(feed: Feed, sourced_id: str) -> list[tuple[str, str]]:
    """The roles of a user in the target, and where."""
    return sorted(
        (one["role"], one["org"]["sourcedId"]) for one in feed.record("users", sourced_id)["roles"]
    )


def test_a_page_that_fails_once_is_asked_for_again(tmp_path: Path, target: Sandbox) -> None:
    """Nobody notices."""
    with feeding(tmp_path, target, "patience_seconds = 20") as (source, feed):
        source.failing["users"] = 1

        run = feed.run("sync")

        assert (0, ["ana", "bo", "tia"]) == (run.code, feed.holds("users"))


def test_a_collection_that_moved_is_read_again(tmp_path: Path, target: Sandbox) -> None:
    """Somebody left while it was read, and a record may have been missed."""
    with feeding(tmp_path, target) as (source, feed):
        source.moving["users"] = 1

        run = feed.run("sync")

        assert (0, ["ana", "bo", "tia"]) == (run.code, feed.holds("users"))


def test_a_total_of_the_page_is_no_end(tmp_path: Path, target: Sandbox) -> None:
    """A link announces more; nobody is disabled because a source counts otherwise than the night before."""
    with feeding(tmp_path, target) as (source, feed):
        feed.run("sync")
        source.counts_pages = True

        run = feed.run("sync")

        assert ("unchanged", 0) == (run.json["status"], run.total("vanished"))


@pytest.mark.parametrize(
    ("then", "asked"),
    [
        # The others have moved up.
        (("bo", "tia", "zed"), False),
        # The source keeps no order, and nothing says so.
        (("tia", "bo", "zed"), True),
    ],
)
def test_who_stays_is_not_skipped_when_another_leaves_and_one_comes(
    tmp_path: Path, target: Sandbox, then: tuple[str, ...], asked: bool
) -> None:
    """The total is the same, and Tia is on none of the pages that would follow; she is found, or asked for by herself."""
    with feeding(tmp_path, target) as (source, feed):
        feed.run("sync")
        source.meanwhile["users"] = lambda: source.arrange("users", *then)

        run = feed.run("sync")

        assert ["true", "true", "true"] == [
            feed.record("users", one)["enabledUser"] for one in ("bo", "tia", "zed")
        ]
        assert asked == ("record_unlisted" in run.said)


def test_a_change_is_not_skipped_when_another_record_leaves(
    tmp_path: Path, target: Sandbox
) -> None:
    """Among what changed, too, the others move up."""
    with feeding(tmp_path, target, DELTA) as (source, feed):
        feed.run("sync")
        for one in ("ana", "bo", "tia"):
            source.change("users", one, familyName="Vega")
        source.meanwhile["users"] = lambda: source.arrange(
            "users", "bo", "tia", "zed", changed=True
        )

        feed.run("sync")

        assert ["Vega", "Vega"] == [
            feed.record("users", one)["familyName"] for one in ("bo", "tia")
        ]


def test_who_has_left_is_asked_for_and_then_gone(tmp_path: Path, target: Sandbox) -> None:
    """The source says that it has no such record."""
    with feeding(tmp_path, target) as (source, feed):
        feed.run("sync")
        source.arrange("users", "ana", "tia")
        source.arrange("enrollments", "e-ana", "e-tia")

        run = feed.run("sync")

        assert (0, ["e-ana", "e-tia"]) == (run.code, feed.holds("enrollments"))
        assert "false" == feed.record("users", "bo")["enabledUser"]


@pytest.mark.parametrize(("hidden", "asked"), [(set(), 297), ({"ana", "bo"}, 596)])
def test_of_many_who_are_missing_some_are_asked_for_and_all_if_any_is_there(
    hidden: set[str], asked: int
) -> None:
    """A term has ended, or pages cannot be relied on."""
    gone = {f"{letter}{number}" for letter in "abc" for number in range(198)}
    with older(juniper()) as source:
        source.hidden = hidden
        address, key = (
            Endpoint(source.url, profile=standard_profile("1.1")),
            SigningKey(KEY, SECRET),
        )
        known = {"users": gone | {"ana", "bo", "tia", ".."}}

        raw = asyncio.run(read_source(address, "1.1", ("users",), key=key, known=known))

    assert ({"ana", "bo", "tia"}, asked) == (
        set(raw.files["users.csv"].frame["sourcedId"]),
        source.singles,
    )


def test_a_source_that_does_not_say_who_is_there_is_not_read(
    tmp_path: Path, target: Sandbox
) -> None:
    """A record that no page had may be there still."""
    with feeding(tmp_path, target) as (source, feed):
        feed.run("sync")
        source.records["demographics"] = []
        source.failing["demographics/ana"] = ALWAYS

        run = feed.run("sync")

        assert ("unchanged", ["ana"]) == (run.json["status"], feed.holds("demographics"))
        assert "does not say whether it has ana" in " ".join(run.said.split())


def test_a_collection_that_moves_on_and_on_is_not_read(tmp_path: Path, target: Sandbox) -> None:
    """It says that there is one more than it gives."""
    with feeding(tmp_path, target) as (source, feed):
        source.moving["users"] = ALWAYS

        run = feed.run("sync")

        assert (4, []) == (run.code, feed.holds("users"))
        assert "it ended after 3 of 4 records, 3 times" in " ".join(run.said.split())


def test_a_collection_that_cannot_be_read_has_not_vanished(tmp_path: Path, target: Sandbox) -> None:
    """What is not needed is left as it is, and told; the others are loaded."""
    with feeding(tmp_path, target) as (source, feed):
        feed.run("sync")
        source.failing["demographics"] = ALWAYS
        source.change("users", "ana", familyName="Vega")

        run = feed.run("sync")

        assert (0, 1, 0) == (run.code, run.total("updated"), run.total("vanished"))
        assert ["ana"] == feed.holds("demographics")
        assert "collection_unread" in run.said


def test_without_a_needed_collection_nothing_is_sent(tmp_path: Path, target: Sandbox) -> None:
    """Half a roster is none."""
    with feeding(tmp_path, target) as (source, feed):
        source.failing["users"], source.status = ALWAYS, 403

        run = feed.run("sync")

        assert (4, []) == (run.code, feed.holds("orgs"))
        assert "HTTP 403" in run.said


def test_a_collection_that_the_source_does_not_have_is_absent(
    tmp_path: Path, target: Sandbox
) -> None:
    """Nothing is said of it, and nothing of it vanishes."""
    with feeding(tmp_path, target) as (source, feed):
        feed.run("sync")
        del source.records["demographics"]

        run = feed.run("sync")

        assert ("unchanged", 0, ["ana"]) == (
            run.json["status"],
            run.total("vanished"),
            feed.holds("demographics"),
        )


def test_a_night_of_changes(tmp_path: Path, target: Sandbox) -> None:
    """Somebody changed, somebody left, and of the others nothing is said."""
    with feeding(tmp_path, target, DELTA) as (source, feed):
        feed.run("sync")
        source.change("users", "ana", familyName="Vega")
        source.change("enrollments", "e-bo", status="tobedeleted")

        run = feed.run("sync")

        assert (0, 1, 1) == (run.code, run.total("updated"), run.total("deleted"))
        assert ("Vega", ["e-ana", "e-tia"]) == (
            feed.record("users", "ana")["familyName"],
            feed.holds("enrollments"),
        )
        assert [EVERYTHING, CHANGES] == feed.asked
        assert 2 == len(source.filters)


def test_a_change_tells_all_schools_of_a_user(tmp_path: Path, target: Sandbox) -> None:
    """Who has left one of two schools has one role."""
    with feeding(tmp_path, target, DELTA) as (source, feed):
        feed.run("sync")
        source.change("users", "bo", orgs=[reference("org", "s2")])

        feed.run("sync")

        assert [("student", "s2")] == roles(feed, "bo")


def test_what_administrators_administer_is_known_on_each_night(
    tmp_path: Path, target: Sandbox
) -> None:
    """The older version tells it by their schools, which have not changed."""
    with feeding(tmp_path, target, DELTA) as (source, feed):
        feed.run("sync")
        source.change("users", "tia", role="administrator")

        run = feed.run("sync")

        assert (0, 1) == (run.code, run.total("rejected") + run.total("updated"))
        assert [("administrator", "s1"), ("administrator", "s2")] == roles(feed, "tia")


def test_a_secret_that_is_refused_ends_the_run(tmp_path: Path, target: Sandbox) -> None:
    """The source is named, and the secret is not told."""
    with feeding(tmp_path, target) as (_, feed):
        run = replace(feed, client_secret="wrong-horse").run("sync")

        assert 1 == run.code
        assert "127.0.0.1 refuses the signature" in run.said
        assert "wrong-horse" not in run.said
