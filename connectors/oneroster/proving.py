"""What shows that a record in the target is one that we sent, or that it holds what was put: what the record says.

A target may spell texts in its own way (`compare.alike`), works out some properties by itself and never shows passwords.
"""

from __future__ import annotations

from collections.abc import Container

from connectors.oneroster.compare import same
from connectors.oneroster.differing import differences
from connectors.oneroster.profile import Collection
from transforms.payload import Json
from transforms.secrecy import without_secrets

# Users are sent without agents where those are not there yet, so that a user without them may be one that we sent.
AGENTS = "agents"


def is_sent(collection: Collection, theirs: Json, sent: Json, partial: Container[str] = ()) -> bool:
    """Tell whether a record in the target says what was sent."""
    return not differences(collection, theirs, {name: sent[name] for name in sent if name != AGENTS}, partial)


def is_done(collection: Collection, before: Json, after: Json, record: Json) -> bool:
    """Tell whether `record` was put in the place of `before`, by what the target holds `after` it.

    Where both say the same but for the spelling, only the spelling of the record itself shows it.
    """
    if differences(collection, after, record):
        return False
    return same(after, record) or bool(differences(collection, before, record))


def foreign(collection: Collection, theirs: Json, ours: Json, partial: Container[str] = ()) -> list[str]:
    """Name the properties that show that a record is not known to be ours; that a password is ours, nobody can see."""
    hidden = [name for name, value in ours.items() if without_secrets({name: value}) != {name: value}]
    return sorted({*differences(collection, theirs, ours, partial), *hidden})
