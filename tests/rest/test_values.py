"""Values are read by the types of the REST binding first, and only then by those of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.rest.feeds import CHANGES, DELTA, EVERYTHING, Feed
from tests.rest.newer import Json, Newer, feeding
from tests.rest.older import AFTER
from transforms.from_json.drop import ROSTER

GRADEBOOK = f"collections = {[*ROSTER, 'categories', 'lineItems', 'results']}"


@pytest.fixture(scope="module")
def target() -> Iterator[Sandbox]:
    """Serve one target for all tests of this module."""
    with Sandbox(None) as sandbox:
        yield sandbox


def write_timestamps(source: Newer) -> None:
    """Let the source write its days as timestamps: midnights in Berlin, in summer and in winter."""
    for session in source.records["academicSessions"]:
        session |= {"startDate": "2026-08-14T22:00:00Z", "endDate": "2027-06-10T00:00:00+02:00"}
    for one in source.records["enrollments"]:
        one |= {"beginDate": "2026-11-01T23:00:00.000Z", "endDate": "2027-01-29T23:00:00Z"}
    for one in source.records["users"]:
        for role in one["roles"]:
            role["beginDate"] = "2026-08-14T22:00:00Z"
    source.records["demographics"][0]["birthDate"] = "2015-03-03T23:00:00Z"
    source.records["results"][0]["scoreDate"] = "2026-09-08T22:00:00Z"


def in_berlin(feed: Feed) -> None:
    """Name the time zone in the feed file."""
    path = feed.folder / "juniper.toml"
    path.write_text('time_zone = "Europe/Berlin"\n' + path.read_text())


def test_timestamps_and_fractions_are_read(tmp_path: Path, target: Sandbox) -> None:
    """Every day is the one that the source means, and nobody is rejected; the next night sends nothing."""
    with feeding(tmp_path, target, GRADEBOOK) as (source, feed):
        in_berlin(feed)
        write_timestamps(source)
        source.records["categories"][0]["weight"] = 33.33

        check, plan, first, again, verified = (
            feed.run(command) for command in ("check", "plan", "sync", "sync", "verify")
        )

        count = sum(map(len, source.records.values()))
        assert ([0] * 5, 0) == (
            [one.code for one in (check, plan, first, again, verified)],
            first.total("rejected"),
        )
        assert (count, count) == (plan.total("created"), first.total("created"))
        assert "unchanged" == again.json["status"]
        assert "date_with_time" in Path(check.json["report"]).read_text()
        term, seat, result = (
            feed.record("academicSessions", "t"),
            feed.record("enrollments", "e-ana"),
            feed.record("results", "ana-q"),
        )
        assert ("2026-08-15", "2027-06-10") == (term["startDate"][:10], term["endDate"][:10])
        assert ("2026-11-02", "2027-01-30") == (seat["beginDate"], seat["endDate"])
        assert ("2026-08-15", "2015-03-04") == (
            feed.record("users", "ana")["roles"][0]["beginDate"],
            feed.record("demographics", "ana")["birthDate"],
        )
        # The target has this day as a timestamp: the one with which it begins in Berlin.
        assert "2026-09-08T22:00:00.000Z" == result["scoreDate"]
        assert 33.33 == feed.record("categories", "k")["weight"]


def test_without_a_time_zone_a_timestamp_is_the_day_in_utc(tmp_path: Path, target: Sandbox) -> None:
    """As in every layout; the message says which setting is missing."""
    with feeding(tmp_path, target) as (source, feed):
        source.records["enrollments"][0]["beginDate"] = "2026-11-01T23:00:00.000Z"

        check, first, again = feed.run("check"), feed.run("sync"), feed.run("sync")

        assert (0, 0, "unchanged") == (check.code, check.total("rejected"), again.json["status"])
        assert "zone_missing" in Path(check.json["report"]).read_text()
        assert (0, "2026-11-01") == (
            first.code,
            feed.record("enrollments", "e-ana")["beginDate"],
        )


def flatten(record: Json) -> Json:
    """Write the references of a record flat, as files have them; also those of its parts."""
    flat: Json = {}
    for name, value in record.items():
        if isinstance(value, dict) and "sourcedId" in value:
            flat[f"{name}SourcedId"] = value["sourcedId"]
        elif isinstance(value, list) and value and all("sourcedId" in one for one in value):
            flat[f"{name.removesuffix('s')}SourcedIds"] = [one["sourcedId"] for one in value]
        elif name == "roles":
            flat[name] = [flatten(role) for role in value]
        else:
            flat[name] = value
    return flat


def test_flat_references_are_read(tmp_path: Path, target: Sandbox) -> None:
    """Each record arrives with the same references as if they had come as objects."""
    with feeding(tmp_path, target, GRADEBOOK) as (source, feed):
        nested = source.records
        source.records = {
            name: [flatten(one) for one in records] for name, records in nested.items()
        }

        check, plan, first = (feed.run(command) for command in ("check", "plan", "sync"))
        source.records = nested  # the next night has the same roster, in the standard's form
        again, verified = feed.run("sync"), feed.run("verify")

        count = sum(map(len, nested.values()))
        assert [0] * 5 == [one.code for one in (check, plan, first, again, verified)]
        assert (count, count) == (plan.total("created"), first.total("created"))
        assert "unchanged" == again.json["status"]
        report = Path(check.json["report"]).read_text()
        assert "reference_flat" in report
        assert "property_unread" not in report


def test_a_collection_that_is_not_shared_is_a_warning(tmp_path: Path, target: Sandbox) -> None:
    """It was shared on the first night: its records stay, and nothing is called fatal."""
    with feeding(tmp_path, target) as (source, feed):
        first = feed.run("sync")
        source.refused["demographics"] = 403

        check, again, verified = feed.run("check"), feed.run("sync"), feed.run("verify")

        assert [0] * 4 == [one.code for one in (first, check, again, verified)]
        assert ("unchanged", ["ana"]) == (again.json["status"], feed.holds("demographics"))
        report = Path(again.json["report"]).read_text()
        assert "**warning** `collection_unshared`" in report
        assert "fatal" not in report


def test_a_delta_has_the_main_teachers_of_a_full_night(tmp_path: Path, target: Sandbox) -> None:
    """Full nights and deltas take turns; only a new main teacher, whose id comes first, changes anything."""
    with feeding(tmp_path, target, DELTA) as (source, feed):
        seats = source.records["enrollments"]
        seats.append(seats[1] | {"sourcedId": "e-bob", "role": "teacher", "primary": "true"})
        source.change("enrollments", "e-tia", primary="true")  # each delta has this one

        full, changes = feed.run("sync"), feed.run("sync")
        seats.append(seats[3] | {"sourcedId": "e-al", "dateLastModified": AFTER})
        plan, first = feed.run("plan"), feed.run("sync")
        written_again(feed)
        whole, verified = feed.run("sync"), feed.run("verify")

        assert [0] * 6 == [one.code for one in (full, changes, plan, first, whole, verified)]
        assert [EVERYTHING, CHANGES, CHANGES, EVERYTHING] == feed.asked
        assert ["unchanged"] * 2 == [one.json["status"] for one in (changes, whole)]
        assert [(1, 1)] * 2 == [
            (one.total("created"), one.total("updated")) for one in (plan, first)
        ]
        assert ["true", "false", "false"] == [
            feed.record("enrollments", one)["primary"] for one in ("e-al", "e-bob", "e-tia")
        ]


def written_again(feed: Feed) -> None:
    """Write the feed file as it is, so that everything is read on the next night."""
    path = feed.folder / "juniper.toml"
    path.write_text(path.read_text())
