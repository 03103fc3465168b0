"""Opens addresses: what goes over a network is encrypted, and comes from the server that is meant."""

from __future__ import annotations

import re
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import fsspec  # type: ignore[import-untyped]
import paramiko  # type: ignore[import-untyped]
from fsspec.implementations.http import HTTPFileSystem  # type: ignore[import-untyped]
from fsspec.implementations.sftp import SFTPFileSystem  # type: ignore[import-untyped]

SFTP, HTTP = ("sftp", "ssh"), ("http", "https")
S3 = ("s3", "s3a")
LOCAL = ("", "file", "local", "memory")
# HTTPS, SFTP, and the stores of Amazon, Google and Microsoft, which are reached by HTTPS.
ENCRYPTED = ("https", "sftp", "ssh", "s3", "s3a", "gs", "gcs", "az", "abfs", "abfss")
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def opened(address: str, access: Access) -> tuple[Any, str]:
    """Give the file system of an address, and the path in it. Raises `FetchError`, and whatever the file system does."""
    refuse_unsafe(address)
    scheme = scheme_of(address)
    if scheme in SFTP:
        # Neither paramiko nor aiohttp is needed for a drop that lies here.

        return known(address, access)
    if scheme in HTTP:
        return encrypted(), address
    system, path = fsspec.core.url_to_fs(address)
    if scheme in S3:
        _refuse_clear_endpoint(address, system.s3.meta.endpoint_url)
    return system, str(path)


def _refuse_clear_endpoint(address: str, endpoint: str) -> None:
    """Raise `AddressError` for a store that the environment has elsewhere, where nothing is encrypted."""
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise AddressError(
            f"{address} is reached at {shown(endpoint)}, which is not encrypted. Let the environment name its https address."
        )


def refuse_unsafe(address: str) -> None:
    """Raise `FetchError` for an address that holds a secret, shows people's data to a network, or keeps copies elsewhere."""
    if shown(address) != address:
        raise AddressError(
            f"{shown(address)} is given with a password or a query, which may be a secret. Leave it out: "
            "credentials come from the environment, as fsspec expects them."
        )
    if "::" in address:
        raise AddressError(
            f"{address} is one address in another, which may leave copies elsewhere. Name the drop itself."
        )
    scheme = scheme_of(address)
    if scheme not in (*LOCAL, *ENCRYPTED) and not (
        scheme == "http" and urlsplit(address).hostname in LOOPBACK
    ):
        raise AddressError(
            f"{address} is not encrypted, as far as is known, and rosters are about children. "
            f"Use one of {', '.join(f'{name}://' for name in ENCRYPTED)}, or a path on this machine."
        )


SFTP_TIMEOUT = 60  # seconds, for each answer of the server


class KnownServer(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's SFTP, but for how it connects."""

    cachable = False

    def _connect(self) -> None:
        settings = dict(self.ssh_kwargs)
        self.client = paramiko.SSHClient()
        weakref.finalize(self, self.client.close)
        self.client.load_system_host_keys(settings.pop("known_hosts"))
        self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        self.client.connect(self.host, **settings)
        self.ftp = self.client.open_sftp()
        self.ftp.get_channel().settimeout(SFTP_TIMEOUT)


def known(address: str, access: Access) -> tuple[Any, str]:
    """Connect to the server of an address. Raises `FetchError` if it is not known, or does not know us."""
    wanted = SFTPFileSystem._get_kwargs_from_urls(address)
    hosts = access.known_hosts.expanduser()
    if not hosts.is_file():
        raise FetchError(
            f"{address} cannot be trusted: there is no file of known hosts {hosts}. {_next(wanted, hosts)}"
        )
    try:
        return KnownServer(**wanted, **_settings(access)), SFTPFileSystem._strip_protocol(address)
    except paramiko.BadHostKeyException:
        raise FetchError(
            f"{address} has another host key than {hosts} says. It may not be the server that is meant: ask whoever "
            "runs it, and only then replace the key."
        ) from None
    except paramiko.AuthenticationException as error:
        raise FetchError(
            f"{address} does not let us in ({error}). Check the user's name, and the key or the password."
        ) from None
    except paramiko.SSHException as error:
        if "known_hosts" not in str(error):
            raise FetchError(
                f"{address} cannot be reached ({error}). Check the address, and run again."
            ) from None
        raise FetchError(
            f"{address} is not among the known hosts of {hosts}. {_next(wanted, hosts)}"
        ) from None


def _settings(access: Access) -> dict[str, Any]:
    """How to connect; without a key or a password, the agent and `~/.ssh` are asked."""
    settings: dict[str, Any] = {"known_hosts": str(access.known_hosts.expanduser())}
    settings |= dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), SFTP_TIMEOUT)
    if access.key_file or access.password:
        settings |= {"allow_agent": False, "look_for_keys": False}
    if access.key_file:
        # Of a key with a passphrase, that is the password.
        settings |= {"key_filename": str(access.key_file), "passphrase": access.password or None}
    elif access.password:
        settings |= {"password": access.password}
    return settings


def _next(wanted: dict[str, Any], hosts: object) -> str:
    port = f"-p {wanted['port']} " if "port" in wanted else ""
    return f"Add its key (`ssh-keyscan {port}{wanted['host']} >> {hosts}`), once whoever runs the server has confirmed its fingerprint."


HTTP_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=60, sock_read=60)  # seconds


def encrypted() -> Any:
    """Give the file system, which checks certificates."""
    return HTTPFileSystem(get_client=_client, skip_instance_cache=True)


async def _client(**settings: Any) -> aiohttp.ClientSession:
    watched = aiohttp.TraceConfig()
    watched.on_request_redirect.append(_refuse_clear_redirect)
    return aiohttp.ClientSession(trace_configs=[watched], timeout=HTTP_TIMEOUT, **settings)


async def _refuse_clear_redirect(
    _session: object, _context: SimpleNamespace, led: aiohttp.TraceRequestRedirectParams
) -> None:
    to = led.response.headers.get("Location", "")
    if led.url.scheme == "https" and to.lower().startswith("http:"):
        raise FetchError(
            f"{shown(str(led.url))} leads to {shown(to)}, which is not encrypted. Name the address that it is meant to be."
        )


@dataclass(frozen=True)
class Access:
    """What SFTP needs: the hosts whose keys are known, and a key or a password, if neither the agent nor `~/.ssh` has one.

    S3, Google's and Microsoft's stores find their credentials in the environment.
    """

    known_hosts: Path = Path("~/.ssh/known_hosts")
    key_file: Path | None = None
    password: str = field(default="", repr=False)


# Which extra of this project brings what opens an address.
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs", "az": "az", "abfs": "az", "abfss": "az", "sftp": "sftp", "ssh": "sftp"}  # fmt: skip
ALSO_OPEN = (OSError, ValueError)


class FetchError(OSError):
    """An address that cannot be read, told in a sentence with the next step. It may pass, as a disk's errors may."""


class AddressError(FetchError, ValueError):
    """An address that cannot be meant, whatever is there: it has to be written otherwise."""


@contextmanager
def fetch_error(address: str) -> Iterator[None]:
    """Tell any fault of a file system, each of which has its own, with the address but for what is secret in it."""
    try:
        yield
    except ImportError as error:
        raise FetchError(f"{shown(address)} cannot be read: {_lacking(address, error)}") from None
    except Exception as error:  # noqa: BLE001  (each file system has errors of its own)
        cause = (
            error.__cause__ or error
        )  # over HTTP, whatever it is, it is told as a file that is not there
        if isinstance(cause, FetchError):
            raise cause from None
        kind = (
            f"{type(cause).__name__}: {cause}"
            if isinstance(cause, ALSO_OPEN)
            else type(cause).__name__
        )
        raise FetchError(
            f"{shown(address)} cannot be read ({kind.replace(address, shown(address))}). Check the address, and the credentials in the environment."
        ) from None


def shown(address: str) -> str:
    """An address as it may be shown: without a password, and without a query, in which some have their secrets."""
    scheme, separator, rest = address.partition("://")
    if not separator:
        return address
    user, at, place = rest.rpartition("@")
    return f"{scheme}{separator}{user.partition(':')[0]}{at}{re.split('[?#]', place)[0]}"


def _lacking(address: str, error: ImportError) -> str:
    extra = EXTRAS.get(scheme_of(address))
    return (
        f"what opens it is not installed. Run, in the folder of this program: pip install '.[{extra}]'."
        if extra
        else f"{error}."
    )


def scheme_of(address: str) -> str:
    """The scheme of an address; blank for a path."""
    scheme, separator, _ = address.partition("://")
    return scheme.lower() if separator else ""
