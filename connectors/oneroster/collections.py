"""The collections of the target that the loader writes to and the sandbox serves, each once.

Source: API reference, section 4 (operations), section 8 (required fields) and appendix A.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from transforms.schemas import ENTITIES, Entity

PREFIX = "/ims/oneroster/"


@dataclass(frozen=True)
class Collection:
    """One collection: where it is, how its records are wrapped, what a write must have.

    `path` is below `PREFIX`, spelled as published: with its trailing slash, or without. `wrapper`
    wraps one record, on write and on a single read; `list_key` the records of a list. `required`
    are the JSON properties that a POST must have, `required_on_put` those of a PUT. `written_as`
    gives properties that the target names otherwise than the standard on write (`school` is
    written as `org`). `put_status` and `put_body` are what a PUT answers. `extra` are properties
    that the target takes and the standard does not have. `duplicate_status` is what a POST of an
    existing id answers. `fixed` are the properties that a PUT does not change (section 11b). `twins`
    are properties that are written under a second name as well, null where they are blank.
    `put_creates` is true where a PUT makes what is not there. `derived` are the properties that the target
    works out by itself, whatever is written: an enrollment has the school of its class (section 8).
    """

    entity: Entity
    path: str
    wrapper: str
    list_key: str
    required: tuple[str, ...]
    required_on_put: tuple[str, ...]
    put_status: int
    put_body: Literal["wrapped", "bare"]
    duplicate_status: Literal[404, 409, 500] = 409
    written_as: tuple[tuple[str, str], ...] = ()
    extra: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()
    put_creates: bool = False
    derived: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Name of the entity, which is the name of the collection too."""
        return self.entity.name


_SESSION = ("title", "startDate", "endDate", "type", "schoolYear", "org", "status", "sourcedId")
_COMPONENT = ("status", "title", "course")
_LINK = ("sourcedId", "status", "title", "courseComponent", "resource")
_USER = ("enabledUser", "givenName", "familyName", "roles", "email")


def _gradebook(name: str, *required: str, extra: tuple[str, ...] = ()) -> Collection:
    """A collection of the gradebook, where a PUT makes what is not there (section 2.1)."""
    entity = ENTITIES[name]
    return Collection(entity, f"gradebook/v1p2/{name}/", entity.singular, name, required, required, 201, "wrapped",
                      extra=extra, put_creates=True)  # fmt: skip


COLLECTIONS: dict[str, Collection] = {
    collection.name: collection
    for collection in (
        Collection(ENTITIES["orgs"], "rostering/v1p2/orgs/", "org", "orgs",
                   ("name", "type"), ("name", "type"), 201, "bare"),
        Collection(ENTITIES["academicSessions"], "rostering/v1p2/academicSessions/", "academicSession",
                   "academicSessions", _SESSION, _SESSION, 200, "bare", extra=("org",)),
        Collection(ENTITIES["users"], "rostering/v1p2/users/", "user", "users", _USER, _USER, 200, "wrapped"),
        Collection(ENTITIES["demographics"], "rostering/v1p2/demographics/", "demographics", "demographics",
                   ("sourcedId",), ("sourcedId",), 200, "bare"),
        Collection(ENTITIES["courses"], "rostering/v1p2/courses/", "course", "courses",
                   ("status", "title", "org"), ("status", "title", "org"), 201, "bare", 404,
                   extra=("academicSession", "level", "gradingScheme")),
        Collection(ENTITIES["classes"], "rostering/v1p2/classes/", "class", "classes",
                   ("title", "course", "org", "terms"), (), 200, "bare", written_as=(("school", "org"),),
                   fixed=("course", "school")),
        Collection(ENTITIES["enrollments"], "rostering/v1p2/enrollments/", "enrollment", "enrollments",
                   ("role", "user", "class"), ("role", "user", "class"), 201, "bare", derived=("school",)),
        Collection(ENTITIES["courseComponents"], "rostering/v1p2/courses/components", "courseComponent",
                   "courseComponents", _COMPONENT, _COMPONENT, 200, "bare", twins=(("parent", "courseComponent"),)),
        Collection(ENTITIES["resources"], "resources/v1p2/resources/", "resource", "resources",
                   ("title", "vendorResourceId"), (), 200, "bare"),
        Collection(ENTITIES["componentResources"], "rostering/v1p2/courses/component-resources", "componentResource",
                   "componentResources", _LINK, _LINK, 200, "bare", 500),
        _gradebook("categories", "title", "status"),
        _gradebook("scoreScales", "title", "status", "type", "class", "scoreScaleValue"),
        _gradebook("lineItems", "title", "assignDate", "dueDate", "class", "school", "category",
                   extra=("gradingPeriod", "scoreScale")),
        _gradebook("results", "lineItem", "student", "scoreStatus", "scoreDate", "status", extra=("scoreScale",)),
        _gradebook("assessmentLineItems", "title", "status", extra=("scoreScale",)),
        _gradebook("assessmentResults", "assessmentLineItem", "student", "scoreStatus", "scoreDate", "status",
                   extra=("scoreScale",)),
    )
}  # fmt: skip
