"""What the nearest tools lose on the way to the target: records that a bad moment, or a kill, kept from arriving."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.oneroster.sandbox import Sandbox
from tests.chaos.weather import PAGE, hang_up, respond
from tests.syncing import Create, Feed, Meet, meeting

ELEVEN = {f"s{number:04}" for number in range(7, 18)}


@contextmanager
def served(folder: Path, meet: Meet, schools: int = 100) -> Iterator[Feed]:
    """Serve a target that creates are kept from, and a feed of 100 schools."""
    with Sandbox(None, wrap=meeting(meet)) as sandbox:
        feed = Feed(folder, sandbox)
        feed.configure(patience=1)
        feed.schools(schools)
        yield feed


class Eleven:
    """Meets the creates of eleven records, `times` each, in one way."""

    def __init__(self, way: str, times: int) -> None:
        self._way, self._times = way, times
        self._met: Counter[str] = Counter()

    async def meet(self, create: Create) -> bool:
        """Answer in the target's place, if it is one of the eleven."""
        sourced_id = json.loads(create.body)["org"]["sourcedId"]
        self._met[sourced_id] += 1
        if sourced_id not in ELEVEN or self._met[sourced_id] > self._times:
            return False
        match self._way:
            case "busy":
                await respond(create.send, 429, b"", {"retry-after": "1"})
            case "taken":
                await respond(create.send, 409, b"")
            case "dropped":
                await hang_up(create.send)
            case "broken":
                await respond(create.send, 500, PAGE, {"content-type": "text/html"})
        return True


def test_p2_records_that_were_asked_to_wait_arrive_in_the_same_run(tmp_path: Path) -> None:
    """Eleven records are answered 429 once, with Retry-After."""
    with served(tmp_path, Eleven("busy", 1).meet) as feed:
        run = feed.sync()

        assert (0, 100, 11) == (run.code, run.total("created"), run.json["retries"])
        assert 100 == len(feed.target_holds) == len(feed.ledger_holds)


def test_p3_records_that_were_refused_are_sent_by_the_next_run(tmp_path: Path) -> None:
    """Eleven records are answered 409 once, although they are not there."""
    with served(tmp_path, Eleven("taken", 1).meet) as feed:
        first, second = feed.sync(), feed.sync()

        assert (1, 89, 11) == (first.code, first.total("created"), first.total("failed"))
        assert (0, 11, 89) == (second.code, second.total("created"), second.total("unchanged"))
        assert 100 == len(feed.target_holds) == len(feed.ledger_holds)


def test_p4_records_whose_connection_was_dropped_arrive_in_the_same_run(tmp_path: Path) -> None:
    """Eleven records, once each."""
    with served(tmp_path, Eleven("dropped", 1).meet) as feed:
        run = feed.sync()

        assert (0, 100, 11) == (run.code, run.total("created"), run.json["retries"])
        assert 100 == len(feed.target_holds) == len(feed.ledger_holds)


def test_p4_records_whose_connection_is_always_dropped_are_counted_as_failed(
    tmp_path: Path,
) -> None:
    """The run says so, with its exit code too, and does not mark them as done."""
    with served(tmp_path, Eleven("dropped", 1000).meet) as feed:
        run = feed.sync()

        assert (1, 89, 11) == (run.code, run.total("created"), run.total("failed"))
        assert 89 == len(feed.ledger_holds)
        assert ELEVEN.isdisjoint(feed.ledger_holds)


def test_p7_a_killed_run_sends_at_most_its_batch_again(tmp_path: Path, sandbox: Sandbox) -> None:
    """Killed after a third of 3,000 records; the next run knows what was acknowledged, and what may be."""
    batch = 200
    feed = Feed(tmp_path, sandbox)
    feed.configure(batch=batch)
    feed.schools(3000)
    process = feed.start()
    feed.wait_for(1000)
    process.send(signal.SIGKILL)
    code = process.wait().code
    recorded, sent = len(feed.ledger_holds), feed.created
    run = feed.sync()

    assert (-9, True) == (code, 0 < recorded <= sent <= recorded + batch)
    assert (0, 3000 - recorded) == (run.code, run.total("created"))
    assert feed.created <= 3000 + batch
    assert 3000 == len(feed.target_holds) == len(feed.ledger_holds)


def test_p8_records_at_which_the_target_breaks_fail_the_run(tmp_path: Path) -> None:
    """Eleven records are always answered 500, with a page."""
    with served(tmp_path, Eleven("broken", 1000).meet) as feed:
        run = feed.sync()

        assert (1, 89, 11) == (run.code, run.total("created"), run.total("failed"))
        assert "HTTP 500: an HTML page" in run.said
