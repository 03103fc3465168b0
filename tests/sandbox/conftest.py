"""The sandbox of this process, with the same district for each test."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.sandbox.records import DISTRICT, PREFIX


@contextmanager
def connected(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Connect as the one client that a sandbox knows."""
    # Without certificates, which take longer to load than the tests take to run.
    with httpx.Client(base_url=sandbox.url + PREFIX, verify=False) as client:
        form = {"grant_type": "client_credentials"}
        token = client.post(sandbox.token_url, data=form, auth=("sandbox", "sandbox")).json()[
            "access_token"
        ]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


@pytest.fixture(scope="session")
def connection(one_sandbox: Sandbox) -> Iterator[httpx.Client]:
    """Connect once for all tests."""
    with connected(one_sandbox) as client:
        yield client


@pytest.fixture(scope="session")
def district(one_sandbox: Sandbox, connection: httpx.Client) -> None:
    """Write the district once, and keep a copy."""
    one_sandbox.store.clear()
    for collection, wrapper, record in DISTRICT:
        answer = connection.post(connection.base_url.join(f"{collection}/"), json={wrapper: record})
        assert answer.status_code == 201, answer.text
    one_sandbox.store.query("CREATE TEMP TABLE district AS SELECT * FROM records")


@pytest.fixture
def api(district: None, sandbox: Sandbox, connection: httpx.Client) -> httpx.Client:
    """Connect to a sandbox with a district in it."""
    sandbox.store.clear()
    sandbox.store.query("INSERT INTO records SELECT * FROM district")
    sandbox.requests.clear()
    return connection
