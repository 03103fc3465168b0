"""A course with components, resources and a gradebook, as rows, for the tests' small district."""

from __future__ import annotations

from tests.rosters import Rows, district


def learning() -> Rows:
    """Return components three levels deep, a resource used twice, and graded work."""
    return {
        "courseComponents": [
            {"sourcedId": "u1", "title": "Unit 1", "courseSourcedId": "co", "sortOrder": "1"},
            {
                "sourcedId": "u2",
                "title": "Unit 2",
                "courseSourcedId": "co",
                "sortOrder": "2",
                "prerequisites": "u1",
                "prerequisiteCriteria": "ALL",
                "unlockDate": "2026-09-01",
            },
            {
                "sourcedId": "m1",
                "title": "Module",
                "courseSourcedId": "co",
                "parentSourcedId": "u1",
            },
            {
                "sourcedId": "l1",
                "title": "Lesson",
                "courseSourcedId": "co",
                "parentSourcedId": "m1",
            },
        ],
        "resources": [
            {
                "sourcedId": "v",
                "title": "Adding",
                "vendorResourceId": "v-1",
                "metadata.type": "video",
                "metadata.seconds": "90",
            }
        ],
        "componentResources": [
            {
                "sourcedId": "k1",
                "title": "Watch",
                "courseComponentSourcedId": "l1",
                "resourceSourcedId": "v",
                "lessonType": "quiz",
            },
            {
                "sourcedId": "k2",
                "title": "Again",
                "courseComponentSourcedId": "u2",
                "resourceSourcedId": "v",
            },
        ],
        "categories": [{"sourcedId": "hw", "title": "Homework", "weight": "100"}],
        "scoreScales": [
            {
                "sourcedId": "abc",
                "title": "Letters",
                "type": "letter",
                "orgSourcedId": "d",
                "courseSourcedId": "co",
                "classSourcedId": "c1",
                "scoreScaleValue": "{A:90},{B:0}",
            }
        ],
        "lineItems": [
            {
                "sourcedId": "w1",
                "title": "Worksheet",
                "assignDate": "2026-09-01",
                "dueDate": "2026-09-08",
                "classSourcedId": "c1",
                "categorySourcedId": "hw",
                "academicSessionSourcedId": "t1",
                "schoolSourcedId": "s1",
                "resultValueMin": "0",
                "resultValueMax": "10",
            },
        ],
        "lineItemLearningObjectiveIds": [
            {
                "sourcedId": "o1",
                "lineItemSourcedId": "w1",
                "source": "unknown",
                "learningObjectiveId": "add",
            }
        ],
        "lineItemScoreScales": [
            {"sourcedId": "ls1", "lineItemSourcedId": "w1", "scoreScaleSourcedId": "abc"}
        ],
        "results": [
            {
                "sourcedId": "r9",
                "lineItemSourcedId": "w1",
                "studentSourcedId": "ana",
                "scoreStatus": "fully graded",
                "score": "9",
                "scoreDate": "2026-09-09",
            }
        ],
        "resultLearningObjectiveIds": [
            {
                "sourcedId": "ro1",
                "resultSourcedId": "r9",
                "source": "unknown",
                "learningObjectiveId": "add",
                "score": "3",
            }
        ],
        "assessmentLineItems": [
            {
                "sourcedId": "a1",
                "title": "Test",
                "courseSourcedId": "co",
                "courseComponentSourcedId": "u1",
                "componentResourceSourcedId": "k1",
            },
            {"sourcedId": "a2", "title": "Part", "parentSourcedId": "a1"},
        ],
        "assessmentResults": [
            {
                "sourcedId": "g1",
                "assessmentLineItemSourcedId": "a2",
                "studentSourcedId": "ana",
                "scoreStatus": "exempt",
                "scoreDate": "2026-10-01",
            }
        ],
    }


def school() -> Rows:
    """Return the district with its course and gradebook."""
    return district() | learning()
