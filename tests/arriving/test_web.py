"""Zips at web addresses: encrypted, from whom the certificate says, and not led to where nothing is encrypted."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.arriving.conftest import Syncs
from tests.rosters import district, drop

OPENSSL = shutil.which("openssl") or ""


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, and leads `/away` to where nothing is encrypted."""

    def send_head(self) -> object:  # type: ignore[override]
        """Answer GET and HEAD."""
        if self.path != "/away":
            return super().send_head()
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:9/roster.zip")
        self.send_header("Content-Length", "0")
        self.end_headers()
        return None

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def served(folder: Path, certificate: Path | None = None) -> Iterator[int]:
    """Serve a folder on loopback; give the port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a zip in it."""
    (tmp_path / "www").mkdir()
    shutil.make_archive(
        str(tmp_path / "www" / "roster"), "zip", drop(tmp_path / "drop", district())
    )
    return tmp_path / "www"


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate that its server has made for itself, and its key, in one file."""
    if not OPENSSL:
        pytest.skip("there is no openssl on this machine")
    path = tmp_path / "own.pem"
    subprocess.run(
        [
            OPENSSL,
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            path,
            "-out",
            tmp_path / "certificate.pem",
        ],
        check=True,
        capture_output=True,
    )
    path.write_text(path.read_text() + (tmp_path / "certificate.pem").read_text())
    return path


def test_a_zip_on_this_machine_may_come_unencrypted(
    folder: Path, sync: Syncs, tmp_path: Path
) -> None:
    """And leaves nothing behind."""
    with served(folder) as port:
        run = sync(f"http://127.0.0.1:{port}/roster.zip")

    assert (0, len(district()["users"])) == (run.code, run.json["entities"]["users"]["created"])
    assert [] == list((tmp_path / "state").rglob("*.zip"))


def test_a_zip_that_is_not_there_is_told(folder: Path, sync: Syncs) -> None:
    """With its address."""
    with served(folder) as port:
        run = sync(f"http://127.0.0.1:{port}/other.zip")

    assert (1, True) == (run.code, "/other.zip cannot be read" in " ".join(run.err.split()))


def test_a_certificate_that_nobody_vouches_for_is_refused(
    folder: Path, certificate: Path, sync: Syncs
) -> None:
    """Whoever answers may be anybody."""
    with served(folder, certificate) as port:
        run = sync(f"https://localhost:{port}/roster.zip")

    assert (1, True) == (run.code, "ertificate" in run.err)


def test_an_answer_that_leads_to_where_nothing_is_encrypted_is_refused(
    folder: Path, certificate: Path, tmp_path: Path
) -> None:
    """Names of pupils would travel in the clear. Whom to trust is read once by a process, so that this is one of its own."""
    program, feed = Path(sys.executable).parent / "roster", tmp_path / "feed.toml"
    with served(folder, certificate) as port:
        feed.write_text(f'drop = "https://localhost:{port}/away"\n[target]\nurl = "sandbox"\n')
        run = subprocess.run(
            [program, "check", feed, "--state", tmp_path / "state"],
            env={**os.environ, "SSL_CERT_FILE": str(certificate)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert 1 == run.returncode
    assert "/roster.zip, which is not encrypted" in " ".join(run.stderr.split())
