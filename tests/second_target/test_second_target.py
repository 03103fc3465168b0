"""The whole pipeline runs against a second API over HTTP, of which it knows nothing but the profile that it is given."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest

from connectors.oneroster.profile import TIMEBACK, standard_profile
from connectors.oneroster.sandbox import Sandbox
from flows.errors import SettingsError
from flows.export import roster_of_api
from flows.feeds.credentials import Secret
from flows.job import Job, JobGuard, JobLoad, JobRun, JobSource
from flows.preflight.drop import read_drop_contents
from flows.query import Query, query_target
from flows.result import RunResult
from flows.run import run_job
from flows.target import Credentials, Target
from flows.verify import compare_feed
from flows.watch import Watch
from tests.rosters import Rows, changed, district, drop, without
from tests.sandbox.conftest import connected
from tests.second_target.profile import MISSING, PREFIX, SECOND
from transforms.guard import GuardLimits
from transforms.removals import Policy
from transforms.share import SharingScope
from transforms.target_vocabulary import TargetVocabulary, feed_vocabulary

OPEN = GuardLimits(vanished_percent=100, week_percent=100, school_percent=100)
REMOVED: dict[str, Policy] = {"enrollments": "delete"}
SENT = {"orgs": 3, "academicSessions": 2, "users": 4, "courses": 1, "classes": 2, "enrollments": 3}


def rows() -> Rows:
    """Give a district of which the second API has no place for two files, and one of whose users has no address."""
    return changed(district(), "bo", email="") | {
        "categories": [{"sourcedId": "cat", "title": "Homework"}]
    }


@dataclass(frozen=True)
class Second:
    """The second API on loopback, and the folder of a feed that loads into it."""

    sandbox: Sandbox
    folder: Path

    @property
    def target(self) -> Target:
        """The target, as settings would choose it."""
        client = Credentials(None, Secret("sandbox"), Secret("sandbox"))
        return Target(
            self.sandbox.url, self.sandbox.url, self.sandbox.token_url, client, profile=SECOND
        )

    def job(self, rows: Rows) -> Job:
        """A sync of some rows."""
        return Job(
            JobSource(drop(self.folder / "drop", rows)),
            JobGuard(OPEN, removed=REMOVED),
            JobLoad(
                self.target,
                SharingScope(demographics=True, contacts=True),
                feed_vocabulary(SECOND.vocabulary),
            ),
            JobRun("sync", self.folder / "state"),
        )

    def sync(self, rows: Rows, workers: int = 1) -> RunResult:
        """Load rows, and forget the requests that were made before."""
        self.sandbox.requests.clear()
        job = self.job(rows)
        return run_job(replace(job, load=replace(job.load, workers=workers)), Watch())

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The writes of the last load."""
        return [(method, path) for method, path in self.sandbox.requests if method != "GET"]


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Second]:
    """Serve the second API."""
    with Sandbox(None, profile=SECOND) as sandbox:
        yield Second(sandbox, tmp_path)


@pytest.mark.parametrize("workers", [1, 2])
def test_nights_against_a_second_api(second: Second, workers: int) -> None:
    """A first load, the same again, and a change with a removal; processes that send get the profile with their target."""
    first = second.sync(rows(), workers)
    everywhere = {path.startswith(PREFIX) for _, path in second.sandbox.requests}
    again = second.sync(rows(), workers)
    quiet = second.writes
    later = second.sync(without(changed(rows(), "co", title="Math five"), "e2"), workers)

    assert SENT == {name: counts["created"] for name, counts in first.counts.items()}
    assert ({True}, 0, []) == (everywhere, again.exit_code, quiet)
    assert [
        ("PUT", f"{PREFIX}rostering/courses/co"),
        ("DELETE", f"{PREFIX}rostering/enrollments/e2"),
    ] == second.writes
    assert (1, 1) == (later.counts["courses"]["updated"], later.counts["enrollments"]["deleted"])


def test_what_it_has_no_place_for_is_counted_by_file(second: Second) -> None:
    """A note names each file whose collection is missing, with its rows, as it does for any target."""
    result = second.sync(rows())

    notes = {(one.file, one.count) for one in result.findings.notices if one.rule == "not_carried"}
    assert {(f"{name}.csv", 1) for name in MISSING} == notes
    assert (0, set()) == (result.exit_code, set(MISSING) & result.counts.keys())


def test_it_is_sent_its_own_words_and_nothing_that_another_api_wants(second: Second) -> None:
    """Its word for a subject; no address for a user without one, no organization for a term, no href for a school year."""
    second.sync(rows())

    held = second.sandbox.store.get
    course, user, term = held("courses", "co"), held("users", "bo"), held("academicSessions", "t1")
    assert course
    assert user
    assert term
    assert (["Maths"], {"sourcedId": "y"}) == (course["subjects"], course["schoolYear"])
    assert (None, None, "student") == (user.get("email"), term.get("org"), user["roles"][0]["role"])


def test_it_is_verified(second: Second) -> None:
    """What others change there is found; what was sent is equal."""
    second.sync(rows())
    before = compare_feed(second.job(rows()))
    second.sandbox.store.put(
        "orgs", {**(second.sandbox.store.get("orgs", "s1") or {}), "name": "Birch School"}
    )

    after = compare_feed(second.job(rows()))

    assert [] == [one.found.rows() for one in before.entities.values() if one.found.height]
    assert (0, set(SENT)) == (before.found, set(before.entities))
    assert [("s1", "different", "name")] == after.entities["orgs"].found.rows()


def test_it_is_read(second: Second) -> None:
    """Page by page, by the names that it has; a view of one API is none of another."""
    second.sync(rows())
    schools = query_target(Query("schools"), second.target, second.folder / "state").records
    users = query_target(Query("users"), second.target, second.folder / "state").records

    assert ({"s1", "s2"}, 4) == ({one["sourcedId"] for one in schools}, len(users))
    with pytest.raises(SettingsError, match="no collection 'demographics'"):
        query_target(Query("demographics"), second.target, second.folder / "state")


def test_it_is_exported(second: Second) -> None:
    """What it holds comes back as a roster; its roles are the standard's already."""
    second.sync(rows())

    roster = roster_of_api(second.job(rows()), Watch())

    held = {name: table.frame.height for name, table in roster.tables.items()}
    assert {**SENT, "roles": 4} == {name: held[name] for name in (*SENT, "roles")}
    assert {"student", "teacher", "parent"} == set(roster.tables["roles"].frame["role"])


def test_a_preflight_asks_for_its_collections(second: Second) -> None:
    """Those that a load of the drop would touch, and that it has."""
    _, seen = read_drop_contents(second.job(rows()))

    assert list(SENT) == seen.touched(SECOND.collections)
    assert pl.DataFrame(schema=seen.words.schema).equals(seen.words)


@pytest.mark.parametrize(
    "profile", [TIMEBACK, SECOND, standard_profile("1.1")], ids=lambda one: str(one.name)
)
def test_a_profile_can_be_sent_to_another_process(profile: object) -> None:
    """Processes of this machine and of a cluster are given it as bytes."""
    assert profile == pickle.loads(pickle.dumps(profile))


def test_the_sandbox_serves_no_more_than_a_profile_has() -> None:
    """An API that has nothing but organizations, and no words of its own."""
    orgs = {"orgs": SECOND.collections["orgs"]}
    bare = replace(SECOND, collections=orgs, views={}, vocabulary=TargetVocabulary())

    with Sandbox(None, profile=bare) as sandbox, connected(sandbox) as client:
        answers = [
            client.get(sandbox.url + PREFIX + path)
            for path in ("rostering/orgs", "rostering/users")
        ]

    assert [(200, True), (404, False)] == [
        (one.status_code, "records" in one.json()) for one in answers
    ]
