"""Which feeds of a ledger are meant, by a drop, a feed's file or a name; without asking for anybody's credentials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from connectors.ledger import FeedKey
from flows.errors import SettingsError
from flows.feeds.targets import API_URL
from flows.target import ENVIRONMENT, SANDBOX, address

DEFAULT = "default"
FILE = ".toml"


def key_of(drop: Path, environment: Mapping[str, str]) -> FeedKey:
    """Give the key under which the ledger keeps what a drop or a feed's file loads. Raises `SettingsError`."""
    if not drop.exists():
        raise SettingsError(
            f"{drop} does not exist. Name a folder, a zip, or a feed's file (*{FILE})."
        )
    if drop.suffix.lower() != FILE:
        return FeedKey(SANDBOX, DEFAULT)
    from flows.feeds.feed import read_feed

    feed = read_feed(drop)
    return FeedKey(target_name(feed.target.url, environment), feed.key_name())


def target_name(target: str, environment: Mapping[str, str]) -> str:
    """Give the name that the ledger has for a target: `sandbox`, or a normalised address. Raises `SettingsError`."""
    if target == SANDBOX:
        return SANDBOX
    source, text = (
        ("--target", target)
        if target != ENVIRONMENT
        else (f"${API_URL}", environment.get(API_URL, ""))
    )
    try:
        return address(text.strip())
    except ValueError as error:
        raise SettingsError(
            f"{source} {error} Expected {SANDBOX}, {ENVIRONMENT} or an address."
        ) from None


def chosen(
    feeds: Sequence[FeedKey], feed: str | None, target: str | None, environment: Mapping[str, str]
) -> list[FeedKey]:
    """Choose among the feeds of a ledger: by a feed's name, its district's or its file, and by the target.

    Raises `SettingsError` if there is none of them.
    """
    wanted = target_name(target, environment) if target else None
    if feed and feed.lower().endswith(FILE):
        key = key_of(Path(feed), environment)
        return [FeedKey(wanted or key.target, key.feed)]
    found = [one for one in feeds if _is_called(one, feed) and wanted in (None, one.target)]
    if feeds and not found:
        raise SettingsError(
            f"The ledger knows no feed {_words(feed, wanted)}. {_there(feeds, feed)}"
        )
    return found


def _is_called(key: FeedKey, feed: str | None) -> bool:
    return feed is None or key.feed == feed or key.feed.startswith(f"{feed}/")


def _words(feed: str | None, target: str | None) -> str:
    return " ".join(
        part for part in (repr(feed) if feed else "", f"into {target}" if target else "") if part
    )


def _there(feeds: Sequence[FeedKey], feed: str | None) -> str:
    close = get_close_matches(feed or "", [one.feed for one in feeds], 1)
    meant = f"Did you mean {close[0]!r}? " if close else ""
    return f"{meant}There are: {', '.join(f'{one.feed} into {one.target}' for one in feeds)}."
