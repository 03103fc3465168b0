"""Clever SFTP, to version 2.1.1.

A drop is a full snapshot. Teachers and students have a row for each of their schools; students also
have a row for each of their contacts. Source: Clever's help pages and SFTP instructions.
"""

from __future__ import annotations

from transforms.layouts import (
    File,
    Layout,
    Rows,
    birth_date,
    constant,
    day_after,
    derived,
    digested,
    either,
    family_name,
    filled,
    first,
    given,
    given_name,
    grades,
    iso_date,
    joined,
    lowered,
    one_of,
    races,
    role,
    rows,
    sex,
    text,
    texts,
    user_ids,
    yes_no,
)
from transforms.layouts.expressions import where_several
from transforms.layouts.vocabulary import FAMILY

# Sensitive, or not needed in a roster: never read.
NEEDS = ("Frl_status", "IEP_status", "Ell_status", "Home_language", "Section_504_status")
ADDRESS = ("Student_street", "Student_city", "Student_state", "Student_zip")
EXTENSIONS = ("ext.*",)
GRADUATION = (
    "Graduation_year",
    "Weighted_gpa",
    "Unweighted_gpa",
    "Disability_code",
    "Disability_type",
)

SCHOOLS = File(
    "schools",
    needed=True,
    required=("School_id", "School_name"),
    gives=(
        rows(
            "orgs",
            {"metadata.stateId": text("State_id"), "metadata.ncesId": text("Nces_id")},
            sourcedId=text("School_id"),
            name=text("School_name"),
            type=constant("school"),
            identifier=first(text("School_number"), text("State_id")),
        ),
    ),
    ignored=(
        "Low_grade", "High_grade", "Principal", "Principal_email", "School_address", "School_city",
        "School_state", "School_zip", "School_phone", *EXTENSIONS,
    ),
)  # fmt: skip

# A student or a teacher may have the same id as a contact, so contacts get ids of their own kind.
# Names and email addresses become digests.
CONTACT = first(
    derived("contact", text("Contact_sis_id")),
    digested("contact", lowered(text("Contact_email")), text("Contact_name"), needs=1),
    digested("contact", text("Student_id"), text("Contact_name")),
)
IS_CONTACT = either("Contact_sis_id", "Contact_email", "Contact_name")

STUDENTS = File(
    "students",
    needed=True,
    required=("School_id", "Student_id"),
    gives=(
        rows(
            "users",
            sourcedId=text("Student_id"),
            primaryOrgSourcedId=text("School_id"),
            username=text("Username"),
            userIds=user_ids(State="State_id"),
            givenName=text("First_name"),
            familyName=text("Last_name"),
            middleName=text("Middle_name"),
            identifier=text("Student_number"),
            email=text("Student_email"),
            agentSourcedIds=CONTACT,
            grades=grades("Grade"),
            password=text("Password"),
        ),
        rows(
            "roles",
            userSourcedId=text("Student_id"),
            orgSourcedId=text("School_id"),
            role=constant("student"),
        ),
        rows(
            "users",
            where=IS_CONTACT,
            repeats=True,
            sourcedId=CONTACT,
            givenName=given_name("Contact_name"),
            familyName=family_name("Contact_name"),
            email=text("Contact_email"),
            phone=text("Contact_phone"),
            primaryOrgSourcedId=text("School_id"),
        ),
        rows(
            "roles",
            where=IS_CONTACT,
            userSourcedId=CONTACT,
            orgSourcedId=text("School_id"),
            role=first(one_of("Contact_relationship", FAMILY, "roles"), constant("guardian")),
        ),
        rows(
            "demographics",
            races("Race")
            | {
                "hispanicOrLatinoEthnicity": first(
                    yes_no("Hispanic_Latino"), races("Race")["hispanicOrLatinoEthnicity"]
                )
            },
            sourcedId=text("Student_id"),
            birthDate=birth_date("DOB"),
            sex=sex("Gender"),
        ),
    ),
    ignored=("Contact_type", "Contact_phone_type", *NEEDS, *ADDRESS, *GRADUATION, *EXTENSIONS),
    aliases={"DOB": ("Dob", "Date_of_birth")},
)

TEACHERS = File(
    "teachers",
    needed=True,
    required=("School_id", "Teacher_id"),
    gives=(
        rows(
            "users",
            sourcedId=text("Teacher_id"),
            primaryOrgSourcedId=text("School_id"),
            username=text("Username"),
            userIds=user_ids(State="State_teacher_id"),
            givenName=text("First_name"),
            familyName=text("Last_name"),
            middleName=text("Middle_name"),
            identifier=text("Teacher_number"),
            email=text("Teacher_email"),
            password=text("Password"),
        ),
        rows(
            "roles",
            userSourcedId=text("Teacher_id"),
            orgSourcedId=text("School_id"),
            role=constant("teacher"),
        ),
    ),
    ignored=("Title", *EXTENSIONS),
)

STAFF = File(
    "staff",
    required=("School_id", "Staff_id"),
    gives=(
        rows(
            "users",
            sourcedId=text("Staff_id"),
            primaryOrgSourcedId=text("School_id"),
            username=text("Username"),
            givenName=text("First_name"),
            familyName=text("Last_name"),
            email=text("Staff_email"),
            password=text("Password"),
        ),
        rows(
            "roles",
            userSourcedId=text("Staff_id"),
            orgSourcedId=text("School_id"),
            role=first(role("Role"), constant("siteAdministrator")),
        ),
    ),
    ignored=("Title", "Department", *EXTENSIONS),
)

# If a school uses one number for several courses, number and name identify the course.
OTHER_NAME = where_several(text("Course_name"), text("School_id"), text("Course_number"))
COURSE = first(
    derived("course", text("School_id"), text("Course_number"), OTHER_NAME, needs=2),
    derived("course-named", text("School_id"), text("Course_name")),
    derived("course-of", text("School_id"), text("Section_id")),
)
TERM_DAYS = ("Term_start", "Term_end")
TERM = derived(
    "term", first(text("Term_name"), constant("Term")), iso_date("Term_start"), iso_date("Term_end")
)


def _teacher(column: str, primary: str) -> Rows:
    return rows(
        "enrollments",
        given=column,
        classSourcedId=text("Section_id"),
        userSourcedId=text(column),
        role=constant("teacher"),
        primary=constant(primary),
    )


SECTIONS = File(
    "sections",
    needed=True,
    required=("School_id", "Section_id", "Teacher_id"),
    gives=(
        rows(
            "academicSessions",
            where=filled(*TERM_DAYS),
            derived=True,
            sourcedId=TERM,
            title=first(text("Term_name"), constant("Term")),
            type=constant("term"),
            startDate=iso_date("Term_start"),
            endDate=day_after(iso_date("Term_end")),
        ),
        rows(
            "courses",
            derived=True,
            sourcedId=COURSE,
            title=first(
                text("Course_name"), text("Course_number"), text("Name"), text("Section_id")
            ),
            courseCode=text("Course_number"),
            orgSourcedId=text("School_id"),
            subjects=texts("Subject"),
        ),
        rows(
            "classes",
            sourcedId=text("Section_id"),
            title=first(
                text("Name"), joined(text("Course_name"), text("Period")), text("Section_number")
            ),
            grades=grades("Grade"),
            courseSourcedId=COURSE,
            classCode=text("Section_number"),
            schoolSourcedId=text("School_id"),
            termSourcedIds=given(TERM, *TERM_DAYS),
            subjects=texts("Subject"),
            periods=texts("Period"),
        ),
        _teacher("Teacher_id", "true"),
        *(_teacher(f"Teacher_{number}_id", "false") for number in range(2, 11)),
    ),
    ignored=("Course_description", *EXTENSIONS),
)

ENROLLMENTS = File(
    "enrollments",
    needed=True,
    required=("School_id", "Section_id", "Student_id"),
    gives=(
        rows(
            "enrollments",
            classSourcedId=text("Section_id"),
            userSourcedId=text("Student_id"),
            schoolSourcedId=text("School_id"),
            role=constant("student"),
        ),
    ),
    ignored=EXTENSIONS,
)

LAYOUT = Layout(
    "clever",
    "Clever SFTP",
    files=(SCHOOLS, STUDENTS, TEACHERS, STAFF, SECTIONS, ENROLLMENTS),
    snapshot=True,
    district=True,
)
