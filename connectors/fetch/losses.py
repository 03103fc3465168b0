"""Tell lost connections from lasting errors, whichever package raises them."""

from __future__ import annotations

from connectors.oneroster.wire import TRANSIENT


class Unreached(ConnectionError):
    """Nobody answered while a connection was made."""


# What is raised while a connection is made. Here and below stand names, and not the types
# themselves: the packages are optional, and take a while to import.
UNREACHED = frozenset(
    {
        "aiohttp.client_exceptions.ClientConnectorError",
        "botocore.exceptions.EndpointConnectionError",
        f"{Unreached.__module__}.{Unreached.__qualname__}",
    }
)
# What is raised when a connection breaks, or when an answer does not come.
LOST = UNREACHED | {
    "aiohttp.client_exceptions.ClientConnectionError",
    "aiohttp.client_exceptions.ClientPayloadError",
    "azure.core.exceptions.ServiceRequestError",
    "azure.core.exceptions.ServiceResponseError",
    "botocore.exceptions.ConnectionError",
    "botocore.exceptions.HTTPClientError",
    "builtins.ConnectionError",
    "builtins.EOFError",
    "builtins.TimeoutError",
    "paramiko.ssh_exception.SSHException",
    "urllib3.exceptions.IncompleteRead",
}
# A certificate that nobody vouches for, and a server that speaks otherwise, are so the next time.
LASTING = frozenset(
    {
        "aiohttp.client_exceptions.ClientConnectorCertificateError",
        "botocore.exceptions.SSLError",
        "paramiko.ssh_exception.AuthenticationException",
        "paramiko.ssh_exception.BadHostKeyException",
        "paramiko.ssh_exception.IncompatiblePeer",
    }
)
# How paramiko refuses to use a connection that was lost: with an `OSError` and this text.
CLOSED = "Socket is closed"


def is_lost(error: BaseException) -> bool:
    """Return whether an error says that a connection was lost, or that a server is busy."""
    names = _names(error)
    if names & LASTING:
        return False
    return bool(names & LOST) or str(error) == CLOSED or status_of(error) in TRANSIENT


def real_error(error: Exception) -> BaseException:
    """Return what is behind an error: fsspec's HTTP raises `FileNotFoundError` for everything."""
    return error.__cause__ or error


def was_reached(error: BaseException) -> bool:
    """Return whether a server had answered before it was lost."""
    return not _names(error) & UNREACHED


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status in an error, wherever its package keeps it; None if it has none."""
    for name in ("status", "status_code", "code"):
        if isinstance(value := getattr(error, name, None), int):
            return value or None
    response = getattr(error, "response", None)
    metadata = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    status = metadata.get("HTTPStatusCode")
    return status if isinstance(status, int) else None


def _names(error: BaseException) -> set[str]:
    return {f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__}
