"""The words that student information systems use, and OneRoster's words for them.

Keys are in lower case. An unknown word stays as it is, for the check or the target's maps.
Source: CEDS grade levels; OneRoster 1.2 vocabularies; words found in real exports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from transforms.schemas.vocabularies import TOBEDELETED

Words = Mapping[str, str]

YES_NO: Words = {
    **dict.fromkeys(("y", "yes", "t", "true", "1", "x"), "true"),
    **dict.fromkeys(("n", "no", "f", "false", "0"), "false"),
}

SEXES: Words = {
    **dict.fromkeys(("m", "male", "boy", "man"), "male"),
    **dict.fromkeys(("f", "female", "girl", "woman"), "female"),
    **dict.fromkeys(("x", "other", "nonbinary", "non-binary", "nb", "o"), "other"),
    **dict.fromkeys(("u", "unspecified", "unknown", "not specified"), "unspecified"),
}

ROLES: Words = {
    **dict.fromkeys(("student", "learner", "pupil", "studentenrollment", "student_other"),
                    "student"),
    **dict.fromkeys(
        ("teacher", "professor", "faculty", "lecturer", "instructor", "adjunct",
         "teacherenrollment", "substitute"),
        "teacher",
    ),
    **dict.fromkeys(
        ("aide", "ta", "taenrollment", "designer", "designerenrollment", "paraprofessional",
         "staff", "researchassistant",
         "teacherassistant", "student teacher", "student_teacher", "assistant", "researcher",
         "officestaff", "coach", "nurse",
         "advisor", "specialservices", "therapist", "affiliate", "volunteer"),
        "aide",
    ),
    **dict.fromkeys(("counselor", "counsellor"), "counselor"),
    **dict.fromkeys(("principal",), "principal"),
    **dict.fromkeys(("proctor",), "proctor"),
    **dict.fromkeys(("site administrator", "siteadministrator", "school admin",
                     "school administrator", "administrator",
                     "admin", "administrative"), "siteAdministrator"),
    **dict.fromkeys(("district administrator", "districtadministrator", "district admin"),
                    "districtAdministrator"),
    **dict.fromkeys(("system administrator", "systemadministrator", "it admin", "itadmin"),
                    "systemAdministrator"),
    **dict.fromkeys(("guardian", "legal guardian", "foster parent", "observer",
                     "observerenrollment"), "guardian"),
    **dict.fromkeys(("parent", "mother", "father", "stepmother", "stepfather", "stepparent"),
                    "parent"),
    **dict.fromkeys(("relative", "grandparent", "grandmother", "grandfather", "aunt", "uncle",
                     "sibling", "brother",
                     "sister"), "relative"),
}  # fmt: skip

# How a person is related to a student. None of these words makes anyone a member of staff.
FAMILY: Words = {
    **dict.fromkeys(
        ("guardian", "legal guardian", "parent/guardian", "foster parent", "caregiver",
         "custodian"), "guardian"
    ),
    **dict.fromkeys(("parent", "mother", "father", "stepmother", "stepfather", "stepparent"),
                    "parent"),
    **dict.fromkeys(
        ("relative", "family", "grandparent", "grandmother", "grandfather", "aunt", "uncle",
         "aunt/uncle", "sibling",
         "brother", "sister", "cousin", "child", "other", "friend", "neighbor",
         "emergency contact", "emergency",
         "doctor", "aide", "spouse", "administrator", "case worker", "court appointed guardian",
         "agency"),
        "relative",
    ),
}  # fmt: skip

# Roles in a class; roles in an org have more words.
CLASS_ROLES: Words = {
    **dict.fromkeys(("student", "learner", "pupil", "studentenrollment"), "student"),
    **dict.fromkeys(
        ("teacher", "professor", "faculty", "lecturer", "instructor", "teacherenrollment"),
        "teacher",
    ),
    **dict.fromkeys(("proctor",), "proctor"),
    **dict.fromkeys(("administrator", "admin"), "administrator"),
    **dict.fromkeys(
        ("ta", "taenrollment", "designer", "designerenrollment", "aide", "staff"), "ext:aide"
    ),
}

# Types of orgs. A class belongs to a school (CSV Binding, classes.schoolSourcedId), so colleges and
# universities are schools. An org that administers schools has the standard's nearest word.
ORG_TYPES: Words = {
    **dict.fromkeys(("school", "college", "university", "campus", "faculty", "institute",
                     "academy", "adulteducation",
                     "researchcenter"), "school"),
    **dict.fromkeys(("department", "division", "program"), "department"),
    **dict.fromkeys(
        ("district", "school district", "localeducationagency", "lea", "localauthority",
         "academictrust"), "district"
    ),
    **dict.fromkeys(("local", "region", "county", "schoolgroup", "municipality"), "local"),
    **dict.fromkeys(("state", "stateeducationagency", "sea", "province"), "state"),
    **dict.fromkeys(("national", "country", "ministryofeducation", "ministry",
                     "departmentofeducation"), "national"),
}  # fmt: skip

# Words for the race columns of OneRoster: letters (Clever) and names.
RACES: Mapping[str, tuple[str, ...]] = {
    "americanIndianOrAlaskaNative": (
        "i",
        "american indian",
        "american indian or alaska native",
        "native american",
    ),
    "asian": ("a", "asian"),
    "blackOrAfricanAmerican": ("b", "black", "black or african american", "african american"),
    "nativeHawaiianOrOtherPacificIslander": (
        "p",
        "pacific islander",
        "native hawaiian or other pacific islander",
    ),
    "white": ("w", "c", "white", "caucasian"),
    "demographicRaceTwoOrMoreRaces": ("m", "two or more races", "two or more", "multiracial"),
    "hispanicOrLatinoEthnicity": ("h", "hispanic", "hispanic or latino", "latino"),
}

SEVERAL_RACES = "demographicRaceTwoOrMoreRaces"
# No race, or one that OneRoster has no word for.
NO_RACE = ("", "u", "unknown", "not specified", "unspecified", "declined to state", "declined",
           "prefer not to say",
           "n/a", "none", "other", "o")  # fmt: skip

STATES: Words = {
    **dict.fromkeys(("deleted", "delete", "inactive", "tobedeleted", "withdrawn"), TOBEDELETED),
    **dict.fromkeys(("active", "completed", "concluded", "suspended", "published"), "active"),
}

_YEARS: Words = {str(year): f"{year:02}" for year in range(1, 14)} | {
    f"{year:02}": f"{year:02}" for year in range(1, 14)
}
# No negative grades: PowerSchool's pages for Louisiana have -1 as pre-kindergarten, those for
# Connecticut and Virginia as a kindergarten. No `Year 7`: a British year is no American grade.
GRADES: Words = {
    **_YEARS,
    **{f"grade {year}": grade for year, grade in _YEARS.items()},
    **{f"{year}{mark}": f"{year:02}" for year in range(1, 14) for mark in ("st", "nd", "rd", "th")},
    **{f"{year}{mark} grade": f"{year:02}" for year in range(1, 14) for mark in ("st", "nd", "rd",
                                                                                 "th")},
    **dict.fromkeys(("kg", "k", "0", "00", "kindergarten", "kinder"), "KG"),
    **dict.fromkeys(("pk", "pre-k", "prek", "prekindergarten", "pre-kindergarten"), "PK"),
    **dict.fromkeys(("pr", "preschool", "pre-school"), "PR"),
    **dict.fromkeys(("tk", "transitionalkindergarten", "transitional kindergarten"), "TK"),
    **dict.fromkeys(("it", "infant", "toddler", "infanttoddler", "infant/toddler"), "IT"),
    **dict.fromkeys(("ps", "postgraduate", "post graduate", "postsecondary", "adult"), "PS"),
    **dict.fromkeys(("ug", "ungraded"), "UG"),
    "other": "Other",
}  # fmt: skip
_ORDER = ("PK", "KG", *(f"{year:02}" for year in range(1, 14)))
_RANGE = re.compile(r"([A-Za-z]+|[0-9]{1,2})\s*-\s*([A-Za-z]+|[0-9]{1,2})")


def grade_of(text: str, own: Words) -> str:
    """Return the CEDS grade for a word, with the spellings that a feed adds.

    A range such as `6-8` becomes its grades, joined by commas; an unknown word stays as it is.
    """
    word = text.strip()
    grade = own.get(word) or own.get(word.casefold()) or GRADES.get(word.casefold())
    if grade is not None:
        return grade
    if match := _RANGE.fullmatch(word):
        ends = [GRADES.get(end.casefold(), "") for end in match.groups()]
        if all(end in _ORDER for end in ends) and _ORDER.index(ends[0]) < _ORDER.index(ends[1]):
            return ",".join(_ORDER[_ORDER.index(ends[0]) : _ORDER.index(ends[1]) + 1])
    return word
