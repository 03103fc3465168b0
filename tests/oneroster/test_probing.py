"""A probe finds out what a target really does, and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from connectors.oneroster import wire
from connectors.oneroster.client import Client, credential_spellings
from connectors.oneroster.probe.questions import (
    QUESTIONS,
    LimitListener,
    ProbeFact,
    find_problems,
    kind_of_body,
)
from connectors.oneroster.probe.records import KINDS, PREFIX, MadeRecord, ProbeRecords
from connectors.oneroster.probe.run import ProbeResult, probe
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint
from tests.oneroster.districts import QUICK
from tests.oneroster.odd import Met, Reply, odd

CREATED_BY_PUT = frozenset(name for name, one in TIMEBACK.collections.items() if one.put_creates)
ROSTERING = [kind.name for kind in KINDS if kind.name not in CREATED_BY_PUT]


def probed(sandbox: Sandbox, earlier: tuple[MadeRecord, ...] = ()) -> ProbeResult:
    """Probe a sandbox, without waiting for it."""
    target = Endpoint(
        sandbox.url,
        sandbox.token_url,
        "sandbox",
        "sandbox",
        concurrency=1,
        patience=QUICK,
        profile=TIMEBACK,
    )
    return asyncio.run(probe(target, "test", earlier))


def active(sandbox: Sandbox) -> list[str]:
    """The records that are active in a sandbox."""
    return [f"{name}:{one}" for name in TIMEBACK.collections for one in sandbox.store.ids(name)]


def answers(found: ProbeResult, question: str) -> dict[str, str]:
    """What was answered to a question, by collection."""
    return {fact.collection: fact.answer for fact in found.facts if fact.question == question}


@pytest.fixture(scope="module")
def plain() -> Iterator[tuple[ProbeResult, list[str]]]:
    """Probe the sandbox as it is; say what is active in it afterwards."""
    with Sandbox(None) as sandbox:
        found = probed(sandbox)
        yield found, active(sandbox)


def test_every_question_is_asked(plain: tuple[ProbeResult, list[str]]) -> None:
    """Of every kind of record, as far as it has something to ask about."""
    found, _ = plain

    assert set(QUESTIONS) == {fact.question for fact in found.facts}
    assert dict.fromkeys([kind.name for kind in KINDS], "accepted") == answers(found, "create")
    assert "" == found.broken


def test_what_was_made_is_gone(plain: tuple[ProbeResult, list[str]]) -> None:
    """Nothing is active in the target afterwards."""
    found, left = plain

    assert ((), []) == (found.left, left)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "duplicate",
            dict.fromkeys([kind.name for kind in KINDS], "exists")
            | {"componentResources": "unclear"},
        ),
        ("left out", {kind.name: "kept" for kind in KINDS if kind.spare}),
        ("null", {kind.name: "cleared" for kind in KINDS if kind.spare}),
        ("unchanged", dict.fromkeys([kind.name for kind in KINDS], "new dateLastModified")),
        ("unknown", dict.fromkeys(ROSTERING, "missing") | {"categories": "created"}),
        ("delete", dict.fromkeys([kind.name for kind in KINDS], "soft")),
        ("revive", dict.fromkeys([kind.name for kind in KINDS], "revived")),
        ("page", {"orgs": "held"}),
        ("page beyond", {"orgs": "refused"}),
        ("filter", {"orgs": "works"}),
        ("limits", {"": "none seen"}),
    ],
)
def test_the_sandbox_does_what_is_documented(
    plain: tuple[ProbeResult, list[str]], question: str, expected: dict[str, str]
) -> None:
    """Nothing of it differs from what the loader assumes."""
    found, _ = plain

    assert expected == answers(found, question)
    assert [] == find_problems(found.facts, CREATED_BY_PUT)


def test_a_duplicate_is_told_with_its_status(plain: tuple[ProbeResult, list[str]]) -> None:
    """It is another one for courses and for links."""
    found, _ = plain
    statuses = {
        fact.collection: fact.status for fact in found.facts if fact.question == "duplicate"
    }

    assert {name: TIMEBACK.collections[name].duplicate_status for name in statuses} == statuses
    assert {"an error of the API"} == {
        fact.body for fact in found.facts if fact.question == "duplicate"
    }


def test_all_records_are_invented_and_none_can_sign_in() -> None:
    """Their ids say what they are."""
    things = ProbeRecords("test")
    users = next(kind for kind in KINDS if kind.name == "users")

    assert all(sourced_id.startswith(f"{PREFIX}test-") for _, sourced_id in things.ids())
    assert (False, True) == (
        things.record(users)["enabledUser"],
        things.record(users)["email"].endswith("@example.edu"),
    )


def meet_all(met: Met) -> Reply | None:
    """Do in each collection one thing otherwise."""
    spare = {kind.name: kind.spare for kind in KINDS}.get(met.collection, "")
    deleted = bool(met.before) and met.before is not None and met.before["status"] == "tobedeleted"
    match met.method, met.collection:
        case "POST", "orgs":
            met.record.pop("parent", None)
        case "PUT", "orgs" if met.before and all(
            v in (met.before.get(k), {}) for k, v in met.record.items()
        ):
            return Reply(200)
        case "PUT", "academicSessions" if deleted:
            return Reply(422)
        case "PUT", "users" if spare in met.record and met.record[spare] is None:
            return Reply(422)
        case "POST", "demographics" if met.before:
            return Reply(422)
        case "PUT", "courses" if met.before and spare not in met.record:
            met.keep(**{spare: None})
        case "PUT", "classes" if spare in met.record and met.record[spare] is None:
            met.record.pop(spare)
        case "DELETE", "enrollments":
            met.lose()
            return Reply(204)
        case "POST", "courseComponents" if deleted:
            met.lose()
        case "DELETE", "resources":
            return Reply(404)
        case "PUT", "componentResources" if deleted:
            met.record["status"] = "tobedeleted"
        case "PUT", "categories" if not met.before:
            return Reply(404)
        case "GET", _:
            return _meet_query(met)
    return None


def _meet_query(met: Met) -> Reply | None:
    if met.query.get("limit") == "3001":
        met.query["limit"] = "3000"
    met.query.pop("filter", None)
    return None


def meet_others(met: Met) -> Reply | None:
    """Do other things otherwise, which are worse."""
    match met.method, met.collection:
        case "POST", "orgs" if met.before:
            met.lose()
        case "POST", "users":
            return Reply(403)
        case "POST", "resources" if not met.before:
            met.keep(**met.record)
            return Reply(200, {"message": "thank you"})
        case "POST", "resources":
            return Reply(
                201,
                {
                    "sourcedIdPairs": {
                        "suppliedSourcedId": met.sourced_id,
                        "allocatedSourcedId": "own-7",
                    }
                },
            )
        case "POST", "courses" if not met.record["sourcedId"].endswith("-orphan"):
            return Reply(201)
        case "DELETE", "resources":
            return Reply(204)
        case "DELETE", "academicSessions":
            return Reply(405)
        case "PUT", "academicSessions" if met.record["status"] == "active":
            return Reply(422)
        case "DELETE", "categories":
            met.keep(status="lost")
            return Reply(204)
        case "POST", "categories" if met.before and met.before["status"] == "lost":
            return Reply(409)
        case "GET", "categories" if met.before and met.before["status"] == "lost":
            return Reply(404)
        case "GET", "orgs" if "filter" in met.query:
            return Reply(400)
        case "GET", "orgs" if met.query.get("limit") == "3000":
            return Reply(422)
        case "GET", "orgs" if met.query.get("limit") == "3001":
            return Reply(200, {"orgs": [], "totalCount": 0, "limit": 3001})
        case "GET", "resources" if met.before and "vendorId" in met.before:
            met.keep(vendorId=None)
    return None


@pytest.fixture(scope="module")
def odd_one() -> Iterator[ProbeResult]:
    """Probe a target that does one thing otherwise in each collection."""
    with odd(meet_all) as sandbox:
        yield probed(sandbox)


@pytest.fixture(scope="module")
def odd_other() -> Iterator[ProbeResult]:
    """Probe a target that does worse."""
    with odd(meet_others) as sandbox:
        yield probed(sandbox)


@pytest.mark.parametrize(
    ("question", "collection", "answer", "harms"),
    [
        ("orphan", "orgs", "accepted", ""),
        ("unchanged", "orgs", "same dateLastModified", ""),
        ("revive", "academicSessions", "refused", "fail for each record that comes back"),
        ("null", "users", "refused", "value became blank"),
        ("duplicate", "demographics", "refused", "a killed run does not find"),
        ("left out", "courses", "cleared", ""),
        ("null", "classes", "kept", "cannot clear a value"),
        ("delete", "enrollments", "hard", "what others wrote on it is lost"),
        ("post deleted", "enrollments", "revived", ""),
        ("post deleted", "courseComponents", "revived", ""),
        ("delete", "resources", "soft by PUT", ""),
        ("revive", "componentResources", "stays deleted", "do not notice"),
        ("unknown", "categories", "missing", "a record that the target has lost"),
        ("page beyond", "orgs", "clamped", ""),
        ("filter", "orgs", "ignored", "takes deleted records for active ones"),
    ],
)
def test_each_oddity_is_found(
    odd_one: ProbeResult, question: str, collection: str, answer: str, harms: str
) -> None:
    """And those that the loader cannot handle are reported with what they mean for which command."""
    assert_found(odd_one, question, collection, answer, harms)


@pytest.mark.parametrize(
    ("question", "collection", "answer", "harms"),
    [
        ("duplicate", "orgs", "accepted", "lays its record over one of others"),
        ("create", "users", "forbidden", "lacks the scope"),
        ("create", "courses", "not kept", "does not have them"),
        ("create", "resources", "accepted", ""),
        ("duplicate", "resources", "elsewhere", "a second time, under an id of the target's own"),
        ("delete", "resources", "ignored", "stays in the target"),
        ("left out", "resources", "not shown", ""),
        ("delete", "academicSessions", "refused", "deletes nothing"),
        ("unchanged", "academicSessions", "refused", ""),
        ("delete", "categories", "hard", "what others wrote on it is lost"),
        ("post deleted", "categories", "gone for good", "fail for each record that comes back"),
        ("page", "orgs", "refused", "cannot read the target"),
        ("page beyond", "orgs", "held", ""),
        ("filter", "orgs", "refused", "cannot read the target"),
    ],
)
def test_what_is_worse_is_found_too(
    odd_other: ProbeResult, question: str, collection: str, answer: str, harms: str
) -> None:
    """Of what could not be made, nothing else is asked."""
    assert_found(odd_other, question, collection, answer, harms)
    assert "users" not in answers(odd_other, "delete")
    assert "demographics" not in answers(odd_other, "create")


def assert_found(
    found: ProbeResult, question: str, collection: str, answer: str, harms: str
) -> None:
    """An answer was found, and counts as a problem only if it does harm."""
    assert answer == answers(found, question)[collection]
    told = [
        one
        for one in find_problems(found.facts, CREATED_BY_PUT)
        if (one.question, one.answer) == (question, answer)
    ]
    assert [True] * bool(harms) == [
        harms in one.means and collection in one.collections for one in told
    ]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b" ", "nothing"),
        (b"<html></html>", "a page"),
        (b"oops", "something else"),
        (b"{}", "JSON"),
        (b'{"imsx_codeMajor": "failure"}', "an error of the API"),
    ],
)
def test_bodies_are_of_five_kinds(body: bytes, kind: str) -> None:
    """The body of a target's answer is distinguished from that of a gateway."""
    assert kind == kind_of_body(body)


def test_limits_that_a_target_speaks_of_are_told() -> None:
    """By their headers, and by how often it was too busy."""
    busy = iter([Reply(429, headers=((b"retry-after", b"0"), (b"x-ratelimit-limit", b"50")))])

    with odd(lambda met: next(busy, None)) as sandbox:
        found = probed(sandbox)

    (fact,) = [fact for fact in found.facts if fact.question == "limits"]
    assert (
        ProbeFact(
            "limits", "", "seen", detail="retry-after: 0, x-ratelimit-limit: 50; HTTP 429 1 times"
        )
        == fact
    )


def test_a_record_under_another_id_is_named() -> None:
    """It is left there: nobody knows whether it is new."""
    pairs = {"suppliedSourcedId": "ours", "allocatedSourcedId": "own-7"}
    with odd(
        lambda met: Reply(201, {"sourcedIdPairs": pairs}) if met.method == "POST" else None
    ) as sandbox:
        found = probed(sandbox)

    (fact,) = [
        fact for fact in found.facts if (fact.question, fact.collection) == ("create", "orgs")
    ]
    assert ("elsewhere", True) == (fact.answer, "under another id, 'own-7', where" in fact.detail)


def test_a_secret_in_a_header_is_hidden() -> None:
    """Nor is the token told."""
    target = Endpoint(
        "https://api.example.edu",
        access_token="larkspur-token",
        client_secret="larkspur-secret",
        profile=TIMEBACK,
    )
    heard = LimitListener(credential_spellings(target), Echoing())

    async def run() -> None:
        async with Client(target, heard) as client:
            await client.send(wire.list_page(TIMEBACK.collections["orgs"].path, {}))

    asyncio.run(run())

    assert {"ratelimit-policy": "Bearer ..., ..."} == heard.limits


class Echoing(httpx.AsyncBaseTransport):
    """A network that says in a header what it should not."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer without asking anybody."""
        said = f"{request.headers['authorization']}, larkspur-secret"
        return httpx.Response(200, json={}, headers={"ratelimit-policy": said})


def test_what_was_made_is_gone_when_a_probe_breaks_off() -> None:
    """It takes a connection of its own to do that."""

    def meet(met: Met) -> Reply | None:
        return Reply(401) if (met.method, met.collection) == ("POST", "classes") else None

    with odd(meet) as sandbox:
        found = probed(sandbox)
        left = active(sandbox)

    assert ("refuses a fresh token" in found.broken, (), []) == (True, found.left, left)
    assert "users" in answers(found, "create")


def never_deleting(met: Met) -> Reply | None:
    """Refuse every way to delete an org."""
    refused = met.collection == "orgs" and (
        met.method == "DELETE" or met.record.get("status") == "tobedeleted"
    )
    return Reply(422) if refused else None


def test_what_could_not_be_taken_away_is_named_and_tried_again() -> None:
    """The next probe takes it away, if that has become possible."""
    stubborn = [True]

    with odd(lambda met: never_deleting(met) if stubborn[0] else None) as sandbox:
        first = probed(sandbox)
        named = active(sandbox)
        stubborn[0] = False
        second = probed(sandbox, first.left)
        left = active(sandbox)

    assert (("orgs", "roster-probe-test-orgs"),) == first.left
    assert (["orgs:roster-probe-test-orgs"], (), []) == (named, second.left, left)


def test_a_probe_of_a_dead_target_says_so() -> None:
    """Nothing was made, and nothing is said to be left."""
    with Sandbox(None) as sandbox:
        url = sandbox.url
    found = asyncio.run(
        probe(Endpoint(url, access_token="t", patience=QUICK, profile=TIMEBACK), "test")
    )

    assert ("cannot be reached" in found.broken, (), ()) == (True, found.facts, found.left)


def test_an_interrupted_probe_takes_away_what_it_made() -> None:
    """And says what remains."""
    told: list[int] = []

    async def interrupted(sandbox: Sandbox) -> None:
        target = Endpoint(
            sandbox.url,
            sandbox.token_url,
            "sandbox",
            "sandbox",
            concurrency=1,
            patience=QUICK,
            profile=TIMEBACK,
        )
        task = asyncio.create_task(probe(target, "test", (), lambda left: told.append(len(left))))
        while not sandbox.store.count("users"):
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Sandbox(None) as sandbox:
        asyncio.run(interrupted(sandbox))
        left = active(sandbox)

    assert ([0], []) == (told, left)
