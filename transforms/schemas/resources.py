"""The resources files: learning materials, and who uses them.

Source: OneRoster 1.2 CSV Binding.
"""

from __future__ import annotations

from transforms.schemas.columns import enum, enums, lifecycle, reference, text
from transforms.schemas.entity import Entity
from transforms.schemas.vocabularies import IMPORTANCE, ROLES_1_1

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
        reference("orgSourcedId", "orgs", "The organisation for which it is used."),
        reference("classSourcedId", "classes", "The class for which it is used."),
        reference("resourceSourcedId", "resources", "The resource.", required=True),
    ),
    "Which people use which resources.",
    label=("userSourcedId", "resourceSourcedId"),
)
