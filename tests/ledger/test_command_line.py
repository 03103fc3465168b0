"""The command line with a ledger on a server, which several machines share."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.database import url_of
from connectors.oneroster.sandbox import Sandbox
from flows.ledgers import ledger_address
from tests.ledger.server import PASSWORD, Server
from tests.rosters import district, drop, without
from tests.running import Run, roster

CLIENT = {"TIMEBACK_CLIENT_ID": "sandbox", "TIMEBACK_CLIENT_SECRET": "sandbox"}


def on_server(address: str, command: str, *words: str | Path, state: Path, target: str = "") -> Run:
    """Run a command with the ledger on the server."""
    environment = {
        "ROSTER_LEDGER": address,
        "TIMEBACK_API_URL": target,
        "TIMEBACK_TOKEN_URL": f"{target}/oauth2/token",
    }
    return roster(command, *words, state=state, environment=environment | CLIENT)


def test_a_night_is_kept_on_the_server_and_nothing_of_its_password_anywhere(
    tmp_path: Path, server: Server
) -> None:
    """The same drop again sends nothing; no ledger lies in the state folder, which is its owner's only."""
    address, state, folder = server.new(), tmp_path / "state", drop(tmp_path / "drop", district())
    first = on_server(address, "sync", folder, "--json", state=state)
    again = on_server(address, "sync", folder, "--json", state=state)
    told = on_server(address, "status", "--json", state=state)

    assert (0, 0, "unchanged", 0) == (
        first.code,
        again.code,
        again.json["status"],
        again.json["requests"],
    )
    assert (0, 2) == (told.code, len(told.json["feeds"][0]["runs"]))
    written = [path for path in state.rglob("*") if path.is_file()]
    assert ([], 0o700) == (
        [path for path in written if path.name.startswith("ledger")],
        stat.S_IMODE(state.stat().st_mode),
    )
    assert [] == [path for path in written if PASSWORD.encode() in path.read_bytes()]
    assert PASSWORD not in first.said + again.said + told.said


def test_two_machines_share_a_ledger(tmp_path: Path, server: Server, sandbox: Sandbox) -> None:
    """What one has sent the other does not send again, and a plan of one can be discarded from the other."""
    address, here, there = server.new(), tmp_path / "here", tmp_path / "there"
    folder = drop(tmp_path / "drop", district())
    first = on_server(
        address, "sync", folder, "--target", "env", "--json", state=here, target=sandbox.url
    )
    again = on_server(
        address, "sync", folder, "--target", "env", "--json", state=there, target=sandbox.url
    )
    with Ledger(address) as ledger, ledger.hold(FeedKey(sandbox.url, "default"), "the-first"):
        second = on_server(
            address, "sync", folder, "--target", "env", state=there, target=sandbox.url
        )
    drop(folder, without(district(), "s2", "bo", "r2", "c2", "e2"))
    held = on_server(
        address, "sync", folder, "--target", "env", "--json", state=here, target=sandbox.url
    )
    discarded = on_server(address, "discard", held.json["plan"], state=there)

    assert (0, 0, 0) == (first.code, again.code, again.json["requests"])
    assert (1, True) == (second.code, "the-first" in second.said)
    assert (3, 0) == (held.code, discarded.code)


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("roster@db.example.edu/ledger", "verify-full"),
        ("roster@db.example.edu/ledger?sslmode=disable", "disable"),
    ],
)
def test_the_environment_may_say_how_the_way_is_encrypted(address: str, mode: str) -> None:
    """By the variable that all programs of PostgreSQL know; what the address says goes before."""
    environment = {"ROSTER_LEDGER": f"postgresql://{address}", "PGSSLMODE": "verify-full"}

    assert mode == url_of(ledger_address(environment)).query["sslmode"]


@pytest.mark.parametrize("command", ["sync", "plan", "verify", "adopt"])
def test_an_address_that_cannot_be_meant_is_wrong_use(tmp_path: Path, command: str) -> None:
    """The setting is named, its value is not: it holds a password."""
    folder = drop(tmp_path / "drop", district())
    run = on_server(
        f"mysql://roster:{PASSWORD}@db.example.edu/ledger",
        command,
        folder,
        state=tmp_path / "state",
    )

    assert (2, True, True) == (
        run.code,
        "$ROSTER_LEDGER does not begin with" in run.err,
        "postgresql://USER" in run.err,
    )
    assert PASSWORD not in run.said


@pytest.mark.parametrize(
    ("command", "words"), [("status", ()), ("why", ("ana",)), ("discard", ("0123456789",))]
)
def test_who_only_asks_is_told_as_well(
    tmp_path: Path, command: str, words: tuple[str, ...]
) -> None:
    """Commands without a drop read the same setting."""
    run = on_server(
        f"postgresql://roster:{PASSWORD}@db.example.edu", command, *words, state=tmp_path / "state"
    )

    assert (2, True, False) == (
        run.code,
        "$ROSTER_LEDGER names no database" in run.err,
        PASSWORD in run.said,
    )


def test_a_server_that_is_down_ends_a_run_before_anything_is_sent(tmp_path: Path) -> None:
    """Exit 1, one sentence with the place and the next step, and no traceback."""
    folder = drop(tmp_path / "drop", district())
    with Sandbox(None) as sandbox:
        address = f"postgresql://roster:{PASSWORD}@127.0.0.1:1/ledger"
        run = on_server(
            address, "sync", folder, "--target", "env", state=tmp_path / "state", target=sandbox.url
        )
        requests = list(sandbox.requests)

    assert (1, [], True) == (
        run.code,
        requests,
        "postgresql://127.0.0.1:1/ledger cannot be used" in run.err,
    )
    assert ("Traceback" in run.said, PASSWORD in run.said) == (False, False)
