"""Servers that have drops, and feeds that fetch from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.arriving.servers import KEYGEN, SSHD, SshServer, ssh_server
from tests.running import Run, roster

FEED = """
district = "larkspur"
drop = "{drop}"
{more}
[target]
url = "sandbox"
"""
Syncs = Callable[..., Run]


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """Start an OpenSSH server."""
    if not (SSHD and KEYGEN):
        pytest.skip("there is no OpenSSH server (openssh-server) on this machine")
    with ssh_server(tmp_path_factory.mktemp("ssh") / "server") as server:
        yield server


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Start an S3 store with a bucket. Its address and credentials are in the environment."""
    import s3fs  # type: ignore[import-untyped]
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in (
        ("ENDPOINT_URL", f"http://{host}:{port}"),
        ("ACCESS_KEY_ID", "roster"),
        ("SECRET_ACCESS_KEY", "roster"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    s3fs.S3FileSystem.clear_instance_cache()  # which still knows the server before
    system = s3fs.S3FileSystem(skip_instance_cache=True)
    system.mkdir("drops")
    yield system
    system.rm("drops", recursive=True)  # moto keeps what it holds for the next server
    server.stop()


@pytest.fixture
def sync(tmp_path: Path) -> Syncs:
    """Return a function that writes and loads a feed with a drop at an address."""

    def run(drop: str, more: str = "", command: str = "sync") -> Run:
        feed = tmp_path / "larkspur.toml"
        head, _, tables = more.partition("\n[")
        feed.write_text(FEED.format(drop=drop, more=head) + (f"\n[{tables}" if tables else ""))
        return roster(command, feed, "--json", state=tmp_path / "state")

    return run
