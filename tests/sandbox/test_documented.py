"""The calls of the API's documentation, typed with curl against a seeded sandbox."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connectors.oneroster.sandbox import Sandbox

ROSTERING = "/ims/oneroster/rostering/v1p2"
COURSE = {"course": {"sourcedId": "math-grade-5", "status": "active", "title": "Math Grade 5", "courseCode": "MATH-G5",
                     "grades": ["05"], "subjects": ["Math"], "org": {"sourcedId": "PLAYCADEMY"}}}  # fmt: skip
COMPONENT = {"courseComponent": {"sourcedId": "math-5-unit-1", "status": "active", "title": "Unit 1", "course": {"sourcedId": "math-grade-5"},
                                 "parent": None, "courseComponent": None, "sortOrder": 1}}  # fmt: skip
LINK = {"componentResource": {"sourcedId": "math-5-link-1", "status": "active", "title": "Adding numbers", "sortOrder": 1,
                              "courseComponent": {"sourcedId": "math-5-unit-1"}, "resource": {"sourcedId": "resource-123"}}}  # fmt: skip
ENROLLMENT = {"enrollment": {"sourcedId": "enrollment-999", "status": "active", "role": "student", "user": {"sourcedId": "student-123"},
                             "class": {"sourcedId": "class-123"}}}  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Sandbox]:
    """Serve a seeded sandbox."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    with Sandbox(None) as sandbox:
        sandbox.store.seed()
        yield sandbox


def curl(server: Sandbox, *words: str) -> tuple[int, Any]:
    """Type a request, as somebody with a token would."""
    given = [
        "curl",
        "-s",
        "-u",
        "sandbox:sandbox",
        "-d",
        "grant_type=client_credentials",
        server.token_url,
    ]
    token = json.loads(subprocess.run(given, capture_output=True, check=True).stdout)[
        "access_token"
    ]
    path, *options = words
    typed = [
        "curl",
        "-s",
        "-w",
        "\n%{http_code}",
        "-H",
        f"Authorization: Bearer {token}",
        *options,
        f"{server.url}{ROSTERING}{path}",
    ]
    body, _, status = subprocess.run(
        typed, capture_output=True, text=True, check=True
    ).stdout.rpartition("\n")
    return int(status), json.loads(body)


def post(server: Sandbox, path: str, body: object) -> tuple[int, Any]:
    """POST a record."""
    return curl(server, path, "-H", "Content-Type: application/json", "-d", json.dumps(body))


def test_the_documented_calls_answer_as_documented(server: Sandbox) -> None:
    """201 with the id for each that creates; the filter finds what was created."""
    calls = (
        ("/courses", COURSE),
        ("/courses/components", COMPONENT),
        ("/courses/component-resources", LINK),
        ("/enrollments", ENROLLMENT),
    )
    for path, body in calls:
        (record,) = body.values()
        sourced_id = record["sourcedId"]
        pairs = {"suppliedSourcedId": sourced_id, "allocatedSourcedId": sourced_id}
        assert (201, {"sourcedIdPairs": pairs}) == post(server, path, body)

    status, page = curl(server, "/enrollments?filter=user.sourcedId%3D%27student-123%27")

    assert (200, ["enrollment-123", "enrollment-999"], 2) == (
        status,
        [one["sourcedId"] for one in page["enrollments"]],
        page["totalCount"],
    )
    assert "course-123" == page["enrollments"][1]["course"]["sourcedId"]


def test_there_is_no_course_in_a_seeded_sandbox_that_the_documentation_creates(
    tmp_path: Path,
) -> None:
    """So that its first call works as it stands."""
    with Sandbox(tmp_path / "sandbox.db") as sandbox:
        sandbox.store.seed()

        assert not sandbox.store.has("courses", "math-grade-5")
