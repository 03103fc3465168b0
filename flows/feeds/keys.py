"""The keys of feeds in the ledger, found by a drop, a feed file or a name.

Nothing here reads a credential.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from connectors.ledger import FeedKey
from flows.errors import SettingsError
from flows.feeds.targets import API_URL
from flows.target import ENVIRONMENT, SANDBOX, normalize_address

DEFAULT_DISTRICT = "default"
FEED_SUFFIX = ".toml"


def feed_key(drop: Path, environment: Mapping[str, str]) -> FeedKey:
    """Return the ledger's key for a drop or a feed file.

    Raises `SettingsError` if the path does not exist, or if the file or its target is invalid.
    """
    if not drop.exists():
        raise SettingsError(
            f"{drop} does not exist. Name a folder, a zip, or a feed file (*{FEED_SUFFIX})."
        )
    if drop.suffix.lower() != FEED_SUFFIX:
        return FeedKey(SANDBOX, DEFAULT_DISTRICT)
    # The models of a feed file take time to import, and most runs need only a name.
    from flows.feeds.feed import read_feed

    feed = read_feed(drop)
    return FeedKey(target_name(feed.target.url, environment), feed.key_name())


def target_name(target: str, environment: Mapping[str, str]) -> str:
    """Return the ledger's name for a target: `sandbox`, or a normalized address.

    Raises `SettingsError` if the address is invalid.
    """
    if target == SANDBOX:
        return SANDBOX
    source, text = "--target", target
    if target == ENVIRONMENT:
        source, text = f"${API_URL}", environment.get(API_URL, "")
    try:
        return normalize_address(text.strip())
    except ValueError as error:
        raise SettingsError(
            f"{source} {error} Expected {SANDBOX}, {ENVIRONMENT} or an address."
        ) from None


def select_feeds(
    feeds: Sequence[FeedKey], feed: str | None, target: str | None, environment: Mapping[str, str]
) -> list[FeedKey]:
    """Select feeds of a ledger by target, and by the name of a feed, its district or its file.

    Without `feed` and `target`, returns all `feeds`. Raises `SettingsError` if none matches.
    """
    wanted = target_name(target, environment) if target else None
    if feed and feed.lower().endswith(FEED_SUFFIX):
        key = feed_key(Path(feed), environment)
        return [FeedKey(wanted or key.target, key.feed)]
    found = [key for key in feeds if _has_name(key, feed) and wanted in (None, key.target)]
    if feeds and not found:
        parts = (repr(feed) if feed else "", f"into {wanted}" if wanted else "")
        request = " ".join(part for part in parts if part)
        raise SettingsError(f"The ledger knows no feed {request}. {_suggestion(feeds, feed)}")
    return found


def _has_name(key: FeedKey, feed: str | None) -> bool:
    return feed is None or key.feed == feed or key.feed.startswith(f"{feed}/")


def _suggestion(feeds: Sequence[FeedKey], feed: str | None) -> str:
    close = get_close_matches(feed or "", [key.feed for key in feeds], 1)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}There are: {', '.join(f'{key.feed} into {key.target}' for key in feeds)}."
