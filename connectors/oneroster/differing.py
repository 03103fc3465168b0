"""Which properties of a record in the target say something else than ours, however the target spells what it is given."""

from __future__ import annotations

from collections.abc import Container

from connectors.oneroster.compare import alike
from connectors.oneroster.merging import merged, write_shape
from connectors.oneroster.profile import Collection
from transforms.payload import Json
from transforms.secrecy import without_secrets


def differing(collection: Collection, read: Json, ours: Json, partial: Container[str] = ()) -> list[str]:
    """Name the properties of ours, sorted, that a record as `read` says otherwise, also those that no update can change.

    What the target works out by itself is not ours, and passwords it keeps to itself; of lists in `partial` it may hold more than we sent.
    """
    return differences(collection, write_shape(collection, read), ours, partial)


def differences(collection: Collection, theirs: Json, ours: Json, partial: Container[str] = ()) -> list[str]:
    """As `differing`, of a record in write shape."""
    ours = {name: value for name, value in without_secrets(ours).items() if name not in collection.derived}
    if alike(theirs, ours):
        return []
    whole = merged(collection, theirs, ours, (), partial)
    laid = {name: value if name in collection.fixed else whole[name] for name, value in ours.items()}
    return sorted(name for name, value in laid.items() if not alike(theirs, {name: value}))
