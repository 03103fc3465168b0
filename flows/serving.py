"""`roster sandbox`: serves the local API in the foreground, and says what a shell needs to use it."""

from __future__ import annotations

from pathlib import Path

from connectors.oneroster.sandbox import serve_forever
from flows.files import private_file
from flows.opening import CLIENT, DATABASE
from flows.result import DONE


def serve(state: Path, port: int, seed: bool) -> int:
    """Serve until interrupted; `port` is on 127.0.0.1."""
    private_file(state / DATABASE)
    serve_forever(state / DATABASE, port, seed, _started)
    return DONE


def _started(url: str) -> None:
    print(f"Serving OneRoster v1.2 at {url}/ims/oneroster/ until you press Ctrl-C. In another shell:\n")
    print(f"export TIMEBACK_API_URL={url}")
    print(f"export TIMEBACK_TOKEN_URL={url}/oauth2/token")
    print(f"export TIMEBACK_CLIENT_ID={CLIENT}")
    print(f"export TIMEBACK_CLIENT_SECRET={CLIENT}", flush=True)
