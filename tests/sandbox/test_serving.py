"""How the sandbox is run: embedded, in the foreground, seeded, used by plain tools."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster.sandbox import Sandbox, SandboxStore
from tests.sandbox.conftest import connected
from tests.sandbox.records import PREFIX, user

ROOT = Path(__file__).parents[2]
FOREGROUND = """
import sys
from pathlib import Path
from connectors.oneroster.sandbox import serve_forever
serve_forever(Path(sys.argv[1]), 0, True, lambda url: print(url, flush=True))
"""


def test_requests_are_remembered(api: httpx.Client, sandbox: Sandbox) -> None:
    """In order, refused ones included; requests for tokens are not."""
    api.get("users")
    api.post("users/", json={})
    api.post(sandbox.token_url)

    assert [("GET", f"{PREFIX}users"), ("POST", f"{PREFIX}users/")] == list(sandbox.requests)


def test_the_store_tells_what_is_held(api: httpx.Client, sandbox: Sandbox) -> None:
    """By id, and how many of each status."""
    api.delete("users/parent")

    assert "Robin" == (sandbox.store.get("users", "student") or {})["givenName"]
    assert sandbox.store.get("users", "nobody") is None
    assert (2, 1) == (sandbox.store.count("users"), sandbox.store.count("users", "tobedeleted"))


def test_a_file_outlives_the_server(tmp_path: Path) -> None:
    """What was written is there when it is served again."""
    for _ in range(2):
        with Sandbox(tmp_path / "sandbox.db") as sandbox:
            sandbox.store.seed()
            before = sandbox.store.get("users", "student-123")

    store = SandboxStore(tmp_path / "sandbox.db")
    assert before == store.get("users", "student-123")
    store.close()


def test_an_application_can_be_wrapped() -> None:
    """By a middleware that makes faults; what it answers is remembered too."""

    def broken(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["path"].endswith("/broken"):
                await send({"type": "http.response.start", "status": 429, "headers": []})
                await send({"type": "http.response.body", "body": b""})
            else:
                await app(scope, receive, send)

        return answer

    with Sandbox(None, wrap=broken) as sandbox, connected(sandbox) as api:
        assert [429, 200] == [api.get("broken").status_code, api.get("users").status_code]
        assert 2 == len(sandbox.requests)


def test_a_taken_port_is_named(sandbox: Sandbox) -> None:
    """So that another can be chosen."""
    port = int(sandbox.url.rpartition(":")[2])

    with pytest.raises(OSError, match=f"port {port} on 127.0.0.1 is taken"):
        Sandbox(None, port=port)


def test_answers_do_not_wait(api: httpx.Client) -> None:
    """A server that sends head and body apart, and waits in between, takes 40 ms for each."""
    start = time.perf_counter()
    for _ in range(50):
        api.put("users/student", json={"user": user("student")})

    assert time.perf_counter() - start < 1


def test_the_seed_makes_documented_calls_work(sandbox: Sandbox, connection: httpx.Client) -> None:
    """They can be typed as they stand; seeding twice is seeding once."""
    sandbox.store.seed()
    sandbox.store.seed()
    course = {
        "sourcedId": "math-grade-5",
        "status": "active",
        "title": "Math Grade 5",
        "courseCode": "MATH-G5",
        "grades": ["05"],
        "subjects": ["Math"],
        "org": {"sourcedId": "PLAYCADEMY"},
    }

    assert 201 == connection.post("courses/", json={"course": course}).status_code
    found = connection.get("enrollments?filter=user.sourcedId%3D%27student-123%27").json()
    assert (1, "Math Grade 4") == (found["totalCount"], found["enrollments"][0]["course"]["name"])


def test_the_seed_holds_what_the_api_would_have_kept(
    sandbox: Sandbox, connection: httpx.Client
) -> None:
    """A PUT of a record as it was read changes nothing but its time."""
    sandbox.store.seed()
    before = connection.get("users/student-123").json()["user"]
    after = connection.put("users/student-123", json={"user": before}).json()["user"]

    assert before | {"dateLastModified": ""} == after | {"dateLastModified": ""}
    assert 2026 < connection.get("terms/term-2026-fall").json()["term"]["schoolYear"]


@contextmanager
def foreground(database: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Serve in a process of its own."""
    command = [sys.executable, "-c", FOREGROUND, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_in_the_foreground_until_it_is_stopped(
    tmp_path: Path, end: signal.Signals
) -> None:
    """It listens when it says so, and ends soon after either signal."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox", "client_secret": "sandbox"}
    with (
        foreground(tmp_path / "sandbox.db") as (process, url),
        httpx.Client(verify=False) as client,
    ):
        assert 200 == client.post(f"{url}/oauth2/token", data=form).status_code
        process.send_signal(end)
        process.wait(5)


def test_plain_curl_can_use_it(sandbox: Sandbox) -> None:
    """As the documentation shows it."""
    if not (curl := shutil.which("curl")):
        pytest.skip("curl is not on PATH")
    sandbox.store.seed()

    def run(*arguments: str) -> str:
        return subprocess.run(
            [curl, "-sS", *arguments], check=True, capture_output=True, text=True, timeout=10
        ).stdout

    token = json.loads(
        run("-u", "sandbox:sandbox", "-d", "grant_type=client_credentials", sandbox.token_url)
    )["access_token"]
    bearer, courses = ("-H", f"Authorization: Bearer {token}"), f"{sandbox.url}{PREFIX}courses"
    body = '{"course": {"sourcedId": "c/1", "status": "active", "title": "Math", "org": {"sourcedId": "PLAYCADEMY"}}}'
    written = run(
        *bearer, "-H", "Content-Type: application/json", "-w", "%{http_code}", "-d", body, courses
    )
    assert '{"sourcedIdPairs":{"suppliedSourcedId":"c/1","allocatedSourcedId":"c/1"}}201' == written
    assert "Math" == json.loads(run(*bearer, f"{courses}/c%2F1"))["course"]["title"]
    assert "204" == run(*bearer, "-w", "%{http_code}", "-X", "DELETE", f"{courses}/c%2F1/")


def test_a_sandbox_that_has_stopped_may_be_stopped_again() -> None:
    """What ends a test, or a run, is what people must see, not that its server had ended before."""
    with Sandbox(None) as sandbox:
        sandbox.__exit__(None, None, None)

    with pytest.raises(httpx.ConnectError), httpx.Client(verify=False) as client:
        client.get(sandbox.url)
