"""Which properties of a record in the target an update would change."""

from __future__ import annotations

from collections.abc import Container

from connectors.oneroster.collections import Collection
from connectors.oneroster.compare import covers
from connectors.oneroster.merging import merged, write_shape
from transforms.payload import Json
from transforms.secrecy import without_secrets


def differing(collection: Collection, read: Json, ours: Json, partial: Container[str] = ()) -> list[str]:
    """Name the properties of ours, sorted, that a record as `read` says otherwise, also those that no update can change.

    What the target works out by itself is not ours, and passwords it keeps to itself; of lists in `partial` it may hold more than we sent.
    """
    theirs = write_shape(collection, read)
    ours = {name: value for name, value in without_secrets(ours).items() if name not in collection.derived}
    if covers(theirs, ours):
        return []
    whole = merged(collection, theirs, ours, (), partial)
    laid = {name: value if name in collection.fixed else whole[name] for name, value in ours.items()}
    return sorted(name for name, value in laid.items() if not covers(theirs, {name: value}))
