"""What one API that speaks OneRoster is like: a value that is passed and never imported.

`standard_profile` is the REST binding as 1EdTech publishes it. `TIMEBACK` is the one API that we
know: the standard's collections with its differences. Source: API reference, sections 4
(operations), 8 (required fields) and 11b (fixed properties and maps), and appendix A.

Only the sandbox and `flows/feeds/targets.py`, where settings choose a target's API, import a
profile. All other code receives one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from transforms.from_json.drop import collections
from transforms.schemas import ENTITIES, Entity, vocabularies
from transforms.schemas.entity import Version
from transforms.target_vocabulary import MappedColumn, TargetVocabulary, Words

PREFIX = "/ims/oneroster/"
# These entities are ours; the standard has no paths for them.
OUR_PATHS = {
    "courseComponents": "courses/components",
    "componentResources": "courses/component-resources",
}


@dataclass(frozen=True)
class Collection:
    """One collection: where it is, how its records are wrapped, what a write must have."""

    # Name of the entity and of the collection.
    name: str
    # Path from the root of the host, as published: with its trailing slash, or without.
    path: str
    # Property that wraps one record, in a write and in a read of one record.
    wrapper: str
    # Property that holds the records of a list.
    list_key: str
    # JSON properties that a POST and a PUT must have.
    required: tuple[str, ...] = ()
    required_on_put: tuple[str, ...] = ()
    # Status of a successful PUT, and whether its record is in a wrapper.
    put_status: int = 200
    put_body: Literal["wrapped", "bare"] = "wrapped"
    # Status of a POST of an id that exists.
    duplicate_status: Literal[404, 409, 500] = 409
    # Properties that have another name in a write: (standard's, target's).
    written_as: tuple[tuple[str, str], ...] = ()
    # Properties that the target accepts and the standard does not have.
    extra: tuple[str, ...] = ()
    # Properties that a PUT does not change.
    fixed: tuple[str, ...] = ()
    # Properties that are written under a second name too, as null where they are blank.
    twins: tuple[tuple[str, str], ...] = ()
    # Whether a PUT creates a missing record.
    put_creates: bool = False
    # Properties that the target computes, whatever is written.
    derived: tuple[str, ...] = ()
    # Properties that only a read has, beside those that the standard calls read-only.
    read_only: tuple[str, ...] = ()
    # Properties that a read leaves out if they have no value; it has null for the others.
    left_out: tuple[str, ...] = ()
    # Values of a property that a read may have and a write may not.
    unwritable: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # References that must be complete in a write: (property, path of its collection, type).
    full_references: tuple[tuple[str, str, str], ...] = ()
    # Whether a flag may be null in a write.
    nullable_flags: bool = False

    @property
    def entity(self) -> Entity:
        """The entity of its records."""
        return ENTITIES[self.name]


@dataclass(frozen=True)
class View:
    """A list of some records of a collection, with its own path and key."""

    path: str
    list_key: str


@dataclass(frozen=True)
class TargetProfile:
    """All that is true of one API and not of the standard.

    It can be pickled: each sending process receives it with its target.
    """

    # The name by which settings choose it.
    name: str
    # All paths begin with it.
    prefix: str
    # The collections that are written and read, by name, parents first.
    collections: Mapping[str, Collection] = field(repr=False)
    # Other lists that can be read, by name.
    views: Mapping[str, View] = field(default_factory=dict, repr=False)
    # The values that its records may have.
    vocabulary: TargetVocabulary = field(default_factory=TargetVocabulary, repr=False)
    # Records of the largest page.
    largest_page: int = 3000

    @cached_property
    def lists(self) -> Mapping[str, View]:
        """All that can be read page by page: the collections, then the views."""
        return {
            name: View(one.path, one.list_key) for name, one in self.collections.items()
        } | dict(self.views)

    def below_prefix(self, path: str) -> str:
        """Return a path as it is shown to people."""
        return path.removeprefix(self.prefix)


def standard_profile(version: Version) -> TargetProfile:
    """Return the published REST binding of one version.

    Its paths have no slash at the end, and no collection has anything of one API's own.
    """
    published = {
        name: Collection(
            name, _standard_path(ENTITIES[name], version), ENTITIES[name].singular, name
        )
        for name in collections(version)
    }
    return TargetProfile(f"OneRoster {version}", PREFIX, published)


def _standard_path(entity: Entity, version: Version) -> str:
    """Return the path of a collection.

    Version 1.1 has one service. Version 1.2 has one for each kind of record.
    """
    if version == "1.1":
        return f"{PREFIX}v1p1/{entity.name}"
    return f"{PREFIX}{entity.service}/v1p2/{OUR_PATHS.get(entity.name, entity.name)}"


# Timeback

_STANDARD = standard_profile("1.2").collections


def _published(name: str, *required: str, **quirks: Any) -> Collection:
    """Return a collection of the standard with Timeback's differences.

    A PUT requires what a POST requires, unless `quirks` say otherwise.
    """
    standard = _STANDARD[name]
    path = standard.path if name in OUR_PATHS else f"{standard.path}/"
    defaults: dict[str, Any] = {
        "required": required,
        "required_on_put": required,
        "put_body": "bare",
    }
    return replace(standard, path=path, **(defaults | quirks))


def _gradebook(name: str, *required: str, **quirks: Any) -> Collection:
    """Return a gradebook collection, where a PUT creates a missing record (section 2.1)."""
    return _published(
        name, *required, put_status=201, put_body="wrapped", put_creates=True, **quirks
    )


_COLLECTIONS = (
    _published("orgs", "name", "type", put_status=201, left_out=("identifier",)),
    _published(
        "academicSessions", "title", "startDate", "endDate", "type", "schoolYear", "org", "status",
        "sourcedId", extra=("org",),
    ),
    _published(
        "users", "enabledUser", "givenName", "familyName", "roles", "email",
        put_body="wrapped", read_only=("demographics",),
    ),
    # A read of demographics may have values of `sex` that a write may not have (section 8).
    _published(
        "demographics", "sourcedId",
        unwritable=(("sex", ("other", "unspecified")),), nullable_flags=True,
    ),
    _published(
        "courses", "status", "title", "org",
        put_status=201, duplicate_status=404, extra=("academicSession", "level", "gradingScheme"),
        full_references=(("schoolYear", _STANDARD["academicSessions"].path, "academicSession"),),
    ),
    _published(
        "classes", "title", "course", "org", "terms",
        required_on_put=(), written_as=(("school", "org"),), fixed=("course", "school"),
    ),
    # An enrollment has the school of its class (section 8).
    _published(
        "enrollments", "role", "user", "class",
        put_status=201, derived=("school",), read_only=("course",),
    ),
    _published(
        "courseComponents", "status", "title", "course", twins=(("parent", "courseComponent"),),
        left_out=("unlockDate",),
    ),
    _published(
        "resources", "title", "vendorResourceId", required_on_put=(), left_out=("importance",),
    ),
    _published(
        "componentResources", "sourcedId", "status", "title", "courseComponent", "resource",
        duplicate_status=500,
    ),
    _gradebook("categories", "title", "status"),
    _gradebook("scoreScales", "title", "status", "type", "class", "scoreScaleValue"),
    _gradebook(
        "lineItems", "title", "assignDate", "dueDate", "class", "school", "category",
        extra=("gradingPeriod", "scoreScale"),
    ),
    _gradebook(
        "results", "lineItem", "student", "scoreStatus", "scoreDate", "status",
        extra=("scoreScale",), left_out=("inProgress", "incomplete", "late", "missing"),
    ),
    _gradebook("assessmentLineItems", "title", "status", extra=("scoreScale",)),
    _gradebook(
        "assessmentResults", "assessmentLineItem", "student", "scoreStatus", "scoreDate", "status",
        extra=("scoreScale",),
    ),
)  # fmt: skip

_GRADES = ("-1", *(str(grade) for grade in range(14)))
_SUBJECTS = (
    "Reading", "Language", "Vocabulary", "Social Studies", "Writing", "Science", "FastMath", "Math",
)  # fmt: skip
_ROLES = (
    "system_administrator", "administrator", "aide", "guardian", "parent", "proctor", "relative",
    "student", "teacher",
)  # fmt: skip
_WORDS: Mapping[str, tuple[str, ...]] = {
    "grades": _GRADES,
    "subjects": _SUBJECTS,
    "roles": _ROLES,
    "enrollment_roles": vocabularies.ENROLLMENT_ROLES,
    "org_types": vocabularies.ORG_TYPES,
    "session_types": vocabularies.SESSION_TYPES,
    "class_types": vocabularies.CLASS_TYPES,
    "sex": ("male", "female"),
    # The audience of a resource, in the target's published vocabulary: no roles of people.
    "resource_roles": ("primary", "secondary"),
    "score_statuses": vocabularies.SCORE_STATUS,
}
# Words of the standard, or in common use, that are mapped to one of the target's words.
_SYNONYMS: Mapping[str, Words] = {
    # Grade codes of the standard (CEDS), and the target's own numbers.
    "grades": {
        "PK": "-1", "KG": "0", "TK": "0", **{f"{grade:02}": str(grade) for grade in range(1, 14)},
    },
    # A key that ends in `*` matches every word with that beginning.
    "subjects": {
        "Mathematics": "Math", "Algebra*": "Math", "Geometry": "Math",
        "English*": "Language", "Language Arts": "Language", "ELA": "Language",
        "Biology": "Science", "Chemistry": "Science", "Physics": "Science",
        "History": "Social Studies", "Geography": "Social Studies", "Civics": "Social Studies",
    },
    "roles": {
        "siteAdministrator": "administrator", "districtAdministrator": "administrator",
        "principal": "administrator", "systemAdministrator": "system_administrator",
        "counselor": "aide",
    },
}  # fmt: skip
# The target accepts the roles of OneRoster 1.1. Its own word for system administrators is mapped
# from the role of 1.2.
_KNOWN: Mapping[str, tuple[str, ...]] = {**_WORDS, "roles": vocabularies.ROLES_1_1}

TIMEBACK = TargetProfile(
    name="timeback",
    prefix=PREFIX,
    collections={one.name: one for one in _COLLECTIONS},
    views={
        "students": View(f"{PREFIX}rostering/v1p2/students/", "users"),
        "teachers": View(f"{PREFIX}rostering/v1p2/teachers/", "users"),
        "schools": View(f"{PREFIX}rostering/v1p2/schools/", "orgs"),
        "terms": View(f"{PREFIX}rostering/v1p2/terms/", "terms"),
        "gradingPeriods": View(f"{PREFIX}rostering/v1p2/gradingPeriods/", "gradingPeriods"),
    },
    vocabulary=TargetVocabulary(
        words=_WORDS,
        maps={
            name: {word: word for word in known} | dict(_SYNONYMS.get(name, {}))
            for name, known in _KNOWN.items()
        },
        columns={
            ("orgs", "type"): MappedColumn("org_types", "local"),
            ("academicSessions", "type"): MappedColumn("session_types", "term"),
            ("users", "grades"): MappedColumn("grades"),
            ("demographics", "sex"): MappedColumn("sex"),
            ("courses", "grades"): MappedColumn("grades"),
            ("courses", "subjects"): MappedColumn("subjects"),
            ("classes", "classType"): MappedColumn("class_types", "scheduled"),
            ("classes", "grades"): MappedColumn("grades"),
            ("classes", "subjects"): MappedColumn("subjects"),
            ("enrollments", "role"): MappedColumn(
                "enrollment_roles", refuses="target_enrollment_role"
            ),
            ("resources", "roles"): MappedColumn("resource_roles"),
            ("results", "scoreStatus"): MappedColumn(
                "score_statuses", refuses="target_score_status"
            ),
            ("assessmentResults", "scoreStatus"): MappedColumn(
                "score_statuses", refuses="target_score_status"
            ),
        },
        # Required by the target, optional in the standard (section 8).
        wanted={"resources": ("title",)},
        # Columns without a property in the REST binding, or with one that the target misplaces
        # (results.scoreScale refers to resources there, section 8).
        homeless={"scoreScales": ("orgSourcedId",), "results": ("resultScoreScales",)},
        wants_email=True,
        wants_session_org=True,
        # Its other administrators are never administrators of the system.
        administrators_as_in_1_1=True,
        roles_read_as={"system_administrator": "systemAdministrator"},
    ),
)
