"""What courses are made of: components (units, modules, lessons) and the resources placed in them.

Files of our own, in the style of the standard's, which does not have them. Source: API reference,
section 8 and appendix A.
"""

from __future__ import annotations

from transforms.schemas.columns import date, enum, integer, lifecycle, reference, text, texts
from transforms.schemas.entity import Entity
from transforms.schemas.vocabularies import LESSON_TYPES, PREREQUISITE_CRITERIA

COURSE_COMPONENTS = Entity(
    "courseComponents",
    "courseComponent",
    "rostering",
    (
        *lifecycle("Id of the component."),
        text("title", "Name of the component.", required=True),
        reference("courseSourcedId", "courses", "The course of which it is a part.", required=True),
        reference("parentSourcedId", "courseComponents", "The component of which it is a part; blank at the top."),
        integer("sortOrder", "Its place among its siblings."),
        texts("prerequisites", "Ids of what has to be done before it."),
        enum("prerequisiteCriteria", PREREQUISITE_CRITERIA, "Whether all prerequisites are needed, or any."),
        date("unlockDate", "Day from whose start it is open.", moment="start"),
    ),
    "Units, modules and lessons of courses, in a tree of any depth.",
    standard=False,
)

COMPONENT_RESOURCES = Entity(
    "componentResources",
    "componentResource",
    "rostering",
    (
        *lifecycle("Id of the link."),
        text("title", "Name under which the resource stands there.", required=True),
        reference("courseComponentSourcedId", "courseComponents", "The component.", required=True),
        reference("resourceSourcedId", "resources", "The resource.", required=True),
        integer("sortOrder", "Its place in the component."),
        enum("lessonType", LESSON_TYPES, "What kind of lesson it makes."),
    ),
    "Which resources stand where in a course.",
    standard=False,
)
