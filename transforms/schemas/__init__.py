"""The single source of truth: every file of OneRoster 1.2, and our own files, declared once.

`ENTITIES` lists parents first. Its order is the order of checking and loading, and its reverse is
the order of deleting (reference section 1.6). Files that fold into an entity follow that entity.

To add a column, add one line to its entity. The header, the check, the references, the payload and
the dictionary derive from that line. Wrap a column of our own in one of the standard's files in
`ours(...)`.
"""

from __future__ import annotations

from transforms.schemas.entity import LIFECYCLE, Column, Entity, RowRule
from transforms.schemas.gradebook import (
    ASSESSMENT_LINE_ITEMS,
    ASSESSMENT_RESULTS,
    CATEGORIES,
    LINE_ITEM_OBJECTIVES,
    LINE_ITEM_SCALES,
    LINE_ITEMS,
    RESULT_OBJECTIVES,
    RESULT_SCALES,
    RESULTS,
    SCORE_SCALES,
)
from transforms.schemas.resources import (
    CLASS_RESOURCES,
    COMPONENT_RESOURCES,
    COURSE_COMPONENTS,
    COURSE_RESOURCES,
    RESOURCES,
    USER_RESOURCES,
)
from transforms.schemas.rostering import (
    ACADEMIC_SESSIONS,
    CLASSES,
    COURSES,
    DEMOGRAPHICS,
    ENROLLMENTS,
    ORGS,
    ROLES_FILE,
    USER_PROFILES,
    USERS,
)

ENTITIES: dict[str, Entity] = {
    entity.name: entity
    for entity in (
        ORGS,
        ACADEMIC_SESSIONS,
        USERS,
        USER_PROFILES,
        ROLES_FILE,
        DEMOGRAPHICS,
        COURSES,
        CLASSES,
        ENROLLMENTS,
        COURSE_COMPONENTS,
        RESOURCES,
        COMPONENT_RESOURCES,
        CLASS_RESOURCES,
        COURSE_RESOURCES,
        USER_RESOURCES,
        CATEGORIES,
        SCORE_SCALES,
        LINE_ITEMS,
        LINE_ITEM_OBJECTIVES,
        LINE_ITEM_SCALES,
        RESULTS,
        RESULT_OBJECTIVES,
        RESULT_SCALES,
        ASSESSMENT_LINE_ITEMS,
        ASSESSMENT_RESULTS,
    )
}

__all__ = ["ENTITIES", "LIFECYCLE", "Column", "Entity", "RowRule"]
