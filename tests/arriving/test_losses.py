"""Connections that are lost on the way to a drop: tried again for as long as a target is, told in one sentence."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import botocore.exceptions  # type: ignore[import-untyped]
import pytest
from multidict import CIMultiDict, CIMultiDictProxy
from paramiko import AuthenticationException, SSHException  # type: ignore[import-untyped]
from yarl import URL

from connectors.fetch.addresses import FetchError, LostConnectionError
from connectors.fetch.connection import StoreConnection
from connectors.fetch.losses import Unreached
from connectors.oneroster.retry import RetryPolicy
from tests.arriving.conftest import FEED, Syncs
from tests.arriving.proxies import CLOSED_AT_ONCE, FINE, Fault, Proxy, proxy
from tests.arriving.servers import SshServer
from tests.arriving.test_web import served
from tests.processes import roster
from tests.rosters import district, drop
from tests.running import Run

PARTWAY = 100_000  # bytes, which is more than it takes to sign in and to list
USERS = len(district()["users"])
HURRIED = '\n[target]\nurl = "sandbox"\npatience_seconds = 1.9\n'


def answered(status: int) -> aiohttp.ClientResponseError:
    """What is raised for the answer of a web server."""
    url = URL("https://sis.example.edu/roster.zip")
    request = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url)
    return aiohttp.ClientResponseError(request, (), status=status)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A drop that takes a moment to fetch."""
    folder = drop(tmp_path / "drop", district())
    (folder / "notes.txt").write_bytes(bytes(4 * PARTWAY))
    return folder


def pickup(ssh: SshServer, through: Proxy, tmp_path: Path, key: str = "user") -> str:
    """What a feed file says to be let in through a proxy."""
    hosts = tmp_path / "known_hosts"
    hosts.write_text(f"[127.0.0.1]:{through.port} {(ssh.folder / 'host.pub').read_text()}")
    return f'\n[pickup]\nknown_hosts = "{hosts}"\nkey_file = "{ssh.folder}/{key}"\n'


def address(ssh: SshServer, through: Proxy, path: Path) -> str:
    """The address of a path through a proxy."""
    return ssh.address(path).replace(f":{ssh.port}/", f":{through.port}/")


@pytest.fixture
def hurried(sync: Syncs, monkeypatch: pytest.MonkeyPatch) -> Syncs:
    """Sync with two seconds of patience."""
    monkeypatch.setattr(
        "tests.arriving.conftest.FEED", FEED.replace('\n[target]\nurl = "sandbox"\n', HURRIED)
    )
    return sync


def sentence(run: Run) -> str:
    """Everything on standard error, in one line."""
    return " ".join(run.err.split())


def test_a_lost_connection_is_made_again(ssh: SshServer, folder: Path, tmp_path: Path) -> None:
    """Closed before its banner, as busy servers do, and cut partway: the night is loaded, without a traceback or a log."""
    with proxy(ssh.port, CLOSED_AT_ONCE, Fault(PARTWAY), CLOSED_AT_ONCE, FINE) as through:
        feed = tmp_path / "larkspur.toml"
        feed.write_text(
            FEED.format(drop=address(ssh, through, folder), more=pickup(ssh, through, tmp_path))
        )
        done = roster(tmp_path, "sync", feed, "--json", "--state", tmp_path / "state").wait()

    assert (0, USERS) == (done.code, done.json["entities"]["users"]["created"])
    assert not [word for word in ("Traceback", "paramiko", "Exception") if word in done.err]


@pytest.mark.parametrize(
    ("faults", "code", "words"),
    [
        ([CLOSED_AT_ONCE], 1, "the connection was lost (Error reading SSH protocol banner"),
        ([Fault(PARTWAY)], 4, "the connection was lost"),
        ([Fault(PARTWAY, stalls=True)], 4, "the connection was lost"),
    ],
    ids=["closed", "cut", "stalled"],
)
def test_a_server_that_loses_every_connection_is_told_in_a_sentence(
    faults: list[Fault | None],
    code: int,
    words: str,
    ssh: SshServer,
    folder: Path,
    hurried: Syncs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What has not arrived completely is refused; a server that is not reached is asked another time."""
    monkeypatch.setattr("connectors.fetch.sftp.SFTP_TIMEOUT", 1)

    with proxy(ssh.port, *faults) as through:
        run = hurried(address(ssh, through, folder), pickup(ssh, through, tmp_path))

    assert (code, True) == (run.code, through.connections > len(faults)), run.err
    assert words in sentence(run)
    assert "credentials" not in sentence(run)


def test_credentials_are_tried_once(
    ssh: SshServer, folder: Path, sync: Syncs, tmp_path: Path
) -> None:
    """Whoever tries wrong ones again is locked out."""
    with proxy(ssh.port, FINE) as through:
        run = sync(address(ssh, through, folder), pickup(ssh, through, tmp_path, key="other"))

    assert (1, 1) == (run.code, through.connections)
    assert "rejected our login" in sentence(run)


@pytest.mark.parametrize(
    "act",
    [
        lambda path: path.write_bytes(bytes(9 * PARTWAY)),
        lambda path: path.write_bytes(b"less"),
        Path.unlink,
    ],
    ids=["grows", "is written again", "goes away"],
)
def test_an_upload_that_goes_on_is_refused(
    act: Callable[[Path], Any], ssh: SshServer, folder: Path, sync: Syncs, tmp_path: Path
) -> None:
    """Whenever it is noticed, and with the same exit code."""
    growing = Fault(PARTWAY, goes_on=True, act=partial(act, folder / "notes.txt"))

    with proxy(ssh.port, growing) as through:
        run = sync(address(ssh, through, folder), pickup(ssh, through, tmp_path))

    assert (4, "refused") == (run.code, run.json["status"]), run.err
    assert "it changed while it was read" in sentence(run)


@pytest.fixture
def web(folder: Path, tmp_path: Path) -> Path:
    """A folder with a zip that takes a moment to fetch."""
    (folder / "notes.txt").write_bytes(random.Random(1).randbytes(4 * PARTWAY))  # does not shrink
    (tmp_path / "www").mkdir()
    shutil.make_archive(str(tmp_path / "www" / "roster"), "zip", folder)
    return tmp_path / "www"


def test_a_download_that_is_cut_begins_again(web: Path, sync: Syncs) -> None:
    """And so does one whose server closes the connection at once."""
    with served(web) as port, proxy(port, CLOSED_AT_ONCE, *[Fault(PARTWAY)] * 5, FINE) as through:
        run = sync(f"http://127.0.0.1:{through.port}/roster.zip")

    assert 0 == run.code, run.err
    assert USERS == run.json["entities"]["users"]["created"]
    assert "lost" not in run.err


def test_a_download_that_is_always_cut_is_refused(web: Path, hurried: Syncs) -> None:
    """It was there, and has not arrived completely."""
    with served(web) as port, proxy(port, Fault(PARTWAY)) as through:
        run = hurried(f"http://127.0.0.1:{through.port}/roster.zip")

    assert (4, "refused") == (run.code, run.json["status"]), run.err
    assert "the connection was lost" in sentence(run)


def test_a_store_that_loses_a_connection_is_asked_again(
    s3: Any, sync: Syncs, web: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S3, through the same proxy."""
    s3.put(str(web / "roster.zip"), "drops/roster.zip")
    port = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port or 0

    with proxy(port, Fault(PARTWAY), FINE) as through:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{through.port}")
        run = sync("s3://drops/roster.zip")

    assert through.connections > 1
    assert 0 == run.code, run.err
    assert USERS == run.json["entities"]["users"]["created"]


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long a connection rested before each attempt, without resting."""
    rests: list[float] = []
    monkeypatch.setattr("connectors.fetch.connection.time.sleep", rests.append)
    return rests


@pytest.mark.parametrize(
    ("error", "attempts"),
    [
        (ConnectionResetError(104, "Connection reset by peer"), 8),
        (TimeoutError(), 8),
        (aiohttp.ClientPayloadError("cut"), 8),
        (SSHException("Server connection dropped"), 8),
        (OSError("Socket is closed"), 8),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="https://s3.example.edu"), 8),
        (answered(503), 8),
        (answered(500), 3),
        (Unreached("Connection refused"), 3),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="https://s3.example.edu"), 3),
        (answered(403), 1),
        (FileNotFoundError("roster.zip"), 1),
        (PermissionError(13, "Permission denied"), 1),
        (botocore.exceptions.NoCredentialsError(), 1),
        (AuthenticationException("Authentication failed."), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_what_may_pass_is_tried_again(
    error: Exception, attempts: int, rests: list[float]
) -> None:
    """As often as a target is asked."""
    asked: list[str] = []

    def question(_system: object, path: str) -> None:
        asked.append(path)
        raise error

    with pytest.raises(FetchError) as told:
        StoreConnection("memory://drops").ask(question)

    assert (attempts, attempts - 1) == (len(asked), len(rests))
    assert isinstance(told.value, LostConnectionError) == (attempts > 1)
    assert f"after {attempts} attempts" in str(told.value) or attempts == 1


def test_without_patience_nothing_is_tried_again(rests: list[float]) -> None:
    """`patience_seconds = 0`, as for the target."""

    def question(_system: object, _path: str) -> None:
        raise TimeoutError

    with pytest.raises(LostConnectionError, match="after 1 attempt"):
        StoreConnection("memory://drops", policy=RetryPolicy(seconds=0)).ask(question)

    assert not rests
