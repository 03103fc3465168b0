"""What an update sends: the target's record with ours merged in, so that nothing of others is lost.

Also how records are compared: a target may store a value in another spelling. Source: API
reference, sections 2.4 (a PUT may replace everything) and 8; appendix B (what a read adds).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from copy import deepcopy
from typing import Any
from unicodedata import normalize

from connectors.oneroster.profile import Collection
from transforms.payload import METADATA, Json, json_property, part_property, parts_by_name
from transforms.secrets import without_secrets

READ_ONLY = frozenset({"dateLastModified", "children"})
OBJECTIVES = "learningObjectiveSet"
# Properties by which two items of a list are the same item.
IDENTITY = {
    "roles": ("role", "org"),
    "userProfiles": ("profileId",),
    "credentials": ("type", "username"),
    "userIds": ("type", "identifier"),
    OBJECTIVES: ("source",),
}
REFERENCE = frozenset({"sourcedId", "href", "type", "name"})
DEFAULTS = {"primary": "false"}
BLANKS: tuple[Any, ...] = (None, "", [], {})
MIDNIGHT = re.compile(
    r"([0-9]{4}-[0-9][0-9]-[0-9][0-9])[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?"
)
TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9])(?:\.0+)?(?:Z|[+-]00:?00)"
)


def to_write_shape(collection: Collection, read: Json) -> Json:
    """Turn a record as read into the record as it would be written.

    The result has the standard's names. It has no nulls, and nothing that only a read adds.
    """
    names = {target: standard for standard, target in collection.written_as}
    hidden = READ_ONLY.union(collection.read_only, (twin for _, twin in collection.twins))
    unwritable = dict(collection.unwritable)
    return {
        names.get(name, name): value if name == "metadata" else _without_additions(value)
        for name, value in read.items()
        if name not in hidden and value is not None and value not in unwritable.get(name, ())
    }


def _without_additions(value: Any) -> Any:
    if is_reference(value):
        return {"sourcedId": value["sourcedId"]}
    if isinstance(value, list):
        return [_without_additions(item) for item in value]
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if inner is not None and name != "app"}
        return {
            name: inner if name == "metadata" else _without_additions(inner)
            for name, inner in kept.items()
        }
    return value


def merge(
    collection: Collection,
    theirs: Json,
    ours: Json,
    gone: Iterable[str] = (),
    partial: Container[str] = (),
    ended: Json | None = None,
    others: Json | None = None,
) -> Json:
    """Return `theirs`, which is in write shape, with our record merged in.

    Columns in `gone` are cleared: we sent them once, and they are blank now. In the lists named in
    `partial`, items of others stay. Items that were ours and have `ended` (by property) are
    removed. `others` identifies the items of other feeds (by property), which stay in any case.
    """
    whole = deepcopy(theirs)
    for column in gone:
        _clear_column(collection, whole, column)
    for name, value in ours.items():
        if name in collection.fixed and name in theirs:
            continue
        stay = (others or {}).get(name, ())
        listed = _without_ended(name, theirs.get(name), (ended or {}).get(name, ()), stay)
        whole[name] = _merged_value(
            collection, name, listed, whole.get(name), value, keep=name in partial, stay=stay
        )
    return whole


def without_items(theirs: Json, ended: Json, others: Json) -> Json:
    """Return `theirs`, which is in write shape, without the `ended` items, but with `others`.

    Both are by property. A list that would be empty stays as it is.
    """
    lists = {
        name: _without_ended(name, theirs.get(name), items, others.get(name, ()))
        for name, items in ended.items()
    }
    return theirs | {name: listed for name, listed in lists.items() if listed}


def _without_ended(name: str, listed: Any, ended: Sequence[Json], stay: Sequence[Json]) -> Any:
    if not ended or not isinstance(listed, list):
        return listed
    return [
        item for item in listed if _is_one_of(name, item, stay) or not _is_one_of(name, item, ended)
    ]


def differs_in_fixed_property(collection: Collection, theirs: Json, ours: Json) -> bool:
    """Return whether our record differs in a property that the target never changes."""
    return any(
        name in ours and name in theirs and not is_equal(ours[name], theirs[name])
        for name in collection.fixed
    )


def differing_properties(
    collection: Collection,
    read: Json,
    ours: Json,
    partial: Container[str] = (),
    others: Json | None = None,
) -> list[str]:
    """Return the names of our properties that a record as read has otherwise, sorted.

    Properties that no update can change count too. Properties that the target computes, and
    passwords, do not. A list in `partial` may hold more than we sent, and any list the items of
    `others`.
    """
    theirs = to_write_shape(collection, read)
    return differing_in_write_shape(collection, theirs, ours, partial, others)


def differing_in_write_shape(
    collection: Collection,
    theirs: Json,
    ours: Json,
    partial: Container[str] = (),
    others: Json | None = None,
) -> list[str]:
    """Return what `differing` returns, for a record in write shape."""
    ours = {
        name: value
        for name, value in without_secrets(ours).items()
        if name not in collection.derived
    }
    if is_alike(theirs, ours):
        return []
    merged_record = merge(collection, theirs, ours, (), partial, others=others)
    updated = {
        name: value if name in collection.fixed else merged_record[name]
        for name, value in ours.items()
    }
    return sorted(name for name, value in updated.items() if not is_alike(theirs, {name: value}))


def _merged_value(
    collection: Collection,
    name: str,
    before: Any,
    cleared: Any,
    ours: Any,
    *,
    keep: bool,
    stay: Sequence[Json] = (),
) -> Any:
    if name == "metadata":
        return _merged_metadata(cleared if isinstance(cleared, dict) else {}, ours)
    if name in IDENTITY and isinstance(before, list):
        if keep and name == OBJECTIVES:
            ours = [_with_their_objectives(item, before) for item in ours]
        others = [
            item
            for item in before
            if (keep or _is_one_of(name, item, stay)) and not _is_one_of(name, item, ours)
        ]
        own = [_with_their_properties(collection, name, before, item) for item in ours]
        # Nothing of ours is left if all belongs to other feeds, and a user needs a role.
        return [*own, *others] or before
    return ours


def _merged_metadata(theirs: Json, ours: Json) -> Json:
    """Merge metadata key by key: our values win, and keys that only theirs has stay."""
    whole = dict(theirs)
    for name, value in ours.items():
        inner = theirs.get(name)
        whole[name] = (
            _merged_metadata(inner, value)
            if isinstance(inner, dict) and isinstance(value, dict)
            else value
        )
    return whole


def _with_their_properties(
    collection: Collection, name: str, theirs: list[Any], ours: Json
) -> Json:
    """Keep what others wrote on the same role, profile or id, such as the metadata of a role."""
    part = next(
        (part for part in parts_by_name(collection.entity).values() if part_property(part) == name),
        None,
    )
    known = {column.json for column in part.columns} if part else set()
    twin = next(
        (item for item in theirs if isinstance(item, dict) and _is_same_item(name, item, ours)), {}
    )
    kept = {key: value for key, value in twin.items() if key not in known}
    return kept | ours | _credentials_with_their_ids(twin, ours)


def _credentials_with_their_ids(theirs: Json, ours: Json) -> Json:
    """Keep what the target adds to each credential of a profile, such as its id."""
    before = theirs.get("credentials")
    if "credentials" not in ours or not isinstance(before, list):
        return {}
    twins: list[Json] = [
        next((item for item in before if _is_same_item("credentials", item, one)), {})
        for one in ours["credentials"]
    ]
    return {
        "credentials": [twin | one for twin, one in zip(twins, ours["credentials"], strict=True)]
    }


def _with_their_objectives(ours: Json, before: list[Any]) -> Json:
    """Add to our learning objectives those that the record has from the same source."""
    theirs = next(
        (
            item
            for item in before
            if isinstance(item, dict) and _is_same_item(OBJECTIVES, item, ours)
        ),
        {},
    )
    return ours | {
        name: [*value, *(item for item in theirs.get(name) or () if not _is_listed(item, value))]
        for name, value in ours.items()
        if isinstance(value, list)
    }


def _is_listed(item: Any, ours: list[Any]) -> bool:
    key = "learningObjectiveId"
    return any(
        item == one or (isinstance(item, dict) and item.get(key) == one[key]) for one in ours
    )


def _is_same_item(name: str, one: Json, other: Json) -> bool:
    return all(is_equal(one.get(key), other.get(key)) for key in IDENTITY[name])


def _is_one_of(name: str, item: Any, items: Sequence[Json]) -> bool:
    """Return whether an item is one of others, by the identifying properties that those have."""
    return any(
        all(is_equal(item.get(key), one[key]) for key in IDENTITY[name] if key in one)
        for one in items
    )


def _clear_column(collection: Collection, whole: Json, column: str) -> None:
    """Clear a column that was sent and is blank now.

    A column that is no longer declared has no property to clear.
    """
    entity = collection.entity
    if column.startswith(METADATA):
        _clear_metadata(whole.get("metadata"), column.removeprefix(METADATA).split("."))
    elif column in parts_by_name(entity) or column in entity.by_name:
        name = json_property(entity, column)
        if name not in collection.fixed and not is_blank(whole.get(name)):
            whole[name] = [] if isinstance(whole[name], list) else None


def _clear_metadata(metadata: Any, path: list[str]) -> None:
    """Blank a value of metadata where `transforms.payload` put it.

    That is a nested key, or a dotted one if a name held a value already. It becomes null: a PUT
    merges metadata (section 2.4), so a missing key would stay.
    """
    if not isinstance(metadata, dict):
        return
    dotted = ".".join(path)
    if not isinstance(metadata.get(dotted, {}), dict):
        metadata[dotted] = None
    elif len(path) > 1:
        _clear_metadata(metadata.get(path[0]), path[1:])


def covers(theirs: Json, ours: Json) -> bool:
    """Return whether `theirs` has each property of `ours` with an equal value.

    Other properties of `theirs` do not count.
    """
    return all(
        is_equal(_with_default(name, value), _with_default(name, theirs.get(name)))
        for name, value in ours.items()
    )


def is_same(one: Json, other: Json) -> bool:
    """Return whether two records have equal values in every property that either has."""
    return covers(one, other) and covers(other, one)


def is_alike(theirs: Json, ours: Json) -> bool:
    """Return whether `theirs` covers `ours`, whatever spelling the target may give a text.

    A target may trim a text, collapse its spaces, change its case and compose its accents. An id
    must be identical.
    """
    return covers(theirs, ours) or covers(_normalized(theirs), _normalized(ours))


def is_equal(ours: Any, theirs: Any) -> bool:
    """Return whether a property has equal values."""
    if is_blank(ours) or is_blank(theirs):
        return is_blank(ours) and is_blank(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return covers(theirs, ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return _equal_lists(ours, theirs)
    return _equal_values(ours, theirs)


def is_blank(value: Any) -> bool:
    """Return whether a property is missing, null, or an empty text, list or object."""
    return value in BLANKS


def is_reference(value: Any) -> bool:
    """Return whether a value is a reference: an id, perhaps with what a read adds to it."""
    return isinstance(value, dict) and "sourcedId" in value and value.keys() <= REFERENCE


def _normalized(value: Any) -> Any:
    """Return a value in the one spelling by which `alike` compares."""
    if isinstance(value, str):
        return " ".join(normalize("NFC", normalize("NFC", _plain_value(value)).casefold()).split())
    if isinstance(value, dict):
        return {
            name: inner if name == "sourcedId" else _normalized(inner)
            for name, inner in value.items()
        }
    return [_normalized(item) for item in value] if isinstance(value, list) else value


def _with_default(name: str, value: Any) -> Any:
    return DEFAULTS[name] if name in DEFAULTS and is_blank(value) else value


def _equal_lists(ours: list[Any], theirs: list[Any]) -> bool:
    if all(map(is_reference, ours)) and all(map(is_reference, theirs)):
        return {item["sourcedId"] for item in ours} == {item["sourcedId"] for item in theirs}
    if len(ours) != len(theirs):
        return False
    if all(isinstance(item, dict) for item in ours):
        return _equal_items(ours, theirs)
    return all(map(is_equal, ours, theirs))


def _equal_items(ours: list[Json], theirs: list[Any]) -> bool:
    """Return whether each of our items has an equal item among theirs, in any order.

    The most detailed item comes first, so that no other takes its match.
    """
    left = list(theirs)
    for item in sorted(ours, key=len, reverse=True):
        match = next((other for other in left if is_equal(item, other)), None)
        if match is None:
            return False
        left.remove(match)
    return True


def _equal_values(ours: Any, theirs: Any) -> bool:
    one, other = _plain_value(ours), _plain_value(theirs)
    if isinstance(one, str) == isinstance(other, str):
        return bool(one == other)
    text, number = (one, other) if isinstance(one, str) else (other, one)
    try:
        return bool(float(text) == number)
    except ValueError:
        return False


def _plain_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if value.lower() in ("true", "false"):
            return value.lower()
        found = MIDNIGHT.fullmatch(value) or TIMESTAMP.fullmatch(value)
        return found[1] if found else value
    return value
