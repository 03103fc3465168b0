"""What every collection does alike, or as its entry in TIMEBACK.collections says."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from connectors.oneroster.profile import TIMEBACK, Collection
from connectors.oneroster.sandbox import Sandbox
from tests.sandbox.records import NEW, Json

every = pytest.mark.parametrize(
    "collection", TIMEBACK.collections.values(), ids=TIMEBACK.collections
)


def id_of(collection: Collection) -> str:
    """The id of the record that a test writes."""
    return str(NEW[collection.name]["sourcedId"])


def url(api: httpx.Client, collection: Collection) -> httpx.URL:
    """Where a collection is, as published."""
    return api.base_url.join(collection.path)


def record_url(api: httpx.Client, collection: Collection, sourced_id: str = "") -> str:
    """Where one record is."""
    return f"{str(url(api, collection)).rstrip('/')}/{sourced_id or id_of(collection)}"


def post(api: httpx.Client, collection: Collection, **changes: object) -> httpx.Response:
    """POST the new record of a collection."""
    return api.post(url(api, collection), json={collection.wrapper: NEW[collection.name] | changes})


def put(
    api: httpx.Client, collection: Collection, record: Json, sourced_id: str = ""
) -> httpx.Response:
    """PUT a record of a collection."""
    return api.put(record_url(api, collection, sourced_id), json={collection.wrapper: record})


def get(api: httpx.Client, collection: Collection) -> Json:
    """GET the record that a test has written."""
    record: Json = api.get(record_url(api, collection)).json()[collection.wrapper]
    return record


@every
def test_a_post_answers_with_the_id(api: httpx.Client, collection: Collection) -> None:
    """The supplied id is the allocated one (section 2.6)."""
    answer = post(api, collection)

    pairs = {"suppliedSourcedId": id_of(collection), "allocatedSourcedId": id_of(collection)}
    assert (201, {"sourcedIdPairs": pairs}) == (answer.status_code, answer.json())


@every
@pytest.mark.parametrize("slash", ["", "/"])
def test_both_spellings_of_a_path_lead_there(
    api: httpx.Client, collection: Collection, slash: str
) -> None:
    """Neither is redirected: clients do not follow (section 10)."""
    path = str(url(api, collection)).rstrip("/")
    answers = [
        api.post(path + slash, json={collection.wrapper: NEW[collection.name]}),
        api.get(path + slash),
        api.get(f"{path}/{id_of(collection)}{slash}"),
        api.put(
            f"{path}/{id_of(collection)}{slash}", json={collection.wrapper: NEW[collection.name]}
        ),
        api.delete(f"{path}/{id_of(collection)}{slash}"),
    ]

    assert [201, 200, 200, collection.put_status, 204] == [answer.status_code for answer in answers]


@every
def test_a_record_is_read_as_it_was_written(api: httpx.Client, collection: Collection) -> None:
    """References come back whole, and the server says when it was written (section 8)."""
    post(api, collection, dateLastModified="2001-01-01T00:00:00.000Z")

    record = get(api, collection)
    written = (id_of(collection), "active", NEW[collection.name].get("metadata", {}))
    assert written == (record["sourcedId"], record["status"], record["metadata"])
    assert record["dateLastModified"] > "2026"


@every
def test_every_reference_is_whole(api: httpx.Client, collection: Collection) -> None:
    """Href, id and type; what the href leads to has that id (appendix B)."""
    post(api, collection)

    for reference in references(get(api, collection)):
        target = api.get(reference["href"]).json()
        (wrapper,) = target
        assert reference["type"] == wrapper
        assert reference["sourcedId"] == target[wrapper]["sourcedId"]


def references(value: object) -> Iterator[Json]:
    """Give every reference in a record."""
    if isinstance(value, dict) and "href" in value:
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from references(inner)


@every
def test_a_list_has_an_envelope(api: httpx.Client, collection: Collection) -> None:
    """The records stand under the list key, with the totals, which the header repeats (section 6)."""
    post(api, collection)

    answer = api.get(url(api, collection))
    body = answer.json()
    total = len(body[collection.list_key])
    assert {"totalCount": total, "pageCount": 1, "pageNumber": 1, "offset": 0, "limit": 100} == {
        name: value for name, value in body.items() if name != collection.list_key
    }
    assert str(total) == answer.headers["X-Total-Count"]


@every
def test_a_second_post_is_refused(api: httpx.Client, collection: Collection) -> None:
    """With the status that was observed, and words that tell it from a missing reference (section 2.2)."""
    post(api, collection)

    answer = post(api, collection)
    assert collection.duplicate_status == answer.status_code
    assert "already exists" in answer.json()["imsx_description"]


@every
def test_a_deleted_id_cannot_be_posted_again(
    api: httpx.Client, sandbox: Sandbox, collection: Collection
) -> None:
    """It is still there; a PUT revives it (section 2.3)."""
    post(api, collection)
    api.delete(record_url(api, collection))

    assert collection.duplicate_status == post(api, collection).status_code
    assert "tobedeleted" == (sandbox.store.get(collection.name, id_of(collection)) or {})["status"]
    put(api, collection, NEW[collection.name] | {"status": "active"})
    assert "active" == get(api, collection)["status"]


@every
def test_a_delete_is_soft(api: httpx.Client, collection: Collection) -> None:
    """204 without a body, also the second time; the record stays, in lists too (section 2.3)."""
    post(api, collection)
    path = record_url(api, collection)
    answers = [api.delete(path), api.delete(path)]

    assert [(204, b""), (204, b"")] == [(answer.status_code, answer.content) for answer in answers]
    assert "tobedeleted" == get(api, collection)["status"]
    assert id_of(collection) in [
        one["sourcedId"] for one in api.get(url(api, collection)).json()[collection.list_key]
    ]


@every
def test_a_put_answers_as_published(api: httpx.Client, collection: Collection) -> None:
    """Status, and the record with its wrapper or without (table 4)."""
    post(api, collection)

    answer = put(api, collection, NEW[collection.name])
    body = answer.json()
    record = body[collection.wrapper] if collection.put_body == "wrapped" else body
    assert (collection.put_status, get(api, collection)) == (answer.status_code, record)


@every
def test_only_the_gradebook_makes_by_put(api: httpx.Client, collection: Collection) -> None:
    """Elsewhere an unknown id is a 404 (section 2.1)."""
    path = record_url(api, collection, "unknown")
    answers = [
        api.delete(path),
        put(api, collection, NEW[collection.name], "unknown"),
        api.get(path),
    ]

    made = [404, 201, 200] if collection.entity.service == "gradebook" else [404, 404, 404]
    assert made == [answer.status_code for answer in answers]


@every
def test_required_properties_are_required(api: httpx.Client, collection: Collection) -> None:
    """On POST and on PUT, each by itself, named in the details (section 8)."""
    post(api, collection)

    for name in collection.required:
        answer = api.post(
            url(api, collection), json={collection.wrapper: without(name, collection)}
        )
        assert (422, [{name: "is required"}]) == (
            answer.status_code,
            answer.json()["imsx_error_details"],
        )
    for name in collection.required_on_put:
        answer = put(api, collection, without(name, collection))
        assert (422, [{name: "is required"}]) == (
            answer.status_code,
            answer.json()["imsx_error_details"],
        )


def without(name: str, collection: Collection) -> Json:
    """The new record of a collection without one property."""
    record = {"status": "active", **NEW[collection.name]}
    return {key: value for key, value in record.items() if key != name}


@every
def test_references_must_lead_somewhere(api: httpx.Client, collection: Collection) -> None:
    """Each by itself: the database holds foreign keys (section 9)."""
    for name, value in NEW[collection.name].items():
        if isinstance(value, dict) and "sourcedId" in value:
            answer = post(api, collection, **{name: value | {"sourcedId": "nowhere"}})
            if (collection.name, name) == ("componentResources", "resource"):
                assert 500 == answer.status_code  # as observed (section 8)
            else:
                assert (404, True) == (
                    answer.status_code,
                    "nowhere not found" in answer.json()["imsx_description"],
                )


@every
def test_unknown_properties_are_ignored(
    api: httpx.Client, sandbox: Sandbox, collection: Collection
) -> None:
    """They are neither refused nor kept, `resources` included (section 8)."""
    answer = post(api, collection, color="green", resources=[{"sourcedId": "r"}])

    assert 201 == answer.status_code
    assert (
        set()
        == {"color", "resources"}
        & (sandbox.store.get(collection.name, id_of(collection)) or {}).keys()
    )


@every
def test_a_put_merges_metadata(api: httpx.Client, collection: Collection) -> None:
    """Keys of others survive, at any depth (section 2.4)."""
    post(api, collection, metadata={"theirs": 1, "deep": {"theirs": 1}})
    put(api, collection, NEW[collection.name] | {"metadata": {"ours": 2, "deep": {"ours": 2}}})

    assert {"theirs": 1, "ours": 2, "deep": {"theirs": 1, "ours": 2}} == get(api, collection)[
        "metadata"
    ]


@every
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"color": 1}', b'\xff{"a": NaN}'])
def test_a_body_must_be_a_wrapped_record(
    api: httpx.Client, collection: Collection, body: bytes
) -> None:
    """What is not JSON is a 400, what is no record a 422."""
    answer = api.post(url(api, collection), content=body)

    assert answer.status_code in (400, 422)
    assert "failure" == answer.json()["imsx_codeMajor"]


@every
@pytest.mark.parametrize(
    ("name", "value"), [("status", "deleted"), ("metadata", [1]), ("sourcedId", 5)]
)
def test_common_properties_are_checked(
    api: httpx.Client, collection: Collection, name: str, value: object
) -> None:
    """Status is one of two words in lower case, metadata an object, an id a text (appendix A)."""
    answer = post(api, collection, **{name: value})

    assert (422, [name]) == (
        answer.status_code,
        [key for one in answer.json()["imsx_error_details"] for key in one],
    )
