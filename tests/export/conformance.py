"""A small checker of OneRoster's CSV binding 1.2, which shares no code with the program.

It knows the standard's files from its own table, and reads a zip with the standard library alone.
`breaches` names each place of a bulk zip that a strict reader refuses. Periods that end before they
begin are not among them: the standard advises against them, and its own test set accepts them.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from itertools import combinations
from operator import itemgetter
from pathlib import Path

Row = dict[str, str]
Files = dict[str, list[Row]]

LIFECYCLE = ("sourcedId", "status", "dateLastModified")
# The columns after those three, in order. `!` is required, `>file` refers to a file, and to one type
# of its records after `=`. `[]` is a list, `:kind` a format, and `:ext` a word that may be `ext:`.
COLUMNS = {
    "academicSessions": "title! type!:session startDate!:date endDate!:date"
    " parentSourcedId>academicSessions schoolYear!:year",
    "categories": "title! weight:integer",
    "classes": "title! grades[] courseSourcedId!>courses classCode classType!:class location"
    " schoolSourcedId!>orgs=school termSourcedIds![]>academicSessions subjects[] subjectCodes[]"
    " periods[]",
    "classResources": "title classSourcedId!>classes resourceSourcedId!>resources",
    "courseResources": "title courseSourcedId!>courses resourceSourcedId!>resources",
    "courses": "schoolYearSourcedId>academicSessions=schoolYear title! courseCode grades[]"
    " orgSourcedId!>orgs subjects[] subjectCodes[]",
    "demographics": "birthDate:date sex:sex americanIndianOrAlaskaNative:boolean asian:boolean"
    " blackOrAfricanAmerican:boolean nativeHawaiianOrOtherPacificIslander:boolean white:boolean"
    " demographicRaceTwoOrMoreRaces:boolean hispanicOrLatinoEthnicity:boolean countryOfBirthCode"
    " stateOfBirthAbbreviation cityOfBirth publicSchoolResidenceStatus",
    "enrollments": "classSourcedId!>classes schoolSourcedId!>orgs=school userSourcedId!>users"
    " role!:member primary:boolean beginDate:date endDate:date",
    "lineItemLearningObjectiveIds": "lineItemSourcedId!>lineItems source!:source"
    " learningObjectiveId!",
    "lineItems": "title! description assignDate!:date dueDate!:date classSourcedId!>classes"
    " categorySourcedId!>categories academicSessionSourcedId!>academicSessions"
    " resultValueMin:float resultValueMax:float schoolSourcedId!>orgs=school",
    "lineItemScoreScales": "title lineItemSourcedId!>lineItems scoreScaleSourcedId!>scoreScales",
    "orgs": "name! type!:org identifier parentSourcedId>orgs",
    "resources": "vendorResourceId! title roles[]:audience importance:importance vendorId"
    " applicationId",
    "resultLearningObjectiveIds": "resultSourcedId!>results source!:source learningObjectiveId!"
    " score:float textScore",
    "results": "lineItemSourcedId!>lineItems studentSourcedId!>users scoreStatus!:score"
    " score:float scoreDate!:date comment textScore classSourcedId>classes inProgress:boolean"
    " incomplete:boolean late:boolean missing:boolean",
    "resultScoreScales": "title resultSourcedId!>results scoreScaleSourcedId!>scoreScales",
    "roles": "userSourcedId!>users roleType!:rank role!:role beginDate:date endDate:date"
    " orgSourcedId!>orgs userProfileSourcedId>userProfiles",
    "scoreScales": "title! type! orgSourcedId!>orgs courseSourcedId!>courses"
    " classSourcedId!>classes scoreScaleValue![]:pair",
    "userProfiles": "userSourcedId!>users profileType! vendorId! applicationId description"
    " credentialType! username! password",
    "userResources": "userSourcedId!>users orgSourcedId>orgs classSourcedId>classes"
    " resourceSourcedId!>resources",
    "users": "enabledUser!:boolean username! userIds[]:pair givenName! familyName! middleName"
    " identifier email sms phone agentSourcedIds[]>users grades[] password userMasterIdentifier"
    " preferredGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId>orgs pronouns",
}
WORDS = {
    "session": "gradingPeriod semester schoolYear term ext:",
    "class": "homeroom scheduled ext:",
    "sex": "male female unspecified other ext:",
    "boolean": "true false",
    "member": "administrator proctor student teacher ext:",
    "source": "case unknown ext:",
    "org": "department school district local state national ext:",
    "audience": "administrator aide guardian parent proctor relative student teacher ext:",
    "importance": "primary secondary",
    "score": "exempt fully_graded not_submitted partially_graded submitted ext:",
    "rank": "primary secondary",
    "role": "aide counselor districtAdministrator guardian parent principal proctor relative"
    " siteAdministrator student systemAdministrator teacher ext:",
}
FORMATS = {
    "integer": r"[+-]?\d+",
    "float": r"[+-]?\d+(\.\d+)?",
    "year": r"\d{4}",
    "date": r"\d{4}-\d{2}-\d{2}",
    "pair": r"\{[^:{}]+:[^{}]+\}",
}
GUID = r"[0-9A-Za-z.\-_/@]{1,255}"
COLUMN = re.compile(r"(\w+)(!?)(\[\])?(?:>(\w+))?(?:=(\w+))?(?::(\w+))?")


def breaches(path: Path) -> list[str]:
    """Name each breach of the standard in a bulk zip, as `file row column: what`."""
    with zipfile.ZipFile(path) as archive:
        texts = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
    files = {name.removesuffix(".csv"): read(text) for name, text in texts.items()}
    manifest = files.pop("manifest", [])
    found = [
        *(f"{name}: a byte order mark" for name, text in texts.items() if text[:1] == "\ufeff"),
        *_manifest(manifest, set(files)),
        *(breach for name, lines in files.items() for breach in _shape(name, lines)),
    ]
    if found:
        return found
    data = {name: records(lines) for name, lines in files.items()}
    found = [breach for name in data for breach in _cells(name, data)]
    return found or [breach for check in ACROSS for breach in check(data)]


def read(text: str) -> list[list[str]]:
    """Read the lines of a file."""
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def records(lines: list[list[str]]) -> list[Row]:
    """Name the cells of a file's rows."""
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def header(name: str) -> list[str]:
    """Give the columns of a file, in order."""
    return [*LIFECYCLE, *(column[1] for column in columns(name))]


def columns(name: str) -> list[re.Match[str]]:
    """Give the columns of a file after the first three: name, required, list, file, type, format."""
    return [found for one in COLUMNS[name].split() if (found := COLUMN.fullmatch(one))]


def _manifest(lines: list[list[str]], files: set[str]) -> Iterator[str]:
    if not lines or lines[0] != ["propertyName", "value"]:
        yield f"manifest: its header is {lines[:1]}"
    values = {line[0]: line[-1] for line in lines[1:]}
    expected = {"manifest.version": "1.0", "oneroster.version": "1.2"}
    expected |= {f"file.{name}": "bulk" if name in files else "absent" for name in COLUMNS}
    for name, value in expected.items():
        if values.get(name) != value:
            yield f"manifest {name}: {values.get(name)!r}"
    for name in values.keys() - expected.keys() - {"source.systemName", "source.systemCode"}:
        yield f"manifest {name}: unknown"
    if len(values) != len(lines) - 1:
        yield "manifest: a property stands in it twice"


def _shape(name: str, lines: list[list[str]]) -> Iterator[str]:
    """Check the header, that there are rows, and that each has its cells."""
    if name not in COLUMNS:
        yield f"{name}: no file of the standard"
        return
    known = header(name)
    if lines[0][: len(known)] != known:
        yield f"{name}: its header is {lines[0]}"
    yield from (
        f"{name} {column}: unknown"
        for column in lines[0][len(known) :]
        if not column.startswith("metadata.")
    )
    if len(lines) == 1:
        yield f"{name}: no rows"
    for number, line in enumerate(lines):
        if len(line) != len(lines[0]):
            yield f"{name} {number}: {len(line)} cells"


def _cells(name: str, data: Files) -> Iterator[str]:
    """Check each cell of a file by its column."""
    ids = {file: {row["sourcedId"] for row in rows} for file, rows in data.items()}
    of_type = {
        file: {(row["sourcedId"], row["type"]) for row in data.get(file, ())}
        for file in ("orgs", "academicSessions")
    }
    for number, row in enumerate(data[name], 1):
        at = f"{name} {number}"
        if not re.fullmatch(GUID, row["sourcedId"]):
            yield f"{at} sourcedId: {row['sourcedId']!r}"
        if row["status"] or row["dateLastModified"]:
            yield f"{at} status: not blank"
        for cell in row.values():
            if re.search(r"[\r\n]", cell):
                yield f"{at}: a line break in {cell!r}"
        for match in columns(name):
            column, required, listed, file, kind, form = match.groups()
            cell = row[column]
            items = (cell.split(",") if listed else [cell]) if cell else []
            if required and not cell.strip():
                yield f"{at} {column}: required"
            for item in items:
                if listed and item != item.strip():
                    yield f"{at} {column}: a padded item in {cell!r}"
                if not item:
                    yield f"{at} {column}: a blank item in {cell!r}"
                elif form and not fits(form, item):
                    yield f"{at} {column}: no {form} in {cell!r}"
                elif file and item not in ids.get(file, ()):
                    yield f"{at} {column}: {item} is not in {file}"
                elif kind and (item, kind) not in of_type[file]:
                    yield f"{at} {column}: {item} is no {kind}"


def fits(form: str, item: str) -> bool:
    """Check a value by its format, or by the words of its vocabulary."""
    if form in FORMATS:
        if not re.fullmatch(FORMATS[form], item):
            return False
        return form != "date" or _is_day(item)
    words = [word.replace("_", " ") for word in WORDS[form].split()]
    return item in words or ("ext:" in words and bool(re.fullmatch(r"ext:[a-zA-Z0-9.\-_]+", item)))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _unique(data: Files) -> Iterator[str]:
    for name, rows in data.items():
        for one, count in Counter(row["sourcedId"] for row in rows).items():
            if count > 1:
                yield f"{name} {one}: {count} times"


def _demographics(data: Files) -> Iterator[str]:
    people = {row["sourcedId"] for row in data.get("users", ())}
    for row in data.get("demographics", ()):
        if row["sourcedId"] not in people:
            yield f"demographics {row['sourcedId']}: no user"


def _subjects(data: Files) -> Iterator[str]:
    for name in ("courses", "classes"):
        for row in data.get(name, ()):
            lengths = [
                len(row[column].split(",")) if row[column] else 0
                for column in ("subjects", "subjectCodes")
            ]
            if lengths[0] != lengths[1]:
                yield f"{name} {row['sourcedId']} subjectCodes: {lengths}"


def _roles(data: Files) -> Iterator[str]:
    """Check that each user has roles, one of them primary in each organization.

    Among them is one in the user's primary organization.
    """
    rows, profiles = data.get("roles", []), data.get("userProfiles", ())
    holders = {row["userSourcedId"] for row in rows}
    for row in data.get("users", ()):
        if row["sourcedId"] not in holders:
            yield f"users {row['sourcedId']}: no role"
    held = {(row["userSourcedId"], row["orgSourcedId"]) for row in rows}
    for row in data.get("users", ()):
        org = row["primaryOrgSourcedId"]
        if org and (row["sourcedId"], org) not in held:
            yield f"users {row['sourcedId']} primaryOrgSourcedId: no role there"
    places = Counter(
        (row["userSourcedId"], row["orgSourcedId"]) for row in rows if row["roleType"] == "primary"
    )
    yield from (f"roles {place}: {count} primary" for place, count in places.items() if count > 1)
    for place in held - set(places):
        yield f"roles {place}: none is primary"
    owners = {row["sourcedId"]: row["userSourcedId"] for row in profiles}
    for row in rows:
        profile = row["userProfileSourcedId"]
        if profile and owners.get(profile) != row["userSourcedId"]:
            yield f"roles {row['sourcedId']}: another user's profile"


def _enrollments(data: Files) -> Iterator[str]:
    schools = {row["sourcedId"]: row["schoolSourcedId"] for row in data.get("classes", ())}
    for row in data.get("enrollments", ()):
        if schools.get(row["classSourcedId"]) != row["schoolSourcedId"]:
            yield f"enrollments {row['sourcedId']}: another school than its class"
        if row["primary"] == "true" and row["role"] != "teacher":
            yield f"enrollments {row['sourcedId']}: primary, and no teacher"
    yield from _main_teachers(data.get("enrollments", []))


def _main_teachers(rows: list[Row]) -> Iterator[str]:
    """Check that a class has at most one primary teacher at a time."""
    primary = [row for row in rows if row["primary"] == "true"]
    for first, second in combinations(sorted(primary, key=itemgetter("classSourcedId")), 2):
        ends = [row["endDate"] or "9999-12-31" for row in (first, second)]
        together = first["beginDate"] < ends[1] and second["beginDate"] < ends[0]
        if first["classSourcedId"] == second["classSourcedId"] and together:
            yield f"enrollments {second['sourcedId']} primary: {first['sourcedId']} is too"


def _gradebook(data: Files) -> Iterator[str]:
    """Check scores against their line items, and ids of CASE."""
    items = {row["sourcedId"]: row for row in data.get("lineItems", ())}
    for row in data.get("results", ()):
        item = items.get(row["lineItemSourcedId"], {})
        low, high = item.get("resultValueMin"), item.get("resultValueMax")
        if row["classSourcedId"] and row["classSourcedId"] != item.get("classSourcedId"):
            yield f"results {row['sourcedId']} classSourcedId: not that of its line item"
        if row["score"] and low and float(row["score"]) < float(low):
            yield f"results {row['sourcedId']} score: below {low}"
        if row["score"] and high and float(row["score"]) > float(high):
            yield f"results {row['sourcedId']} score: above {high}"
    for name in ("lineItemLearningObjectiveIds", "resultLearningObjectiveIds"):
        for row in data.get(name, ()):
            urn = r"(urn:uuid:)?[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
            if row["source"] == "case" and not re.fullmatch(urn, row["learningObjectiveId"]):
                yield f"{name} {row['sourcedId']} learningObjectiveId: no id of CASE"


def _cycles(data: Files) -> Iterator[str]:
    for name in ("orgs", "academicSessions"):
        parents = {row["sourcedId"]: row["parentSourcedId"] for row in data.get(name, ())}
        for one, parent in parents.items():
            seen, at = {one}, parent
            while at and at not in seen:
                seen.add(at)
                at = parents.get(at, "")
            if at:
                yield f"{name} {one} parentSourcedId: a circle"


ACROSS: tuple[Callable[[Files], Iterator[str]], ...] = (
    _unique,
    _demographics,
    _subjects,
    _roles,
    _enrollments,
    _gradebook,
    _cycles,
)
