"""The endpoint of a target with its settings, and the errors that end a run against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from connectors.oneroster.profile import TargetProfile
from connectors.oneroster.retry import RetryPolicy


class TargetError(Exception):
    """The target cannot be used: it is unreachable, down, or refuses our credentials.

    The run ends. `unsure` is true if the request that was under way may have been carried out.
    """

    def __init__(self, message: str, *, unsure: bool = False) -> None:
        super().__init__(message)
        self.unsure = unsure


class RunStopped(TargetError):
    """A person or the system stopped the run."""


# What is refused: the request for a token, a token, or the signature of a request.
RefusedProof = Literal["token request", "token", "signature"]


class AccessRefused(TargetError):
    """The target answers, and refuses us."""

    def __init__(
        self,
        message: str,
        *,
        unsure: bool = False,
        proof: RefusedProof = "token",
        status: int = 401,
        code: str = "",
    ) -> None:
        super().__init__(message, unsure=unsure)
        self.proof = proof
        self.status = status
        # The error code of OAuth 2 (RFC 6749, section 5.2); blank if the answer has none.
        self.code = code


# How a client proves who it is when it asks for a token.
ClientAuth = Literal["", "basic", "form"]


@dataclass(frozen=True)
class Endpoint:
    """Where a target is, how we sign in, and how hard it may be used; times are in seconds.

    The credentials are a client id and secret, or a ready access token, and stay out of the `repr`.
    """

    url: str
    token_url: str = ""
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    # What a token is asked for, with spaces between; blank if the request does not say it.
    scope: str = ""
    # HTTP Basic, or fields of the form; blank for the form first, and Basic if that is refused.
    client_auth: ClientAuth = ""
    # Whether requests have the cookies that came with the token.
    cookies: bool = False
    # Requests at a time. The API accepts no more than 10 (API reference, section 3).
    concurrency: int = 10
    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    # For one request, from its first byte to the last byte of its response.
    request_seconds: float = 60.0
    # Largest body of a response.
    answer_bytes: int = 64 * 1024 * 1024
    # The retry budget.
    patience: RetryPolicy = field(default_factory=RetryPolicy)
    # Folder through which all runs against this target share its limit of concurrent requests; None
    # if there are no other runs.
    slots: Path | None = None
    # What its API is like.
    profile: TargetProfile = field(kw_only=True, repr=False)

    @property
    def host(self) -> str:
        """The host and port of the API, for people."""
        return host_of(self.url)


def host_of(url: str) -> str:
    """Return the host and port of a URL, without any credentials in it."""
    return urlsplit(url).netloc.rpartition("@")[2]
