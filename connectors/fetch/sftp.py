"""SFTP to servers with known host keys only. fsspec's own SFTP accepts any key.

A module of its own because paramiko is an optional package.
"""

from __future__ import annotations

import weakref
from typing import Any

import paramiko  # type: ignore[import-untyped]
from fsspec.implementations.sftp import SFTPFileSystem  # type: ignore[import-untyped]

from connectors.fetch.addresses import Access, FetchError

SFTP_TIMEOUT = 60  # seconds, for each answer of the server


class KnownHostSFTP(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's SFTP, which connects to servers with known host keys only."""

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


def connect(address: str, access: Access) -> tuple[Any, str]:
    """Connect to the server of an address; return its file system and the path.

    Raises `FetchError` if the host key is unknown or the server refuses the user.
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
                f"{address} cannot be reached ({error}). Check the address, and run again."
            ) from None
        raise FetchError(
            f"{address} is not among the known hosts of {hosts}. {_how_to_add_key(wanted, hosts)}"
        ) from None


def _settings(access: Access) -> dict[str, Any]:
    settings: dict[str, Any] = {"known_hosts": str(access.known_hosts.expanduser())}
    settings |= dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), SFTP_TIMEOUT)
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
