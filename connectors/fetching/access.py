"""How a server is known, and how it knows us, where its file system does not ask the environment itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Access:
    """What SFTP needs: the hosts whose keys are known, and a key or a password, if neither the agent nor `~/.ssh` has one.

    S3, Google's and Microsoft's stores find their credentials in the environment.
    """

    known_hosts: Path = Path("~/.ssh/known_hosts")
    key_file: Path | None = None
    password: str = field(default="", repr=False)
