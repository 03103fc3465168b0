"""`roster sandbox`: serves the local API in the foreground."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from connectors.oneroster.sandbox import serve_forever
from connectors.private_files import make_private_file
from flows.result import DONE
from flows.send import DATABASE


@dataclass(frozen=True)
class SandboxResult:
    """The result of a sandbox that was interrupted."""

    exit_code: int = DONE


def serve_sandbox(
    state: Path, port: int, seed: bool, started: Callable[[str], None]
) -> SandboxResult:
    """Serve on 127.0.0.1 until interrupted. `started` gets the server's address."""
    make_private_file(state / DATABASE)
    serve_forever(state / DATABASE, port, seed, started)
    return SandboxResult()
