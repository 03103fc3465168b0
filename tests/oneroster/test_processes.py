"""Several processes that send for one load: they end where one does; one that dies breaks the load off."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connectors.ledger import Ledger
from connectors.oneroster.client import Client
from connectors.oneroster.load import LoadResult, load
from connectors.oneroster.processes import ProcessSender, divide
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint
from tests.oneroster.districts import KEY, ORGS, WHOLE, District, Row, opened, user
from transforms.stages import load_stages

USERS: list[Row] = [user(f"u{number}") for number in range(40)]
RELATED: list[Row] = [
    user(f"u{number}", f"u{number - 1}" if number % 2 else None) for number in range(40)
]
Happening = Callable[[int], object]
Rows = dict[str, list[Row]]
Gone = dict[str, list[str]]


async def loaded(
    district: District,
    rows: Rows,
    gone: Gone | None = None,
    happening: dict[str, Happening] | None = None,
    stop: asyncio.Event | None = None,
) -> LoadResult:
    """Load a delta through two processes; `happening` gets what is to happen at each write, once they have started."""
    changes = district.changes(gone, **rows)
    async with Client(district.target) as client, ProcessSender(2, district.target) as processes:
        if happening is not None:
            happening["kill"] = lambda count: (
                os.kill(processes.pids[0], signal.SIGKILL) if count == 5 else None
            )
        return await load(
            load_stages(changes), client, district.ledger, KEY, "run", stop=stop, sender=processes
        )


def interrupted(happening: dict[str, Happening]) -> Any:
    """Make a target in which something happens while it writes users."""
    writes = iter(range(1, 1000))

    def wrap(application: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            if scope.get("method") == "POST" and scope["path"].endswith("/users/"):
                count = next(writes)
                for happens in happening.values():
                    happens(count)
            await application(scope, receive, send)

        return wrapped

    return wrap


def test_several_processes_end_where_one_does(tmp_path: Path, sandbox: Sandbox) -> None:
    """The same requests, counts and records; users with agents take their second pass."""
    rows = WHOLE | {"users": [user("u"), *RELATED]}
    with (
        opened(sandbox, tmp_path / "one") as alone,
        Sandbox(None) as other,
        opened(other, tmp_path / "two") as together,
    ):
        one, two = alone.load(**rows), asyncio.run(loaded(together, rows))

        assert one == two
        assert sorted(alone.writes()) == sorted(together.writes())
        assert [agent["sourcedId"] for agent in together.read("users", "u7")["agents"]] == ["u6"]
        assert alone.active("users") == together.active("users")
        assert set().union(*together.ledger.intended(KEY).values()) == set()


def test_updates_and_deletes_go_through_them(tmp_path: Path, sandbox: Sandbox) -> None:
    """What others wrote stays, and children go before their parents."""
    with opened(sandbox, tmp_path) as district:
        asyncio.run(loaded(district, WHOLE))
        district.write("users", "u", preferredFirstName="Anna")

        updated = asyncio.run(loaded(district, {"users": [user("u", givenName="Anne")]}))
        deleted = asyncio.run(loaded(district, {}, {"orgs": ["d", "s"], "enrollments": ["e"]}))

        assert updated.counts == {"users": {"updated": 1}}
        assert (
            district.read("users", "u")["givenName"],
            district.read("users", "u")["preferredFirstName"],
        ) == (
            "Anne",
            "Anna",
        )
        assert deleted.counts == {"orgs": {"deleted": 2}, "enrollments": {"deleted": 1}}


def test_a_process_that_dies_breaks_the_load_off_and_the_next_one_ends_it(tmp_path: Path) -> None:
    """What it was to send is unknown and keeps its intents, so that the next run knows it as ours."""
    happening: dict[str, Happening] = {}
    with (
        Sandbox(None, wrap=interrupted(happening)) as sandbox,
        Ledger(tmp_path / "ledger.db") as ledger,
    ):
        district = District(sandbox, ledger)
        broken = asyncio.run(loaded(district, {"orgs": ORGS, "users": USERS}, happening=happening))
        happening.clear()
        unknown = ledger.intended(KEY)["users"]
        again = asyncio.run(loaded(district, {"orgs": ORGS, "users": USERS}))

        assert broken.error is not None
        assert "which was sending, has ended. Run again." in broken.error
        assert len(unknown) == 20
        assert sum(broken.counts["users"].values()) == len(USERS)
        assert broken.counts["users"]["waiting"] >= 20
        assert again.error is None
        assert again.troubles == ()
        assert district.active("users") == {str(row["sourcedId"]) for row in USERS}


def test_a_stop_lets_them_finish_what_is_under_way(tmp_path: Path) -> None:
    """The rest waits, and nothing is unknown."""
    happening: dict[str, Happening] = {}

    async def run(district: District) -> LoadResult:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()
        happening["stop"] = lambda count: (
            loop.call_soon_threadsafe(stop.set) if count == 10 else None
        )
        return await loaded(
            district,
            {"orgs": ORGS, "users": [user(f"u{number}") for number in range(400)]},
            stop=stop,
        )

    with (
        Sandbox(None, wrap=interrupted(happening)) as sandbox,
        Ledger(tmp_path / "ledger.db") as ledger,
    ):
        stopped = asyncio.run(run(District(sandbox, ledger)))

        assert stopped.counts["users"]["created"] + stopped.counts["users"]["waiting"] == 400
        assert stopped.counts["users"]["created"] < 400
        assert len(ledger.known(KEY)["users"]) == stopped.counts["users"]["created"]
        assert set().union(*ledger.intended(KEY).values()) == set()


def test_a_refused_secret_is_told_as_by_one(tmp_path: Path, sandbox: Sandbox) -> None:
    """A process that may not send says why, and nothing is recorded."""
    with Ledger(tmp_path / "ledger.db") as ledger:
        district = District(sandbox, ledger, secret="wrong")
        refused = asyncio.run(loaded(district, {"orgs": ORGS}))

        assert refused.error is not None
        assert "gave no token (HTTP 401" in refused.error
        assert refused.counts == {"orgs": {"waiting": 2}}


def test_secrets_are_not_among_the_arguments_of_a_process() -> None:
    """Everybody on the machine may read those."""

    async def arguments() -> str:
        async with ProcessSender(
            2, Endpoint("http://127.0.0.1:9", access_token="hush", profile=TIMEBACK)
        ) as processes:
            words = ["ps", "-ww", "-o", "args=", "-p", ",".join(map(str, processes.pids))]
            # A process that has just begun shows none for a moment.
            while "[" in (
                shown := subprocess.run(words, capture_output=True, text=True, check=True).stdout
            ):
                await asyncio.sleep(0.05)
            return shown

    shown = asyncio.run(arguments())

    assert shown.count("connectors.oneroster.processes") == 2
    assert "hush" not in shown


@pytest.mark.parametrize(
    ("total", "count", "expected"), [(10, 2, [5, 5]), (10, 3, [4, 3, 3]), (2, 5, [1, 1])]
)
def test_the_requests_at_once_are_shared(total: int, count: int, expected: list[int]) -> None:
    """Together they never send more at once than the target bears."""
    assert expected == divide(total, count)
