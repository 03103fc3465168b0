"""The rostering files: orgs, sessions, users and their parts, courses, classes, enrollments.

Source: OneRoster 1.2 CSV Binding with the 1.2.1 corrections; 1.1 columns from the 1.1 binding.
"""

from __future__ import annotations

import polars as pl

from transforms.schemas.columns import (
    boolean,
    date,
    enum,
    lifecycle,
    reference,
    references,
    text,
    texts,
    year,
)
from transforms.schemas.entity import (
    NO_VERSION,
    ONLY_1_1,
    SINCE_1_1,
    SINCE_1_2,
    Column,
    Entity,
    RowRule,
    RuleContext,
)
from transforms.schemas.vocabularies import (
    CLASS_TYPES,
    ENROLLMENT_ROLES,
    ORG_TYPES,
    ROLE_TYPES,
    ROLES,
    ROLES_1_1,
    SESSION_TYPES,
    SEXES,
)


def dates_in_order(first: str, last: str) -> RowRule:
    """Require that the period from `first` (inclusive) to `last` (exclusive) is not empty."""
    return RowRule("period_empty", last, lambda _: pl.col(first) < pl.col(last))


def _same_length(_: RuleContext) -> pl.Expr:
    def commas(name: str) -> pl.Expr:
        return pl.col(name).str.count_matches(",", literal=True)

    return commas("subjects") == commas("subjectCodes")


SUBJECTS_MATCH = RowRule("subject_codes_length", "subjectCodes", _same_length)

ORGS = Entity(
    "orgs",
    "org",
    "rostering",
    (
        *lifecycle("Id of the organization."),
        text("name", "Name of the organization.", required=True),
        enum("type", ORG_TYPES, "What kind of organization it is.", required=True, extensible=True),
        text("identifier", "A number by which others know it, such as an NCES id."),
        reference("parentSourcedId", "orgs", "The organization above it."),
    ),
    "Districts, schools and departments, in a tree.",
    needed=True,
    label=("name",),
)

ACADEMIC_SESSIONS = Entity(
    "academicSessions",
    "academicSession",
    "rostering",
    (
        *lifecycle("Id of the session."),
        text("title", "Name of the session.", required=True),
        enum(
            "type",
            SESSION_TYPES,
            "Year, semester, term or grading period.",
            required=True,
            extensible=True,
        ),
        date("startDate", "First day, inclusive.", required=True),
        date("endDate", "Last day, exclusive.", required=True),
        reference("parentSourcedId", "academicSessions", "The session of which it is a part."),
        year("schoolYear", "The year in which the school year ends."),
        reference(
            "orgSourcedId",
            "orgs",
            "The organization that holds it; some targets want it.",
            versions=NO_VERSION,
        ),
    ),
    "School years, terms and grading periods, in a tree.",
    needed=True,
    rules=(dates_in_order("startDate", "endDate"),),
)

COURSES = Entity(
    "courses",
    "course",
    "rostering",
    (
        *lifecycle("Id of the course."),
        reference("schoolYearSourcedId", "academicSessions",
                  "The school year in which it is taught.",
                  types=("schoolYear",), aliases=("schoolYearId",)),
        text("title", "Name of the course.", required=True),
        text("courseCode", "Code by which staff know it."),
        texts("grades", "Grades for which it is meant.", aliases=("grade",)),
        reference("orgSourcedId", "orgs", "The organization that offers it.", required=True),
        texts("subjects", "Subjects, in the order of subjectCodes."),
        texts("subjectCodes", "Codes of the subjects, in their order."),
    ),
    "What is taught, whoever teaches it and whenever.",
    needed=True,
    rules=(SUBJECTS_MATCH,),
)  # fmt: skip

CLASSES = Entity(
    "classes",
    "class",
    "rostering",
    (
        *lifecycle("Id of the class."),
        text("title", "Name of the class.", required=True),
        texts("grades", "Grades that attend it.", aliases=("grade",)),
        reference("courseSourcedId", "courses", "The course that is taught.", required=True),
        text("classCode", "Code by which staff know it."),
        enum("classType", CLASS_TYPES, "A homeroom, or a scheduled lesson.", required=True,
             extensible=True),
        text("location", "Where it meets."),
        reference("schoolSourcedId", "orgs", "The school that holds it.", required=True,
                  types=("school",)),
        references("termSourcedIds", "academicSessions", "The sessions in which it is held.",
                   required=True,
                   aliases=("termSourcedId",)),
        texts("subjects", "Subjects, in the order of subjectCodes."),
        texts("subjectCodes", "Codes of the subjects, in their order."),
        texts("periods", "Periods of the day in which it meets."),
    ),
    "One course taught to one group in one or more terms.",
    needed=True,
    rules=(SUBJECTS_MATCH,),
)  # fmt: skip

USERS = Entity(
    "users",
    "user",
    "rostering",
    (
        *lifecycle("Id of the person.", aliases=("userId",)),
        boolean("enabledUser", "Whether the person may use the systems.", required=True,
                versions=SINCE_1_1),
        references("orgSourcedIds", "orgs", "1.1: the organizations of the person.", required=True,
                   versions=ONLY_1_1),
        enum("role", ROLES_1_1, "1.1: the one role of the person.", required=True,
             versions=ONLY_1_1),
        text("username", "Name to sign in with.", strictly=True),
        Column("userIds", "user_ids", "Ids in other systems, as `{type:id}` items."),
        text("givenName", "Given name.", required=True),
        text("familyName", "Family name.", required=True),
        text("middleName", "Middle names, separated by spaces."),
        text("identifier", "A number by which others know the person."),
        text("email", "E-mail address."),
        text("sms", "Number for text messages."),
        text("phone", "Telephone number."),
        references("agentSourcedIds", "users", "People who act for this one, such as parents.",
                   aliases=("agents",)),
        texts("grades", "Grades of a student.", aliases=("grade",)),
        text("password",
             "Password for sign-in; dropped as soon as it is read, unless the feed says otherwise.",
             secret=True),
        text("userMasterIdentifier", "Id of the person that holds across systems.",
             versions=SINCE_1_2),
        references("resourceSourcedIds", "resources", "1.2.0: learning materials of the person.",
                   versions=frozenset({"1.2.0"})),
        text("preferredGivenName", "Given name that the person prefers.", versions=SINCE_1_2,
             json="preferredFirstName", aliases=("prefferedGivenName",)),
        text("preferredMiddleName", "Middle name that the person prefers.", versions=SINCE_1_2,
             aliases=("prefferedMiddleName",)),
        text("preferredFamilyName", "Family name that the person prefers.", versions=SINCE_1_2,
             json="preferredLastName", aliases=("prefferedFamilyName",)),
        reference("primaryOrgSourcedId", "orgs", "The main organization of the person.",
                  versions=SINCE_1_2),
        text("pronouns", "Pronouns.", versions=SINCE_1_2),
    ),
    "People: students, staff and contacts, each once, whatever their roles.",
    needed=True,
    label=("givenName", "familyName"),
)  # fmt: skip

ROLES_FILE = Entity(
    "roles",
    "role",
    "rostering",
    (
        *lifecycle("Id of the role."),
        reference("userSourcedId", "users", "Whose role it is.", required=True),
        enum(
            "roleType",
            ROLE_TYPES,
            "The primary role in that organization, or a secondary one.",
            required=True,
        ),
        enum("role", ROLES, "What the person is there.", required=True, extensible=True),
        date("beginDate", "First day, inclusive."),
        date("endDate", "Last day, exclusive."),
        reference(
            "orgSourcedId", "orgs", "The organization in which the role is held.", required=True
        ),
        reference(
            "userProfileSourcedId",
            "userProfiles",
            "The profile used in that role.",
            json="userProfile",
        ),
    ),
    "Roles of people in organizations; carried as `roles` of their user.",
    folds_into="users",
    label=("role",),
    rules=(dates_in_order("beginDate", "endDate"),),
)

USER_PROFILES = Entity(
    "userProfiles",
    "userProfile",
    "rostering",
    (
        *lifecycle("Id of the profile."),
        reference("userSourcedId", "users", "Whose profile it is.", required=True),
        text("profileType", "What kind of profile it is.", required=True),
        text("vendorId", "Vendor of the application.", required=True),
        text("applicationId", "Application."),
        text("description", "What the profile is for."),
        text("credentialType", "What kind of credential it is.", required=True),
        text("username", "Name to sign in with.", required=True),
        text(
            "password",
            "Password for sign-in; dropped as soon as it is read, unless the feed says otherwise.",
            secret=True,
        ),
    ),
    "Accounts of people in applications; carried as `userProfiles` of their user.",
    folds_into="users",
    label=("profileType",),
)

_RACES = {
    "americanIndianOrAlaskaNative": "American Indian or Alaska Native.",
    "asian": "Asian.",
    "blackOrAfricanAmerican": "Black or African American.",
    "nativeHawaiianOrOtherPacificIslander": "Native Hawaiian or other Pacific Islander.",
    "white": "White.",
    "demographicRaceTwoOrMoreRaces": "Two or more races.",
    "hispanicOrLatinoEthnicity": "Hispanic or Latino.",
}

DEMOGRAPHICS = Entity(
    "demographics",
    "demographics",
    "rostering",
    (
        *lifecycle("Id of the person it describes.", refers="users", aliases=("userSourcedId",)),
        date("birthDate", "Day of birth.", aliases=("birthdate",)),
        enum("sex", SEXES, "Sex.", extensible=True),
        *(boolean(name, description) for name, description in _RACES.items()),
        text("countryOfBirthCode", "Country of birth."),
        text("stateOfBirthAbbreviation", "State of birth.", aliases=("stateofBirthAbbreviation",)),
        text("cityOfBirth", "City of birth."),
        text("publicSchoolResidenceStatus", "Residence status for public schooling."),
    ),
    "Birth and origin of people; shared only where a feed says so.",
    label=(),
)

ENROLLMENTS = Entity(
    "enrollments",
    "enrollment",
    "rostering",
    (
        *lifecycle("Id of the enrollment."),
        reference("classSourcedId", "classes", "The class.", required=True),
        reference(
            "schoolSourcedId",
            "orgs",
            "The school that holds the class.",
            required=True,
            types=("school",),
        ),
        reference("userSourcedId", "users", "The person.", required=True),
        enum(
            "role",
            ENROLLMENT_ROLES,
            "What the person is in the class.",
            required=True,
            extensible=True,
        ),
        boolean("primary", "Whether this teacher is the main one."),
        date("beginDate", "First day, inclusive."),
        date("endDate", "Last day, exclusive."),
    ),
    "Who is in which class, as what, from when to when.",
    needed=True,
    label=("userSourcedId", "classSourcedId", "role"),
    rules=(
        dates_in_order("beginDate", "endDate"),
        RowRule(
            "primary_not_teacher",
            "primary",
            lambda _: (pl.col("primary") != "true") | (pl.col("role") == "teacher"),
        ),
    ),
)
