"""SFTP to servers with known host keys only. fsspec's own SFTP accepts any key.

A module of its own because paramiko is an optional package.
"""

from __future__ import annotations

import logging
import shutil
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import paramiko  # type: ignore[import-untyped]
from fsspec.implementations.sftp import SFTPFileSystem  # type: ignore[import-untyped]

from connectors.fetch.addresses import Access, FetchError
from connectors.fetch.losses import Unreached, is_lost

SFTP_TIMEOUT = 60  # seconds, for each answer of the server
BLOCK = 32 * 1024  # bytes, as SFTP transfers them
TIMEOUTS = ("timeout", "banner_timeout", "auth_timeout", "channel_timeout")
# paramiko logs the traceback of each lost connection, which is reported in a sentence here.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False


class KnownHostSFTP(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's SFTP, which connects to servers with known host keys only."""

    cachable = False

    def _connect(self) -> None:
        settings = dict(self.ssh_kwargs)
        self.client = paramiko.SSHClient()
        weakref.finalize(self, self.client.close)
        self.client.load_system_host_keys(settings.pop("known_hosts"))
        self.client.set_missing_host_key_policy(paramiko.RejectPolicy())
        try:
            self.client.connect(self.host, **settings)
            self.ftp = self.client.open_sftp()
        except (paramiko.SSHException, EOFError, OSError) as error:
            if lost := _loss(self.client.get_transport(), error):
                raise lost from None
            raise
        self.ftp.get_channel().settimeout(SFTP_TIMEOUT)

    def get_file(self, rpath: str, lpath: str, **_: Any) -> None:
        """Copy a file, which must not be a folder."""
        size = self.ftp.stat(rpath).st_size
        with self.ftp.open(rpath, "rb") as remote, open(lpath, "wb") as local:
            remote._prefetch_thread = _without_traceback(remote._prefetch_thread)
            remote.prefetch(size)
            try:
                shutil.copyfileobj(remote, local, BLOCK)
            except (paramiko.SSHException, EOFError, OSError):
                self.client.close()  # or closing the file would wait for an answer once more
                raise


def _loss(transport: paramiko.Transport | None, error: Exception) -> ConnectionError | None:
    """Return what to raise if a connection was lost while it was made; None for other errors.

    paramiko has the same types of errors for a lost connection and for a key that it cannot use,
    so it matters how far the connection had come, and whether it still exists.
    """
    if transport is None:
        return Unreached(str(error))
    is_open = transport.is_active() and transport.initial_kex_done
    is_timeout = isinstance(error, TimeoutError) or "timeout" in str(error).lower()
    if is_timeout or transport.is_authenticated() or (is_lost(error) and not is_open):
        return ConnectionAbortedError(str(error) or "timeout")
    return None


def _without_traceback(thread: Callable[..., None]) -> Callable[..., None]:
    """Return what a thread does that reads ahead, but silent about a lost connection.

    The thread that reads learns of it too.
    """

    def quietly(*arguments: Any) -> None:
        with suppress(OSError, EOFError, paramiko.SSHException):
            thread(*arguments)

    return quietly


def connect(address: str, access: Access) -> tuple[Any, str]:
    """Connect to the server of an address; return its file system and the path.

    Raises `FetchError` if the host key is unknown or the server refuses the user, and
    `ConnectionError` if the server cannot be reached or the connection is lost.
    """
    wanted = SFTPFileSystem._get_kwargs_from_urls(address)
    hosts = access.known_hosts.expanduser()
    if not hosts.is_file():
        raise FetchError(
            f"{address} cannot be trusted: there is no file of known hosts {hosts}. "
            f"{_how_to_add_key(wanted, hosts)}"
        )
    try:
        return KnownHostSFTP(**wanted, **_settings(access)), SFTPFileSystem._strip_protocol(address)
    except paramiko.BadHostKeyException:
        raise FetchError(
            f"{address} has a different host key than {hosts} says. "
            "It may be the wrong server: ask its operator before you replace the key."
        ) from None
    except paramiko.AuthenticationException as error:
        raise FetchError(
            f"{address} rejected our login ({error}). "
            "Check the user's name, and the key or the password."
        ) from None
    except paramiko.SSHException as error:
        if "known_hosts" not in str(error):
            raise FetchError(
                f"{address} cannot be opened ({error}). Check the address and the key, and run "
                "again."
            ) from None
        raise FetchError(
            f"{address} is not among the known hosts of {hosts}. {_how_to_add_key(wanted, hosts)}"
        ) from None


def _settings(access: Access) -> dict[str, Any]:
    settings: dict[str, Any] = {"known_hosts": str(access.known_hosts.expanduser())}
    settings |= dict.fromkeys(TIMEOUTS, SFTP_TIMEOUT)
    if access.key_file or access.password:
        settings |= {"allow_agent": False, "look_for_keys": False}
    if access.key_file:
        # With a key file, the password is the passphrase of the key.
        settings |= {"key_filename": str(access.key_file), "passphrase": access.password or None}
    elif access.password:
        settings |= {"password": access.password}
    return settings


def _how_to_add_key(wanted: dict[str, Any], hosts: object) -> str:
    port = f"-p {wanted['port']} " if "port" in wanted else ""
    return (
        f"Add its key (`ssh-keyscan {port}{wanted['host']} >> {hosts}`), "
        "after its operator has confirmed the fingerprint."
    )
