"""Names of files and columns in other spellings than the standard's."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePath

from transforms.schemas import ENTITIES

# Shorter names are too often one letter away from each other: `role` and `roll`.
SHORTEST = 5


def comparable_name(name: str) -> str:
    """Return a name in lower case without spaces, `_` and `-`, to compare names."""
    return re.sub(r"[\s_\-]", "", name).casefold()


def is_one_letter_off(name: str, other: str) -> bool:
    """Tell whether one letter is missing, changed, or exchanged with its neighbor."""
    if max(len(name), len(other)) < SHORTEST or name == other:
        return False
    at = next((i for i, (a, b) in enumerate(zip(name, other, strict=False)) if a != b), None)
    if at is None:
        return abs(len(name) - len(other)) == 1
    left, right = name[at:], other[at:]
    return (
        left[1:] == right
        or left == right[1:]
        or left[1:] == right[1:]
        or (left[:2] == right[1::-1] and left[2:] == right[2:])
    )


def near_names(name: str, names: Iterable[str]) -> list[str]:
    """Return the names that are one letter away from a name, without case and separators."""
    return [one for one in names if is_one_letter_off(comparable_name(name), comparable_name(one))]


# The name of a file without `.csv`, as `comparable_name` returns it -> entity.
_ENTITY_OF_STEM = {
    comparable_name(name): entity.name
    for entity in ENTITIES.values()
    for name in (entity.name, *entity.aliases, entity.singular)
}


def entity_of_file(name: str) -> str | None:
    """Return the entity whose file has this name, in any spelling that has one meaning."""
    stem = PurePath(name).stem
    if (entity := _ENTITY_OF_STEM.get(comparable_name(stem))) is not None:
        return entity
    near = near_names(stem, ENTITIES)
    return near[0] if len(near) == 1 else None
