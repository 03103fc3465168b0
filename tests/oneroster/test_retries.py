"""What may pass is sent again, within a budget; what was done although nobody heard of it is counted once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.outcomes import RecordProblem
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.retry import RetryPolicy
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint, TargetError
from tests.oneroster.districts import (
    KEY,
    ORGS,
    QUICK,
    WHOLE,
    Answered,
    District,
    Row,
    Twist,
    a_class,
    opened,
    org,
    user,
)

PAGE = "<html><h1>502 Bad Gateway</h1></html>"
USERS = TIMEBACK.collections["users"]
GET, PUT = wire.read(USERS, "u"), wire.replace(USERS, {"sourcedId": "u"})
POST = wire.create(USERS, {"sourcedId": "u"})
Handler = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def district(tmp_path: Path, sandbox: Sandbox) -> Iterator[District]:
    """An empty sandbox and an empty ledger."""
    with opened(sandbox, tmp_path) as district:
        yield district


def failure(code: str = "", **more: object) -> dict[str, object]:
    """Write an error body of the API (section 5)."""
    minor = {
        "imsx_codeMinorField": [
            {"imsx_codeMinorFieldName": "Target", "imsx_codeMinorFieldValue": code}
        ]
    }
    return (
        {"imsx_codeMajor": "failure", "imsx_description": "Not now."}
        | ({"imsx_CodeMinor": minor} if code else {})
        | more
    )


def first(
    times: int, method: str, ending: str, answer: Callable[[], httpx.Response | Exception]
) -> Twist:
    """Twist the first requests of a kind, each with an answer of its own."""
    left = iter(range(times))

    def twist(request: httpx.Request) -> httpx.Response | Exception | None:
        hit = request.method == method and str(request.url).endswith(ending)
        return answer() if hit and next(left, None) is not None else None

    return twist


def always(method: str, ending: str, answer: Callable[[], httpx.Response | Exception]) -> Twist:
    """Twist all requests of a kind."""
    return first(10_000, method, ending, answer)


def asked(
    handler: Handler, *requests: wire.Request, patience: RetryPolicy = QUICK
) -> tuple[list[wire.Response], Client]:
    """Send requests one after the other to a stand-in for the target."""

    async def run() -> tuple[list[wire.Response], Client]:
        target = Endpoint(
            "https://api.example.edu", access_token="t", patience=patience, profile=TIMEBACK
        )
        async with Client(target, httpx.MockTransport(handler)) as client:
            return [await client.send(request) for request in requests], client

    return asyncio.run(run())


FAULTS: dict[str, Callable[[], httpx.Response | Exception]] = {
    "429": lambda: httpx.Response(429),
    "429 for no time": lambda: httpx.Response(429, headers={"retry-after": "0"}),
    "429 until now": lambda: httpx.Response(
        429, headers={"retry-after": "Sun, 06 Nov 1994 12:00:00 GMT"}
    ),
    "500": lambda: httpx.Response(500, json=failure()),
    "502 with a page": lambda: httpx.Response(502, html=PAGE),
    "503 without a word": lambda: httpx.Response(503),
    "504": lambda: httpx.Response(504),
    "a page as a success": lambda: httpx.Response(200, html=PAGE),
    "busy as a success": lambda: httpx.Response(200, json=failure("server_busy")),
    "a failure as a success": lambda: httpx.Response(201, json={"imsx_StatusInfo": failure()}),
    "a failure of another dialect as a success": lambda: httpx.Response(
        200, json={"errors": [{"message": "Not now."}]}
    ),
    "lost": lambda: httpx.ReadError("lost"),
    "too slow": lambda: httpx.ReadTimeout("slow"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_passes_fails_nobody(
    district: District, fault: Callable[[], httpx.Response | Exception]
) -> None:
    """Eleven creates meet a fault, each is done, and none is counted twice, whether the target had done it or not."""
    rows = [org(f"o{number}") for number in range(11)]
    district.twist = first(11, "POST", "/orgs/", fault)

    loaded = district.load(orgs=rows)

    assert ({"orgs": {"created": 11}}, ()) == (loaded.counts, loaded.troubles)
    assert len(district.active("orgs")) == 11
    assert {} == district.ledger.intended(KEY)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_an_update_outlasts_what_passes(
    district: District, method: str, fault: Callable[[], httpx.Response | Exception]
) -> None:
    """Its read and its write."""
    district.load(orgs=ORGS)
    district.twist = first(2, method, "/orgs/d", fault)

    loaded = district.load(orgs=[org("d", name="New")])

    assert ({"orgs": {"updated": 1}}, 2, 4) == (loaded.counts, loaded.retries, loaded.requests)
    assert "New" == district.read("orgs", "d")["name"]


def test_a_read_that_was_cut_short_is_read_again(district: District) -> None:
    """Half a record is no record."""
    district.load(orgs=ORGS)
    district.twist = first(
        2, "GET", "/orgs/d", lambda: httpx.Response(200, content=b'{"org": {"sourcedId": "d", "na')
    )

    assert {"orgs": {"updated": 1}} == district.load(orgs=[org("d", name="New")]).counts


def test_a_delete_whose_answer_is_lost_is_done(district: District) -> None:
    """Deleting twice is deleting (section 2.3)."""
    district.load(orgs=ORGS)
    district.twist = first(1, "DELETE", "/orgs/s", lambda: httpx.ReadError("lost"))

    loaded = district.load({"orgs": ["s"]})

    assert ({"orgs": {"deleted": 1}}, 1) == (loaded.counts, loaded.retries)


@pytest.mark.parametrize(
    ("status", "request_", "times"),
    [(502, GET, 8), (429, PUT, 8), (500, PUT, 3), (500, GET, 3), (422, PUT, 1), (404, GET, 1)],
)
def test_a_request_is_sent_so_often(status: int, request_: wire.Request, times: int) -> None:
    """A refusal is final; a server that breaks on this record is not asked for ever."""
    answers, client = asked(lambda request: httpx.Response(status, json=failure()), request_)

    assert (status, times, times - 1) == (answers[0].status, client.requests, client.retries)


def test_a_request_is_sent_for_so_long() -> None:
    """The budget has an end in seconds, too."""
    _, client = asked(
        lambda request: httpx.Response(503), GET, patience=replace(QUICK, seconds=0.0)
    )

    assert 1 == client.requests


def test_a_run_repeats_so_much_altogether() -> None:
    """A part of what it sends, and some from the start: then each request is sent once."""
    patience = replace(QUICK, repeats=4, share=0.1, hopeless=100)

    _, client = asked(lambda request: httpx.Response(502), *[GET] * 40, patience=patience)

    assert (49, 9) == (client.requests, client.retries)


def test_a_target_that_wants_to_be_left_alone_is_left_alone_by_all() -> None:
    """One request gets that answer, and nobody asks until the time is over."""
    order: list[str] = []

    def handler(request: httpx.Request) -> httpx.Response:
        order.append(request.method)
        return (
            httpx.Response(429, headers={"retry-after": "0.1"})
            if len(order) == 1
            else httpx.Response(200, json={})
        )

    async def run() -> None:
        async with Client(
            Endpoint("https://api.example.edu", access_token="t", profile=TIMEBACK),
            httpx.MockTransport(handler),
        ) as client:
            told = asyncio.create_task(client.send(GET))
            while not order:
                await asyncio.sleep(0)
            asyncio.get_running_loop().call_later(0.08, order.append, "nearly over")
            await asyncio.gather(told, *(client.send(PUT) for _ in range(3)))

    asyncio.run(run())

    assert (["GET", "nearly over"], ["GET", "PUT", "PUT", "PUT"]) == (order[:2], sorted(order[2:]))


@pytest.mark.parametrize("status", [429, 503])
def test_a_target_that_wants_to_be_left_alone_for_days_ends_the_run(
    district: District, status: int
) -> None:
    """In one sentence; nothing was lost, and the next run goes on."""
    district.twist = always(
        "POST", "/orgs/", lambda: httpx.Response(status, headers={"retry-after": "86400"})
    )

    loaded = district.load(orgs=[org(f"o{number}") for number in range(30)])

    assert f"asks us to wait 86,400 seconds (HTTP {status}). Run again after that" in (
        loaded.error or ""
    )
    assert {"waiting", "failed"} >= set(loaded.counts["orgs"])
    assert loaded.requests <= district.concurrency
    district.twist = None
    assert {"orgs": {"created": 30}} == district.load(
        orgs=[org(f"o{number}") for number in range(30)]
    ).counts


def test_pauses_have_an_end_altogether() -> None:
    """A target that always wants another moment would keep a run for ever."""
    patience = replace(QUICK, pause=1.0, pauses=0.05)

    with pytest.raises(
        TargetError, match=r"api\.example\.edu asks again and again to be left alone"
    ):
        asked(
            lambda request: httpx.Response(429, headers={"retry-after": "0.02"}),
            *[GET] * 9,
            patience=patience,
        )


def test_a_foreign_record_stays_foreign_however_the_answers_fall(district: District) -> None:
    """The first answer is lost; that the id is taken, by something else than what we sent, is learned from the second."""
    theirs = {"sourcedId": "d", "status": "active", "name": "X", "type": "district"}
    district.app(wire.create(TIMEBACK.collections["orgs"], theirs))
    district.twist = first(1, "POST", "/orgs/", lambda: httpx.ReadError("lost"))

    loaded = district.load(orgs=[org("d")])

    assert ({"orgs": {"held": 1}}, "X") == (loaded.counts, district.read("orgs", "d")["name"])


def test_an_equal_record_that_was_there_is_not_created(district: District) -> None:
    """A 429 says that nothing was done."""
    district.app(
        wire.create(
            TIMEBACK.collections["orgs"],
            {"sourcedId": "d", "status": "active", "name": "Org d", "type": "district"},
        )
    )
    district.twist = first(1, "POST", "/orgs/", lambda: httpx.Response(429))

    assert {"orgs": {"unchanged": 1}} == district.load(orgs=[org("d")]).counts


@pytest.mark.parametrize("entity", ["courses", "componentResources"])
def test_a_lost_create_is_known_under_each_disguise_of_a_duplicate(
    district: District, entity: str
) -> None:
    """Its own record is "already there" as a 404 or a 500 (section 2.2): it is looked for before it is sent again."""
    content: dict[str, list[Row]] = {
        "courseComponents": [{"sourcedId": "p", "title": "Unit", "courseSourcedId": "k"}],
        "resources": [{"sourcedId": "v", "title": "Adding", "vendorResourceId": "v-1"}],
        "componentResources": [
            {
                "sourcedId": "l",
                "title": "L",
                "courseComponentSourcedId": "p",
                "resourceSourcedId": "v",
            }
        ],
    }
    district.twist = first(
        1, "POST", TIMEBACK.collections[entity].path, lambda: httpx.ReadError("lost")
    )

    loaded = district.load(**WHOLE, **content)

    assert ({"created": 1}, ()) == (loaded.counts[entity], loaded.troubles)
    assert 1 == [path for method, path in district.writes()].count(
        TIMEBACK.collections[entity].path.partition("/v1p2/")[2]
    )


def test_a_500_that_means_a_bad_reference_is_not_repeated_for_ever(district: District) -> None:
    """It fails with what the target said, and the others go on."""
    rows = [user(f"u{number}") for number in range(5)]
    district.load(orgs=ORGS, users=rows)
    district.twist = always("PUT", "/users/u3", lambda: httpx.Response(500, json=failure()))

    loaded = district.load(users=[row | {"givenName": "New"} for row in rows])

    assert {"users": {"updated": 4, "failed": 1}} == loaded.counts
    assert (RecordProblem("users", "u3", "failed", "HTTP 500: Not now."),) == loaded.troubles
    assert (None, 2) == (loaded.error, loaded.retries)


def test_a_parent_that_is_not_there_is_final(district: District) -> None:
    """A 404 to a create will not pass."""
    district.load(**WHOLE)
    district.sandbox.store.query("DELETE FROM records WHERE collection = 'courses'", ())

    loaded = district.load(classes=[a_class("new")])

    assert ({"classes": {"failed": 1}}, 1, 0) == (loaded.counts, loaded.requests, loaded.retries)
    assert "not found" in loaded.troubles[0].detail


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (failure("unknownobject"), 404),
        (failure("invaliddata"), 422),
        (failure("server_busy"), 429),
        (failure("internal_server_error"), 500),
        (failure("something_else"), 500),
        (failure(), 500),
        ({"imsx_StatusInfo": failure("invaliddata")}, 422),
        ({"imsx_codeMajor": "unsupported"}, 500),
        (
            {
                "imsx_CodeMinor": {
                    "imsx_codeMinorField": [{"imsx_codeMinorFieldValue": "forbidden"}]
                }
            },
            403,
        ),
        (
            {
                "imsx_codeMajor": "success",
                "imsx_codeMinor": {
                    "imsx_codeMinorField": [{"imsx_codeMinorFieldValue": "fullsuccess"}]
                },
            },
            200,
        ),
        ({"imsx_codeMajor": "success", "imsx_CodeMinor": "none"}, 200),
        ({"imsx_StatusInfo": "none"}, 200),
        ({"user": {"metadata": {"imsx_codeMajor": "failure"}}}, 200),
        ([{"imsx_codeMajor": "failure"}], 200),
    ],
)
def test_a_failure_inside_of_a_success_is_a_failure_of_its_kind(body: object, status: int) -> None:
    """Wrapped as the standard has it, or flat as the API does (section 5)."""
    answers, _ = asked(lambda request: httpx.Response(200, json=body), PUT)

    assert status == answers[0].status


def test_a_refusal_inside_of_a_success_is_told_and_not_recorded(district: District) -> None:
    """Nothing was acknowledged."""
    district.twist = always(
        "POST",
        "/orgs/",
        lambda: httpx.Response(200, json={"imsx_StatusInfo": failure("invaliddata")}),
    )

    loaded = district.load(orgs=[org("d")])

    assert (RecordProblem("orgs", "d", "failed", "HTTP 422: Not now."),) == loaded.troubles
    assert set() == district.active("orgs")


def test_a_write_that_a_portal_answers_is_looked_for(district: District) -> None:
    """Its page proves nothing; the target has the record."""
    district.load(orgs=ORGS)

    changes = district.changes(orgs=[org("new"), org("d", name="New")])

    loaded = district.send(changes, Answered(lambda: httpx.Response(200, html=PAGE)))

    assert ({"orgs": {"created": 1, "updated": 1}}, None) == (loaded.counts, loaded.error)


def test_a_create_of_what_the_target_lost_outlasts_a_lost_answer(district: District) -> None:
    """An update of a record that is gone is a create, and that too may be done without anybody hearing of it."""
    district.load(orgs=ORGS)
    district.sandbox.store.clear()
    district.twist = first(1, "POST", "/orgs/", lambda: httpx.ReadError("lost"))

    assert {"orgs": {"updated": 1}} == district.load(orgs=[org("d", name="New")]).counts


def test_a_target_that_is_down_ends_the_run(district: District) -> None:
    """After some requests that failed to the end; what was not sent waits, and the next run sends it."""
    rows = [org(f"o{number:03}") for number in range(200)]
    district.load(orgs=[org("old")])
    district.twist = lambda request: (
        httpx.Response(503, html=PAGE) if "/orgs" in str(request.url) else None
    )

    down = district.load({"orgs": ["old"]}, orgs=rows)
    district.twist = None
    up = district.load({"orgs": ["old"]}, orgs=rows)

    assert (
        "is down: 3 requests in a row failed to the end, the last with 'HTTP 503: an HTML page'."
        in (down.error or "")
    )
    assert 201 == sum(down.counts["orgs"].values())
    assert down.counts["orgs"]["waiting"] > 150
    assert {"orgs": {"created": 200, "deleted": 1}} == up.counts


def test_what_a_target_took_before_it_went_away_is_known_as_ours(district: District) -> None:
    """The create was carried out, its answer was lost, and then there was nobody to ask."""
    district.patience = replace(QUICK, attempts=1)

    def twist(request: httpx.Request) -> Exception | None:
        if request.method == "GET":
            raise httpx.ConnectError("gone", request=request)
        return httpx.ReadError("lost") if "/orgs" in str(request.url) else None

    district.twist = twist
    gone = district.load(orgs=[org("d")])
    district.twist = None

    assert (True, {"orgs": frozenset({"d"})}) == (
        "cannot be reached" in (gone.error or ""),
        district.ledger.intended(KEY),
    )
    assert {"orgs": {"created": 1}} == district.load(orgs=[org("d", name="New")]).counts


@pytest.mark.parametrize(("status", "left"), [(429, {}), (503, {"orgs": frozenset({"d"})})])
def test_a_gateway_that_wants_to_be_left_alone_may_have_passed_a_create_on(
    district: District, status: int, left: dict[str, frozenset[str]]
) -> None:
    """A 429 says that nothing was done."""
    district.twist = always(
        "POST", "/orgs/", lambda: httpx.Response(status, headers={"retry-after": "86400"})
    )

    district.load(orgs=[org("d")])

    assert left == district.ledger.intended(KEY)


def test_one_record_that_always_fails_is_not_a_target_that_is_down(district: District) -> None:
    """Others are answered in between; the run goes on and says which one failed."""
    rows = [org(f"o{number:03}") for number in range(40)]
    bad = {"o003", "o005", "o007", "o009", "o011"}

    def twist(request: httpx.Request) -> httpx.Response | None:
        created = request.method == "POST" and "/orgs" in str(request.url)
        return (
            httpx.Response(502)
            if created and json.loads(request.content)["org"]["sourcedId"] in bad
            else None
        )

    district.twist = twist
    loaded = district.load(orgs=rows)

    assert ({"orgs": {"created": 35, "failed": 5}}, None) == (loaded.counts, loaded.error)
    assert bad == {trouble.sourcedId for trouble in loaded.troubles}
    assert bad == district.ledger.intended(KEY)["orgs"]


def test_a_target_that_was_never_reached_fails_fast() -> None:
    """A few quick attempts tell a wrong address from a bad moment."""
    tried = 0

    def handler(request: httpx.Request) -> httpx.Response:
        nonlocal tried
        tried += 1
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(TargetError, match="cannot be reached") as error:
        asked(handler, PUT)

    assert (3, False) == (tried, getattr(error.value, "unsure", None))


def test_a_connection_that_fails_for_a_moment_is_tried_again(district: District) -> None:
    """Also before the first answer."""

    def refuse() -> httpx.Response:
        raise httpx.ConnectError("refused")

    district.twist = first(2, "POST", "/orgs/", refuse)

    assert {"orgs": {"created": 1}} == district.load(orgs=[org("d")]).counts


def test_tokens_that_expire_midway_are_renewed_once_for_all(tmp_path: Path) -> None:
    """Every request that was refused shares the fresh one, and each record arrives once."""
    with Sandbox(None) as own, opened(own, tmp_path) as district:
        _renewed_once_for_all(district)


def _renewed_once_for_all(district: District) -> None:
    expiring, fetched = iter([True]), []

    def twist(request: httpx.Request) -> None:
        fetched.extend([True] if request.url.path.endswith("token") else [])
        if b"o020" in request.content and next(expiring, False):
            district.sandbox.tokens.expire()

    district.twist = twist
    loaded = district.load(orgs=[org(f"o{number:03}") for number in range(60)])

    assert ({"orgs": {"created": 60}}, 0, 2) == (loaded.counts, loaded.retries, len(fetched))


@pytest.mark.parametrize(
    "fault",
    [
        FAULTS["429"],
        FAULTS["503 without a word"],
        FAULTS["500"],
        FAULTS["lost"],
        FAULTS["429 for no time"],
    ],
)
def test_the_token_endpoint_may_have_a_bad_moment_too(
    district: District, fault: Callable[[], httpx.Response | Exception]
) -> None:
    """It is asked again, and the run begins."""
    district.twist = first(2, "POST", "/oauth2/token", fault)

    assert {"orgs": {"created": 1}} == district.load(orgs=[org("d")]).counts


def test_a_token_endpoint_that_is_down_ends_the_run(district: District) -> None:
    """Within its own budget; nothing was sent."""
    district.twist = always("POST", "/oauth2/token", FAULTS["503 without a word"])

    loaded = district.load(orgs=[org("d")])

    assert ({"orgs": {"waiting": 1}}, 0) == (loaded.counts, loaded.requests)
    assert "gave no token (HTTP 503)" in (loaded.error or "")


def test_a_token_endpoint_that_wants_days_ends_the_run(district: District) -> None:
    """No run waits for so long."""
    district.twist = always(
        "POST", "/oauth2/token", lambda: httpx.Response(429, headers={"retry-after": "86400"})
    )

    assert "gave no token (HTTP 429)" in (district.load(orgs=[org("d")]).error or "")


def test_a_target_that_complains_gets_fewer_requests_at_once() -> None:
    """Ten at first; after a burst of complaints no more than five."""
    under_way, most, heard = 0, 0, 0

    async def busy_at_first(request: httpx.Request) -> httpx.Response:
        nonlocal under_way, most, heard
        under_way, heard = under_way + 1, heard + 1
        complains = heard <= 10
        most = most if complains else max(most, under_way)
        await asyncio.sleep(0.002)
        under_way -= 1
        return httpx.Response(429) if complains else httpx.Response(200, json={})

    async def run() -> None:
        target = Endpoint(
            "https://api.example.edu", access_token="t", patience=QUICK, profile=TIMEBACK
        )
        async with Client(target, httpx.MockTransport(busy_at_first)) as client:
            await asyncio.gather(*(client.send(PUT) for _ in range(12)))

    asyncio.run(run())

    assert 5 == most


def test_stopping_ends_the_wait_for_another_attempt(district: District) -> None:
    """What is being repeated was sent and not acknowledged: the next run finds out, and knows it as ours."""
    district.patience = RetryPolicy(rest=3600, longest_rest=3600)
    stop = asyncio.Event()

    def lose(request: httpx.Request) -> Exception | None:
        if request.method != "POST" or "/orgs" not in str(request.url):
            return None
        stop.set()
        return httpx.ReadError("lost")

    district.twist = lose
    stopped = district.send(
        district.changes(orgs=[org(f"o{number}") for number in range(30)]), stop=stop
    )

    assert "it was stopped" in (stopped.error or "")
    assert {"failed", "waiting"} == set(stopped.counts["orgs"])
    assert stopped.counts["orgs"]["failed"] <= district.concurrency
    district.twist = None
    assert {"orgs": {"created": 30}} == district.load(
        orgs=[org(f"o{number}") for number in range(30)]
    ).counts
