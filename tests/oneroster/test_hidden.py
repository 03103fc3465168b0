"""A failure that comes as a success is a failure, in whatever dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connectors.oneroster.wire import hidden_status

FAILURES: list[tuple[Any, int]] = [
    ({"error": "Validation failed"}, 500),
    ({"error": {"code": "E17", "message": "No such school"}}, 500),
    ({"error": {"code": 404, "message": "No such school"}}, 404),
    ({"error": True, "message": "No"}, 500),
    ({"status": 409, "error": "Conflict"}, 409),
    ({"statusCode": 422, "error": "Unprocessable", "message": "No"}, 422),
    ({"errors": ["email is wrong"]}, 500),
    ({"errors": {"email": ["is wrong"]}}, 500),
    ({"sourcedIdPairs": {}, "errors": [{"detail": "No"}]}, 500),
    ({"fault": {"faultstring": "No"}}, 500),
    ({"success": False}, 500),
    ({"Success": "false", "message": "No"}, 500),
    ({"status": "error", "message": "No"}, 500),
    ({"status": "FAILED"}, 500),
    ({"imsx_CodeMajor": "Failure"}, 500),
    ({"codeMajor": "FAILURE"}, 500),
    ({"CODEMAJOR": " failure "}, 500),
    ({"imsx_statusInfo": {"codeMajor": "failure", "codeMinor": {"codeMinorField": {"codeMinorFieldValue": "InvalidData"}}}}, 422),
    ({"statusInfoSet": [{"imsx_codeMajor": "success"}, {"imsx_codeMajor": "failure"}]}, 500),
]  # fmt: skip
SUCCESSES: list[Any] = [
    {"sourcedIdPairs": {"suppliedSourcedId": "u", "allocatedSourcedId": "u"}},
    {"error": None, "errors": [], "success": True, "fault": ""},
    {"error": False, "errors": {}},
    {"status": "active", "sourcedId": "error", "name": "Failure"},
    {"user": {"error": "a property of theirs", "status": "error"}},
    {"status": 200, "success": "true"},
    {"imsx_codeMajor": "success", "imsx_codeMinor": {"imsx_codeMinorField": "errors"}},
    {"statusInfoSet": "error"},
    ["error"],
    "error",
]


@pytest.mark.parametrize(("body", "status"), FAILURES, ids=lambda one: json.dumps(one)[:40])
def test_a_failure_has_the_status_that_it_stands_for(body: Any, status: int) -> None:
    """It is the one that it names, else the server's."""
    assert status == hidden_status(json.dumps(body).encode())


@pytest.mark.parametrize("body", SUCCESSES, ids=lambda one: json.dumps(one)[:40])
def test_a_success_is_none(body: Any) -> None:
    """What a record holds, and what is said to be blank, is no failure."""
    assert 0 == hidden_status(json.dumps(body).encode())


@pytest.mark.parametrize("body", [b"", b"errors", b'{"error": "cut sh'])
def test_what_is_no_json_tells_of_no_failure(body: bytes) -> None:
    """What it is, others judge."""
    assert 0 == hidden_status(body)
