"""Which collections a REST source may have, and which of them make a roster."""

from __future__ import annotations

from transforms.binding.manifest import SINCE_1_2
from transforms.schemas import ENTITIES, Entity
from transforms.schemas.entity import Version
from transforms.unfolding.parts import LINKS

ROSTER = ("orgs", "academicSessions", "users", "demographics", "courses", "classes", "enrollments")


def collections(version: Version) -> tuple[str, ...]:
    """Name the collections of a binding, parents first; parts and links stand in the records that they belong to."""
    return tuple(name for name, entity in ENTITIES.items() if _is_collection(entity, version))


def _is_collection(entity: Entity, version: Version) -> bool:
    if entity.folds_into or entity.name in LINKS:
        return False
    return version != "1.1" or (entity.standard and entity.name not in SINCE_1_2)
