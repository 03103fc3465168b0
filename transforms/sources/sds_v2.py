"""Microsoft School Data Sync, version 2.

Like version 2.1, but users.csv has the schools, role and grade of a person. A drop is no snapshot:
Microsoft does not document this version as one.
"""

from __future__ import annotations

from transforms.layouts import File, Layout, grades, role, rows, text, user_ids
from transforms.sources.sds_v2_1 import (
    ACADEMIC_SESSIONS,
    CLASSES,
    COURSES,
    DEMOGRAPHICS,
    ENROLLMENTS,
    ORGS,
    USER_FLAGS,
)

USERS = File(
    "users",
    needed=True,
    required=("sourcedId", "orgSourcedIds", "username", "role"),
    gives=(
        rows(
            "users",
            sourcedId=text("sourcedId"),
            username=text("username"),
            userIds=user_ids(AD="activeDirectoryMatchId"),
            givenName=text("givenName"),
            familyName=text("familyName"),
            email=text("email"),
            phone=text("phone"),
            sms=text("sms"),
            grades=grades("grade"),
            password=text("password"),
        ),
        rows(
            "roles",
            each="orgSourcedIds",
            userSourcedId=text("sourcedId"),
            role=role("role"),
            orgSourcedId=text("orgSourcedIds"),
        ),
    ),
)

LAYOUT = Layout(
    "sds_v2",
    "Microsoft School Data Sync V2",
    files=(ORGS, ACADEMIC_SESSIONS, COURSES, CLASSES, USERS, ENROLLMENTS, DEMOGRAPHICS, USER_FLAGS),
    district=True,
)
