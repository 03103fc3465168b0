"""What one API that speaks OneRoster is like, as a value that is passed: where its collections are, and what it asks for.

`standard_profile` is the REST binding as 1EdTech publishes it. `TIMEBACK` is the one API that we know: the standard's
collections, and all that differs there. Source: API reference, sections 4 (operations), 8 (required fields) and 11b (fixed
properties and maps), and appendix A. Only the sandbox and `flows/feeds/targets.py`, where settings choose a target's API,
import a profile; everything else is given one.
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


@dataclass(frozen=True)
class Collection:
    """One collection: where it is, how its records are wrapped, what a write must have.

    Attributes:
        name: Name of the entity, which is the name of the collection too.
        path: From the root of the host, spelled as published: with its trailing slash, or without.
        wrapper: Wraps one record, on write and on a single read.
        list_key: Holds the records of a list.
        required: The JSON properties that a POST must have.
        required_on_put: The JSON properties that a PUT must have.
        put_status: What a PUT answers.
        put_body: Whether the record that a PUT answers is in its wrapper.
        duplicate_status: What a POST of an id that exists answers.
        written_as: Properties that the target names otherwise than the standard on write: (standard's, target's).
        extra: Properties that the target takes and the standard does not have.
        fixed: Properties that a PUT does not change.
        twins: Properties that are written under a second name as well, null where they are blank.
        put_creates: Whether a PUT makes what is not there.
        derived: Properties that the target works out by itself, whatever is written.
        read_only: Properties that only reads have, beside those that the standard calls so.
        unwritable: Values that a read of a property may have and a write may not.
        full_references: References that must be whole on write: (property, path of its collection, type).
        nullable_flags: Whether flags may be null on write.
    """

    name: str
    path: str
    wrapper: str
    list_key: str
    required: tuple[str, ...] = ()
    required_on_put: tuple[str, ...] = ()
    put_status: int = 200
    put_body: Literal["wrapped", "bare"] = "wrapped"
    duplicate_status: Literal[404, 409, 500] = 409
    written_as: tuple[tuple[str, str], ...] = ()
    extra: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    twins: tuple[tuple[str, str], ...] = ()
    put_creates: bool = False
    derived: tuple[str, ...] = ()
    read_only: tuple[str, ...] = ()
    unwritable: tuple[tuple[str, tuple[str, ...]], ...] = ()
    full_references: tuple[tuple[str, str, str], ...] = ()
    nullable_flags: bool = False

    @property
    def entity(self) -> Entity:
        """The entity whose records it holds."""
        return ENTITIES[self.name]


@dataclass(frozen=True)
class View:
    """A list of some records of a collection, under a path and a key of its own."""

    path: str
    list_key: str


@dataclass(frozen=True)
class TargetProfile:
    """All that is true of one API and not of the standard. It can be pickled: processes that send get it with their target.

    Attributes:
        name: By which settings choose it.
        prefix: Under which all of its paths are.
        collections: The collections that are written and read, by name, parents first.
        views: The lists beside the collections that can be read, by name.
        vocabulary: What its records can say.
        largest_page: How many records a page may have.
    """

    name: str
    prefix: str
    collections: Mapping[str, Collection] = field(repr=False)
    views: Mapping[str, View] = field(default_factory=dict, repr=False)
    vocabulary: TargetVocabulary = field(default_factory=TargetVocabulary, repr=False)
    largest_page: int = 3000

    @cached_property
    def lists(self) -> Mapping[str, View]:
        """All that can be read page by page: the collections, and the views after them."""
        return {
            name: View(one.path, one.list_key) for name, one in self.collections.items()
        } | dict(self.views)

    def below_prefix(self, path: str) -> str:
        """A path as people are told it."""
        return path.removeprefix(self.prefix)


def standard_profile(version: Version) -> TargetProfile:
    """Give the REST binding of one version as it is published: no slashes at the end, and nothing of one API's own."""
    found = {
        name: Collection(
            name, _standard_path(ENTITIES[name], version), ENTITIES[name].singular, name
        )
        for name in collections(version)
    }
    return TargetProfile(f"OneRoster {version}", PREFIX, found)


def _standard_path(entity: Entity, version: Version) -> str:
    """Where a collection is: 1.1 has one service, 1.2 has one for each kind of record."""
    if version == "1.1":
        return f"{PREFIX}v1p1/{entity.name}"
    return f"{PREFIX}{entity.service}/v1p2/{BELOW_COURSES.get(entity.name, entity.name)}"


# The standard has no paths for these files of our own.
BELOW_COURSES = {
    "courseComponents": "courses/components",
    "componentResources": "courses/component-resources",
}


# Timeback

_STANDARD = standard_profile("1.2").collections


def _published(name: str, *required: str, **quirks: Any) -> Collection:
    """A collection of the standard with what Timeback says of it; a PUT must have what a POST must, if nothing else is said."""
    standard = _STANDARD[name]
    path = standard.path if name in BELOW_COURSES else f"{standard.path}/"
    said: dict[str, Any] = {"required": required, "required_on_put": required, "put_body": "bare"}
    return replace(standard, path=path, **(said | quirks))


def _gradebook(name: str, *required: str, extra: tuple[str, ...] = ()) -> Collection:
    """A collection of the gradebook, where a PUT makes what is not there (section 2.1)."""
    return _published(
        name, *required, put_status=201, put_body="wrapped", put_creates=True, extra=extra
    )


_COLLECTIONS = (
    _published("orgs", "name", "type", put_status=201),
    _published(
        "academicSessions", "title", "startDate", "endDate", "type", "schoolYear", "org", "status", "sourcedId",
        extra=("org",),
    ),
    _published(
        "users", "enabledUser", "givenName", "familyName", "roles", "email",
        put_body="wrapped", read_only=("demographics",),
    ),
    # A read of demographics may say of sex what a write may not (section 8).
    _published(
        "demographics", "sourcedId", unwritable=(("sex", ("other", "unspecified")),), nullable_flags=True,
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
        "enrollments", "role", "user", "class", put_status=201, derived=("school",), read_only=("course",),
    ),
    _published("courseComponents", "status", "title", "course", twins=(("parent", "courseComponent"),)),
    _published("resources", "title", "vendorResourceId", required_on_put=()),
    _published(
        "componentResources", "sourcedId", "status", "title", "courseComponent", "resource", duplicate_status=500,
    ),
    _gradebook("categories", "title", "status"),
    _gradebook("scoreScales", "title", "status", "type", "class", "scoreScaleValue"),
    _gradebook(
        "lineItems", "title", "assignDate", "dueDate", "class", "school", "category",
        extra=("gradingPeriod", "scoreScale"),
    ),
    _gradebook("results", "lineItem", "student", "scoreStatus", "scoreDate", "status", extra=("scoreScale",)),
    _gradebook("assessmentLineItems", "title", "status", extra=("scoreScale",)),
    _gradebook(
        "assessmentResults", "assessmentLineItem", "student", "scoreStatus", "scoreDate", "status",
        extra=("scoreScale",),
    ),
)  # fmt: skip

_GRADES = ("-1", *(str(grade) for grade in range(14)))
_SUBJECTS = (
    "Reading",
    "Language",
    "Vocabulary",
    "Social Studies",
    "Writing",
    "Science",
    "FastMath",
    "Math",
)
_ROLES = (
    "system_administrator", "administrator", "aide", "guardian", "parent", "proctor", "relative", "student", "teacher",
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
    # For whom a resource is meant, in the target's published vocabulary; it has no roles of people here.
    "resource_roles": ("primary", "secondary"),
    "score_statuses": vocabularies.SCORE_STATUS,
}
# What of the standard, or of common use, stands for one of the target's words, beside the word itself.
_MEANT: Mapping[str, Words] = {
    # Grade codes of the standard (CEDS), and the target's own numbers.
    "grades": {"PK": "-1", "KG": "0", "TK": "0", **{f"{grade:02}": str(grade) for grade in range(1, 14)}},
    # A key that ends in `*` stands for every word that begins so.
    "subjects": {
        "Mathematics": "Math", "Algebra*": "Math", "Geometry": "Math",
        "English*": "Language", "Language Arts": "Language", "ELA": "Language",
        "Biology": "Science", "Chemistry": "Science", "Physics": "Science",
        "History": "Social Studies", "Geography": "Social Studies", "Civics": "Social Studies",
    },
    "roles": {
        "siteAdministrator": "administrator", "districtAdministrator": "administrator", "principal": "administrator",
        "systemAdministrator": "system_administrator", "counselor": "aide",
    },
}  # fmt: skip
# The roles of OneRoster 1.1 are words of the target; its own word for administrators of the system is led to by 1.2's.
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
            name: {word: word for word in known} | dict(_MEANT.get(name, {}))
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
        # What the target wants and the standard leaves open (section 8).
        wanted={"resources": ("title",)},
        # Columns without a property in the REST binding, or with one that the target keeps in the wrong place
        # (results.scoreScale leads to resources there, section 8).
        homeless={"scoreScales": ("orgSourcedId",), "results": ("resultScoreScales",)},
        wants_email=True,
        wants_session_org=True,
        # Its other administrators are none of the system, whatever they administer.
        administrators_as_in_1_1=True,
        roles_read_as={"system_administrator": "systemAdministrator"},
    ),
)
