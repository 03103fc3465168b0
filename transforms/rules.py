"""Every rule for a drop: how severe a violation is, what it means, and what to do next.

Severities:
- `fatal` refuses a file. It refuses the drop if the drop needs the file, or if no file is named.
- `error` rejects a row.
- `warning` reports a lenient reading, or a value that was left out.
- `note` informs.

Source: OneRoster 1.2 CSV Binding; reference sections 5 and 5.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["fatal", "error", "warning", "note"]
Judge = Literal["standard", "target"]


@dataclass(frozen=True)
class Rule:
    """One rule."""

    code: str
    severity: Severity
    says: str  # completes the sentence "in FILE, column COLUMN: ..."
    fix: str  # the next step
    strict: Severity | None = None  # the severity under `--strict`, where it differs
    judges: Judge = "standard"  # who objects: the standard, or only the target

    def severity_when(self, strict: bool) -> Severity:
        """Return the severity of a violation, with or without `--strict`."""
        return self.strict if strict and self.strict else self.severity


# Rules that a row breaks because of another row. Reports list the root causes first, and only root
# causes count against a file.
CONSEQUENCES = frozenset(
    {"parent_rejected", "part_rejected", "reference_left_out", "target_parent", "outdated"}
)

_DROP = (
    Rule("drop_unreadable", "fatal", "the drop cannot be opened", "Send it again, as a folder or a zip."),
    Rule("drop_incomplete", "fatal", "the drop has not arrived completely", "Wait until the upload has ended, and run again. [arrival] in the feed file says how a complete drop is recognized."),
    Rule("drop_again", "note", "the roster is, to the last cell, the one that an earlier run accepted", "If you expected changes, check the rejects, and whether the export is current."),
    Rule("drop_spread", "warning", "files of the drop were written far apart, and may come from different exports", "Check whether every file was exported again."),
    Rule("drop_empty", "fatal", "the drop has no data rows at all", "Find out why the export is empty, and export again."),
    Rule("zip_encrypted", "fatal", "the zip is encrypted", "Export it without a password."),
    Rule("zip_unsafe", "fatal", "the zip has a member that is not safe to read", "Find out who made this zip before you use it."),
    Rule("zip_too_large", "fatal", "the zip unpacks to more than the limit", "Check the export. If it is right, raise the limit."),
    Rule("zip_nested", "fatal", "the files are deeper than one folder, or there is a zip inside the zip", "Put the CSV files at the top of the zip."),
    Rule("zip_damaged", "fatal", "the zip is damaged or cut short", "Wait until the upload has ended, and send it again."),
    Rule("file_twice", "fatal", "two files have this name, or names that differ only in case", "Keep one of them in the drop, and none in a zip beside it."),
    Rule("reference_gone", "warning", "records of earlier drops had not reached the target, and refer to records that have left the roster since: they were sent without these references or, if they need them, not at all", "Send these records again as they are now."),
    Rule("arrears", "note", "records of earlier drops had not reached the target, and were sent with these", "No action needed. The reports of earlier nights have the reason."),
    Rule("ids_unclear", "fatal", "the file of old and new ids cannot be used", "Write one line for each id: old,new."),
    Rule("ids_taken", "fatal", "the new id of a record belongs to another record, which the target holds as well", "If the source merged the two, remove the line, and the old record leaves as others do. If not, correct the id."),
    Rule("setting_idle", "fatal", "the feed file has a setting under [source] that does nothing in this layout", "Correct the feed file."),
    Rule("ids_renamed", "note", "ids of the drop were changed back to the ones that the target knows", "Keep that file in place as long as the source uses the new ids."),
    Rule("ids_changed", "note", "the source replaced ids; the target keeps the old ones", "No action needed: the ledger remembers them from now on."),
    Rule("id_given_up", "warning", "a row has an id that another record had before; the row is rejected, because the target knows the other record by it", "Give the new record an id that nobody had before."),
    Rule("wrapper_folder", "warning", "the files are in a folder inside the zip", "Zip the files themselves, not their folder.", strict="fatal"),
    Rule("unknown_file", "warning", "the file does not belong to this layout and was not read", "Remove it, or name it as the layout does. If the records that it holds are needed, describe it in a mapping file: `roster map DROP`.", strict="fatal"),
    Rule("layout_recognised", "note", "the layout was recognized", "To be sure of it, write it as `layout` in the feed file."),
    Rule("layout_unknown", "fatal", "the drop matches no known layout", "Name the layout in the feed file, or write a mapping for your own: `roster map DROP`."),
    Rule("layout_unclear", "fatal", "two layouts fit the drop", "Name the right one as `layout` in the feed file."),
    Rule("layout_file_missing", "fatal", "a file that the layout needs is missing or cannot be used", "Send every file of the layout each time."),
    Rule("file_gone", "warning", "a file or column of earlier drops is missing or empty; records that disappear with it are on hold until someone approves", "Find out why it is missing. If it will not come back, name it in `without` under [source]."),
    Rule("id_claimed", "warning", "another feed of this target has sent records with the same ids", "No action needed if both mean the same records: [shared] says whose values win. Otherwise give one of the feeds a `prefix` under [source]."),
    Rule("file_alone", "warning", "the file describes records of another file that is not in the drop; it changed nothing", "Send both files in one drop."),
    Rule("file_name", "warning", "the file's name was read leniently", "Name it exactly as the standard does.", strict="fatal"),
    Rule("not_csv", "fatal", "the file is not a CSV file", "Export it as CSV, in UTF-8."),
    Rule("file_blank", "fatal", "the file has no bytes, or no header", "Export it again."),
    Rule("bad_encoding", "fatal", "the bytes are not UTF-8, and no other declared encoding fits", "Export as UTF-8, or set `encoding` in the feed file."),
    Rule("encoding_fallback", "warning", "the bytes are not UTF-8 and were read as Windows-1252", "Export as UTF-8, or set `encoding` in the feed file.", strict="fatal"),
    Rule("utf16", "warning", "the file is UTF-16 and was converted", "Export as UTF-8.", strict="fatal"),
    Rule("line_ends", "warning", "the lines end in a lone CR, or in several ways, and were normalized", "End each line with CR LF."),
    Rule("delimiter", "warning", "the cells are not separated by commas; the separator was recognized", "Export with commas.", strict="fatal"),
    Rule("delimiter_unclear", "fatal", "it is not clear which character separates the cells", "Export with commas."),
    Rule("no_header", "fatal", "the first line looks like data, not like a header", "Export with a header line."),
    Rule("header_twice", "fatal", "two columns have the same name", "Keep one of the two columns in the file."),
    Rule("header_repeated", "warning", "a column has the name of another one and no values, and was left out", "Remove it.", strict="fatal"),
    Rule("header_blank", "warning", "columns without a name and without data were ignored", "Remove the trailing separators.", strict="fatal"),
    Rule("unnamed_cell", "error", "a cell is in a column without a name", "Name the column, or remove the cell."),
    Rule("ragged_row", "error", "the row has more or fewer cells than the header", "Quote cells that hold a comma; write every cell."),
    Rule("row_padded", "warning", "rows had no blank cells at their end; they were added", "Write every cell, blank ones too.", strict="error"),
    Rule("quote_damaged", "error", "a quoted cell does not end where it should", "Double each quote inside a quoted cell."),
    Rule("quote_stray", "warning", "a quote stands inside an unquoted cell and was kept", "Quote the cell, and double the quote.", strict="error"),
    Rule("file_truncated", "fatal", "the file ends in the middle of a row", "Wait until the upload has ended, and send it again."),
    Rule("quote_unclosed", "fatal", "a damaged row runs over several lines, and it is not certain where rows begin", "Close the quoted cell in that line, or double the quotes inside it."),
    Rule("control_character", "error", "a cell holds a NUL or another control character", "Remove the character."),
    Rule("line_break_in_cell", "warning", "line breaks inside cells were replaced by spaces", "Export cells without line breaks.", strict="error"),
    Rule("blank_line", "warning", "blank lines were skipped", "Remove them.", strict="fatal"),
    Rule("mojibake", "warning", "text looks damaged by a wrong conversion, and was not changed", "Check the encoding at the source."),
    Rule("apostrophes", "warning", "every value is wrapped in apostrophes, which were removed", "Export without apostrophes.", strict="error"),
)  # fmt: skip

_MANIFEST = (
    Rule("manifest_missing", "warning", "manifest.csv is missing; the drop was read without it, and no missing record counts as vanished", "Add a manifest.", strict="fatal"),
    Rule("manifest_header", "warning", "the manifest's header is not `propertyName,value`", "Write it exactly like this.", strict="fatal"),
    Rule("manifest_version", "fatal", "the manifest names a version that is not 1.1, 1.2 or 1.2.1", "Check `oneroster.version`."),
    Rule("manifest_version_spelling", "warning", "`manifest.version` is not `1.0`", "Write `1.0`; spreadsheets turn it into `1`.", strict="fatal"),
    Rule("manifest_property", "warning", "the manifest has a property that the standard does not know", "Check its spelling.", strict="fatal"),
    Rule("manifest_property_missing", "warning", "the manifest does not have a property that the standard requires", "Add it; write `absent` if there is no such file.", strict="fatal"),
    Rule("manifest_property_twice", "fatal", "the manifest has one property twice, with different values", "Keep one."),
    Rule("manifest_mode", "fatal", "the manifest's mode is not `absent`, `bulk` or `delta`", "Write one of the three."),
    Rule("manifest_mode_blank", "warning", "the manifest gives no mode for a file", "Write `absent`, `bulk` or `delta`.", strict="fatal"),
    Rule("manifest_file_missing", "fatal", "the manifest lists the file, but the drop does not have it", "Add the file, or write `absent`."),
    Rule("manifest_file_unexpected", "warning", "the manifest says `absent`, or nothing, about a file that is in the drop; it was read, and no missing record counts as vanished", "Write `bulk` or `delta`.", strict="fatal"),
)  # fmt: skip

_HEADER = (
    Rule("header_renamed", "warning", "a column was read under a different name", "Name it exactly as the standard does.", strict="fatal"),
    Rule("header_order", "warning", "the columns are not in the standard's order", "Write them in order, metadata columns last.", strict="fatal"),
    Rule("header_missing", "fatal", "a required column is missing", "Add the column."),
    Rule("header_optional_missing", "warning", "an optional column is missing and was taken as blank", "Add the column.", strict="fatal"),
    Rule("header_unknown", "warning", "a column does not belong to this layout, and was not read", "Correct its name or remove it; OneRoster keeps it as `metadata.<name>`.", strict="fatal"),
    Rule("header_version", "warning", "a column belongs to another version of the standard, and was read", "Check `oneroster.version` in the manifest.", strict="fatal"),
    Rule("column_ignored", "note", "columns of this layout that have no place in a roster were not read", "No action needed."),
    Rule("district_made", "note", "these files have no district record, so roster created one", "To use a different one, set `name` and `id` under [source.district] in the feed file."),
    Rule("year_made", "note", "these files have no school years, so roster created them", "To use different ones, set `school_year` or `year_begins` under [source] in the feed file."),
    Rule("secrets_dropped", "note", "passwords were discarded as soon as they were read", "Leave passwords out of the export."),
    Rule("no_rows", "warning", "the file has a header and no rows; none of its records counts as vanished", "Declare it `absent`, or find out why it is empty.", strict="fatal"),
    Rule("no_rows_optional", "note", "the file has a header and no rows, and no roster needs it", "No action needed, or declare it `absent`.", strict="fatal"),
    Rule("collection_unread", "fatal", "the collection could not be read to its end", "Find out why the source refused it, and run again."),
    Rule("collection_unshared", "warning", "the source does not share the collection with this client; it was not read, and none of its records counts as vanished", "No action needed if you can do without it. Otherwise ask whoever runs the source for access, or leave it out of `collections` under [rest]."),
    Rule("record_unlisted", "warning", "no page of the collection had these records; the source returned them by id, so they were read that way", "No action needed if they are to stay. The source's operator can say why the pages do not have them. For a record that has left, the source must answer `tobedeleted` or HTTP 404."),
    Rule("property_unread", "warning", "a property of the source has no column, and was not read", "No action needed, unless you need it: then ask the source for it under `metadata`."),
    Rule("reference_flat", "warning", "references came as ids alone, under the names that files have for them, and were read", "No action needed. OneRoster's JSON has an object here: `class` with a `sourcedId`."),
    Rule("date_with_time", "warning", "days came as timestamps, and were read as days in the feed's time zone", "No action needed if `time_zone` in the feed file is right. The standard has dates here: YYYY-MM-DD."),
    Rule("json_form", "error", "a property of a record does not have the standard's form", "Correct the record at the source."),
    Rule("emptied", "fatal", "the file has no rows, but its rows were loaded before", "Find out why the export is empty, and export again."),
)  # fmt: skip

_CELL = (
    Rule("required", "error", "a required value is missing", "Fill it in at the source."),
    Rule("guid", "error", "an id has characters that ids may not have", "Use only letters, digits and . - _ / @, or set `escape_ids = true` under [source]: it writes each other character as `@` and its hexadecimal code."),
    Rule("no_id", "error", "a cell that should be an id is none, or is too long", "Export the id itself, as text, with 255 characters at most."),
    Rule("vocabulary", "error", "a value is not in the vocabulary", "Use a value of the standard, or an `ext:` value where it allows them."),
    Rule("boolean", "error", "a value is neither `true` nor `false`", "Write `true` or `false`."),
    Rule("date", "error", "a value is not a date", "Write dates as YYYY-MM-DD."),
    Rule("date_order", "error", "a date has its day and month in an order that is not the declared one, or that is not certain", "Set `date_order` under [source] to the order that the file has, `mdy` or `dmy`, or write dates as YYYY-MM-DD."),
    Rule("date_read", "warning", "dates were read in another form than YYYY-MM-DD", "Write dates as YYYY-MM-DD, or set `date_order` under [source], so that the order is always certain."),
    Rule("datetime", "error", "a value is not a date and time in UTC", "Write them as 2026-11-23T18:25:43.511Z."),
    Rule("year", "error", "a value is not a year", "Write years as YYYY."),
    Rule("integer", "error", "a value is not a whole number", "Write it in digits."),
    Rule("fraction", "warning", "a whole number of the CSV binding is a fraction, as the REST binding allows it, and was read", "No action needed if it is right.", strict="error"),
    Rule("number", "error", "a value is not a number", "Write it in digits, with a point."),
    Rule("list", "error", "a list has a blank item", "Separate items by one comma."),
    Rule("user_ids", "error", "an item is not of the form `{type:id}`", "Write `{LDAP:12},{LTI:15}`."),
    Rule("score_scale", "error", "an item is not of the form `{label:value}`", "Write `{A:94},{B:84}`."),
    Rule("spreadsheet_date", "warning", "a spreadsheet turned ranges of grades into dates", "Export again, and don't open the file in Excel first, or set `repair = true` under [source].", strict="error"),
    Rule("spreadsheet_number", "error", "a spreadsheet rounded an id, and its digits are lost", "Export again, and don't open the file in Excel first."),
    Rule("spreadsheet_mended", "warning", "values that a spreadsheet had damaged were repaired", "Export again, and don't open the file in Excel first.", strict="error"),
    Rule("zeros_differ", "warning", "references differ from the ids of their records only by leading zeros", "Export ids as text in every file, or set `repair = true` under [source].", strict="error"),
    Rule("described_twice", "warning", "rows describe one record differently; one of them was used, and always will be", "Find out which one is right."),
    Rule("deleted_and_kept", "warning", "a row deletes a record that an earlier row keeps; the record stays", "Keep one of the two rows."),
    Rule("person_differs", "warning", "rows of one person have different values; one of them was used, and always will be", "Find out which one is right."),
    Rule("several_grades", "warning", "people have several grades, and all of them are sent", "Find out which one is right."),
    Rule("completed_undated", "warning", "enrollments are completed, and no date says since when, so they have no end", "Export `end_date` of the enrollment, its section, its course or its term. To take these people out of the class, write `deleted`."),
    Rule("one_name", "warning", "people have one name only; it was used as given name and as family name, because both are required", "No action needed if this is their whole name. Otherwise fill in the other one at the source."),
    Rule("ids_escaped", "note", "ids have characters that ids in OneRoster must not have; each of these is written as `@` and its hexadecimal code", "No action needed."),
    Rule("ids_apart", "note", "people have the id of another person in another file; the name of their own file is written before it", "No action needed. If they, and not the others, are to keep the ids, name the file of the others in `set_apart` under [source]."),
    Rule("id_of_two", "warning", "two people have one id, and the target has it under a third name, so neither is loaded", "Name the file whose people are to get other ids in `set_apart` under [source]."),
    Rule("term_undated", "warning", "terms without dates got the dates of the current school year", "If these are not right, write the dates of each term."),
    Rule("zone_missing", "warning", "timestamps are in UTC, and the feed file names no time zone, so their days are those of UTC", "Set `time_zone` in the feed file to the time zone of the schools."),
    Rule("link_nowhere", "warning", "rows that link a person to another were ignored, because the drop does not have the person", "Send the person too, or remove the link."),
    Rule("term_missing", "warning", "these classes have no term dates, so they were placed in the current school year", "Export the terms with their first and last days. For another year, set `school_year` under [source]."),
    Rule("role_from_class", "note", "this layout has no certain roles in organizations, so people got the ones that they have in classes", "No action needed."),
    Rule("title_of_course", "warning", "classes have no title, and got the one of their course", "No action needed if this is correct."),
    Rule("school_of_class", "warning", "an enrollment names another school than its class does; the school of the class was used", "Correct one of the two."),
    Rule("decimal_ids", "warning", "every id of the column was written as a decimal number; the `.0` was removed", "Export ids as text."),
    Rule("respelled", "warning", "values were read in another spelling than the standard's", "Write them exactly as the standard does."),
    Rule("padded", "warning", "spaces around values were removed", "Export without padding."),
    Rule("null_words", "warning", "words such as NULL or N/A were read as blank", "Leave the cell blank."),
    Rule("status_in_bulk", "note", "a bulk file fills `status` or `dateLastModified`, which were not needed", "No action needed. The standard leaves both blank in bulk files.", strict="error"),
    Rule("deleted_in_bulk", "warning", "rows of a bulk file say `tobedeleted`; their records count as missing", "No action needed if these records are to go. Otherwise clear `status` in these rows."),
    Rule("delta_required", "error", "a delta row does not have `status` or `dateLastModified`", "Fill both in delta files."),
    Rule("outdated", "error", "the row is older, by its `dateLastModified`, than the accepted version of the same record; the newer version stays", "No action needed if the drop came late. If the older version is right, change the record at the source, or replay the drop: roster backfill --force."),
    Rule("duplicate", "warning", "rows were in the file more than once, equal in every cell that is read, and were merged", "Export each row once.", strict="error"),
    Rule("conflict", "error", "rows with the same sourcedId have different values; none of them was loaded", "Find out which one is right; ids must be unique."),
    Rule("period_empty", "warning", "a period ends before it begins, or on the same day", "Check the two dates; the end is exclusive."),
    Rule("subject_codes_length", "warning", "subjects and subjectCodes differ in length", "Write one code for each subject.", strict="error"),
    Rule("primary_not_teacher", "warning", "`primary` is set for someone who is not a teacher", "Set it for teachers only."),
    Rule("score_range", "error", "the lowest score is above the highest", "Check the two scores."),
    Rule("case_id", "error", "the id of a CASE objective is not a UUID URN", "Write `urn:uuid:...`."),
)  # fmt: skip

_REFERENCES = (
    Rule("dangling", "error", "a required reference points to an id that is not in this export or any earlier one", "Send the record that it points to, or correct the id."),
    Rule("parent_deleted", "error", "a required reference points to a record that this export deletes", "Delete this record too, or keep the other one."),
    Rule("dangling_optional", "warning", "an optional reference points to an id that is not in this export or any earlier one, and was left out", "Send the record that it points to, or correct the id.", strict="error"),
    Rule("near_miss", "note", "a reference points to an id that does not exist, but one with nearly the same id does", "If the same record is meant, correct the id on one of the two sides."),
    Rule("wrong_type", "warning", "this id belongs to the wrong kind of record", "Check the id.", strict="error"),
    Rule("parent_rejected", "error", "the record it belongs to was rejected", "Fix that record; this one will then load."),
    Rule("cycle", "warning", "a record is its own ancestor; its parent was left out", "Correct the parents.", strict="error"),
    Rule("cycle_refused", "error", "a record is its own ancestor", "Correct the parents."),
    Rule("part_rejected", "error", "a row that is part of the record was rejected", "Fix that row; this one will then load."),
    Rule("reference_left_out", "warning", "an optional reference points to a record that was rejected or deleted, and was left out", "If that record should be there, fix it; the reference will then load.", strict="error"),
    Rule("role_missing", "error", "the user has no role in any organization", "Send a row in roles.csv for each organization of the user."),
    Rule("role_unknown", "error", "no class and no column says which role the user has", "Enroll the user in a class, or fill the column that says what the user is, such as Canvas's `declared_user_type`."),
    Rule("two_primary_roles", "warning", "a user has two primary roles in one organization", "Make one of them secondary.", strict="error"),
    Rule("no_primary_role", "warning", "a user has no primary role in an organization", "Make one of the roles primary."),
    Rule("part_removed", "error", "a delta removes a part, such as a role, from a loaded record, and it is not certain which one", "Send the record with all its parts in a bulk file."),
    Rule("last_role", "warning", "the classes that gave people their role have ended, and they have no other role; they keep the last one, because nobody can be without", "No action needed, or remove these people at the source."),
    Rule("role_without_user", "error", "a part, such as a role, changes in a delta without its record", "Send the record's row with its parts in one delta."),
    Rule("profile_of_another", "warning", "a role names a profile that belongs to another user", "Check userProfileSourcedId.", strict="error"),
    Rule("second_part", "error", "a record has two parts of a kind of which it can have only one", "Keep one of them."),
    Rule("class_without_teacher", "warning", "a class has no teacher", "No action needed if this is correct. Some apps hide classes without a teacher."),
    Rule("class_without_student", "warning", "a class has no student", "No action needed if this is correct. Some apps hide classes without a student."),
    Rule("primary_twice", "warning", "a class has several main teachers at one time; the one whose enrollment id comes first is used", "Set `primary` for one of them."),
    Rule("email_shared", "warning", "several people have the same email address", "Check whether it is one person with two ids. Each was loaded as a person."),
    Rule("username_shared", "warning", "several people have the same username", "Check whether it is one person with two ids. Each was loaded as a person."),
    Rule("identifier_shared", "warning", "several students, or several other people, have the same identifier", "Check whether it is one person with two ids. Each was loaded as a person."),
    Rule("master_identifier_shared", "warning", "several people have the same userMasterIdentifier, which names one person in all systems", "Check whether it is one person with two ids. Each was loaded as a person."),
    Rule("records_of_one_person", "note", "records share an address, a username or a number, and have the same name and different roles: each was loaded, as the source keeps one record for each role of a person", "No action needed."),
    Rule("id_case", "warning", "ids differ only in case; they were treated as different records", "Check whether one record is meant."),
)  # fmt: skip

_TARGET = (
    Rule("share_unknown", "warning", "[share] in the feed file names something that the drop does not have", "Correct it in the feed file, or remove it.", judges="target"),
    Rule("owner_unknown", "warning", "`owner` under [shared] names a feed that has sent nothing to this target; the other feeds go by who was first", "Correct the name in the feed file. If that feed has not run yet, run it.", judges="target"),
    Rule("share_unjudged", "warning", "[share] limits people, and these people are in no drop of this feed; their records were not shared", "Load them in the feed that has these people, or remove the limit.", judges="target"),
    Rule("not_carried", "note", "this is valid, but the target has no place for it", "No action needed.", judges="target"),
    Rule("target_email", "error", "the target requires a valid email address for each user", 'Add `email_template = "{sourcedId}@students.example.edu"` under [target] in the feed file.', judges="target"),
    Rule("email_replaced", "warning", "an email address is invalid, and `email_template` made another one", "Correct it at the source.", judges="target"),
    Rule("target_role", "error", "the target does not know this role", "Add it under [target.roles] in the feed file.", judges="target"),
    Rule("target_enrollment_role", "error", "the target does not know this role in a class", "Add it under [target.enrollment_roles] in the feed file.", judges="target"),
    Rule("target_required", "error", "the target requires a value that is optional in the standard", "Fill it in at the source.", judges="target"),
    Rule("target_score_status", "error", "the target does not know this score status", "Add it under [target.score_statuses] in the feed file.", judges="target"),
    Rule("target_parent", "error", "the record it belongs to cannot be sent to the target", "Fix that record; this one will then load.", judges="target"),
    Rule("target_value", "warning", "the target does not know this value, which was left out", "Say what to send for it, in the table of the feed file that each line names.", judges="target"),
    Rule("target_mapped", "warning", "the target does not know this value, and another was sent", "Say what to send for it, in the table of the feed file that each line names.", judges="target"),
    Rule("target_session_org", "error", "the target requires an organization for each session, and the drop has no single root organization", 'Add `session_org = "<sourcedId>"` under [target] in the feed file.', judges="target"),
    Rule("class_moved", "warning", "the class moved to another course or school, which the target does not allow", "Create a new class, with a new sourcedId, for the other course or school.", judges="target"),
    Rule("not_absent", "warning", "records are missing, but rows of the file could not be read; none of these records counts as vanished", "Fix the rows that could not be read."),
)  # fmt: skip

_EXPORT = (
    Rule("export_delta", "fatal", "the drop holds changes only, and anyone who imports a bulk zip treats all other records as deleted", "Export a drop that is a full snapshot."),
    Rule("export_empty", "fatal", "no record is left to export", "See above what was refused or left out, and correct it at the source."),
    Rule("export_whole", "warning", "the drop does not say that it has all records of a file, but a bulk zip does", "Make sure that it has them before you pass the zip on."),
    Rule("export_beyond", "note", "OneRoster has no such file, and its rows are not in the zip", "No action needed. Anyone who needs them can read the drop itself.", judges="target"),
    Rule("export_breach", "warning", "rows of the zip do not conform to the standard: they were read leniently, and cannot be corrected", "Correct them at the source, or leave such rows and cells out with --strict."),
    Rule("export_fitted", "warning", "cells of the zip differ from the roster, because the standard does not allow what the roster has", "No action needed. To keep what the roster has, correct it at the source, or export without --strict."),
    Rule("export_outside", "warning", "rows of the zip refer to records that are not in it", "Pass it on together with the zip of the feed that has them, or leave such rows out with --strict."),
)  # fmt: skip

_FAMILIES = (*_DROP, *_MANIFEST, *_HEADER, *_CELL, *_REFERENCES, *_TARGET, *_EXPORT)
RULES: dict[str, Rule] = {rule.code: rule for rule in _FAMILIES}
