"""The faults that are planted, each with the layouts in which it can occur and the words that the messages to people must have."""

from __future__ import annotations

from datetime import timedelta

from tests.year.calendar import SUMMER
from tests.year.exports import Form
from tests.year.faults import rekeying, selections, spreadsheets, status
from tests.year.faults.fault import Fault
from transforms.guard import GuardLimits

SNAPSHOTS: tuple[Form, ...] = ("bulk", "clever")
ONEROSTER: tuple[Form, ...] = ("bulk", "delta")
NOT_CLEVER: tuple[Form, ...] = ("bulk", "delta", "canvas")
NOT_DELTA: tuple[Form, ...] = ("bulk", "clever", "canvas")
GRADED: tuple[Form, ...] = ("bulk", "delta", "clever")

# Words of the messages to people: about whom, about new ids, about rows that cannot be read.
PEOPLE, SEATS, NEW_IDS = (
    "students|users|people|sourcedId differ",
    "enrollments|class",
    "under new ids|ids.csv",
)
SPOILED = "zero|no record of the drop|no role|rounded an id|under new ids|differ|id has characters|demographics were rejected"
# So many may be in another school before anybody is asked (docs/guard.md).
MOVED = GuardLimits().moved_records
# The last night for faults that are none in the summer: its sessions have ended, and next year's
# terms alone are the rollover, some days early.
IN_TERM = SUMMER - timedelta(days=7)

FAULTS: tuple[Fault, ...] = (
    # Who they are
    Fault("everybody is locked out", status.locked_out, PEOPLE, NOT_CLEVER),
    Fault("names shifted by a row", spreadsheets.shifted("given", "family"), PEOPLE),
    Fault("emails shifted by a row", spreadsheets.shifted("email"), PEOPLE, often=False),
    Fault("usernames shifted by a row", spreadsheets.shifted("username"), PEOPLE, often=False),
    Fault("family names sorted alone", spreadsheets.sorted_alone("family"), PEOPLE),
    Fault("emails sorted alone", spreadsheets.sorted_alone("email"), PEOPLE, often=False),
    Fault("names, emails and usernames shifted", spreadsheets.shifted("given", "family", "email", "username", "number"), PEOPLE),
    Fault("names, emails and usernames of a few shifted", spreadsheets.shifted("given", "family", "email", "username", "number", share=0.15), PEOPLE),
    Fault("family names of some sorted alone", spreadsheets.sorted_alone("family", 0.3), PEOPLE, often=False),
    Fault("given and family names swapped", spreadsheets.swapped("given", "family"), PEOPLE, often=False),
    Fault("everybody has one name", spreadsheets.filled("given", "Anonymous"), PEOPLE, often=False),
    Fault("everybody has one username", spreadsheets.filled("username", "student"), PEOPLE),
    Fault("addresses of another domain", spreadsheets.mapped("email", lambda one: one.replace("example.edu", "test.example")), PEOPLE, often=False),
    Fault("twelve ids are strangers'", rekeying.strangers, "passed to other", floor=0),
    Fault("one id is a stranger's", rekeying.one_stranger, "passed to other", floor=0),
    Fault("roles swapped", status.roles_swapped, "", NOT_CLEVER, often=False),
    Fault("grades sorted alone", spreadsheets.sorted_alone("grade"), PEOPLE, GRADED),
    Fault("grades shifted by a row", spreadsheets.grades_shifted, PEOPLE, GRADED),
    Fault("grades rolled over alone", spreadsheets.next_grade, PEOPLE, GRADED, often=False),
    Fault("births with day before month", spreadsheets.day_before_month, "birthDate", ("bulk",)),
    Fault("parents are other students'", status.parents_shifted, PEOPLE, GRADED),
    # Columns
    Fault("the column of emails is renamed", spreadsheets.called("email", "Mail (work)"), "mail", NOT_DELTA),
    Fault("the column of emails is missing", spreadsheets.called("email", None), "mail", NOT_DELTA, often=False),
    Fault("the column of emails is blank", spreadsheets.filled("email", ""), "mail"),
    Fault("the column of usernames is blank", spreadsheets.filled("username", ""), "", often=False),
    Fault("the column of identifiers is blank", spreadsheets.filled("number", ""), "", often=False),
    Fault("the column of family names is blank", spreadsheets.filled("family", ""), ""),
    # Seats and classes
    Fault("enrollments ended a month ago", status.ended, "enrollments", ONEROSTER),
    Fault("enrollments moved to other students", status.seats_shifted, "enrollments"),
    Fault("one class has lost all students", status.one_class_emptied, "class", floor=0),
    Fault("each class has lost half of its students", status.classes_emptied, "enrollments", often=False),
    Fault("one teacher in all classes", status.one_teacher_everywhere, "enrollments"),
    Fault("teachers of classes shifted", status.teachers_shifted, "enrollments"),
    Fault("all students in one class", status.all_in_one_class, SEATS),
    Fault("titles of classes shifted", spreadsheets.shifted("title"), "classes", often=False),
    Fault("enrollments of last year's classes", selections.enrollments_of_last_year, "enrollments"),
    Fault("two schools swapped", status.schools_swapped, "", GRADED, floor=MOVED),
    Fault("all students in one school", status.all_in_one_school, "", GRADED, often=False),
    Fault("all sessions have ended", status.sessions_ended, "session|Session|classes: .* would be ended", often=False, until=IN_TERM),
    Fault("all sessions rejected", spreadsheets.filled("session start", "31.31.2026"), "session", NOT_DELTA),
    # New ids
    Fault("everybody has new ids", rekeying.everybody, NEW_IDS),
    Fault("all but one have new ids", rekeying.everybody_but_one, NEW_IDS, often=False),
    Fault("students have new ids", rekeying.students, NEW_IDS),
    Fault("students of a school have new ids", rekeying.one_school, NEW_IDS, often=False),
    Fault("one student has a new id", rekeying.one_person, NEW_IDS, floor=0),
    Fault("classes have new ids", rekeying.classes, "classes"),
    Fault("enrollments have new ids", rekeying.enrollments, "enrollments", ONEROSTER),
    Fault("schools have new ids", rekeying.schools, "orgs|School", often=False),
    Fault("every student twice", rekeying.doubled, PEOPLE),
    Fault("ids without zeros", spreadsheets.without_zeros, SPOILED),
    Fault("ids without zeros among people alone", spreadsheets.without_zeros_of_people, SPOILED, often=False),
    Fault("ids in powers of ten", spreadsheets.in_powers_of_ten, SPOILED, often=False),
    Fault("ids in powers of ten among people alone", spreadsheets.in_powers_of_ten_of_people, SPOILED),
    # What came, and what did not
    Fault("half of the people missing", selections.half_missing, PEOPLE, SNAPSHOTS),
    Fault("half of the enrollments missing", selections.half_of_enrollments_missing, "enrollments", SNAPSHOTS, often=False),
    Fault("the staff missing", selections.staff_missing, "staff.csv", ("clever",), often=False),
    Fault("one school missing", selections.one_school_missing, "School", SNAPSHOTS),
    Fault("one school empty", selections.one_school_empty, "School|vanished", SNAPSHOTS, often=False),
    Fault("one grade alone", selections.one_grade, PEOPLE, SNAPSHOTS),
    Fault("a test tenant's few rows", selections.few_rows, "", SNAPSHOTS),
    Fault("another district's export", selections.of_another_district, PEOPLE),
    Fault("another district's export with other ids", selections.of_another_district_with_ids_of_its_own, "orgs|users", often=False),
    Fault("last year's export", selections.of_last_year, "", NOT_DELTA),
    Fault("last month's export again", selections.of_a_month_ago, forms=NOT_DELTA, asks=False, often=False),
    Fault("next year's terms alone", selections.of_next_year, "classes", SNAPSHOTS, until=IN_TERM),
    Fault("everybody is marked as deleted", status.marked_deleted("users.csv"), PEOPLE, NOT_CLEVER),
    Fault("all enrollments are marked as deleted", status.marked_deleted("enrollments.csv"), "enrollments", NOT_CLEVER, often=False),
    Fault("each row twice", selections.rows_doubled, forms=NOT_DELTA, asks=False),
    Fault("old changes after new ones", damage=selections.old_changes, forms=("delta",), asks=False, floor=0),
    Fault("changes sent again", damage=selections.changes_again, forms=("delta",), asks=False, often=False),
    Fault("people cut off", damage=selections.cut(selections.people_file, 0.6), says="ends in the middle|cannot be used", forms=NOT_DELTA),
    Fault("enrollments cut off", damage=selections.cut(lambda _: "enrollments.csv", 0.6), says="ends in the middle|cannot be used", forms=NOT_DELTA, often=False),
    Fault("no rows of people", damage=selections.header_alone, says="no rows|such records", forms=SNAPSHOTS),
    Fault("no bytes of people", damage=selections.no_bytes, says="bytes|cannot be used", forms=NOT_DELTA, often=False),
    Fault("no file of enrollments", damage=selections.without_file("enrollments.csv"), says="enrollments", forms=SNAPSHOTS, often=False),
)  # fmt: skip
