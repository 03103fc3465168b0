"""Opens a target: the embedded sandbox for as long as it is needed, or the address and credentials of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from secrets import token_urlsafe

from connectors.oneroster.patience import Patience
from connectors.oneroster.target import Target as Address
from connectors.private_files import make_private_file
from flows.target import Credentials, Target

# The one client that a sandbox knows; the secret of `roster sandbox` is the same word.
CLIENT = "sandbox"
DATABASE = "sandbox.db"


@contextmanager
def opened(target: Target, state: Path, concurrency: int = 10, patience: float = Patience.seconds) -> Iterator[Address]:
    """Give the address of a target, and the `patience` for one request (seconds).

    The embedded sandbox runs inside of this context, and has a secret that no other program knows. Runs against another
    target share its slots.
    """
    if target.url is None:
        from connectors.oneroster.sandbox import Sandbox

        make_private_file(state / DATABASE)
        secret = token_urlsafe()
        with Sandbox(state / DATABASE, clients={CLIENT: secret}, profile=target.profile) as server:
            yield Address(server.url, server.token_url, CLIENT, secret, concurrency=concurrency, profile=target.profile)
        return
    held = target.credentials or Credentials()
    secrets = {name: secret.value for name, secret in vars(held).items() if secret is not None}
    slots = state / "slots" / sha256(target.name.encode()).hexdigest()[:32]
    yield Address(
        target.url,
        target.token_url or "",
        concurrency=concurrency,
        patience=Patience(seconds=patience),
        # Who only looks leaves nothing behind.
        slots=slots if state.is_dir() else None,
        profile=target.profile,
        **secrets,
    )
