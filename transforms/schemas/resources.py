"""The resources files: learning materials, who uses them, and where they appear in a course.

Source: OneRoster 1.2 CSV Binding; course components and their resources are files of our own.
"""

from __future__ import annotations

from transforms.schemas.columns import date, enum, enums, integer, lifecycle, reference, text, texts
from transforms.schemas.entity import Entity
from transforms.schemas.vocabularies import (
    IMPORTANCE,
    LESSON_TYPES,
    PREREQUISITE_CRITERIA,
    ROLES_1_1,
)

RESOURCES = Entity(
    "resources",
    "resource",
    "resources",
    (
        *lifecycle("Id of the resource."),
        text("vendorResourceId", "Id that its vendor gave it.", required=True),
        text("title", "Name of the resource."),
        enums("roles", ROLES_1_1, "Roles for which it is meant."),
        enum("importance", IMPORTANCE, "Main or additional material."),
        text("vendorId", "Vendor, as registered with 1EdTech."),
        text("applicationId", "Application that opens it."),
    ),
    "Learning materials.",
)

CLASS_RESOURCES = Entity(
    "classResources",
    "classResource",
    "resources",
    (
        *lifecycle("Id of the link."),
        text("title", "Name of the link."),
        reference("classSourcedId", "classes", "The class that uses it.", required=True),
        reference("resourceSourcedId", "resources", "The resource.", required=True),
    ),
    "Which classes use which resources.",
)

COURSE_RESOURCES = Entity(
    "courseResources",
    "courseResource",
    "resources",
    (
        *lifecycle("Id of the link."),
        text("title", "Name of the link."),
        reference("courseSourcedId", "courses", "The course that uses it.", required=True),
        reference("resourceSourcedId", "resources", "The resource.", required=True),
    ),
    "Which courses use which resources.",
    aliases=("courseResourses",),
)

USER_RESOURCES = Entity(
    "userResources",
    "userResource",
    "resources",
    (
        *lifecycle("Id of the link."),
        reference("userSourcedId", "users", "The person who uses it.", required=True),
        reference("orgSourcedId", "orgs", "The organization for which it is used."),
        reference("classSourcedId", "classes", "The class for which it is used."),
        reference("resourceSourcedId", "resources", "The resource.", required=True),
    ),
    "Which people use which resources.",
    label=("userSourcedId", "resourceSourcedId"),
)


COURSE_COMPONENTS = Entity(
    "courseComponents",
    "courseComponent",
    "rostering",
    (
        *lifecycle("Id of the component."),
        text("title", "Name of the component.", required=True),
        reference("courseSourcedId", "courses", "The course of which it is a part.", required=True),
        reference(
            "parentSourcedId",
            "courseComponents",
            "The component of which it is a part; blank at the top.",
        ),
        integer("sortOrder", "Its place among its siblings."),
        texts("prerequisites", "Ids of what has to be done before it."),
        enum(
            "prerequisiteCriteria",
            PREREQUISITE_CRITERIA,
            "Whether all prerequisites are needed, or any.",
        ),
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
