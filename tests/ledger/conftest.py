"""A ledger in each of the two databases that it can use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.ledger import Ledger
from tests.ledger.server import Server, programs, running

PLACES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Start a PostgreSQL server."""
    where = programs()
    if where is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt install postgresql)")
    with running(where) as one:
        yield one


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a test's ledger, if it is a file."""
    return tmp_path / "state" / "ledger.db"


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, path: Path) -> Path | str:
    """Return where a test's ledger is: a file, or an empty schema on the server."""
    if request.param == "sqlite":
        return path
    server: Server = request.getfixturevalue("server")
    return server.schema()


@pytest.fixture
def ledger(place: Path | str) -> Iterator[Ledger]:
    """Open a new ledger."""
    with Ledger(place) as made:
        yield made
