"""What a load sends, in which order, and how each record is counted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import polars as pl
import pytest

import connectors.oneroster.load
from connectors.ledger import Ledger
from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.load import RecordProblem
from connectors.oneroster.operations import ID_OF_DOTS, delete
from connectors.oneroster.outcomes import RecordResult
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.senders import OUTCOME_UNKNOWN
from tests.oneroster.districts import (
    KEY,
    ORGS,
    WHOLE,
    Answered,
    District,
    Row,
    a_class,
    course,
    enrollment,
    opened,
    org,
    session,
    user,
)
from transforms.schemas import ENTITIES

FOREIGN = "the target holds this id with another name, which we did not send"


@pytest.fixture
def district(tmp_path: Path, sandbox: Sandbox) -> Iterator[District]:
    """An empty sandbox and an empty ledger."""
    with opened(sandbox, tmp_path) as district:
        yield district


def refusing(method: str, ending: str, status: int = 422) -> Any:
    """Make a target that refuses one kind of request."""

    def twist(request: httpx.Request) -> httpx.Response | None:
        hit = request.method == method and str(request.url).endswith(ending)
        return (
            httpx.Response(status, json={"imsx_description": "Ann is not welcome"}) if hit else None
        )

    return twist


def test_a_first_load_posts_each_record_once(district: District) -> None:
    """One write for each record, parents first, and the ledger knows them all."""
    loaded = district.load(**WHOLE)

    assert loaded.counts == {name: {"created": len(rows)} for name, rows in WHOLE.items()}
    assert (loaded.troubles, loaded.error, loaded.requests) == ((), None, 9)
    assert district.writes() == [
        ("POST", TIMEBACK.collections[name].path.partition("/v1p2/")[2])
        for name in ENTITIES
        for _ in WHOLE.get(name, [])
    ]
    assert {name: district.active(name) for name in WHOLE} == {
        name: {row["sourcedId"] for row in rows} for name, rows in WHOLE.items()
    }
    assert set().union(*district.ledger.intended(KEY).values()) == set()


def test_the_target_holds_what_was_sent(district: District) -> None:
    """References, renames and types come through."""
    district.load(**WHOLE)

    assert district.read("classes", "c")["school"]["sourcedId"] == "s"
    assert district.read("courses", "k")["schoolYear"]["sourcedId"] == "y"
    assert district.read("academicSessions", "t")["org"]["sourcedId"] == "d"
    assert district.read("users", "u")["roles"][0]["org"]["sourcedId"] == "s"


def test_nothing_changed_nothing_sent(district: District) -> None:
    """The same drop again asks nothing of the target."""
    district.load(**WHOLE)

    loaded = district.load(**WHOLE)

    assert (loaded.counts, loaded.requests) == ({}, 0)


def test_one_changed_row_is_one_write(district: District) -> None:
    """It is read first, so that nothing of others is lost."""
    district.load(**WHOLE)
    district.writes()

    loaded = district.load(users=[user("u", givenName="Anna")])

    assert (loaded.counts, loaded.requests) == ({"users": {"updated": 1}}, 2)
    assert district.writes() == [("PUT", "users/u")]
    assert district.read("users", "u")["givenName"] == "Anna"


def test_an_apps_metadata_survives_a_change_of_name(district: District) -> None:
    """What others wrote on our record stays, at any depth."""
    district.load(
        orgs=ORGS, users=[user("u", **{"metadata.sis.house": "red", "metadata.sis.bus": "7"})]
    )
    theirs = district.read("users", "u")
    district.write(
        "users", "u", metadata=theirs["metadata"] | {"app": {"goal": 3}}, pronouns="they"
    )

    district.load(
        users=[
            user("u", givenName="Anna", **{"metadata.sis.house": "blue", "metadata.sis.bus": None})
        ]
    )

    after = district.read("users", "u")
    assert after["metadata"] == {"app": {"goal": 3}, "sis": {"house": "blue", "bus": None}}
    assert (after["givenName"], after["pronouns"]) == ("Anna", "they")


def test_what_is_blank_now_is_cleared(district: District) -> None:
    """What we sent and the drop leaves blank goes; what we never sent stays."""
    district.load(orgs=ORGS, users=[user("u", phone="123", grades="5", middleName=None)])
    district.write("users", "u", middleName="May")

    district.load(users=[user("u", phone=None, grades=None, middleName=None)])

    after = district.read("users", "u")
    assert (after.get("phone"), after.get("grades") or [], after["middleName"]) == (None, [], "May")


def test_what_a_drop_does_not_speak_of_stays(district: District) -> None:
    """A column that is missing says nothing, and is cleared when it comes back blank."""
    district.load(orgs=ORGS, users=[user("u", phone="123")])

    district.load(users=[user("u", givenName="Anna")])
    assert district.read("users", "u")["phone"] == "123"

    district.load(users=[user("u", givenName="Annabel", phone=None)])
    assert district.read("users", "u").get("phone") is None


def test_an_update_that_is_there_already_is_not_sent(district: District) -> None:
    """If somebody else made the same change, there is nothing to do."""
    district.load(orgs=ORGS)
    district.write("orgs", "s", name="Elm")
    district.writes()

    loaded = district.load(orgs=[org("s", "d", name="Elm")])

    assert (loaded.counts, district.writes()) == ({"orgs": {"unchanged": 1}}, [])
    assert district.load(orgs=[org("s", "d", name="Elm")]).requests == 0


def test_an_update_of_what_is_not_there_creates_it(district: District) -> None:
    """The target lost what the ledger knows."""
    district.load(orgs=ORGS)
    district.sandbox.store.clear()

    loaded = district.load(orgs=[org("d", name="D")])

    assert loaded.counts == {"orgs": {"updated": 1}}
    assert district.read("orgs", "d")["name"] == "D"


DUPLICATES: list[tuple[str, int, dict[str, list[Row]]]] = [
    ("orgs", 409, {"orgs": [org("d")]}),
    ("courses", 404, {"courses": [course()]}),
    ("users", 500, {"users": [user("u")]}),
]


@pytest.mark.parametrize(("entity", "status", "rows"), DUPLICATES)
def test_a_duplicate_that_equals_ours_is_recorded(
    district: District, tmp_path: Path, entity: str, status: int, rows: dict[str, list[Row]]
) -> None:
    """'Already exists' comes as 409, as 404 and as 500 (section 2.2); the record is then compared."""
    district.load(**WHOLE)
    with opened(district.sandbox, tmp_path / "other") as other:
        other.twist = refusing("POST", "/users/", 500) if status == 500 else None
        loaded = other.load(**rows)

        assert loaded.counts == {entity: {"unchanged": 1}}
        assert other.active(entity) == {rows[entity][0]["sourcedId"]}
        assert other.load(**rows).requests == 0


def test_a_500_that_is_no_duplicate_is_a_failure(district: District) -> None:
    """The record is not there, so that the target really failed."""
    district.twist = refusing("POST", "/users/", 500)

    loaded = district.load(orgs=ORGS, users=[user("u")])

    assert loaded.counts["users"] == {"failed": 1}
    assert loaded.troubles == (RecordProblem("users", "u", "failed", "HTTP 500: … is not welcome"),)
    assert district.ledger.intended(KEY) == {}


def test_a_foreign_record_is_held(district: District) -> None:
    """What the target holds, the ledger does not know and differs from ours belongs to somebody else."""
    district.app(
        wire.create(
            TIMEBACK.collections["orgs"],
            {"sourcedId": "d", "status": "active", "name": "X", "type": "district"},
        )
    )

    loaded = district.load(orgs=[org("d"), org("s", "d"), org("other")])

    assert loaded.counts == {"orgs": {"created": 1, "held": 1, "waiting": 1}}
    assert loaded.troubles == (
        RecordProblem("orgs", "d", "held", FOREIGN),
        RecordProblem("orgs", "s", "waiting", "orgs:d is not in the target"),
    )
    assert district.active("orgs") == {"other"}
    assert district.read("orgs", "d")["name"] == "X"
    assert district.ledger.intended(KEY) == {}


def test_what_a_killed_run_was_sending_is_ours(district: District) -> None:
    """It says what the killed run's roster said; an app may have written on the record meanwhile."""
    district.kill(orgs=[org("d", name="Before"), org("later")], arrived=["d"])
    district.write("orgs", "d", metadata={"app": 1})

    loaded = district.load(orgs=[org("d", name="After"), org("later")])

    assert loaded.counts == {"orgs": {"created": 2}}
    assert (district.read("orgs", "d")["name"], district.read("orgs", "d")["metadata"]) == (
        "After",
        {"app": 1},
    )
    assert district.load(orgs=[org("d", name="After"), org("later")]).requests == 0


def test_an_intent_outlives_a_run_that_came_to_nothing(district: District) -> None:
    """What a killed run sent is ours, however many runs break off after it."""
    changes = district.changes(orgs=[org("d")])
    district.ledger.intend(
        KEY, "orgs", changes["orgs"].upserts.select("sourcedId", "#fingerprint"), "killed"
    )
    district.twist = lambda request: httpx.Response(401)

    assert district.send(changes).counts == {"orgs": {"waiting": 1}}
    assert district.ledger.intended(KEY) == {"orgs": frozenset({"d"})}


@pytest.mark.parametrize(("status", "left"), [(422, {}), (502, {"orgs": frozenset({"d"})})])
def test_an_intent_stays_where_nobody_knows(
    district: District, status: int, left: dict[str, frozenset[str]]
) -> None:
    """A refusal is certain; after a gateway's error the record may be there."""
    district.twist = refusing("POST", "/orgs/", status)

    assert district.load(orgs=[org("d")]).counts == {"orgs": {"failed": 1}}
    assert district.ledger.intended(KEY) == left


def test_a_lost_answer_is_recognised_by_the_next_run(district: District) -> None:
    """The target did what it was asked, and nobody heard of it."""
    district.twist = lambda request: (
        httpx.ReadError("lost") if "/orgs" in str(request.url) else None
    )
    lost = district.load(orgs=[org("d")])
    district.twist = None
    district.write("orgs", "d", metadata={"app": 1})

    found = district.load(orgs=[org("d", name="New")])

    assert (lost.counts, lost.troubles[0].detail) == ({"orgs": {"failed": 1}}, OUTCOME_UNKNOWN)
    assert "is down" in (lost.error or "")
    assert found.counts == {"orgs": {"created": 1}}
    assert (district.read("orgs", "d")["name"], district.read("orgs", "d")["metadata"]) == (
        "New",
        {"app": 1},
    )


UNREADABLE = [
    (httpx.Response(502, html="<h1>Bad gateway"), "HTTP 502: an HTML page"),
    (httpx.Response(200, content=b'{"org": {"sourc'), "HTTP 200: an answer that is not understood"),
    (httpx.Response(200, content=b'{"user": {}}'), "the target's record could not be understood"),
]


@pytest.mark.parametrize(("answer", "detail"), UNREADABLE)
def test_a_record_that_cannot_be_read_is_not_written(
    district: District, answer: httpx.Response, detail: str
) -> None:
    """Without what the target holds, nobody knows what a write would erase, or whose the record is."""
    district.load(orgs=[org("d")])
    district.app(
        wire.create(
            TIMEBACK.collections["orgs"],
            {"sourcedId": "x", "status": "active", "name": "X", "type": "district"},
        )
    )
    district.twist = lambda request: answer if request.method == "GET" else None

    loaded = district.load(orgs=[org("d", name="New"), org("x")])

    assert loaded.troubles == (
        RecordProblem("orgs", "d", "failed", detail),
        RecordProblem("orgs", "x", "failed", detail),
    )
    assert [method for method, _ in district.writes()] == ["POST"]


def test_an_update_waits_for_a_new_parent_that_failed(district: District) -> None:
    """The record stays as it is in the target, and others may refer to it."""
    district.load(**WHOLE)
    district.twist = refusing("POST", "/courses/")

    loaded = district.load(
        courses=[course("new")],
        classes=[a_class(courseSourcedId="new")],
        enrollments=[enrollment("e2")],
    )

    assert loaded.counts == {
        "courses": {"failed": 1},
        "classes": {"waiting": 1},
        "enrollments": {"created": 1},
    }


@pytest.mark.parametrize("sourced_id", ["a/b", "a?b#c", "a b", "é漢", "50%", "a+b&c=d;e", "orgs:d"])
def test_any_id_can_be_created_changed_and_deleted(district: District, sourced_id: str) -> None:
    """Free text is an id (section 2.6)."""
    district.load(orgs=[org("d"), org(sourced_id, "d"), org("below", sourced_id)])
    district.load(orgs=[org(sourced_id, "d", name="New")])

    assert district.read("orgs", sourced_id)["name"] == "New"
    assert district.load({"orgs": [sourced_id]}).counts == {"orgs": {"deleted": 1}}
    assert district.read("orgs", sourced_id)["status"] == "tobedeleted"


@pytest.mark.parametrize("sourced_id", [".", ".."])
def test_an_id_of_dots_is_never_sent(district: District, sourced_id: str) -> None:
    """It would address the collection."""
    loaded = district.load(orgs=[org(sourced_id)])

    assert (loaded.counts, district.writes()) == ({"orgs": {"failed": 1}}, [])


@pytest.mark.parametrize("sourced_id", [".", ".."])
def test_an_id_of_dots_is_never_deleted(district: District, sourced_id: str) -> None:
    """However it came into the ledger."""

    async def run() -> RecordResult:
        async with Client(district.target) as client:
            return await delete(client, TIMEBACK.collections["orgs"], sourced_id)

    assert asyncio.run(run()) == RecordResult("failed", ID_OF_DOTS)
    assert district.writes() == []


def test_batches_go_down_a_tree_level_by_level(district: District) -> None:
    """No request refers to a record that is not acknowledged."""
    rows = [
        org("room", "school"),
        org("school", "area"),
        org("area", "d"),
        org("d"),
        org("hall", "school"),
    ]
    seen: list[str] = []

    def note(request: httpx.Request) -> None:
        if request.method == "POST" and "/orgs" in str(request.url):
            seen.append(json.loads(request.content)["org"]["sourcedId"])

    district.twist = note
    loaded = district.load(
        orgs=rows, academicSessions=[session("g", "t"), session("t", "y"), session("y")]
    )

    assert loaded.counts == {"orgs": {"created": 5}, "academicSessions": {"created": 3}}
    assert (seen[:3], set(seen[3:])) == (["d", "area", "school"], {"room", "hall"})


def test_children_of_a_failed_parent_wait(district: District) -> None:
    """They are counted with their cause, down to the last of them."""
    district.twist = refusing("POST", "/courses/")

    loaded = district.load(**WHOLE)

    assert {
        name: loaded.counts[name] for name in ("courses", "classes", "enrollments", "users")
    } == {
        "courses": {"failed": 1},
        "classes": {"waiting": 1},
        "enrollments": {"waiting": 1},
        "users": {"created": 1},
    }
    assert [(trouble.sourcedId, trouble.detail) for trouble in loaded.troubles[1:]] == [
        ("c", "courses:k is not in the target"),
        ("e", "classes:c is not in the target"),
    ]


def test_children_of_a_parent_that_is_there_do_not_wait(district: District) -> None:
    """An update that fails leaves the parent where it is."""
    district.load(**WHOLE)
    district.twist = refusing("PUT", "/classes/c")

    loaded = district.load(classes=[a_class(title="Math 2")], enrollments=[enrollment("e2")])

    assert loaded.counts == {"classes": {"failed": 1}, "enrollments": {"created": 1}}


def test_deletes_come_last_and_children_first(district: District) -> None:
    """The order of loading, turned round."""
    district.load(**WHOLE)
    district.writes()

    loaded = district.load(
        {
            "users": ["u"],
            "demographics": ["u"],
            "classes": ["c"],
            "enrollments": ["e"],
            "orgs": ["s", "d"],
        },
        courses=[course(title="New")],
    )

    assert loaded.counts["orgs"] == {"deleted": 2}
    assert district.writes() == [
        ("PUT", "courses/k"),
        ("DELETE", "enrollments/e"),
        ("DELETE", "classes/c"),
        ("DELETE", "demographics/u"),
        ("DELETE", "users/u"),
        ("DELETE", "orgs/s"),
        ("DELETE", "orgs/d"),
    ]
    assert district.active("users") == set()


def test_what_is_not_there_is_deleted(district: District) -> None:
    """A 404 says what we want to hear; other refusals are failures."""
    district.load(orgs=ORGS)
    district.sandbox.store.clear()
    district.twist = refusing("DELETE", "/orgs/d")

    loaded = district.load({"orgs": ["s", "d"]})

    assert loaded.counts == {"orgs": {"deleted": 1, "failed": 1}}
    assert district.active("orgs") == {"d"}


def test_who_returns_after_a_delete_is_revived(district: District) -> None:
    """An id that was deleted cannot be created again, but changed (section 2.3)."""
    district.load(orgs=ORGS)
    district.load({"orgs": ["s"]})
    district.writes()

    loaded = district.load(orgs=[org("s", "d")])

    assert loaded.counts == {"orgs": {"created": 1}}
    assert district.writes() == [("PUT", "orgs/s")]
    assert district.read("orgs", "s")["status"] == "active"


def test_a_class_that_moved_is_reported(district: District) -> None:
    """The rest of it is sent; a PUT cannot carry the move (section 11b)."""
    district.load(**WHOLE)
    district.load(courses=[course("k2")])

    loaded = district.load(classes=[a_class(title="Math 2", courseSourcedId="k2")])

    assert loaded.counts == {"classes": {"updated": 1}}
    assert [(notice.rule, notice.count, notice.examples) for notice in loaded.notices] == [
        ("class_moved", 1, ((None, "c"),))
    ]
    after = district.read("classes", "c")
    assert (after["title"], after["course"]["sourcedId"]) == ("Math 2", "k")


def test_a_load_stops_when_another_run_has_the_feed(
    district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not only at the next batch: the requests under way are finished, and no more is sent."""
    monkeypatch.setattr(connectors.oneroster.load, "ASK_SECONDS", 0.0)
    monkeypatch.setattr(Ledger, "is_ours_alone", lambda _: False)
    rows = [org(f"o{number}") for number in range(2000)]

    loaded = district.send(district.changes(orgs=rows), batch_size=2000)

    assert 0 < loaded.counts["orgs"]["waiting"]
    assert "it was stopped" in (loaded.error or "")


def test_a_stopped_run_finishes_what_is_under_way(district: District) -> None:
    """What is under way is recorded, the rest waits, and the next run sends it."""
    rows = [org(f"o{number}") for number in range(10)]
    stop, told = asyncio.Event(), []

    def watch(entity: str, done: int, total: int) -> None:
        told.append((entity, done, total))
        stop.set()

    loaded = district.send(district.changes(orgs=rows), batch_size=4, progress=watch, stop=stop)

    assert loaded.counts == {"orgs": {"created": 4, "waiting": 6}}
    assert {trouble.detail for trouble in loaded.troubles} == {"the run was stopped before it"}
    assert "it was stopped" in (loaded.error or "")
    assert told == [("orgs", 4, 10), ("orgs", 8, 10), ("orgs", 10, 10)]
    assert district.load(orgs=rows).counts == {"orgs": {"created": 6}}


def test_a_target_that_goes_away_ends_the_run(district: District) -> None:
    """What was acknowledged is recorded; everything else waits, deletes too."""
    district.load(orgs=[org("old")])
    rows = [org(f"o{number}") for number in range(10)]
    posts = iter(range(100))

    def fail(request: httpx.Request) -> None:
        if request.method == "POST" and "/orgs" in str(request.url) and next(posts) >= 5:
            raise httpx.ConnectError("gone", request=request)

    district.twist, district.concurrency = fail, 2
    loaded = district.load({"orgs": ["old"]}, orgs=rows, users=[user("u")])

    assert loaded.counts == {"orgs": {"created": 5, "waiting": 6}, "users": {"waiting": 1}}
    assert "cannot be reached: no connection (ConnectError)" in (loaded.error or "")
    assert len(district.active("orgs")) == 6
    assert district.ledger.intended(KEY) == {}

    district.twist = None
    again = district.load({"orgs": ["old"]}, orgs=[*rows, *ORGS], users=[user("u")])
    assert again.counts == {"orgs": {"created": 7, "deleted": 1}, "users": {"created": 1}}


def test_refused_credentials_send_nothing(district: District) -> None:
    """Everything waits for somebody who knows the secret."""
    district.twist = lambda request: (
        httpx.Response(403) if request.url.path.endswith("token") else None
    )

    loaded = district.load(orgs=ORGS)

    assert (loaded.counts, loaded.requests, district.writes()) == ({"orgs": {"waiting": 2}}, 0, [])
    assert "gave no token (HTTP 403)" in (loaded.error or "")


def test_no_more_requests_than_allowed_are_under_way(district: District) -> None:
    """Ten is what the target bears (section 3)."""
    under_way, most = 0, 0

    async def slow(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return httpx.Response(201, json={"access_token": "t"})

    district.concurrency = 4
    changes = district.changes(orgs=[org(f"o{number}") for number in range(50)])
    district.send(changes, transport=httpx.MockTransport(slow))

    assert most == 4


def test_the_ledger_learns_what_it_needs(district: District) -> None:
    """School, parents, label and the columns that were filled."""
    district.load(**WHOLE)

    details = district.ledger.details(KEY, "classes", pl.Series(["c"]))

    assert details.select("school", "parents", "label", "fields").row(0) == (
        "s",
        "courses:k orgs:s academicSessions:t",
        "Math 1",
        "classType,courseSourcedId,schoolSourcedId,sourcedId,termSourcedIds,title",
    )


def test_a_delete_that_a_collection_does_not_know_is_put(tmp_path: Path, sandbox: Sandbox) -> None:
    """Resources have answered DELETE with 404 although they were there (section 2.3): they are put as deleted."""
    row: Row = {"sourcedId": "v", "title": "Adding", "vendorResourceId": "v-1"}
    with opened(sandbox, tmp_path) as district:
        district.load(resources=[row])
        district.twist = lambda request: (
            httpx.Response(404, json={}) if request.method == "DELETE" else None
        )

        loaded = district.load({"resources": ["v"]})

        assert {"deleted": 1} == loaded.counts["resources"]
        assert ("tobedeleted", set()) == (
            district.read("resources", "v")["status"],
            district.active("resources"),
        )


def test_a_gradebook_record_that_is_gone_is_put(tmp_path: Path, sandbox: Sandbox) -> None:
    """Its PUT creates (section 2.1)."""
    row: Row = {"sourcedId": "hw", "title": "Homework"}
    with opened(sandbox, tmp_path) as district:
        district.load(categories=[row])
        district.sandbox.store.clear()
        district.sandbox.requests.clear()

        district.load(categories=[row | {"title": "Home work"}])

        assert [("PUT", "categories/hw")] == district.writes()


def elsewhere(request: httpx.Request) -> httpx.Response | None:
    """Make a target that makes ids of its own for organizations."""
    if request.method != "POST" or not str(request.url).endswith("/orgs/"):
        return None
    supplied = json.loads(request.content)["org"]["sourcedId"]
    pairs = {"suppliedSourcedId": supplied, "allocatedSourcedId": f"own-{supplied}"}
    return httpx.Response(201, json={"sourcedIdPairs": pairs})


def test_a_target_that_makes_all_ids_of_its_own_gets_no_more(district: District) -> None:
    """Or it would have everybody again each night."""
    district.twist, district.concurrency = elsewhere, 2

    loaded = district.load(orgs=[org(f"o{number:02}") for number in range(40)], users=[user("u")])

    assert "does not keep the ids of orgs that it is sent" in (loaded.error or "")
    assert 10 <= loaded.counts["orgs"]["failed"] < 13
    assert (
        "under another id, 'own-o00', where nothing of ours finds it" in loaded.troubles[0].detail
    )


def test_a_target_that_makes_some_ids_of_its_own_gets_the_others(district: District) -> None:
    """They fail, however many they are."""
    district.twist = lambda request: None if b'"o00"' in request.content else elsewhere(request)
    district.concurrency = 1

    loaded = district.load(orgs=[org(f"o{number:02}") for number in range(40)])

    assert (None, {"orgs": {"created": 1, "failed": 39}}) == (loaded.error, loaded.counts)


def test_a_change_whose_answer_is_not_understood_is_looked_up(district: District) -> None:
    """What the target holds tells; nothing is sent twice."""
    district.load(orgs=[org("d")])
    district.writes()
    changes = district.changes(orgs=[org("d", name="New"), org("new")])

    loaded = district.send(
        changes, Answered(lambda: httpx.Response(200, json={"message": "thank you"}))
    )

    assert {"orgs": {"updated": 1, "created": 1}} == loaded.counts
    assert [("POST", "orgs/"), ("PUT", "orgs/d")] == sorted(district.writes())
