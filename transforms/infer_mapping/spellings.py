"""The names that many systems give to files and columns, and what they mean.

Spellings are in lower case and in the singular, without spaces. Source: the headers of the known
layouts, and of school information systems in Britain and America.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from transforms.infer_mapping.columns import words_of

Subject = Literal[
    "schools",
    "terms",
    "courses",
    "classes",
    "students",
    "teachers",
    "staff",
    "contacts",
    "people",
    "enrollments",
]

# The first subject with a word in the name of a file counts: `student_enrollments` has enrollments.
FILES: Mapping[Subject, tuple[str, ...]] = {
    "enrollments": ("enrollment", "enrolment", "enrol", "enroll", "timetable", "schedule",
                    "membership", "member", "roster", "roll"),
    "contacts": ("contact", "parent", "guardian", "carer"),
    "students": ("student", "pupil", "learner"),
    "teachers": ("teacher", "instructor", "faculty"),
    "staff": ("staff", "employee", "personnel"),
    "people": ("user", "people", "person"),
    "classes": ("class", "section", "group", "set"),
    "courses": ("course", "subject"),
    "schools": ("school", "campus", "site", "building", "location", "organisation", "organization",
                "org"),
    "terms": ("term", "session", "semester", "period", "trimester", "quarter"),
}  # fmt: skip
PEOPLE: frozenset[Subject] = frozenset({"students", "teachers", "staff", "contacts", "people"})
# Words that may precede a column's own name: `Pupil Forename`, `Legal Surname`.
QUALIFIERS = frozenset(
    {
        *FILES["students"],
        *FILES["teachers"],
        *FILES["staff"],
        *FILES["people"],
        "legal",
        "school",
        "work",
        "primary",
        "main",
    }
)
# More of them before the columns of enrollments: `Enrollment Begin Date`.
ENROLLMENT_QUALIFIERS = QUALIFIERS | {*FILES["enrollments"], "enrolled"}
IDS = frozenset(
    {
        "id",
        "code",
        "number",
        "no",
        "num",
        "ref",
        "reference",
        "key",
        "upn",
        "uln",
        "guid",
        "uid",
        "sourcedid",
        "identifier",
        "sisid",
    }
)

Spellings = Mapping[str, tuple[str, ...]]
STATUS = (
    "status",
    "state",
    "enrollmentstatus",
    "enrolmentstatus",
    "recordstatus",
    "active",
    "isactive",
    "deleted",
)
SCHOOL = (
    "school", "schoolid", "schoolcode", "schoolnumber", "schoolname", "campus", "campusid", "site",
    "siteid", "building",
    "buildingid", "orgid", "academy",
)  # fmt: skip
NAMES: Spellings = {
    "givenName": ("givenname", "firstname", "forename", "first", "given", "fname"),
    "familyName": ("familyname", "lastname", "surname", "last", "family", "lname"),
    "middleName": ("middlename", "middle", "mname"),
    "preferredGivenName": ("preferredgivenname", "preferredfirstname", "preferredforename",
                           "preferredname", "preferred", "knownas", "nickname", "goesby"),
    "preferredFamilyName": ("preferredfamilyname", "preferredlastname", "preferredsurname"),
    "name": ("name", "fullname", "displayname"),
    "username": ("username", "login", "loginid", "logon", "loginname", "networklogin", "networkid"),
    "email": ("email", "emailaddress", "mail", "mailaddress", "emailid"),
    "phone": ("phone", "telephone", "tel", "phonenumber", "telephonenumber", "homephone"),
    "sms": ("mobile", "cell", "mobilephone", "cellphone", "mobilenumber", "sms"),
    "pronouns": ("pronoun",),
    "grades": ("grade", "gradelevel", "yeargroup", "year", "ncyear", "yeargrp", "curriculumyear",
               "level", "yearlevel", "currentgrade"),
    "role": ("role", "roletype", "usertype", "type", "post", "position", "jobtitle", "job",
             "stafftype", "relationship", "relation"),
    "birthDate": ("birthdate", "dateofbirth", "dob", "birthday", "born", "bdate"),
    "sex": ("sex", "gender"),
    "races": ("race",),
    "status": STATUS,
    "school": SCHOOL,
}  # fmt: skip
CLASSES: Spellings = {
    "title": ("title", "name", "classname", "sectionname", "groupname", "description",
              "classtitle", "sectiontitle", "classdescription"),
    "course": ("course", "courseid", "coursecode", "coursenumber", "coursekey", "subjectcode",
               "subjectid"),
    "courseTitle": ("coursename", "coursetitle", "coursedescription", "coursedesc", "subject",
                    "subjectname"),
    "teacher": ("teacher", "teacherid", "teachercode", "teachernumber", "instructor",
                "instructorid", "staff", "staffid", "staffcode", "leadteacher"),
    "term": ("term", "termid", "termcode", "termname", "semester", "sessionid"),
    "location": ("room", "location", "classroom", "roomnumber"),
    "periods": ("period",),
    "grades": NAMES["grades"],
    "school": SCHOOL,
}  # fmt: skip
COURSES: Spellings = {
    "title": (
        "title",
        "name",
        "coursename",
        "coursetitle",
        "coursedescription",
        "coursedesc",
        "subject",
        "subjectname",
        "description",
        "course",
    ),
    "courseCode": ("coursecode", "code", "coursenumber", "number", "shortname"),
    "grades": NAMES["grades"],
    "school": SCHOOL,
}
SCHOOLS: Spellings = {
    "name": ("name", "schoolname", "campusname", "sitename", "title", "school"),
    "identifier": ("schoolnumber", "number", "ncesid", "urn", "dfenumber", "stateid", "leanumber"),
}
TERMS: Spellings = {
    "title": ("title", "name", "termname", "semestername", "sessionname", "term", "description"),
    "startDate": (
        "startdate",
        "start",
        "begindate",
        "begin",
        "from",
        "termstart",
        "datestart",
        "firstday",
    ),
    "endDate": (
        "enddate",
        "end",
        "finish",
        "stop",
        "stopdate",
        "to",
        "until",
        "termend",
        "dateend",
        "lastday",
    ),
}
ENROLLMENTS: Spellings = {
    "class": ("class", "classid", "classcode", "classname", "section", "sectionid", "sectioncode",
              "group", "groupid", "groupcode", "teachinggroup", "set"),
    "person": ("student", "studentid", "pupil", "pupilid", "learner", "learnerid", "user",
               "userid", "person", "personid", "upn", "studentnumber"),
    "teacher": CLASSES["teacher"],
    "role": ("role", "userrole", "type", "enrollmenttype", "enrolmenttype"),
    "beginDate": (
        "startdate", "start", "begindate", "begin", "from", "datefrom", "fromdate", "entrydate",
        "entry", "enrollmentdate", "enrolmentdate", "enrolldate", "enrolleddate", "dateenrolled",
        "effectivedate", "joindate", "datejoined", "addeddate", "dateadded",
    ),
    "endDate": (
        "enddate", "end", "finish", "stop", "stopdate", "to", "until", "dateto", "todate",
        "exitdate", "exit",
        "leavedate", "leavingdate", "dateleft", "withdrawaldate", "withdrawdate",
        "datewithdrawn", "dropdate", "datedropped",
    ),
    "status": STATUS,
    "primary": ("primary", "primaryteacher", "mainteacher", "leadteacher"),
}  # fmt: skip


# More words for the status of enrollments than layouts read themselves.
ENROLLMENT_STATES: Mapping[str, str] = {
    **dict.fromkeys(("enrolled", "current", "open"), "active"),
    **dict.fromkeys(
        ("dropped", "exited", "left", "removed", "unenrolled", "disenrolled"), "tobedeleted"
    ),
}


def subject_of(name: str) -> tuple[Subject, str] | None:
    """Return the subject of a file by its name, and the word that shows it."""
    words = words_of(name)
    return next(
        ((subject, word) for subject, known in FILES.items() for word in words if word in known),
        None,
    )


def meaning_of(name: str, spellings: Spellings) -> str | None:
    """Return the meaning of a column's name, with or without the words of `QUALIFIERS` in front."""
    qualifiers = ENROLLMENT_QUALIFIERS if spellings is ENROLLMENTS else QUALIFIERS
    words = [word for word in words_of(name) if word != "sis"]
    while words:
        joined = "".join(words)
        for meaning, known in spellings.items():
            if joined in known:
                return meaning
        if words[0] not in qualifiers:
            return None
        words = words[1:]
    return None


def has_names(columns: Iterable[str]) -> bool:
    """Whether columns have the given and the family names of people."""
    return {"givenName", "familyName"} <= {meaning_of(name, NAMES) for name in columns}


def looks_like_id(words: Sequence[str]) -> bool:
    """Whether a name is the name of an id."""
    return bool(IDS.intersection(words)) or "".join(words) in IDS
