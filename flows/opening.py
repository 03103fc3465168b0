"""Opens a target: the embedded sandbox for as long as it is needed, or the address and credentials of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.oneroster.target import Target as Address
from flows.files import private_folder
from flows.targets import Credentials, Target

# The one client that a sandbox knows; its secret is the same word.
CLIENT = "sandbox"
DATABASE = "sandbox.db"


@contextmanager
def opened(target: Target, state: Path, concurrency: int = 10) -> Iterator[Address]:
    """Give the address of a target; the embedded sandbox runs inside of this context."""
    if target.url is None:
        from connectors.oneroster.sandbox import Sandbox

        private_folder(state)
        with Sandbox(state / DATABASE) as server:
            yield Address(server.url, server.token_url, CLIENT, CLIENT, concurrency=concurrency)
        return
    held = target.credentials or Credentials()
    secrets = {name: secret.value for name, secret in vars(held).items() if secret is not None}
    yield Address(target.url, target.token_url or "", concurrency=concurrency, **secrets)
