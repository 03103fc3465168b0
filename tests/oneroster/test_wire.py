"""Requests as the target wants them, and its answers as it means them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.oneroster import wire
from connectors.oneroster.profile import TIMEBACK

ROSTERING = "/ims/oneroster/rostering/v1p2/"
USERS = TIMEBACK.collections["users"]
POST = wire.create(
    USERS,
    {
        "sourcedId": "u1",
        "givenName": "Zoë",
        "email": "zoe@example.edu",
        "grades": ["5"],
        "phone": None,
    },
)
GET, PUT, DELETE = (
    wire.read(USERS, "u1"),
    wire.replace(USERS, {"sourcedId": "u1"}),
    wire.delete(USERS, "u1"),
)


def failure(text: str, **more: Any) -> bytes:
    """Write an error body of the API (section 5)."""
    return json.dumps({"imsx_codeMajor": "failure", "imsx_description": text, **more}).encode()


@pytest.mark.parametrize(
    "collection", TIMEBACK.collections.values(), ids=lambda collection: collection.name
)
def test_a_record_is_wrapped_and_sent_to_the_path_as_published(collection: Any) -> None:
    """Each collection has its wrapper, and its trailing slash."""
    request = wire.create(collection, {"sourcedId": "1"})

    assert (request.method, request.path) == ("POST", collection.path)
    twins = {name: None for pair in collection.twins for name in pair}
    assert json.loads(request.body) == {collection.wrapper: {"sourcedId": "1"} | twins}


@pytest.mark.parametrize(
    ("sourced_id", "path"),
    [
        ("a/b", "a%2Fb"),
        ("a?b#c", "a%3Fb%23c"),
        ("a b", "a%20b"),
        ("é漢", "%C3%A9%E6%BC%A2"),
        ("50%", "50%25"),
    ],
)
def test_an_id_is_one_segment_of_the_path(sourced_id: str, path: str) -> None:
    """Whatever an id is made of, it leads to its record and to nothing else."""
    for request in (wire.read(USERS, sourced_id), wire.delete(USERS, sourced_id)):
        assert request.path == f"{ROSTERING}users/{path}"


@pytest.mark.parametrize(
    ("sourced_id", "can"), [("", False), (".", False), ("..", False), ("...", True), ("a", True)]
)
def test_dots_alone_are_no_address(sourced_id: str, can: bool) -> None:
    """A path of dots is resolved by every HTTP library, and would lead to the collection itself."""
    assert wire.is_addressable(sourced_id) is can


def test_a_class_is_written_with_its_org() -> None:
    """The target reads `school` and writes `org` (section 8)."""
    request = wire.create(
        TIMEBACK.collections["classes"], {"sourcedId": "c", "school": {"sourcedId": "s"}}
    )

    assert json.loads(request.body) == {"class": {"sourcedId": "c", "org": {"sourcedId": "s"}}}


def test_a_course_names_its_school_year_in_full() -> None:
    """`schoolYear` is the one reference of which an id is not enough (section 8)."""
    request = wire.create(
        TIMEBACK.collections["courses"], {"sourcedId": "c", "schoolYear": {"sourcedId": "sy 1"}}
    )

    assert json.loads(request.body)["course"]["schoolYear"] == {
        "href": f"{ROSTERING}academicSessions/sy%201",
        "sourcedId": "sy 1",
        "type": "academicSession",
    }


def test_the_school_year_of_a_session_stays_a_number() -> None:
    """A session's `schoolYear` is a year, not a reference."""
    request = wire.create(
        TIMEBACK.collections["academicSessions"], {"sourcedId": "t", "schoolYear": "2026"}
    )

    assert json.loads(request.body)["academicSession"]["schoolYear"] == "2026"


@pytest.mark.parametrize("status", [200, 201, 202, 204])
@pytest.mark.parametrize("body", [b"", b"OK", b'{"half'])
def test_any_2xx_to_a_write_is_a_success(status: int, body: bytes) -> None:
    """What a PUT answers differs by collection, and is not looked at (section 8)."""
    assert wire.outcome_of(PUT, wire.Response(status, body)) == wire.Outcome("done")


def pair(supplied: Any, allocated: Any) -> dict[str, Any]:
    """Write what a target says of a new record's id (section 2.6)."""
    return {"suppliedSourcedId": supplied, "allocatedSourcedId": allocated}


@pytest.mark.parametrize("request_", [POST, PUT], ids=["POST", "PUT"])
@pytest.mark.parametrize(
    "body",
    [
        {"sourcedIdPairs": pair("u1", "u1")},
        {"sourcedIdPairs": [pair("u1", "u1")]},
        {"sourcedIdPairs": [pair("u0", "u0"), pair("u1", "u1")]},
        {"user": {"sourcedId": "u1"}},
        {"user": {"sourcedId": "u1", "primaryOrg": {"sourcedId": "s"}}},
        {
            "sourcedId": "u1",
            "course": {"sourcedId": "k", "type": "course"},
            "class": {"sourcedId": "c"},
        },
        {},
    ],
)
def test_a_success_names_our_id_or_says_nothing(request_: wire.Request, body: object) -> None:
    """The pair of the id, or the record, bare or wrapped."""
    assert wire.Outcome("done") == wire.outcome_of(
        request_, wire.Response(201, json.dumps(body).encode())
    )


@pytest.mark.parametrize("request_", [POST, PUT], ids=["POST", "PUT"])
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"sourcedIdPairs": pair("u1", "x7")}, "'x7'"),
        ({"sourcedIdPairs": [pair("u1", "x7")]}, "'x7'"),
        ({"sourcedIdPairs": [pair("u1", "x7"), pair("u2", "u1")]}, "'x7'"),
        ({"sourcedIdPairs": [pair(None, 7), pair(None, 8)]}, "'7', '8'"),
        ({"user": {"sourcedId": "x7"}}, "'x7'"),
        ({"record": {"sourcedId": "x7"}}, "'x7'"),
        ({"user": {"sourcedId": "x7", "email": "zoe@example.edu"}, "warnings": []}, "'x7'"),
        ({"sourcedId": "U1", "status": "active"}, "'U1'"),
        ({"sourcedIdPairs": pair("u1", "\x1b[2Jx")}, r"'\x1b[2Jx'"),
        ({"sourcedIdPairs": pair("u1", "x" * 500)}, f"'{'x' * 199}…'"),
    ],
)
def test_a_record_under_another_id_is_named(
    request_: wire.Request, body: object, named: str
) -> None:
    """Nothing of ours would find it again."""
    outcome = wire.outcome_of(request_, wire.Response(201, json.dumps(body).encode()))

    assert ("elsewhere", True) == (
        outcome.kind,
        f"under another id, {named}, where nothing" in outcome.detail,
    )


@pytest.mark.parametrize(
    ("request_", "kind"), [(POST, "unclear"), (PUT, "broken")], ids=["POST", "PUT"]
)
@pytest.mark.parametrize(
    "body",
    [
        {"message": "created"},
        {"sourcedIdPairs": {}},
        {"sourcedIdPairs": "u1"},
        {"user": None},
        {"org": {"sourcedId": "s", "name": "Elm"}, "givenName": "Zoë"},
        ["u1"],
        True,
    ],
)
def test_a_success_that_is_not_understood_is_looked_up(
    request_: wire.Request, kind: str, body: object
) -> None:
    """It is not sent again: what the target holds tells what became of the record."""
    answer = wire.Response(200, json.dumps(body).encode())

    assert (kind, False) == (
        wire.outcome_of(request_, answer).kind,
        wire.is_transient(request_, answer),
    )
    assert wire.Outcome("done") == wire.outcome_of(DELETE, answer)


@pytest.mark.parametrize(
    ("request_", "status", "body", "kind"),
    [
        (POST, 409, b"", "exists"),
        (POST, 404, failure("A user with this sourcedId ALREADY exists."), "exists"),
        (POST, 404, failure("Org not found."), "missing"),
        (POST, 500, b"", "unclear"),
        (POST, 502, b"<html><h1>Bad gateway</h1></html>", "unclear"),
        (POST, 200, b"\n<html>Please sign in</html>", "unclear"),
        (PUT, 200, b"<html>Please sign in</html>", "broken"),
        (POST, 200, b"\xef\xbb\xbf\n<html>Please sign in</html>", "unclear"),
        (GET, 200, b"<html>Please sign in</html>", "broken"),
        (GET, 200, b'{"user": {"sourc', "broken"),
        (GET, 200, b"", "broken"),
        (POST, 429, b"", "refused"),
        (POST, 422, failure("No."), "refused"),
        (POST, 307, b"", "refused"),
        (GET, 404, b"", "missing"),
        (DELETE, 404, b"", "missing"),
        (DELETE, 404, b"<html>There is no such page</html>", "refused"),
        (GET, 500, b"", "broken"),
        (PUT, 409, b"", "refused"),
        (DELETE, 404, failure("User already exists no more"), "missing"),
    ],
)
def test_an_answer_means(request_: wire.Request, status: int, body: bytes, kind: str) -> None:
    """'Already exists' has three disguises, and only on POST (section 2.2)."""
    assert wire.outcome_of(request_, wire.Response(status, body)).kind == kind


def test_a_lost_answer_decides_nothing() -> None:
    """Nobody knows whether a request was carried out whose answer never came."""
    lost = wire.Response(0, lost="no answer within 60 seconds", fault="slow")

    assert wire.outcome_of(POST, lost) == wire.Outcome("unclear", "no answer within 60 seconds")
    assert wire.outcome_of(PUT, lost) == wire.Outcome("broken", "no answer within 60 seconds")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (failure("Org not found."), "HTTP 422: Org not found."),
        (
            failure("Invalid", imsx_error_details=[{"email": "is wrong"}]),
            "HTTP 422: Invalid (email: is wrong)",
        ),
        (b'{"message": "Unauthorized"}', "HTTP 422: Unauthorized"),
        (b'{"error": "invalid"}', "HTTP 422: invalid"),
        (b'{"error": {"code": 7, "message": "invalid"}}', "HTTP 422: invalid"),
        (b'{"errors": [{"detail": "invalid"}, {"detail": "blank"}]}', "HTTP 422: invalid"),
        (b'{"error": {"code": 7}, "errors": []}', "HTTP 422: an answer that is not understood"),
        (b"", "HTTP 422: no explanation"),
        (b" <!doctype html><p>Zoe", "HTTP 422: an HTML page"),
        (b'{"imsx_descr', "HTTP 422: an answer that is not understood"),
        (b"[1]", "HTTP 422: an answer that is not understood"),
        (failure("taken " * 100), "HTTP 422: " + "taken " * 33 + "t…"),
    ],
)
def test_a_failure_is_told_in_the_targets_words(body: bytes, detail: str) -> None:
    """Whoever answers, the API or what stands before it, the report says what it said."""
    assert wire.outcome_of(GET, wire.Response(422, body)).detail == detail


@pytest.mark.parametrize("asked", [GET, DELETE])
def test_a_failure_names_nobody_whom_we_did_not_send(asked: wire.Request) -> None:
    """A target may speak of somebody else, also where no record was sent: only words that are nobody's are shown."""
    said = "Zoë Ash <zoe@example.edu>, 555-0100, is a parent of u1"

    detail = wire.outcome_of(
        asked, wire.Response(422, failure(said, imsx_error_details=[{"Ash": "exists"}]))
    ).detail

    assert detail == "HTTP 422: … <…>, …, is a parent of … (…: exists)"


def test_a_failure_never_repeats_what_the_record_holds() -> None:
    """Reports hold ids, columns and rules, never values."""
    answer = wire.Response(422, failure("'zoe@example.edu' of ZOË (u1) is taken"))

    assert wire.outcome_of(POST, answer).detail == "HTTP 422: '…' of … (u1) is taken"


def test_a_listing_has_its_parameters_encoded() -> None:
    """Quotes, spaces and equal signs of a filter come through."""
    request = wire.list_page(
        f"{ROSTERING}users/", {"filter": "familyName='O''B' AND status='active'"}
    )

    assert request.path == (
        f"{ROSTERING}users/?filter=familyName%3D%27O%27%27B%27%20AND%20status%3D%27active%27"
    )


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"user": null}', b'{"org": {}}', b'{"user": {"sourc']
)
def test_a_record_that_is_not_in_the_answer_is_not_found_there(body: bytes) -> None:
    """A read whose body is cut short or of another shape gives no record, rather than an empty one."""
    assert wire.record_in(USERS, wire.Response(200, body)) is None


def test_a_record_is_taken_out_of_its_wrapper() -> None:
    """A single read is wrapped as a write is."""
    assert wire.record_in(USERS, wire.Response(200, b'{"user": {"sourcedId": "u1"}}')) == {
        "sourcedId": "u1"
    }
