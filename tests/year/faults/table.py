"""The faults that are planted, each with the layouts in which it can occur and the words in which people must be told."""

from __future__ import annotations

from tests.year.exports import Form
from tests.year.faults import rekeying, selections, spreadsheets, status
from tests.year.faults.fault import Fault

SNAPSHOTS: tuple[Form, ...] = ("bulk", "clever")
ONEROSTER: tuple[Form, ...] = ("bulk", "delta")
NOT_CLEVER: tuple[Form, ...] = ("bulk", "delta", "canvas")
NOT_DELTA: tuple[Form, ...] = ("bulk", "clever", "canvas")
GRADED: tuple[Form, ...] = ("bulk", "delta", "clever")

FAULTS: tuple[Fault, ...] = (
    # Who they are
    Fault("everybody is locked out", status.locked_out, "users", NOT_CLEVER),
    Fault("names shifted by a row", spreadsheets.shifted("given", "family"), "users"),
    Fault("emails shifted by a row", spreadsheets.shifted("email"), "users"),
    Fault("usernames shifted by a row", spreadsheets.shifted("username"), "users"),
    Fault("family names sorted alone", spreadsheets.sorted_alone("family"), "users"),
    Fault("emails sorted alone", spreadsheets.sorted_alone("email"), "users"),
    Fault("names, emails and usernames shifted", spreadsheets.shifted("given", "family", "email", "username", "number"), "users"),
    Fault("names, emails and usernames of a few shifted", spreadsheets.shifted("given", "family", "email", "username", "number", share=0.15), "users"),
    Fault("family names of some sorted alone", spreadsheets.sorted_alone("family", 0.3), "users"),
    Fault("given and family names swapped", spreadsheets.swapped("given", "family"), "users"),
    Fault("everybody has one name", spreadsheets.filled("given", "Anonymous"), "users"),
    Fault("everybody has one username", spreadsheets.filled("username", "student"), "users"),
    Fault("addresses of another domain", spreadsheets.mapped("email", lambda one: one.replace("example.edu", "test.example")), "users"),
    Fault("twelve ids are strangers'", rekeying.strangers, "passed to other", floor=0),
    Fault("one id is a stranger's", rekeying.one_stranger, "passed to other", floor=0),
    Fault("roles swapped", status.roles_swapped, "", NOT_CLEVER),
    Fault("grades shifted by a row", spreadsheets.grades_shifted, "users", GRADED),
    Fault("grades rolled over alone", spreadsheets.next_grade, "users", GRADED),
    Fault("births with day before month", spreadsheets.day_before_month, "demographics", ("bulk",)),
    # Columns
    Fault("the column of emails is renamed", spreadsheets.called("email", "Mail (work)"), "mail", NOT_DELTA),
    Fault("the column of emails is missing", spreadsheets.called("email", None), "mail", NOT_DELTA),
    Fault("the column of emails is blank", spreadsheets.filled("email", ""), "mail"),
    Fault("the column of usernames is blank", spreadsheets.filled("username", ""), ""),
    Fault("the column of identifiers is blank", spreadsheets.filled("number", ""), ""),
    Fault("the column of family names is blank", spreadsheets.filled("family", ""), ""),
    # Seats and classes
    Fault("enrollments ended a month ago", status.ended, "enrollments", ONEROSTER),
    Fault("enrollments moved to other students", status.seats_shifted, "enrollments"),
    Fault("one class has lost all students", status.one_class_emptied, "class", floor=0),
    Fault("each class has lost half of its students", status.classes_emptied, "enrollments"),
    Fault("one teacher in all classes", status.one_teacher_everywhere, "enrollments"),
    Fault("teachers of classes shifted", status.teachers_shifted, "enrollments"),
    Fault("all students in one class", status.all_in_one_class, "enrollments"),
    Fault("titles of classes shifted", spreadsheets.shifted("title"), "classes"),
    Fault("enrollments of last year's classes", selections.enrollments_of_last_year, "enrollments"),
    Fault("two schools swapped", status.schools_swapped, "", GRADED),
    Fault("all students in one school", status.all_in_one_school, "", GRADED),
    Fault("all sessions rejected", spreadsheets.filled("session start", "31.31.2026"), "session", NOT_DELTA),
    # New ids
    Fault("everybody has new ids", rekeying.everybody, "ids.csv"),
    Fault("all but one have new ids", rekeying.everybody_but_one, "ids.csv"),
    Fault("students have new ids", rekeying.students, "ids.csv"),
    Fault("students of a school have new ids", rekeying.one_school, "ids.csv"),
    Fault("one student has a new id", rekeying.one_person, "ids.csv", floor=0),
    Fault("classes have new ids", rekeying.classes, "classes"),
    Fault("enrollments have new ids", rekeying.enrollments, "enrollments", ONEROSTER),
    Fault("schools have new ids", rekeying.schools, "orgs"),
    Fault("every student twice", rekeying.doubled, "users"),
    Fault("ids without zeros", spreadsheets.without_zeros, "zero"),
    Fault("ids without zeros among people alone", spreadsheets.without_zeros_of_people, "zero"),
    Fault("ids in powers of ten", spreadsheets.in_powers_of_ten, "spreadsheet"),
    Fault("ids in powers of ten among people alone", spreadsheets.in_powers_of_ten_of_people, "spreadsheet"),
    # What came, and what did not
    Fault("half of the people missing", selections.half_missing, "users", SNAPSHOTS),
    Fault("half of the enrollments missing", selections.half_of_enrollments_missing, "enrollments", SNAPSHOTS),
    Fault("the staff missing", selections.staff_missing, "", SNAPSHOTS),
    Fault("one school missing", selections.one_school_missing, "0120", SNAPSHOTS),
    Fault("one school empty", selections.one_school_empty, "0120", SNAPSHOTS),
    Fault("one grade alone", selections.one_grade, "users", SNAPSHOTS),
    Fault("a test tenant's few rows", selections.few_rows, "", SNAPSHOTS),
    Fault("another district's export", selections.of_another_district, "users"),
    Fault("another district's export with other ids", selections.of_another_district_with_ids_of_its_own, "users"),
    Fault("last year's export", selections.of_last_year, "", NOT_DELTA),
    Fault("last month's export again", selections.of_a_month_ago, ""),
    Fault("next year's terms alone", selections.of_next_year, "classes", SNAPSHOTS),
    Fault("everybody is marked as deleted", status.marked_deleted("users.csv"), "users", NOT_CLEVER),
    Fault("all enrollments are marked as deleted", status.marked_deleted("enrollments.csv"), "enrollments", NOT_CLEVER),
    Fault("each row twice", selections.rows_doubled, forms=NOT_DELTA, asks=False),
    Fault("old changes after new ones", damage=selections.old_changes, says="older", forms=("delta",)),
    Fault("changes sent again", damage=selections.changes_again, forms=("delta",), asks=False),
    Fault("people cut off", damage=selections.cut(selections.people_file, 0.6), says="ends in the middle", forms=NOT_DELTA),
    Fault("enrollments cut off", damage=selections.cut(lambda _: "enrollments.csv", 0.6), says="ends in the middle", forms=NOT_DELTA),
    Fault("no rows of people", damage=selections.header_alone, says="rows", forms=NOT_DELTA),
    Fault("no bytes of people", damage=selections.no_bytes, says="bytes", forms=NOT_DELTA),
    Fault("no file of enrollments", damage=selections.without_file("enrollments.csv"), says="enrollments", forms=SNAPSHOTS),
)  # fmt: skip
