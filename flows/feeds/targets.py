"""The target of a run and its credentials: never the wrong target, never another host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from connectors.oneroster.profile import TargetProfile
from flows.errors import SettingsError
from flows.feeds.credentials import SECRETS, plain_secret, read_secret
from flows.target import (
    APIS,
    DEFAULT_API,
    ENVIRONMENT,
    SANDBOX,
    Credentials,
    Target,
    check_token_address,
    normalize_address,
)

if TYPE_CHECKING:  # a bare drop needs no feed file, and its models take time to import
    from flows.feeds.feed import Feed

API_URL, TOKEN_URL, ACCESS_TOKEN = "TIMEBACK_API_URL", "TIMEBACK_TOKEN_URL", "TIMEBACK_ACCESS_TOKEN"
CLIENT_ID, CLIENT_SECRET = "TIMEBACK_CLIENT_ID", "TIMEBACK_CLIENT_SECRET"


def choose_target(option: str | None, feed: Feed | None, environment: Mapping[str, str]) -> Target:
    """Choose the target of a run.

    `--target` takes precedence over the feed file; a folder or zip without either goes to the
    sandbox. Credentials go only to the scheme, host and port that they were given for. Raises
    `SettingsError`, which names what is missing.
    """
    profile = APIS[feed.target.api] if feed else _api_without_feed(option)
    if option is None:
        return _from_feed(feed, profile, environment) if feed else Target(SANDBOX, profile=profile)
    if option == SANDBOX:
        return Target(SANDBOX, profile=profile)
    if option == ENVIRONMENT:
        return _from_environment(profile, environment)
    wanted = _normalized("--target", option, f"{SANDBOX}, {ENVIRONMENT} or an address")
    if feed and _origin(feed.target.url) == _origin(wanted):
        return replace(_from_feed(feed, profile, environment), name=wanted, url=wanted)
    if _origin(environment.get(API_URL, "")) == _origin(wanted):
        return replace(_from_environment(profile, environment), name=wanted, url=wanted)
    raise SettingsError(
        f"--target: there are no credentials for {_origin(wanted)}. Credentials go only to the "
        "host that they were given for: "
        f"set ${API_URL} to this host, with its credentials, or name it as `target.url` in a "
        "feed file."
    )


def _api_without_feed(option: str | None) -> TargetProfile:
    """Return the profile of a target that no feed file describes: the only API, or the sandbox."""
    if option in (None, SANDBOX) or len(APIS) == 1:
        return APIS[DEFAULT_API]
    raise SettingsError(
        f"--target: nothing says which API {option} speaks, one of {', '.join(APIS)}. "
        "Name a feed file, whose `target.api` says it."
    )


def _origin(text: str) -> str:
    """Return scheme, host and port of an address; blank for text that is no address."""
    try:
        return "/".join(normalize_address(text).split("/")[:3])
    except ValueError:
        return ""


def _normalized(source: str, text: str, expected: str = "an address") -> str:
    try:
        return normalize_address(text.strip())
    except ValueError as error:
        raise SettingsError(f"{source} {error} Expected {expected}.") from None


def _from_environment(profile: TargetProfile, environment: Mapping[str, str]) -> Target:
    """Return the target of the environment. An access token takes precedence over a client."""
    given = {name for name, value in environment.items() if value.strip()}
    wanted = (API_URL,) if ACCESS_TOKEN in given else (API_URL, TOKEN_URL, CLIENT_ID, CLIENT_SECRET)
    missing = [f"${name}" for name in wanted if name not in given]
    if missing:
        token = (
            "" if ACCESS_TOKEN in given else f" (${ACCESS_TOKEN} does instead of the last three)"
        )
        raise SettingsError(
            f"The target is `{ENVIRONMENT}`, and these are not set: {', '.join(missing)}. Set "
            f"them{token}."
        )
    url = _normalized(f"${API_URL}", environment[API_URL])
    if ACCESS_TOKEN in given:
        return Target(
            url,
            url,
            None,
            Credentials(plain_secret(f"${ACCESS_TOKEN}", environment[ACCESS_TOKEN])),
            profile=profile,
        )
    try:
        check_token_address(environment[TOKEN_URL].strip())
    except ValueError as error:
        raise SettingsError(f"${TOKEN_URL} {error} Expected an address.") from None
    client = (plain_secret(f"${name}", environment[name]) for name in (CLIENT_ID, CLIENT_SECRET))
    return Target(
        url, url, environment[TOKEN_URL].strip(), Credentials(None, *client), profile=profile
    )


def _from_feed(feed: Feed, profile: TargetProfile, environment: Mapping[str, str]) -> Target:
    url = feed.target.url
    if url == ENVIRONMENT:
        return _from_environment(profile, environment)
    if url == SANDBOX:
        return Target(SANDBOX, profile=profile)
    return Target(
        url,
        url,
        feed.target.token_url,
        read_credentials(feed, "target", environment),
        profile=profile,
    )


def read_credentials(feed: Feed, table: str, environment: Mapping[str, str]) -> Credentials:
    """Read the secrets that a table of a feed file names.

    Raises `SettingsError` if one of them cannot be read.
    """
    settings, key = getattr(feed, table), f"{feed.path}: `{table}"
    return Credentials(
        *(read_secret(settings, name, key, feed.path.parent, environment) for name in SECRETS)
    )
