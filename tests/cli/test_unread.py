"""Output that nobody reads any more, or that cannot be written: the load goes on, and ends as it would have."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from connectors.ledger import Ledger
from flows.reports.output import LastingStream, lasting_output, outlast_readers_of_consoles
from flows.reports.screen import print_line
from tests.cli.test_stopping import SCHOOLS, served, slowly
from tests.syncing import CREDENTIALS, Feed, meeting

ROSTER = Path(sys.executable).parent / "roster"


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """A target that takes some time to create a record."""
    with served(tmp_path, meeting(slowly)) as feed:
        yield feed


def command(feed: Feed, *more: str) -> list[str]:
    """The command line of a sync."""
    state = str(feed.folder / "state")
    return [str(ROSTER), "sync", str(feed.folder / "feed.toml"), "--state", state, *more]


def close_both(process: subprocess.Popen[bytes]) -> None:
    """Read no more, of whatever it says."""
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    process.stderr.close()


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["for people", "for programs"])
def test_a_load_does_not_depend_on_its_readers(feed: Feed, more: tuple[str, ...]) -> None:
    """All records arrive, the ledger has the run as finished, the report is there, and the exit code is true."""
    with subprocess.Popen(
        command(feed, *more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | CREDENTIALS,
    ) as process:
        feed.wait_for(50)
        close_both(process)
        code = process.wait(60)

    with Ledger(feed.folder / "state" / "ledger.db") as ledger:
        [run] = ledger.runs()
    assert (0, "done", SCHOOLS) == (code, run.status, len(feed.target_holds))
    assert (feed.folder / "state" / "runs" / run.id / "report.md").exists()


def test_a_pipe_to_head_is_quiet(feed: Feed) -> None:
    """Nothing on standard error, and all is loaded."""
    words = " ".join(f"'{word}'" for word in command(feed))
    script = f"set -o pipefail; {words} | head -n 1"
    piped = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=os.environ | CREDENTIALS, check=False
    )  # fmt: skip

    assert (0, "", SCHOOLS) == (piped.returncode, piped.stderr, len(feed.target_holds))
    assert 1 == len(piped.stdout.splitlines())


@pytest.fixture
def broken() -> Iterator[Any]:
    """A text stream into a pipe that nobody reads."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as stream:
        yield stream


@pytest.mark.parametrize(
    "use",
    [
        lambda stream: print("x", file=stream, flush=True),
        lambda stream: stream.writelines(["x" * 100_000, "y"]),
        lambda stream: Console(file=stream).print("x"),
        lambda stream: logging.StreamHandler(stream).emit(logging.makeLogRecord({"msg": "x"})),
    ],
    ids=["print", "lines", "rich", "logging"],
)
def test_whatever_prints_goes_on(use: Callable[[Any], object], broken: Any) -> None:
    """Again and again."""
    for _ in range(3):
        use(LastingStream(broken))


def test_a_console_that_somebody_else_made_goes_on(
    broken: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as that of Prefect's log: rich would end the process."""
    monkeypatch.setattr(Console, "on_broken_pipe", Console.on_broken_pipe)
    outlast_readers_of_consoles()

    for _ in range(3):
        Console(file=broken).print("x")


def test_a_full_disk_takes_only_the_output() -> None:
    """As when a scheduler keeps it in a file."""
    with open("/dev/full", "w") as full:
        print("x" * 100_000, file=LastingStream(full), flush=True)


def test_a_closed_stream_takes_nothing() -> None:
    """And text that cannot be encoded is still an error."""
    closed = io.StringIO()
    closed.close()
    latin = io.TextIOWrapper(io.BytesIO(), encoding="ascii")

    LastingStream(closed).write("x")
    with pytest.raises(UnicodeEncodeError):
        LastingStream(latin).write("é")


def test_a_process_without_output_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output and error are None where they were closed."""
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    with lasting_output():
        print_line("x")
        print_line("x", error=True)
