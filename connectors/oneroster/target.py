"""Which target a feed loads into, and the error that ends a run against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from connectors.oneroster.profile import TargetProfile
from connectors.oneroster.retry import RetryPolicy


class TargetError(Exception):
    """The target cannot be used: not reached, down, or it refuses our credentials. The run breaks off.

    `unsure` is true where the request that was under way may have been carried out.
    """

    def __init__(self, message: str, *, unsure: bool = False) -> None:
        super().__init__(message)
        self.unsure = unsure


class Stopped(TargetError):
    """Somebody stopped the run."""


@dataclass(frozen=True)
class Endpoint:
    """Address and credentials of a target: client id and secret, or a ready access token.

    `concurrency` is how many requests are under way at most; more than 10 is not borne (reference
    section 3). Credentials stay out of the `repr`. The time-outs are in seconds; `request_seconds`
    is for one request from its first byte to its last. An answer may have up to `answer_bytes`. `patience` is for
    a request that fails. `slots` is the folder by which all runs against this target share what it bears; None if there are no others.
    `profile` is what its API is like.
    """

    url: str
    token_url: str = ""
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    concurrency: int = 10
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    request_seconds: float = 60.0
    answer_bytes: int = 64 * 1024 * 1024
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    slots: Path | None = None
    profile: TargetProfile = field(kw_only=True, repr=False)

    @property
    def host(self) -> str:
        """Where the API is, for people: the host and its port."""
        return host(self.url)


def host(url: str) -> str:
    """The host and port of an address, without credentials that it may hold."""
    return urlsplit(url).netloc.rpartition("@")[2]
