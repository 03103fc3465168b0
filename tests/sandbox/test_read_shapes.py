"""Reads have the properties that the API's own schema says, and null only where it may be."""

from __future__ import annotations

import io
import zipfile

import httpx
import pytest

from connectors.oneroster.profile import TIMEBACK, Collection
from tests.sandbox.records import COURSE, NEW, Json, user
from tests.sandbox.test_records import get, post

COMMON = "sourcedId! status! dateLastModified metadata"
# The properties of each record: `!` is in every read, and `?` may be null.
SHAPES = {
    "orgs": "name! type! identifier parent children!?",
    "academicSessions": "title! startDate! endDate! type! parent schoolYear! org! children?",
    "users": "userMasterIdentifier? username? userIds enabledUser! givenName! familyName! middleName?"
    " roles! agents! userProfiles! primaryOrg identifier? email! preferredFirstName?"
    " preferredMiddleName? preferredLastName? pronouns? grades sms? phone?",
    "demographics": "birthDate!? sex!? americanIndianOrAlaskaNative!? asian!? blackOrAfricanAmerican!?"
    " nativeHawaiianOrOtherPacificIslander!? white!? demographicRaceTwoOrMoreRaces!?"
    " hispanicOrLatinoEthnicity!? countryOfBirthCode!? stateOfBirthAbbreviation!? cityOfBirth!?"
    " publicSchoolResidenceStatus!?",
    "courses": "title! academicSession schoolYear courseCode? grades? subjects? subjectCodes? org!"
    " level? gradingScheme? resources?",
    "classes": "title! classCode!? classType! location!? grades subjects course! school! terms!"
    " subjectCodes periods resources",
    "enrollments": "role! primary!? beginDate!? endDate!? user! class! school! course!",
    "courseComponents": "course! courseComponent parent title! sortOrder! prerequisites?"
    " prerequisiteCriteria? unlockDate",
    "resources": "title! roles importance vendorResourceId! vendorId? applicationId?",
    "componentResources": "courseComponent! resource! title! sortOrder! lessonType?",
    "categories": "title! weight?",
    "scoreScales": "title! type! class! course scoreScaleValue!",
    "lineItems": "title! description? assignDate! dueDate! class! school! category! gradingPeriod"
    " academicSession scoreScale resultValueMin? resultValueMax? learningObjectiveSet?",
    "results": "lineItem! student! class scoreScale scoreStatus! score? textScore? scoreDate!"
    " comment? learningObjectiveSet? inProgress incomplete late missing",
    "assessmentLineItems": "title! description? class parentAssessmentLineItem scoreScale"
    " resultValueMin? resultValueMax? component componentResource learningObjectiveSet? course",
    "assessmentResults": "assessmentLineItem! student! score? textScore? scoreDate! scoreScale"
    " scorePercentile? scoreStatus! comment? learningObjectiveSet? inProgress? incomplete? late?"
    " missing?",
}
PROFILE = "profileId! profileType! vendorId! applicationId! description? app! credentials!"
APP = "sourcedId! name! description? domain! metadata?"
CREDENTIAL = "id! type! username! password?"


def misfits(record: Json, shape: str) -> list[str]:
    """Name the properties of a record that its shape does not allow, or wants."""
    named = {one.rstrip("!?"): one for one in shape.split()}
    return [
        *(f"{name} is missing" for name, one in named.items() if "!" in one and name not in record),
        *(f"{name} is unknown" for name in record if name not in named),
        *(
            f"{name} is null"
            for name, value in record.items()
            if value is None and "?" not in named.get(name, "?")
        ),
    ]


@pytest.mark.parametrize("collection", TIMEBACK.collections.values(), ids=TIMEBACK.collections)
def test_a_record_has_the_shape_of_the_schema(api: httpx.Client, collection: Collection) -> None:
    """With everything that a write needs and little else."""
    written = NEW[collection.name]
    needed = {*collection.required, *(name for name, _ in collection.twins), "sourcedId"}
    kept = {name: value for name, value in written.items() if name in needed}
    address = api.base_url.join(collection.path)
    assert 201 == api.post(address, json={collection.wrapper: kept}).status_code

    record = get(api, collection)
    assert [] == misfits(record, f"{COMMON} {SHAPES[collection.name]}")


@pytest.mark.parametrize("collection", TIMEBACK.collections.values(), ids=TIMEBACK.collections)
def test_a_record_with_more_has_it_too(api: httpx.Client, collection: Collection) -> None:
    """With what our tests write."""
    assert 201 == post(api, collection).status_code

    assert [] == misfits(get(api, collection), f"{COMMON} {SHAPES[collection.name]}")


def test_a_profile_has_its_app_and_ids_of_its_credentials(api: httpx.Client) -> None:
    """The ids stay the same from read to read."""
    profile = {
        "profileId": "urn:x",
        "profileType": "app",
        "vendorId": "v",
        "credentials": [{"type": "login", "username": "robin"}],
    }
    api.post("users", json={"user": user("new", userProfiles=[profile])})

    (first,), (second,) = (api.get("users/new").json()["user"]["userProfiles"] for _ in range(2))
    assert first == second
    assert [] == misfits(first, PROFILE)
    assert [] == misfits(first["app"], APP)
    assert [] == misfits(first["credentials"][0], CREDENTIAL)


def test_a_course_can_be_created_with_its_structure(api: httpx.Client) -> None:
    """The answer is that of a course, and a body without a structure is refused."""
    body = {"course": COURSE | {"sourcedId": "new"}, "courseStructure": {"tests": []}}

    answers = [api.post("courses/structure", json=one) for one in (body, {"course": COURSE})]
    assert [201, 422] == [answer.status_code for answer in answers]
    assert "new" == answers[0].json()["sourcedIdPairs"]["allocatedSourcedId"]
    assert "Mathematics 5" == api.get("courses/new").json()["course"]["title"]


def test_a_resource_is_exported_as_a_cartridge(api: httpx.Client) -> None:
    """A zip with a manifest; 404 for a resource that is not there."""
    export = "../../resources/v1p2/resources/export"
    answer, unknown = (api.post(api.base_url.join(f"{export}/{one}")) for one in ("video", "x"))

    assert (200, "application/zip") == (answer.status_code, answer.headers["content-type"])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert ["imsmanifest.xml"] == archive.namelist()
    assert 404 == unknown.status_code
