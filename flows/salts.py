"""By which salt a feed's ids are made of personal data: the district's name, or a secret; the first one stays."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.salts import kept_of
from flows.errors import SettingsError
from transforms.layouts.ids import Digests

SETTING = "`salt` of [source]"


@dataclass(frozen=True)
class Salt:
    """What makes the ids those of one district alone."""

    text: str = field(default="default", repr=False)
    is_secret: bool = False


def digests_of(
    told: Salt, prefix: str, key: FeedKey, ledger: Ledger, more: frozenset[str]
) -> Digests:
    """Say how ids are made of personal data, so that all who have one keep it; `more` are ids that may yet be sent.

    Raises `SettingsError` if they were made by another salt, and one of the two is a secret.
    """
    kept, now = ledger.salt(key), kept_of(told.text, secret=told.is_secret)
    salt = told.text
    if kept is not None and kept.mark != now.mark:
        if told.is_secret or not kept.text:
            raise SettingsError(_other(key, secret_before=not kept.text))
        salt = kept.text  # a district may be called otherwise by now
    return Digests(salt, ledger.readable(key) | more, ledger.forgotten(), prefix)


def note_salt(told: Salt, key: FeedKey, run: str, ledger: Ledger) -> None:
    """Keep by which salt the first ids were made."""
    if ledger.salt(key) is None:
        ledger.note_salt(key, kept_of(told.text, secret=told.is_secret), run)


def _other(key: FeedKey, *, secret_before: bool) -> str:
    was = "another secret" if secret_before else "the name of the district"
    mend = "Name what holds that secret" if secret_before else "Remove the setting"
    return (
        f"The ids of contacts of feed {key.feed!r} were made with {was} as their salt, and "
        f"{SETTING} says another: everybody would get a new id, and be there twice. {mend}. "
        "Nothing was sent."
    )
