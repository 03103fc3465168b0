"""What an update puts: the target's record, with ours laid over it, so that nothing of others is lost.

Source: API reference, sections 2.4 (a PUT may replace everything) and 8; appendix B (what a read adds).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from copy import deepcopy
from typing import Any
from unicodedata import normalize

from connectors.oneroster.profile import Collection
from transforms.payload import METADATA, Json, folded, part_property, property_of
from transforms.secrets import without_secrets

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


def merged(
    collection: Collection,
    theirs: Json,
    ours: Json,
    gone: Iterable[str] = (),
    partial: Container[str] = (),
    ended: Json | None = None,
) -> Json:
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
        whole[name] = _laid_over(
            collection, name, before, whole.get(name), value, keep=name in partial
        )
    return whole


def moved(collection: Collection, theirs: Json, ours: Json) -> bool:
    """Tell whether ours differs in a property that the target never changes."""
    return any(
        name in ours and name in theirs and not equal(ours[name], theirs[name])
        for name in collection.fixed
    )


def _plain(value: Any) -> Any:
    if is_reference(value):
        return {"sourcedId": value["sourcedId"]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        kept = {name: inner for name, inner in value.items() if inner is not None and name != "app"}
        return {
            name: inner if name == "metadata" else _plain(inner) for name, inner in kept.items()
        }
    return value


def _laid_over(
    collection: Collection, name: str, before: Any, cleared: Any, ours: Any, *, keep: bool
) -> Any:
    if name == "metadata":
        return _nested(cleared if isinstance(cleared, dict) else {}, ours)
    if name in IDENTITY and isinstance(before, list):
        if keep and name == OBJECTIVES:
            ours = [_united(item, before) for item in ours]
        others = [
            item for item in before if keep and not any(_twins(name, item, one) for one in ours)
        ]
        return [*(_item(collection, name, before, item) for item in ours), *others]
    return ours


def _nested(theirs: Json, ours: Json) -> Json:
    """Merge metadata key by key; ours win, theirs stay."""
    whole = dict(theirs)
    for name, value in ours.items():
        inner = theirs.get(name)
        whole[name] = (
            _nested(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
        )
    return whole


def _item(collection: Collection, name: str, theirs: list[Any], ours: Json) -> Json:
    """Keep what others wrote on the same role, profile or id, such as the metadata of a role."""
    part = next(
        (part for part in folded(collection.entity).values() if part_property(part) == name), None
    )
    known = {column.json for column in part.columns} if part else set()
    twin = next(
        (item for item in theirs if isinstance(item, dict) and _twins(name, item, ours)), {}
    )
    return {key: value for key, value in twin.items() if key not in known} | ours


def _united(ours: Json, before: list[Any]) -> Json:
    """Add our learning objectives to those that a record has of the same source."""
    theirs = next(
        (item for item in before if isinstance(item, dict) and _twins(OBJECTIVES, item, ours)), {}
    )
    return ours | {
        name: [*value, *(item for item in theirs.get(name) or () if not _listed(item, value))]
        for name, value in ours.items()
        if isinstance(value, list)
    }


def _listed(item: Any, ours: list[Any]) -> bool:
    key = "learningObjectiveId"
    return any(
        item == one or (isinstance(item, dict) and item.get(key) == one[key]) for one in ours
    )


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


REFERENCE = frozenset({"sourcedId", "href", "type", "name"})
DEFAULTS = {"primary": "false"}
BLANKS: tuple[Any, ...] = (None, "", [], {})
MIDNIGHT = re.compile(r"(\d{4}-\d\d-\d\d)[T ]00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?")
MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.0+)?(?:Z|[+-]00:?00)")


def covers(theirs: Json, ours: Json) -> bool:
    """Tell whether `theirs` has each property of `ours` with an equal value; what else it has is not looked at."""
    return all(
        equal(_filled(name, value), _filled(name, theirs.get(name))) for name, value in ours.items()
    )


def same(one: Json, other: Json) -> bool:
    """Tell whether two records say the same in every property that either has."""
    return covers(one, other) and covers(other, one)


def alike(theirs: Json, ours: Json) -> bool:
    """Tell whether `theirs` covers `ours` but for how a target may spell a text.

    It may trim it, draw spaces in it together, change its case and compose its accents; an id is as it is.
    """
    return covers(theirs, ours) or covers(_settled(theirs), _settled(ours))


def equal(ours: Any, theirs: Any) -> bool:
    """Compare one property."""
    if blank(ours) or blank(theirs):
        return blank(ours) and blank(theirs)
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return covers(theirs, ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return _equal_lists(ours, theirs)
    return _equal_values(ours, theirs)


def blank(value: Any) -> bool:
    """Tell whether a property holds nothing: null, an empty text, list or object, or not there."""
    return value in BLANKS


def is_reference(value: Any) -> bool:
    """Tell whether a value refers to a record: an id, perhaps with the decoration that a read adds."""
    return isinstance(value, dict) and "sourcedId" in value and value.keys() <= REFERENCE


def _settled(value: Any) -> Any:
    """Give a value in the one spelling by which `alike` compares."""
    if isinstance(value, str):
        return " ".join(normalize("NFC", normalize("NFC", _plain_value(value)).casefold()).split())
    if isinstance(value, dict):
        return {
            name: inner if name == "sourcedId" else _settled(inner) for name, inner in value.items()
        }
    return [_settled(item) for item in value] if isinstance(value, list) else value


def _filled(name: str, value: Any) -> Any:
    return DEFAULTS[name] if name in DEFAULTS and blank(value) else value


def _equal_lists(ours: list[Any], theirs: list[Any]) -> bool:
    if all(map(is_reference, ours)) and all(map(is_reference, theirs)):
        return {item["sourcedId"] for item in ours} == {item["sourcedId"] for item in theirs}
    if len(ours) != len(theirs):
        return False
    if all(isinstance(item, dict) for item in ours):
        return _paired(ours, theirs)
    return all(map(equal, ours, theirs))


def _paired(ours: list[Json], theirs: list[Any]) -> bool:
    """Find each of ours among theirs in any order, the most detailed first so that none takes another's place."""
    left = list(theirs)
    for item in sorted(ours, key=len, reverse=True):
        match = next((other for other in left if equal(item, other)), None)
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
        found = MIDNIGHT.fullmatch(value) or MOMENT.fullmatch(value)
        return found[1] if found else value
    return value


def differing(
    collection: Collection, read: Json, ours: Json, partial: Container[str] = ()
) -> list[str]:
    """Name the properties of ours, sorted, that a record as `read` says otherwise, also those that no update can change.

    What the target works out by itself is not ours, and passwords it keeps to itself; of lists in `partial` it may hold more than we sent.
    """
    return differences(collection, write_shape(collection, read), ours, partial)


def differences(
    collection: Collection, theirs: Json, ours: Json, partial: Container[str] = ()
) -> list[str]:
    """As `differing`, of a record in write shape."""
    ours = {
        name: value
        for name, value in without_secrets(ours).items()
        if name not in collection.derived
    }
    if alike(theirs, ours):
        return []
    whole = merged(collection, theirs, ours, (), partial)
    laid = {
        name: value if name in collection.fixed else whole[name] for name, value in ours.items()
    }
    return sorted(name for name, value in laid.items() if not alike(theirs, {name: value}))
