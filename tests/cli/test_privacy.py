"""A failing run, and everything that it wrote: no secret anywhere, and names only where their owner alone can read."""

from __future__ import annotations

import base64
import csv
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import polars as pl
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from connectors.oneroster.sandbox import Sandbox
from tests.rosters import changed, district, drop, without
from tests.running import roster

ROOT = Path(__file__).parents[2]
SECRET, BYSTANDER, PASSWORD, IN_ROW = (
    "s3cret-of-larkspur/+",
    "s3cret-of-nobody",
    "hunter2-of-bo",
    "hunter2-of-tia",
)
NAMES = ("Quillon", "Zephyrine", "Marguerite", "Abernathyx", "quillon@example.edu", "5550100")
PROCESSES = Path("/proc")
FORMULA = "=HYPERLINK(Abernathyx)"
FEED = """
district = "larkspur"
drop = "drop"
[target]
url = "{url}"
token_url = "{url}/oauth2/token"
client_id_env = "LARKSPUR_ID"
{secret}
[share]
demographics = true
contacts = true
[limits]
updated_percent = 100
rejected_percent = 100
"""


@dataclass
class Mean:
    """A target that, once it is mean, refuses each write and repeats all that it received, the token too."""

    is_mean: bool = False
    process: int = 0
    titles: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def over(self, app: ASGIApp) -> ASGIApp:
        """Give the application as clients see it."""

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not self.is_mean:
                await app(scope, receive, send)
                return
            self.titles.update(_titles(self.process))
            if scope["path"] == "/oauth2/token" or scope["method"] == "GET":
                await app(scope, receive, send)
                return
            request = Request(scope, receive)
            token = request.headers["authorization"]
            self.told.add(token.removeprefix("Bearer "))
            said = f"Refused: {token} {(await request.body()).decode()}"
            await JSONResponse({"imsx_codeMajor": "failure", "imsx_description": said}, 422)(
                scope, receive, send
            )

        return answer


@dataclass(frozen=True)
class Failed:
    """A run that failed: what it printed, where it wrote, and what nobody must find there."""

    code: int
    said: str
    folder: Path
    secrets: set[str]
    titles: set[str]
    programs: tuple[str, ...]

    @property
    def files(self) -> Iterator[Path]:
        """All files of the run's home: state, temporary files and the folder that it ran in."""
        return (path for path in (self.folder / "home").rglob("*") if path.is_file())


@pytest.fixture(
    scope="module",
    params=["file", "env"],
    ids=["secret in a file", "secret in a variable, two workers"],
)
def failed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Failed:
    """A run with an update that is refused, a row that is rejected, and deletes that are held."""
    folder, mean = tmp_path_factory.mktemp("run"), Mean()
    (folder / "secret.txt").write_text(SECRET)
    (folder / "home").mkdir(mode=0o700)
    more = ["--workers", "2"] if request.param == "env" else []
    programs = (
        ("flows", "connectors.oneroster.processes") if more and PROCESSES.exists() else ("flows",)
    )
    known = {
        "file": 'client_secret_file = "secret.txt"',
        "env": 'client_secret_env = "LARKSPUR_SECRET"',
    }
    with Sandbox(None, clients={"larkspur": SECRET}, wrap=mean.over) as server:
        (folder / "larkspur.toml").write_text(
            FEED.format(url=server.url, secret=known[request.param])
        )
        _drop(folder, "Quillon")
        _sync(folder, mean, *more)
        mean.is_mean = True
        _drop(folder, "Marguerite", "e1")
        code, said = _sync(folder, mean, *more)
    secrets = {SECRET, BYSTANDER, PASSWORD, IN_ROW, *mean.told}
    basic = base64.b64encode(f"larkspur:{SECRET}".encode()).decode()
    return Failed(
        code,
        said,
        folder,
        secrets | {quote(one, safe="") for one in secrets} | {basic},
        mean.titles,
        programs,
    )


def _drop(folder: Path, given: str, *gone: str) -> None:
    """Write a drop with passwords, and with a row that is refused for a value that a spreadsheet would run."""
    rows = changed(
        district(),
        "bo",
        givenName=given,
        familyName="Zephyrine",
        email="quillon@example.edu",
        phone="5550100",
        password=PASSWORD,
    )
    rows = changed(rows, "tia", enabledUser=FORMULA, familyName="Abernathyx", password=IN_ROW)
    drop(folder / "drop", without(rows, *gone))


def _sync(folder: Path, mean: Mean, *more: str) -> tuple[int, str]:
    """Run a sync in a process of its own; give its exit code and all that it printed."""
    home = folder / "home"
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TIMEBACK_")
    } | {
        "LARKSPUR_ID": "larkspur",
        "LARKSPUR_SECRET": SECRET,
        "TIMEBACK_CLIENT_SECRET": BYSTANDER,
        "PYTHONPATH": str(ROOT),
        "TIMEBACK_ACCESS_TOKEN": BYSTANDER,
        "TMPDIR": str(home),
        "HOME": str(home),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [
        sys.executable,
        "-m",
        "flows",
        "sync",
        "../larkspur.toml",
        "--state",
        "state",
        "--json",
        *more,
    ]
    run = subprocess.Popen(
        command,
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    mean.process = run.pid
    said, _ = run.communicate()
    return run.returncode, said


def _titles(process: int) -> set[str]:
    """What anybody on this machine sees of a process and of those that it started."""
    if not PROCESSES.exists():
        command = ["ps", "-o", "command=", "-p", str(process)]
        return {subprocess.run(command, capture_output=True, text=True, check=True).stdout}
    titles = set()
    for place in PROCESSES.glob("[0-9]*"):
        with suppress(OSError):  # it has ended by now
            parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
            if str(process) in (place.name, parent):
                titles.add((place / "cmdline").read_text())
    return titles


def _content(path: Path) -> str:
    """All that a file says, also if it is compressed."""
    raw = path.read_bytes().decode("utf-8", "replace")
    return raw + pl.read_parquet(path).write_csv() if path.suffix == ".parquet" else raw


def test_it_was_a_run_with_everything(failed: Failed) -> None:
    """It failed, and it left a report, rejects, a plan, a roster and a ledger: else there were nothing to look at."""
    suffixes = {path.suffix for path in failed.files}

    assert 1 == failed.code
    assert {".md", ".csv", ".parquet", ".db", ".json"} <= suffixes
    assert {"plan.md", "plan.csv", "rejects.csv", "report.md"} <= {
        path.name for path in failed.files
    }
    assert "HTTP 422" in failed.said
    assert 1 < len(
        [one for one in failed.secrets if one not in (SECRET, BYSTANDER, PASSWORD, IN_ROW)]
    )


def test_no_secret_is_anywhere(failed: Failed) -> None:
    """Not on the terminal, not in a report, a plan, the ledger or the archive, whoever repeated it to us."""
    places = {"the terminal": failed.said} | {str(path): _content(path) for path in failed.files}

    assert [] == [
        (place, secret)
        for place, text in places.items()
        for secret in failed.secrets
        if secret in text
    ]


def test_names_are_only_where_their_owner_can_read(failed: Failed) -> None:
    """Not on the terminal, and in no file that others may read; reports and plans for people have ids."""
    spoken = [name for name in NAMES if name in failed.said]
    named = {path for path in failed.files if any(name in _content(path) for name in NAMES)}

    assert [] == spoken
    assert set() == {path for path in named if stat.S_IMODE(path.stat().st_mode) != 0o600}
    assert {".csv", ".parquet", ".db"} >= {path.suffix for path in named}


def test_nothing_of_the_state_is_for_others(failed: Failed) -> None:
    """Folders 0700, files 0600."""
    everything = [failed.folder / "home" / "state", *(failed.folder / "home" / "state").rglob("*")]
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in everything}

    assert {} == {
        path: oct(mode)
        for path, mode in modes.items()
        if mode != (0o700 if path.is_dir() else 0o600)
    }


def test_no_secret_is_in_the_title_of_the_process(failed: Failed) -> None:
    """Anybody on the machine can read that."""
    assert [] == [
        one for one in failed.programs if not any(one in title for title in failed.titles)
    ]
    assert [] == [title for title in failed.titles for secret in failed.secrets if secret in title]


def test_rejects_run_in_no_spreadsheet(failed: Failed) -> None:
    """A cell that would be a formula is text."""
    (path, *_) = sorted(path for path in failed.files if path.name == "rejects.csv")
    with path.open(newline="", encoding="utf-8") as file:
        values = [row["value"] for row in csv.DictReader(file) if row["column"] == "enabledUser"]

    assert [f"'{FORMULA}"] == values


def test_a_password_that_a_feed_shares_is_never_shown(tmp_path: Path) -> None:
    """It is sent, and neither told by `why` nor taken for a difference by `verify`: a target keeps it to itself."""
    rows = changed(district(), "bo", password=PASSWORD)
    folder = drop(tmp_path / "drop", rows).parent
    text = FEED.format(url="sandbox", secret="").replace("[share]", "[share]\npasswords = true")
    kept = [line for line in text.splitlines() if not line.startswith(("token_url", "client_id"))]
    (folder / "larkspur.toml").write_text("\n".join(kept))
    synced = roster("sync", folder / "larkspur.toml", state=tmp_path / "state")

    why = roster("why", "bo", "--json", state=tmp_path / "state")
    verify = roster("verify", folder / "larkspur.toml", state=tmp_path / "state")

    assert (0, 0, 0) == (synced.code, why.code, verify.code)
    assert [] == [run for run in (synced, why, verify) if PASSWORD in run.said]


def test_who_refuses_the_secret_cannot_make_us_repeat_it(tmp_path: Path) -> None:
    """The endpoint for tokens repeats all that it received, in each place where an answer may have an error."""

    def over(app: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            said = (await Request(scope, receive).body()).decode() + SECRET
            await JSONResponse({"error": said, "error_description": said, "message": said}, 401)(
                scope, receive, send
            )

        return answer

    with Sandbox(None, wrap=over) as server:
        run = roster(
            "sync",
            drop(tmp_path / "drop", district()),
            "--target",
            "env",
            state=tmp_path / "state",
            environment=SAFE
            | {"TIMEBACK_API_URL": server.url, "TIMEBACK_TOKEN_URL": server.token_url},
        )

    written = [_content(path) for path in (tmp_path / "state").rglob("*") if path.is_file()]
    assert (1, True) == (run.code, "gave no token" in run.said)
    assert [] == [
        text
        for text in (run.said, *written)
        for secret in (SECRET, quote(SECRET, safe=""))
        if secret in text
    ]


PLAIN = "http://api.example.edu"
SAFE = {
    "TIMEBACK_API_URL": "https://api.example.edu", "TIMEBACK_TOKEN_URL": "https://login.example.edu/token",
    "TIMEBACK_CLIENT_ID": "larkspur", "TIMEBACK_CLIENT_SECRET": SECRET,
}  # fmt: skip


@pytest.mark.parametrize(
    ("target", "environment"),
    [
        (PLAIN, {}),
        ("http://127.0.0.1.example.edu", {}),
        ("env", {"TIMEBACK_API_URL": PLAIN}),
        ("env", {"TIMEBACK_TOKEN_URL": PLAIN}),
    ],
)
def test_plain_http_is_for_this_machine_only(
    target: str, environment: dict[str, str], tmp_path: Path
) -> None:
    """Exit 2 with a sentence, for the target and for where the token is fetched."""
    folder = drop(tmp_path / "drop", district())

    run = roster(
        "sync", folder, "--target", target, state=tmp_path / "state", environment=SAFE | environment
    )

    assert (2, True) == (run.code, "plain http, which is for this machine only" in run.err)
    assert SECRET not in run.said


@pytest.mark.parametrize("name", ["url", "token_url"])
def test_plain_http_in_a_feeds_file_is_refused(name: str, tmp_path: Path) -> None:
    """Named with its key."""
    folder = drop(tmp_path / "drop", district()).parent
    text = FEED.format(
        url="https://api.example.edu", secret='client_secret_env = "TIMEBACK_CLIENT_SECRET"'
    )
    (folder / "larkspur.toml").write_text(text.replace(f'\n{name} = "https:', f'\n{name} = "http:'))

    run = roster("sync", folder / "larkspur.toml", state=tmp_path / "state", environment=SAFE)

    assert (2, True) == (run.code, f"`target.{name}` is plain http" in run.err)
