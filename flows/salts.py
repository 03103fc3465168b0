"""The salt of ids that are derived from personal data: the district's name, or a secret.

A feed keeps its first salt.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.ledger import FeedKey, Ledger
from connectors.ledger.salts import stored_salt
from flows.errors import SettingsError
from flows.ledger_view import LedgerView
from transforms.layouts.ids import DIGEST, DigestIds

SETTING = "`salt` of [source]"


@dataclass(frozen=True)
class Salt:
    """The salt of a district: other districts derive other ids from the same data."""

    text: str = field(default="default", repr=False)
    is_secret: bool = False


def digests_of(setting: Salt, prefix: str, known: LedgerView, more: frozenset[str]) -> DigestIds:
    """Return how to derive ids from personal data, so that every known id stays the same.

    `more` are unsent ids. Raises `SettingsError` if earlier ids have another salt and one of the
    two salts is a secret.
    """
    first, current = known.salt, stored_salt(setting.text, secret=setting.is_secret)
    text = setting.text
    if first is not None and first.mark != current.mark:
        if setting.is_secret or not first.text:
            raise SettingsError(_other_salt_message(known.key, secret_before=not first.text))
        text = first.text  # the district may have been renamed
    return DigestIds(
        text, known.readable | more, known.forgotten, prefix, _digests_of_people(known)
    )


def _digests_of_people(known: LedgerView) -> frozenset[str]:
    """Return the ids of people in the target that are digests."""
    if known.salt is None or "users" not in known.records:
        return frozenset()
    ids = known.records["users"]["sourcedId"]
    return frozenset(ids.filter(ids.str.contains(DIGEST)))


def note_salt(setting: Salt, key: FeedKey, run: str, ledger: Ledger) -> None:
    """Record the salt of a feed's first ids in the ledger."""
    if ledger.salt(key) is None:
        ledger.note_salt(key, stored_salt(setting.text, secret=setting.is_secret), run)


def _other_salt_message(key: FeedKey, *, secret_before: bool) -> str:
    before = "another secret" if secret_before else "the name of the district"
    fix = "Name what holds that secret" if secret_before else "Remove the setting"
    return (
        f"The ids of contacts of feed {key.feed!r} were made with {before} as their salt, and "
        f"{SETTING} says another: everybody would get a new id, and be in the target twice. {fix}. "
        "Nothing was sent."
    )
