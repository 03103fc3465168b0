"""Secrets that a Prefect server keeps: a server that knows one block answers as Prefect's does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.feeds.settings import Feed
from tests.settings.test_settings import feed, problems

OPEN = '[target]\nurl = "https://api.example.edu"\n'
CLIENT = 'token_url = "https://login.example.edu/token"\nclient_id_block = "larkspur-id"\n'
ANSWERS = {"/api/admin/version": "3.8.8", "/api/block_types/slug/secret/block_documents/name/larkspur": {
    "name": "larkspur", "data": {"value": "hunter2hunter2"}, "block_document_references": {}, "is_anonymous": False,
    "block_schema_id": "7f3a9a52-6d0f-4b59-b2f2-5fb4d3a0c1aa", "block_type_id": "7f3a9a52-6d0f-4b59-b2f2-5fb4d3a0c1ab",
}}  # fmt: skip
# Prefect takes its settings from the environment when it is imported, and so it is asked in a process of its own.
ASK = """
import sys
from flows.feeds.secret import in_block
from flows.problems import SettingsError
try:
    print(len(in_block("feed.toml: `target.client_secret_block`", sys.argv[1]).value))
except SettingsError as error:
    print(error)
"""


@contextmanager
def server() -> Iterator[str]:
    """Serve the answers on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = ANSWERS.get(self.path.partition("?")[0])
            body = json.dumps(answer or {"detail": "Block document not found"}).encode()
            self.send_response(200 if answer else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = Thread(target=serving.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{serving.server_port}/api"
        finally:
            serving.shutdown()
            thread.join()


def asked(block: str, home: Path, server: str = "") -> str:
    """Ask for a block in a process that knows a server, or none; give what is printed."""
    environment = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    environment |= {"PREFECT_API_URL": server} if server else {}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    words = [sys.executable, "-c", ASK, block]
    return subprocess.run(words, env=kept | environment, capture_output=True, text=True, check=True).stdout.strip()


def test_a_block_gives_its_secret_and_what_is_wrong_is_said(tmp_path: Path) -> None:
    """With the block's name, and the next step."""
    with server() as url:
        found, unknown = asked("larkspur", tmp_path, url), asked("larkspurr", tmp_path, url)
    gone, unnamed = asked("larkspur", tmp_path, url), asked("larkspur", tmp_path)

    assert "14" == found
    assert "names the block larkspurr, which the Prefect server does not have. Make a block" in unknown
    assert "names the block larkspur, which cannot be read: the Prefect server does not answer" in gone
    assert "Set $PREFECT_API_URL to the server's address." in unnamed


def test_a_file_may_name_blocks_for_its_target(tmp_path: Path) -> None:
    """Each secret has one way, and they may differ."""
    read: Feed = feed(tmp_path, f'drop = "d"\n{OPEN}{CLIENT}client_secret_env = "SECRET"')

    assert ("larkspur-id", "SECRET") == (read.target.client_id_block, read.target.client_secret_env)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('access_token_block = "a"\naccess_token_env = "A"', "has access_token_env and access_token_block. Leave one"),
        ('access_token_block = "hunter2hunter2hunter2hunter2"', "looks like the secret itself (not shown)"),
        ('access_token_block = "Larkspur Secret"', "is not the name of a block (not shown)"),
        ("access_token_block = 7", "is a value of another kind (int, not shown)"),
        (CLIENT, "(or _file or _block in place of _env)"),
    ],
)
def test_what_is_wrong_of_a_block_is_said(tmp_path: Path, said: str, words: str) -> None:
    """And never what may be the secret."""
    told = "\n".join(problems(tmp_path, f'drop = "d"\n{OPEN}{said}'))

    assert words in told
    assert "hunter2" not in told
