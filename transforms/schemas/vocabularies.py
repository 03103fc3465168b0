"""Closed and extensible vocabularies of OneRoster 1.2 (CSV Binding, section 4)."""

TOBEDELETED = "tobedeleted"
STATUS = ("active", TOBEDELETED)
SESSION_TYPES = ("gradingPeriod", "semester", "schoolYear", "term")
ORG_TYPES = ("department", "school", "district", "local", "state", "national")
CLASS_TYPES = ("homeroom", "scheduled")
ROLE_TYPES = ("primary", "secondary")
ROLES = (
    "aide", "counselor", "districtAdministrator", "guardian", "parent", "principal", "proctor",
    "relative", "siteAdministrator", "student", "systemAdministrator", "teacher",
)  # fmt: skip
ROLES_1_1 = (
    "administrator",
    "aide",
    "guardian",
    "parent",
    "proctor",
    "relative",
    "student",
    "teacher",
)
CONTACT_ROLES = ("guardian", "parent", "relative")
ENROLLMENT_ROLES = ("administrator", "proctor", "student", "teacher")
SEXES = ("male", "female", "unspecified", "other")
IMPORTANCE = ("primary", "secondary")
SCORE_STATUS = ("exempt", "fully graded", "not submitted", "partially graded", "submitted")
OBJECTIVE_SOURCES = ("case", "unknown")
PREREQUISITE_CRITERIA = ("ALL", "ANY")
LESSON_TYPES = ("powerpath-100", "quiz", "test-out", "placement", "unit-test", "alpha-read-article")
FILE_MODES = ("absent", "bulk", "delta")
