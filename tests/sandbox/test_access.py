"""Tokens, paths and errors (sections 1, 5 and 10)."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from flows.send import open_target
from flows.target import Target
from tests.sandbox.conftest import connected
from tests.sandbox.records import Json, user

GRANT = {"grant_type": "client_credentials"}
ERRORS = {
    400: "invaliddata",
    401: "unauthorisedrequest",
    404: "unknownobject",
    405: "unknownobject",
    422: "invaliddata",
}


def error(status: int, description: str, **details: str) -> Json:
    """The body of an error, as section 5 has it."""
    minor = {
        "imsx_codeMinorFieldName": "TargetEndSystem",
        "imsx_codeMinorFieldValue": ERRORS[status],
    }
    body: Json = {
        "imsx_codeMajor": "failure",
        "imsx_severity": "error",
        "imsx_description": description,
        "imsx_CodeMinor": {"imsx_codeMinorField": [minor]},
    }
    return body | (
        {"imsx_error_details": [{name: fault} for name, fault in details.items()]}
        if details
        else {}
    )


def test_the_embedded_sandbox_has_a_secret_of_its_own(tmp_path: Path) -> None:
    """Another program of this machine cannot read what a run is sending."""
    with (
        open_target(Target("sandbox", profile=TIMEBACK), tmp_path) as one,
        open_target(Target("sandbox", profile=TIMEBACK), tmp_path / "other") as other,
    ):
        secrets = ("sandbox", other.client_secret, one.client_secret)
        answers = [
            httpx.post(
                one.token_url, data=GRANT | {"client_id": "sandbox", "client_secret": secret}
            ).status_code
            for secret in secrets
        ]

    assert [401, 401, 200] == answers


def test_an_error_has_the_published_body(api: httpx.Client) -> None:
    """Flat, with a capital C, and with details where a property is at fault."""
    answers = [
        api.get("enrollments/unknown"),
        api.get("users", params={"limit": "0"}),
        api.get("nothing"),
        api.put("terms/term", json={}),
        api.post("users", content=b"{"),
        api.request("PURGE", "users"),
    ]

    assert [
        error(404, "Enrollment not found."),
        error(422, "The query is not valid.", limit="must be a number from 1 to 3000"),
        error(404, "There is nothing at this path."),
        error(405, "PUT is not allowed here."),
        error(400, "The request body is not JSON."),
        error(405, "PURGE is not allowed here."),
    ] == [answer.json() for answer in answers]


@pytest.mark.parametrize(
    "path",
    ["/", "/ims", "/ims/oneroster/", "/ims/oneroster/gradebook/v1p2/nothing", "/oauth2/tokens"],
)
def test_unknown_paths_are_not_found(api: httpx.Client, path: str) -> None:
    """With the body of every error."""
    assert (404, error(404, "There is nothing at this path.")) == (
        (answer := api.get(api.base_url.join(path))).status_code,
        answer.json(),
    )


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic c2FuZGJveDpzYW5kYm94"])
def test_a_token_is_needed(api: httpx.Client, header: str) -> None:
    """For every request, whether there is something at its path or not."""
    answers = [api.get(path, headers={"Authorization": header}) for path in ("users", "nothing")]

    wanted = error(401, "The access token is missing, unknown or expired.")
    assert [(401, wanted)] * 2 == [(answer.status_code, answer.json()) for answer in answers]


def test_a_token_expires() -> None:
    """Then a new one is asked for."""
    with Sandbox(None) as sandbox, connected(sandbox) as api:
        assert 200 == api.get("users").status_code
        sandbox.tokens.expire()

        assert 401 == api.get("users").status_code


@pytest.mark.parametrize(
    ("form", "auth", "status"),
    [
        (GRANT, ("sandbox", "sandbox"), 200),
        (GRANT | {"client_id": "sandbox", "client_secret": "sandbox"}, None, 200),
        (GRANT | {"client_id": "sandbox", "client_secret": "sandbox", "scope": "any"}, None, 200),
        (GRANT, None, 401),
        (GRANT, ("sandbox", "wrong"), 401),
        (GRANT | {"client_id": "nobody", "client_secret": "\0"}, None, 401),
        ({"client_id": "sandbox", "client_secret": "sandbox"}, None, 400),
    ],
)
def test_credentials_are_taken_in_both_ways(
    api: httpx.Client,
    sandbox: Sandbox,
    form: dict[str, str],
    auth: tuple[str, str] | None,
    status: int,
) -> None:
    """As HTTP Basic and as a form; without a scope in the answer (section 1)."""
    basic = httpx.BasicAuth(*auth) if auth else httpx.Auth()
    answer = api.post(
        sandbox.token_url, data=form, auth=basic, headers={} if auth else {"Authorization": ""}
    )

    assert status == answer.status_code
    if status == 200:
        assert {"expires_in": 3600, "token_type": "Bearer"} == {
            name: value for name, value in answer.json().items() if name != "access_token"
        }


def test_other_clients_can_be_known() -> None:
    """Instead of the one client that is known by itself."""
    form = GRANT | {"client_id": "ada", "client_secret": "lovelace"}
    with (
        Sandbox(None, clients={"ada": "lovelace"}) as sandbox,
        httpx.Client(verify=False) as client,
    ):
        assert 200 == client.post(sandbox.token_url, data=form).status_code
        assert (
            401
            == client.post(sandbox.token_url, data=GRANT, auth=("sandbox", "sandbox")).status_code
        )


@pytest.mark.parametrize(
    "sourced_id",
    [
        "a/b",
        "a@example.edu",
        "a b",
        "a%2Fb",
        "ä",
        "a?b#c",
        "a+b",
        "students",
        "x" * 300,
        "a'b\"c",
        "🦉",
    ],
)
def test_any_text_is_an_id(api: httpx.Client, sandbox: Sandbox, sourced_id: str) -> None:
    """In paths it is escaped, also its slashes; references lead back to it."""
    api.post("users", json={"user": user(sourced_id, email="owl@example.edu")})
    path = f"users/{quote(sourced_id, safe='')}"

    assert sourced_id == api.get(path).json()["user"]["sourcedId"]
    assert (
        200
        == api.put(f"{path}/", json={"user": user(sourced_id, email="owl@example.edu")}).status_code
    )
    assert [] == api.get(f"{path}/agents").json()["agents"]
    api.post("users/student/agents", json={"agentSourcedId": sourced_id})
    href = api.get("users/student").json()["user"]["agents"][1]["href"]
    assert sourced_id == api.get(href).json()["user"]["sourcedId"]
    assert 204 == api.delete(path).status_code
    assert 3 == sandbox.store.count("users")


def test_half_a_character_is_refused(api: httpx.Client) -> None:
    """JSON can spell it, a database cannot hold it."""
    content = b'{"enrollment": {"sourcedId": "\\ud800", "role": "student", "user": {"sourcedId": "student"}, "class": {"sourcedId": "class"}}}'

    assert 400 == api.post("enrollments", content=content).status_code
