"""Microsoft School Data Sync, version 1.

Six files, with the column names of the United States or of the United Kingdom. A drop is no
snapshot: only rows with `Status` Inactive remove a record. Guardians are in two more files, and are
identified by their email address, which links them to students. Their roles are words for family
members only: no word there makes a guardian an administrator. Source: Microsoft Learn,
`csv-files-for-school-data-sync` and `parent-contact-sync-file-format`.
"""

from __future__ import annotations

import polars as pl

from transforms.layouts import (
    File,
    Frames,
    Join,
    Layout,
    ReadingOptions,
    birth_date,
    blank,
    constant,
    day_after,
    derived,
    digested,
    digested_each,
    district,
    either,
    filled,
    first,
    given,
    grades,
    iso_date,
    lowered,
    one_of,
    rows,
    sex,
    status,
    text,
    texts,
    user_ids,
)
from transforms.layouts.expressions import where_several
from transforms.layouts.layout import Rows
from transforms.layouts.vocabulary import FAMILY, STATES
from transforms.schemas.vocabularies import TOBEDELETED

BRITISH = {
    "SIS ID": ("ID",),
    "School SIS ID": ("School DfE Number",),
    "Section SIS ID": ("Section ID",),
}
ADDRESS = (
    "Mailing *",
    "Residence *",
    "Address",
    "City",
    "State",
    "Country",
    "Zip",
    "Postal Code",
    "Phone",
    "Zone",
)
SCHOOL = File(
    "School",
    needed=True,
    required=("SIS ID", "Name"),
    gives=(
        rows(
            "orgs",
            {"metadata.ncesId": text("School NCES_ID"), "metadata.stateId": text("State ID")},
            sourcedId=text("SIS ID"),
            name=text("Name"),
            type=constant("school"),
            identifier=text("School Number"),
        ),
    ),
    ignored=("Grade Low", "Grade High", "Principal *", *ADDRESS),
    aliases={"SIS ID": ("DfE Number", "ID")},
)

TERM_DAYS = ("Term StartDate", "Term EndDate")
TERM = first(
    text("Term SIS ID"),
    derived(
        "term", first(text("Term Name"), constant("Term")), *(iso_date(day) for day in TERM_DAYS)
    ),
)
# A course without an id is identified by its number or name in its school. Without those, it is the
# course of one section. If a school uses one number for several courses, number and name identify
# the course.
WITHOUT_COURSE = blank("Course SIS ID")
OTHER_NAME = where_several(
    text("Course Name"), text("School SIS ID"), text("Course Number"), where=WITHOUT_COURSE
)
OWN_COURSE = first(
    derived("course", text("School SIS ID"), text("Course Number"), OTHER_NAME, needs=2),
    derived("course-named", text("School SIS ID"), text("Course Name")),
    derived("course-of", text("School SIS ID"), text("SIS ID")),
)
COURSE = {
    "title": first(text("Course Name"), text("Course Number"), text("Section Name")),
    "courseCode": text("Course Number"),
    "subjects": texts("Course Subject"),
}

SECTION = File(
    "Section",
    needed=True,
    required=("SIS ID", "School SIS ID", "Section Name"),
    gives=(
        rows(
            "academicSessions",
            where=filled(*TERM_DAYS),
            derived=True,
            sourcedId=TERM,
            title=first(text("Term Name"), text("Term SIS ID"), constant("Term")),
            type=constant("term"),
            startDate=iso_date("Term StartDate"),
            endDate=day_after(iso_date("Term EndDate")),
        ),
        # A course may be taught in several schools, so it belongs to the org above them.
        rows(
            "courses",
            COURSE,
            where=filled("Course SIS ID"),
            derived=True,
            sourcedId=text("Course SIS ID"),
            orgSourcedId=district(),
        ),
        rows(
            "courses",
            COURSE,
            where=WITHOUT_COURSE,
            derived=True,
            sourcedId=OWN_COURSE,
            orgSourcedId=text("School SIS ID"),
        ),
        rows(
            "classes",
            sourcedId=text("SIS ID"),
            status=status("Status"),
            title=text("Section Name"),
            courseSourcedId=first(text("Course SIS ID"), OWN_COURSE),
            classCode=text("Section Number"),
            schoolSourcedId=text("School SIS ID"),
            termSourcedIds=given(TERM, *TERM_DAYS),
            subjects=texts("Course Subject"),
            periods=texts("Periods"),
        ),
    ),
    ignored=("Course Description",),
    aliases={**BRITISH, "Term StartDate": ("Term Start Date",), "Term EndDate": ("Term End Date",)},
)


def _role(kind: str) -> Rows:
    return rows(
        "roles",
        userSourcedId=text("SIS ID"),
        status=status("Status"),
        orgSourcedId=text("School SIS ID"),
        role=constant(kind),
    )


PERSON = {
    "sourcedId": text("SIS ID"),
    "status": status("Status"),
    "primaryOrgSourcedId": text("School SIS ID"),
    "username": text("Username"),
    "userIds": user_ids(State="State ID"),
    "givenName": text("First Name"),
    "familyName": text("Last Name"),
    "middleName": text("Middle Name"),
    "email": text("Secondary Email"),
    "password": text("Password"),
}

STUDENT = File(
    "Student",
    needed=True,
    required=("SIS ID", "School SIS ID", "Username"),
    gives=(
        rows(
            "users",
            PERSON,
            identifier=text("Student Number"),
            grades=grades("Grade"),
            agentSourcedIds=digested_each("guardian", "guardianrelationship.Email"),
        ),
        _role("student"),
        rows(
            "demographics",
            where=either("Birthdate", "Gender"),
            sourcedId=text("SIS ID"),
            status=status("Status"),
            birthDate=birth_date("Birthdate"),
            sex=sex("Gender"),
        ),
    ),
    ignored=("Graduation Year", "ELL Status", "Federal Race*", "FederalRace*", *ADDRESS),
    aliases=BRITISH,
    joins=(
        Join(
            "guardianrelationship", on="SIS ID", key="SIS ID", columns=("Email",), all_of_them=True
        ),
    ),
)

TEACHER = File(
    "Teacher",
    needed=True,
    required=("SIS ID", "School SIS ID", "Username"),
    gives=(rows("users", PERSON, identifier=text("Teacher Number")), _role("teacher")),
    ignored=("Title", "Qualification", *ADDRESS),
    aliases=BRITISH,
)


def _in_class(name: str, kind: str) -> File:
    return File(
        name,
        needed=True,
        required=("Section SIS ID", "SIS ID"),
        gives=(
            rows(
                "enrollments",
                classSourcedId=text("Section SIS ID"),
                userSourcedId=text("SIS ID"),
                role=constant(kind),
                status=status("Status"),
            ),
        ),
        aliases=BRITISH,
    )


GUARDIAN = digested("guardian", lowered(text("Email")))

USER = File(
    "user",
    required=("Email",),
    gives=(
        rows(
            "users",
            sourcedId=GUARDIAN,
            givenName=text("First Name"),
            familyName=text("Last Name"),
            email=text("Email"),
            phone=text("Phone"),
            identifier=text("SIS ID"),
        ),
    ),
)

RELATIONSHIP = File(
    "guardianrelationship",
    required=("SIS ID", "Email"),
    gives=(
        rows(
            "roles",
            where=filled("Student.School SIS ID"),
            userSourcedId=GUARDIAN,
            orgSourcedId=text("Student.School SIS ID"),
            role=first(one_of("Role", FAMILY, "roles"), constant("guardian")),
        ),
    ),
    joins=(Join("Student", on="SIS ID", key="SIS ID", columns=("School SIS ID",)),),
)

GONE = tuple(word for word, meaning in STATES.items() if meaning == TOBEDELETED)


def _prepare(frames: Frames, _: ReadingOptions) -> Frames:
    """Set the status of enrollments, which have none in this layout."""
    pairs = [
        pair
        for pair in (("StudentEnrollment", "Student"), ("TeacherRoster", "Teacher"))
        if {*pair, "Section"} <= frames.keys()
    ]
    return frames | {
        name: _with_status(frames[name], frames[people], frames["Section"])
        for name, people in pairs
    }


def _with_status(
    enrollments: pl.DataFrame, people: pl.DataFrame, sections: pl.DataFrame
) -> pl.DataFrame:
    """Make enrollments inactive whose section or person is inactive.

    A person is inactive if all rows in the school of the section are; without a row in that school,
    if all rows anywhere are.
    """
    inactive = (
        pl.col("Status")
        .str.strip_chars()
        .str.to_lowercase()
        .is_in(GONE)
        .fill_null(value=False)
        .all()
    )
    school, person = pl.col("School SIS ID"), pl.col("SIS ID")
    of_section = sections.group_by(person.alias("Section SIS ID")).agg(
        school.first(), inactive.alias("#section")
    )
    in_school = people.group_by(person, school).agg(inactive.alias("#school"))
    anywhere = people.group_by(person).agg(inactive.alias("#anywhere"))
    rows = enrollments.join(of_section, on="Section SIS ID", how="left", maintain_order="left")
    rows = rows.join(in_school, on=["SIS ID", "School SIS ID"], how="left", maintain_order="left")
    rows = rows.join(anywhere, on="SIS ID", how="left", maintain_order="left")
    ended = pl.col("#section") | pl.coalesce("#school", "#anywhere")
    return rows.with_columns(
        Status=pl.when(ended.fill_null(value=False)).then(pl.lit("Inactive")).otherwise("Status")
    ).select(enrollments.columns)


LAYOUT = Layout(
    "sds_v1",
    "Microsoft School Data Sync V1",
    files=(
        SCHOOL,
        SECTION,
        STUDENT,
        TEACHER,
        _in_class("StudentEnrollment", "student"),
        _in_class("TeacherRoster", "teacher"),
        USER,
        RELATIONSHIP,
    ),
    district=True,
    prepare=_prepare,
)
