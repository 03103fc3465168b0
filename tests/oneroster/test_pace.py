"""How many requests are under way, whatever the target says to that, and whoever else is at work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster import wire
from connectors.oneroster.client import Client
from connectors.oneroster.profile import TIMEBACK
from connectors.oneroster.retry import RetryPolicy, retry_after_seconds
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.target import Endpoint, TargetError
from connectors.oneroster.throttle import Pace, Slots, share_slots
from tests.processes import Process

NOON = "Sun, 06 Nov 1994 12:00:00 GMT"
SECONDS_AT_NOON = 784123200.0


def paced(ceiling: int, story: Callable[[Pace], Awaitable[None]]) -> Pace:
    """Let something happen at a gate."""
    pace = Pace(ceiling)
    asyncio.run(_told(pace, story))
    return pace


async def _told(pace: Pace, story: Callable[[Pace], Awaitable[None]]) -> None:
    async with asyncio.timeout(10):
        await story(pace)


def test_a_burst_of_complaints_halves_the_window_once() -> None:
    """What was sent before the window shrank says nothing about the smaller one."""
    windows: list[int] = []

    async def story(pace: Pace) -> None:
        burst = [await pace.enter() for _ in range(10)]
        for one in burst:
            pace.slow_down(one)
            pace.leave()
        windows.append(pace.window)
        pace.slow_down(await pace.enter())
        windows.append(pace.window)

    paced(10, story)

    assert [5, 2] == windows


def test_each_round_of_answers_widens_the_window_by_about_one_up_to_the_ceiling() -> None:
    """It shrinks fast and grows slowly."""
    windows: list[int] = []

    async def story(pace: Pace) -> None:
        pace.slow_down(await pace.enter())
        for _ in range(8):
            windows.append(pace.window)
            for _ in range(pace.window + 1):
                pace.answered()

    paced(8, story)

    assert [4, 5, 6, 7, 8, 8, 8, 8] == windows


def test_the_window_never_closes() -> None:
    """Somebody has to find out whether the target is better."""

    async def story(pace: Pace) -> None:
        for _ in range(10):
            pace.slow_down(await pace.enter())
            pace.leave()

    assert 1 == paced(10, story).window


def test_no_more_pass_than_the_window_and_who_came_first_is_first() -> None:
    """Nobody overtakes those who wait."""
    order: list[int] = []
    most = 0

    async def story(pace: Pace) -> None:
        async def pass_through(number: int) -> None:
            nonlocal most
            await pace.enter()
            order.append(number)
            most = max(most, pace.under_way)
            await asyncio.sleep(0)
            pace.leave()

        await asyncio.gather(*(pass_through(number) for number in range(20)))

    paced(3, story)

    assert (list(range(20)), 3) == (order, most)


def test_a_pause_is_for_everybody_and_the_longest_counts() -> None:
    """While the target wants to be left alone, nobody asks it anything."""
    order: list[str] = []

    async def story(pace: Pace) -> None:
        async def enter() -> None:
            await pace.enter()
            order.append("entered")

        pace.pause(0.05)
        pace.pause(0.01)
        asyncio.get_running_loop().call_later(0.04, order.append, "nearly over")
        await asyncio.gather(*(enter() for _ in range(3)))

    paced(5, story)

    assert ["nearly over", "entered", "entered", "entered"] == order


def test_whoever_waits_when_the_run_ends_is_told_why() -> None:
    """For a turn, or to send something again; and nobody waits any more."""
    told: list[object] = []

    async def story(pace: Pace) -> None:
        await pace.enter()
        waiting = asyncio.gather(pace.enter(), pace.rest(3600), return_exceptions=True)
        await asyncio.sleep(0)
        pace.end(TargetError("first"))
        pace.end(TargetError("second"))
        told.extend(await waiting)
        told.extend(await asyncio.gather(pace.enter(), pace.rest(3600), return_exceptions=True))

    paced(1, story)

    assert ["first"] * 4 == [str(one) for one in told]


def test_a_turn_that_nobody_waits_for_any_more_goes_to_the_next() -> None:
    """Whoever is called off, before or after its turn has come, leaves no gap."""

    async def story(pace: Pace) -> None:
        await pace.enter()
        tasks = [asyncio.create_task(pace.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        await asyncio.sleep(0)
        pace.leave()
        tasks[1].cancel()
        await tasks[2]

    assert 1 == paced(1, story).under_way


@pytest.mark.parametrize(
    ("retry_after", "date", "seconds"),
    [
        ("120", "", 120.0),
        (" 1.5 ", "", 1.5),
        ("0", "", 0.0),
        ("Sun, 06 Nov 1994 12:01:30 GMT", "", 90.0),
        ("Sun, 06 Nov 1994 12:01:30 GMT", "Sun, 06 Nov 1994 12:01:00 GMT", 30.0),
        ("Sun, 06 Nov 1994 11:00:00 GMT", NOON, 0.0),
        ("Sunday, 06-Nov-94 12:00:10 GMT", NOON, 10.0),
        ("99999999999", "", 99999999999.0),
        ("", "", None),
        ("soon", "", None),
        ("-5", "", None),
        ("1e9", "", None),
        ("Sun, 06 Nov 99999 12:00:00 GMT", "", None),
    ],
)
def test_a_target_asks_for_a_pause_in_seconds_or_by_date(
    retry_after: str, date: str, seconds: float | None
) -> None:
    """A date is read by the target's own clock, if it says what that shows."""
    assert seconds == retry_after_seconds(retry_after, date, SECONDS_AT_NOON)


def test_rests_double_up_to_the_longest_and_are_random() -> None:
    """Full jitter: whoever failed together does not come back together."""
    patience = RetryPolicy(rest=0.5, longest_rest=3.0)

    assert [0.5, 1.0, 2.0, 3.0, 3.0] == [
        patience.rest_before(attempt, 1.0) for attempt in range(2, 7)
    ]
    assert [0.0, 0.25] == [patience.rest_before(2, chance) for chance in (0.0, 0.5)]


def test_runs_share_the_slots_of_a_target(tmp_path: Path) -> None:
    """One run has all of them; with another, each has half, and never do both have more than there are."""
    first, second = Slots(tmp_path), Slots(tmp_path)
    alone = first.hold(10, 0)
    at_first, still_in_use = second.hold(10, 0), first.hold(10, 8)
    then = second.hold(10, 0)
    fair = (first.hold(10, 0), second.hold(10, 2))
    first.close()

    assert (10, 0, 8, 2, (5, 5), 10) == (
        alone,
        at_first,
        still_in_use,
        then,
        fair,
        second.hold(10, 5),
    )
    second.close()


def test_a_run_that_goes_slower_gives_slots_back(tmp_path: Path) -> None:
    """It holds no more than it wants, and has its share again when it wants more; one that sends nothing is not counted."""
    one, other = Slots(tmp_path), Slots(tmp_path)

    assert (10, 0, 5, 5) == (one.hold(10, 0), other.hold(10, 0), one.hold(10, 0), other.hold(10, 0))
    assert (2, 5, 5) == (one.hold(2, 0), other.hold(10, 0), one.hold(10, 0))
    assert (0, 10) == (one.hold(0, 0), other.hold(10, 0))
    one.close()
    other.close()


def test_a_pace_admits_no_more_than_there_are_slots_for(tmp_path: Path) -> None:
    """It waits until another run has ended, and goes on then."""
    admitted: list[int] = []

    async def story(pace: Pace) -> None:
        other = Slots(tmp_path)
        other.hold(10, 10)
        async with share_slots(tmp_path, pace):
            entering = asyncio.create_task(pace.enter())
            await asyncio.sleep(0)
            admitted.append(pace.under_way)
            other.close()
            await entering
            admitted.append(pace.under_way)

    paced(2, story)

    assert [0, 1] == admitted


def test_a_run_does_not_wait_for_ever_for_those_that_hang(tmp_path: Path) -> None:
    """It ends with the next step."""

    async def story(pace: Pace) -> None:
        other = Slots(tmp_path)
        other.hold(10, 10)
        async with share_slots(tmp_path, pace, longest_wait=0.0):
            with pytest.raises(
                TargetError, match="Wait until they have ended, or stop one that hangs"
            ):
                await pace.enter()
        other.close()

    assert 0 == paced(2, story).under_way


def test_slots_are_looked_for_when_they_are_needed(tmp_path: Path) -> None:
    """A run that is alone waits for nothing, and one that sends nothing holds nothing."""
    free: list[int] = []

    async def story(pace: Pace) -> None:
        other = Slots(tmp_path)
        async with share_slots(tmp_path, pace):
            free.append(other.hold(10, 0))
            other.hold(0, 0)
            for _ in range(4):
                await pace.enter()
            free.append(other.hold(10, 0))
        other.close()

    pace = paced(4, story)

    assert (4, [10, 5]) == (pace.under_way, free)


def test_runs_in_two_processes_never_ask_more_at_once_than_a_target_bears(tmp_path: Path) -> None:
    """Each alone would send ten requests at once; together they do as well."""
    under_way, most = 0, 0

    def count(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            await app(scope, receive, send)
            under_way -= 1

        return answer

    with Sandbox(None, wrap=count) as sandbox:
        target = Endpoint(
            sandbox.url,
            sandbox.token_url,
            "sandbox",
            "sandbox",
            slots=tmp_path / "slots",
            profile=TIMEBACK,
        )
        folders = [tmp_path / name for name in ("one", "two")]
        for folder in folders:
            folder.mkdir()
        processes = [Process(folder, ask, target.url, target.slots) for folder in folders]
        codes = [process.wait().code for process in processes]

        assert ([0, 0], 400) == (codes, len(sandbox.requests))
    assert 5 < most <= 10


def ask(url: str, slots: Path) -> None:
    """Send two hundred requests, ten at once."""

    async def send() -> None:
        async with Client(
            Endpoint(
                url, f"{url}/oauth2/token", "sandbox", "sandbox", slots=slots, profile=TIMEBACK
            )
        ) as client:
            await asyncio.gather(
                *(
                    client.send(wire.read(TIMEBACK.collections["orgs"], "nobody"))
                    for _ in range(200)
                )
            )

    asyncio.run(send())
