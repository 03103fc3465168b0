"""Addresses of drops: which ones are allowed, how they are shown, and the errors about them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from connectors.fetch.losses import is_lost, real_error, status_of, was_reached

LOCAL = ("", "file", "local", "memory")
# HTTPS, SFTP, and the stores of Amazon, Google and Microsoft, which are reached by HTTPS.
ENCRYPTED = ("https", "sftp", "ssh", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# The extra of this project that installs the package for a scheme.
EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "abfss": "az",
    "sftp": "sftp",
    "ssh": "sftp",
}
# Of these errors the message is shown; of others only the type.
SHOWN_ERRORS = (OSError, ValueError)


@dataclass(frozen=True)
class Access:
    """What a connection by SFTP needs. Without a key or password, the agent and `~/.ssh` are used.

    The stores of Amazon, Google and Microsoft find their credentials in the environment.
    """

    known_hosts: Path = Path("~/.ssh/known_hosts")
    key_file: Path | None = None
    password: str = field(default="", repr=False)  # of the user, or the passphrase of the key


class FetchError(OSError):
    """An address cannot be read. The message has the next step. The fault may be temporary."""


class AddressError(FetchError, ValueError):
    """An address is not acceptable, whatever it points to. Somebody has to change it."""


class IncompleteFetchError(FetchError):
    """A drop was found, and has not arrived completely. `why` says why not."""

    def __init__(self, address: str, why: str) -> None:
        self.why = why
        super().__init__(
            f"{without_secrets(address)} has not arrived completely: {why}. "
            "Wait until the upload has ended, and run again."
        )


class LostConnectionError(FetchError):
    """A server does not answer, is busy, or the connection was lost. The next attempt may succeed.

    Args:
        address: What was to be read, without secrets.
        what: What the server or the connection did, such as `the connection was lost`.
        reached: Whether the server had answered before.
        status: The HTTP status, if there is one.
    """

    def __init__(
        self, address: str, what: str, reached: bool = True, status: int | None = None
    ) -> None:
        self.address, self.what, self.reached, self.status = address, what, reached, status
        super().__init__(f"{address} cannot be read: {what}. {self._next_step()}")

    def after(self, attempts: str) -> LostConnectionError:
        """Return the same error, with the number of attempts."""
        return LostConnectionError(
            self.address, f"{self.what}, after {attempts}", self.reached, self.status
        )

    def _next_step(self) -> str:
        if not self.reached:
            return "Check the address and the network, and run again."
        return (
            "Run again. If it happens again, ask the operator of the server, or set "
            "`patience_seconds` under [target]: for so long it is tried."
        )


@contextmanager
def as_fetch_error(address: str) -> Iterator[None]:
    """Turn any error of a file system into a `FetchError` that shows no secrets."""
    try:
        yield
    except ImportError as error:
        raise FetchError(
            f"{without_secrets(address)} cannot be read: {_missing(address, error)}"
        ) from None
    except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
        cause = real_error(error)
        if isinstance(cause, FetchError):
            raise cause from None
        for one in (cause, error):
            if is_lost(one):
                raise _lost(address, one) from None
        kind = (
            f"{type(cause).__name__}: {cause}"
            if isinstance(cause, SHOWN_ERRORS)
            else type(cause).__name__
        )
        raise FetchError(
            f"{without_secrets(address)} cannot be read "
            f"({kind.replace(address, without_secrets(address))}). "
            "Check the address, and the credentials in the environment."
        ) from None


def _lost(address: str, error: BaseException) -> LostConnectionError:
    """Say what a server or a connection did, without secrets."""
    shown, status = without_secrets(address), status_of(error)
    if status:
        return LostConnectionError(shown, f"the server answers with HTTP {status}", True, status)
    why = str(error).strip().rstrip(".").replace(address, shown) or type(error).__name__
    reached = was_reached(error)
    what = "the connection was lost" if reached else "nobody answers"
    return LostConnectionError(shown, f"{what} ({why})", reached)


def _missing(address: str, error: ImportError) -> str:
    if extra := EXTRAS.get(scheme_of(address)):
        return (
            "what opens it is not installed. "
            f"Run, in the folder of this program: pip install '.[{extra}]'."
        )
    return f"{error}."


def refuse_unsafe(address: str) -> None:
    """Raise `AddressError` if an address holds a secret, is not encrypted, or leaves copies."""
    if without_secrets(address) != address:
        raise AddressError(
            f"{without_secrets(address)} is given with a password or a query, which may "
            "be a secret. "
            "Leave it out: "
            "credentials come from the environment, as fsspec expects them."
        )
    if "::" in address:
        raise AddressError(
            f"{address} is one address in another, which may leave copies elsewhere. "
            "Name the drop itself."
        )
    scheme = scheme_of(address)
    if scheme not in (*LOCAL, *ENCRYPTED) and not (
        scheme == "http" and urlsplit(address).hostname in LOOPBACK
    ):
        raise AddressError(
            f"{address} is not encrypted, as far as is known, and rosters are about children. "
            f"Use one of {', '.join(f'{name}://' for name in ENCRYPTED)}, "
            "or a path on this machine."
        )


def without_secrets(address: str) -> str:
    """Return an address without its password and its query, which may hold secrets."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    user, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{re.split('[?#]', place)[0]}"


def scheme_of(address: str) -> str:
    """Return the scheme of an address, blank for a path."""
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator else ""
