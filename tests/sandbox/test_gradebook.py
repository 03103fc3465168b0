"""The gradebook and the content of the sandbox: lists below records, several records at once, observed quirks."""

from __future__ import annotations

import httpx
import pytest

from tests.sandbox.records import COMPONENT, LINK, RESOURCE, RESULT, Json, ref

LISTS: tuple[tuple[str, str, list[str]], ...] = (
    ("classes/class/categories", "categories", ["homework"]),
    ("classes/class/lineItems", "lineItems", ["sheet"]),
    ("classes/class/lineItems/sheet/results", "results", ["mark"]),
    ("classes/class/results", "results", ["mark"]),
    ("classes/class/scoreScales", "scoreScales", ["scale"]),
    ("classes/class/students/student/results", "results", ["mark"]),
    ("classes/class/students/teacher/results", "results", []),
    ("schools/school/lineItems", "lineItems", ["sheet"]),
    ("schools/school/scoreScales", "scoreScales", ["scale"]),
)


def gradebook(api: httpx.Client, path: str) -> httpx.URL:
    """Where something of the gradebook is."""
    return api.base_url.join(f"../../gradebook/v1p2/{path}")


@pytest.mark.parametrize(("path", "key", "ids"), LISTS, ids=[case[0] for case in LISTS])
def test_lists_below_records(path: str, key: str, ids: list[str], api: httpx.Client) -> None:
    """Each with the envelope of lists (section 4)."""
    answer = api.get(gradebook(api, path)).json()

    assert (ids, len(ids)) == ([one["sourcedId"] for one in answer[key]], answer["totalCount"])


@pytest.mark.parametrize("kind", ["classes", "courses", "users"])
def test_no_one_has_resources(kind: str, api: httpx.Client) -> None:
    """The target drops them as they are written (section 8)."""
    sourced_id = {"classes": "class", "courses": "course", "users": "student"}[kind]
    answer = api.get(
        api.base_url.join(f"../../resources/v1p2/resources/{kind}/{sourced_id}/resources")
    )

    assert (200, []) == (answer.status_code, answer.json()["resources"])


def result(sourced_id: str) -> Json:
    """Write a result that does not say what its path says."""
    return {name: value for name, value in RESULT.items() if name not in ("lineItem", "class")} | {
        "sourcedId": sourced_id
    }


def test_several_results_are_posted_at_once(api: httpx.Client) -> None:
    """The path says to which line item they belong; one pair of ids for each (section 3)."""
    answer = api.post(
        gradebook(api, "lineItems/sheet/results"), json={"results": [result("one"), result("two")]}
    )

    assert (201, ["one", "two"]) == (
        answer.status_code,
        [pair["allocatedSourcedId"] for pair in answer.json()["sourcedIdPairs"]],
    )
    assert (
        "sheet" == api.get(gradebook(api, "results/two")).json()["result"]["lineItem"]["sourcedId"]
    )


def test_one_of_several_answers_with_one_pair(api: httpx.Client) -> None:
    """As published: an object (section 3)."""
    item = api.get(gradebook(api, "lineItems/sheet")).json()["lineItem"] | {"sourcedId": "more"}
    answers = [
        api.post(
            gradebook(api, path), json={"lineItems": [item | {"sourcedId": path.replace("/", "-")}]}
        )
        for path in ("classes/class/lineItems", "schools/school/lineItems")
    ]

    assert [201, 201] == [answer.status_code for answer in answers]
    assert "classes-class-lineItems" == answers[0].json()["sourcedIdPairs"]["allocatedSourcedId"]


def test_results_of_a_session_are_posted_to_a_class(api: httpx.Client) -> None:
    """The class comes from the path, the line item from the body."""
    path = gradebook(api, "classes/class/academicSessions/term/results")
    answer = api.post(path, json={"results": [result("one") | {"lineItem": ref("sheet")}]})

    assert (201, "class") == (
        answer.status_code,
        api.get(gradebook(api, "results/one")).json()["result"]["class"]["sourcedId"],
    )


@pytest.mark.parametrize("body", [{}, {"results": {}}, {"results": []}, {"results": ["one"]}])
def test_what_is_no_list_is_refused(body: Json, api: httpx.Client) -> None:
    """422, with the property that is wrong."""
    answer = api.post(gradebook(api, "lineItems/sheet/results"), json=body)

    assert (422, [{"results": "must be a list of objects"}]) == (
        answer.status_code,
        answer.json()["imsx_error_details"],
    )


def test_a_link_to_a_resource_that_is_not_there_breaks_the_server(api: httpx.Client) -> None:
    """500; to a component that is not there, 404 (section 8)."""
    answers = [
        api.post(
            "courses/component-resources",
            json={"componentResource": LINK | {"sourcedId": "new", name: ref("nowhere")}},
        )
        for name in ("resource", "courseComponent")
    ]

    assert [500, 404] == [answer.status_code for answer in answers]


def test_a_parent_is_kept_under_both_names(api: httpx.Client) -> None:
    """`parent` fills `courseComponent`, and not the other way round (section 8)."""
    for sourced_id, name in (("a", "parent"), ("b", "courseComponent")):
        record = {
            key: value
            for key, value in COMPONENT.items()
            if key not in ("parent", "courseComponent")
        }
        api.post(
            "courses/components",
            json={"courseComponent": record | {"sourcedId": sourced_id, name: ref("unit")}},
        )
    one, other = (
        api.get(f"courses/components/{name}").json()["courseComponent"] for name in ("a", "b")
    )

    assert ("unit", "unit") == (one["parent"]["sourcedId"], one["courseComponent"]["sourcedId"])
    assert (None, "unit") == (other.get("parent"), other["courseComponent"]["sourcedId"])


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"importance": "high"}, "importance"),
        ({"roles": ["student"]}, "roles"),
        ({"metadata": {"type": "hologram"}}, "metadata.type"),
        ({"vendorResourceId": None}, "vendorResourceId"),
    ],
)
def test_resources_have_a_vocabulary_of_their_own(
    changes: Json, fault: str, api: httpx.Client
) -> None:
    """Section 8."""
    answer = api.post(
        api.base_url.join("../../resources/v1p2/resources/"),
        json={"resource": RESOURCE | {"sourcedId": "new"} | changes},
    )

    assert (422, [fault]) == (answer.status_code, [*answer.json()["imsx_error_details"][0]])


def test_days_are_no_moments(api: httpx.Client) -> None:
    """The gradebook wants date-times (appendix A)."""
    answer = api.post(
        gradebook(api, "results/"),
        json={"result": RESULT | {"sourcedId": "new", "scoreDate": "2026-09-10"}},
    )

    assert (422, [{"scoreDate": "must be a date-time"}]) == (
        answer.status_code,
        answer.json()["imsx_error_details"],
    )


@pytest.mark.parametrize(
    "path", ["gradebook/v1p2/assessmentLineItems/test", "gradebook/v1p2/assessmentResults/grade"]
)
def test_assessments_can_be_patched(path: str, api: httpx.Client) -> None:
    """Nothing is required (section 2.5)."""
    wrapper = "assessmentLineItem" if "LineItems" in path else "assessmentResult"

    assert (
        200
        == api.patch(
            api.base_url.join(f"../../{path}"), json={wrapper: {"metadata": {"a": 1}}}
        ).status_code
    )
