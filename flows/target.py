"""The target of a run: the embedded sandbox, or an API at an address, with its credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from urllib.parse import parse_qsl, urlsplit

from connectors.oneroster.profile import TIMEBACK, TargetProfile
from flows.feeds.credentials import Secret

# The APIs that a feed file may name as `target.api`. Nothing else imports a profile: it is passed.
APIS: Mapping[str, TargetProfile] = {one.name: one for one in (TIMEBACK,)}
DEFAULT_API = TIMEBACK.name
SANDBOX, ENVIRONMENT = "sandbox", "env"
PORTS = {"http": 80, "https": 443}
# The characters of a query (RFC 3986, section 3.4).
QUERY = re.compile(r"[A-Za-z0-9%._~!$&'()*+,;=:@/?-]+")
SECRET_PARAMETERS = frozenset({"client_id", "client_secret", "username", "password"})
HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9])?")


@dataclass(frozen=True)
class Credentials:
    """A ready access token, or the id and secret with which to fetch one."""

    access_token: Secret | None = None
    client_id: Secret | None = None
    client_secret: Secret | None = None


@dataclass(frozen=True)
class Target:
    name: str  # its key in the ledger
    url: str | None = None  # None for the embedded sandbox
    token_url: str | None = None
    credentials: Credentials | None = None
    profile: TargetProfile = field(kw_only=True, repr=False)  # what its API is like

    @property
    def on_this_machine(self) -> bool:
        """Whether the target runs on this machine."""
        return self.url is None or _is_loopback(urlsplit(self.url).hostname or "")


def normalize_address(text: str) -> str:
    """Normalize an address: lower-case scheme and host, no default port, no trailing slash.

    Raises `ValueError`, whose message does not repeat the address, since that may hold a password.
    """
    try:
        parts = urlsplit(text)
        port, host = parts.port, _host(parts.hostname or "")
    except ValueError:
        raise ValueError("is not an address, such as https://api.example.edu.") from None
    if "@" in parts.netloc:
        raise ValueError(
            "holds a user name or a password. Remove it, and name where the credentials are "
            "instead."
        )
    if parts.scheme not in PORTS or not text.isprintable() or any(sign in text for sign in " \\?#"):
        raise ValueError("is not an address, such as https://api.example.edu, without `?` and `#`.")
    if parts.scheme == "http" and not _is_loopback(host.strip("[]")):
        raise ValueError("is plain http, which is for this machine only. Use https.")
    port_part = f":{port}" if port not in (None, PORTS[parts.scheme]) else ""
    return f"{parts.scheme}://{host}{port_part}{parts.path.rstrip('/')}"


def check_token_address(text: str) -> None:
    """Check the address of a token endpoint. Unlike that of an API, it may have a query.

    Raises `ValueError`, whose message repeats neither the address nor its query.
    """
    address, question_mark, query = text.partition("?")
    normalize_address(address)
    if question_mark and not QUERY.fullmatch(query):
        raise ValueError("has a query that is not one, such as ?appName=roster.")
    if SECRET_PARAMETERS & {name.lower() for name, _ in parse_qsl(query, keep_blank_values=True)}:
        raise ValueError(
            "holds a credential in its query (not shown). Remove it, and name where the "
            "credentials are instead."
        )


def _host(name: str) -> str:
    if ":" in name and "%" not in name:  # a zone, as in fe80::1%eth0, means nothing elsewhere
        return f"[{IPv6Address(name).compressed}]"
    ascii_name = name.encode("idna").decode().lower().rstrip(".")
    if not HOST.fullmatch(ascii_name):
        raise ValueError(name)
    return ascii_name


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
