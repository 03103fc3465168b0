"""What an update puts: the target's record, with ours laid over it, so that nothing of others is lost.

Source: API reference, sections 2.4 (a PUT may replace everything) and 8; appendix B (what a read adds).
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from copy import deepcopy
from typing import Any

from connectors.oneroster.compare import blank, equal, is_reference
from connectors.oneroster.profile import Collection
from transforms.payload import METADATA, Json, folded, part_property, property_of

READ_ONLY = frozenset({"dateLastModified", "children"})
OBJECTIVES = "learningObjectiveSet"
# Which properties make an item of a list the same item.
IDENTITY = {"roles": ("role", "org"), "userProfiles": ("profileId",), "userIds": ("type", "identifier"),
            OBJECTIVES: ("source",)}  # fmt: skip


def write_shape(collection: Collection, read: Json) -> Json:
    """Turn a record as read into one as written, under the standard's names, without nulls and what a read adds."""
    names = {target: standard for standard, target in collection.written_as}
    hidden = READ_ONLY.union(collection.read_only, (twin for _, twin in collection.twins))
    unwritable = dict(collection.unwritable)
    return {
        names.get(name, name): value if name == "metadata" else _plain(value)
        for name, value in read.items()
        if name not in hidden and value is not None and value not in unwritable.get(name, ())
    }


def merged(collection: Collection, theirs: Json, ours: Json, gone: Iterable[str] = (),
           partial: Container[str] = (), ended: Json | None = None) -> Json:  # fmt: skip
    """Lay our record over `theirs`, which is in write shape, and clear the columns that are `gone` from ours.

    Lists in `partial` gain our items and keep all others, but for those that were ours and have `ended` (by property).
    """
    whole = deepcopy(theirs)
    for column in gone:
        _clear(collection, whole, column)
    for name, value in ours.items():
        if name in collection.fixed and name in theirs:
            continue
        before, over = theirs.get(name), (ended or {}).get(name, ())
        if over and isinstance(before, list):
            before = [item for item in before if not any(_twins(name, item, one) for one in over)]
        whole[name] = _laid_over(collection, name, before, whole.get(name), value, keep=name in partial)
    return whole


def moved(collection: Collection, theirs: Json, ours: Json) -> bool:
    """Tell whether ours differs in a property that the target never changes."""
    return any(name in ours and name in theirs and not equal(ours[name], theirs[name]) for name in collection.fixed)


def _plain(value: Any) -> Any:
    if is_reference(value):
        return {"sourcedId": value["sourcedId"]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if inner is not None and name != "app"}
        return {name: inner if name == "metadata" else _plain(inner) for name, inner in kept.items()}
    return value


def _laid_over(collection: Collection, name: str, before: Any, cleared: Any, ours: Any, *, keep: bool) -> Any:
    if name == "metadata":
        return _nested(cleared if isinstance(cleared, dict) else {}, ours)
    if name in IDENTITY and isinstance(before, list):
        if keep and name == OBJECTIVES:
            ours = [_united(item, before) for item in ours]
        others = [item for item in before if keep and not any(_twins(name, item, one) for one in ours)]
        return [*(_item(collection, name, before, item) for item in ours), *others]
    return ours


def _nested(theirs: Json, ours: Json) -> Json:
    """Merge metadata key by key; ours win, theirs stay."""
    whole = dict(theirs)
    for name, value in ours.items():
        inner = theirs.get(name)
        whole[name] = _nested(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return whole


def _item(collection: Collection, name: str, theirs: list[Any], ours: Json) -> Json:
    """Keep what others wrote on the same role, profile or id, such as the metadata of a role."""
    part = next((part for part in folded(collection.entity).values() if part_property(part) == name), None)
    known = {column.json for column in part.columns} if part else set()
    twin = next((item for item in theirs if isinstance(item, dict) and _twins(name, item, ours)), {})
    return {key: value for key, value in twin.items() if key not in known} | ours


def _united(ours: Json, before: list[Any]) -> Json:
    """Add our learning objectives to those that a record has of the same source."""
    theirs = next((item for item in before if isinstance(item, dict) and _twins(OBJECTIVES, item, ours)), {})
    return ours | {
        name: [*value, *(item for item in theirs.get(name) or () if not _listed(item, value))]
        for name, value in ours.items()
        if isinstance(value, list)
    }


def _listed(item: Any, ours: list[Any]) -> bool:
    key = "learningObjectiveId"
    return any(item == one or (isinstance(item, dict) and item.get(key) == one[key]) for one in ours)


def _twins(name: str, one: Json, other: Json) -> bool:
    return all(equal(one.get(key), other.get(key)) for key in IDENTITY[name])


def _clear(collection: Collection, whole: Json, column: str) -> None:
    """Clear a column that was sent and is blank now; what is not declared any more has no place to clear."""
    entity = collection.entity
    if column.startswith(METADATA):
        _blank(whole.get("metadata"), column.removeprefix(METADATA).split("."))
    elif column in folded(entity) or column in entity.by_name:
        name = property_of(entity, column)
        if name not in collection.fixed and not blank(whole.get(name)):
            whole[name] = [] if isinstance(whole[name], list) else None


def _blank(metadata: Any, path: list[str]) -> None:
    """Blank a value where `transforms.payload` has put it: nested, or dotted where a name held a value already.

    It becomes null: a PUT merges metadata (section 2.4), so that a key that is left out would stay.
    """
    if not isinstance(metadata, dict):
        return
    dotted = ".".join(path)
    if not isinstance(metadata.get(dotted, {}), dict):
        metadata[dotted] = None
    elif len(path) > 1:
        _blank(metadata.get(path[0]), path[1:])
