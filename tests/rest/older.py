"""A source of OneRoster 1.1 on loopback, in the shapes of the standard: short pages, signed requests, faults on demand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.rest.loopback import Answering, serving
from tests.rest.verifying import is_signed

Json = dict[str, Any]
BASE = "/ims/oneroster/v1p1/"
LARGEST = 2  # records of a page, whatever is asked for
WRAPPERS = {"users": "user", "orgs": "org", "classes": "class", "enrollments": "enrollment"}
BEFORE, AFTER = "2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"


@dataclass
class Older:
    """What a source holds, by collection; how often each collection will yet fail, and with which status; how often it will yet say a wrong total; what it was asked.

    `counts_pages` lets totals be those of pages, with links to the next ones. `meanwhile` is what happens after the first page
    of a collection. No page has the `hidden` ids. `singles` counts the questions for single records.
    """

    records: dict[str, list[Json]]
    failing: Counter[str] = field(default_factory=Counter)
    status: int = 503
    moving: Counter[str] = field(default_factory=Counter)
    filters: set[str] = field(default_factory=set)
    counts_pages: bool = False
    hidden: set[str] = field(default_factory=set)
    singles: int = 0
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    url: str = ""

    def change(self, collection: str, sourced_id: str, **properties: Any) -> None:
        """Change a record, later than anybody ever read it."""
        for record in self.records[collection]:
            if record["sourcedId"] == sourced_id:
                record |= {"dateLastModified": AFTER, **properties}

    def page(
        self, collection: str, query: dict[str, list[str]]
    ) -> tuple[int, Json, dict[str, str]]:
        """Answer a question for a page: status, body, headers."""
        if self.failing[collection]:
            self.failing[collection] -= 1
            return self.status, {}, {}
        collection, _, single = collection.partition("/")
        if single:
            return self._single(collection, single)
        if collection not in self.records:
            return 404, {"imsx_codeMajor": "failure", "imsx_description": "no such collection"}, {}
        condition, offset = query.get("filter", [""])[0], int(query.get("offset", ["0"])[0])
        self.filters.add(condition)
        found = [record for record in self.records[collection] if _meets(record, condition)]
        found = [record for record in found if record["sourcedId"] not in self.hidden]
        size = min(LARGEST, int(query["limit"][0]))
        moves = self.moving[collection] > 0
        self.moving[collection] -= moves
        headers = {"X-Total-Count": str(len(found) + moves)}
        if self.counts_pages:
            more = offset + size < len(found)
            headers = {"X-Total-Count": str(len(found[offset : offset + size]))}
            headers |= (
                {"Link": f'<{self.url}{BASE}{collection}?offset={offset + size}>; rel="next"'}
                if more
                else {}
            )
        if happens := self.meanwhile.pop(collection, None):
            happens()
        return 200, {collection: found[offset : offset + size]}, headers

    def _single(self, collection: str, sourced_id: str) -> tuple[int, Json, dict[str, str]]:
        self.singles += 1
        found = [record for record in self.records[collection] if record["sourcedId"] == sourced_id]
        return (
            (200, {WRAPPERS.get(collection, collection): found[0]}, {})
            if found
            else (404, {"imsx_codeMajor": "failure"}, {})
        )

    def arrange(self, collection: str, *ids: str, changed: bool = False) -> None:
        """Let a collection hold these records in this order; one that was not there is like the first that was."""
        there = {record["sourcedId"]: record for record in self.records[collection]}
        like = self.records[collection][0]
        new = {"dateLastModified": AFTER} if changed else {}
        self.records[collection] = [
            there.get(
                one, like | {"sourcedId": one, "username": one, "email": f"{one}@example.edu"} | new
            )
            for one in ids
        ]


def _meets(record: Json, condition: str) -> bool:
    """The standard's filter, as far as a delta has a use for it."""
    since = re.fullmatch(r"dateLastModified>'([0-9T:.Z-]+)'", condition)
    return not condition or (since is not None and record["dateLastModified"] > since[1])


@contextmanager
def older(records: dict[str, list[Json]]) -> Iterator[Older]:
    """Serve records, while the body lasts, to whoever signs with the one key."""
    source = Older(records)

    class Handler(Answering):
        def get(self) -> None:
            parts = urlsplit(self.path)
            signed = is_signed(source.url + self.path, self.headers.get("Authorization", ""))
            asked = parse_qs(parts.query), parts.path.removeprefix(BASE)
            self.answer(*(source.page(asked[1], asked[0]) if signed else (401, {}, {})))

        def answer(self, status: int, body: Json, headers: dict[str, str]) -> None:
            self.give(status, json.dumps(body).encode(), headers.items())

    with serving(Handler) as source.url:
        yield source


def reference(kind: str, sourced_id: str) -> Json:
    """Refer to a record, as the standard does."""
    return {
        "href": f"https://sis.example.edu{BASE}{kind}s/{sourced_id}",
        "sourcedId": sourced_id,
        "type": kind,
    }


def record(sourced_id: str, **properties: Any) -> Json:
    """Make a record that changed long ago."""
    return {
        "sourcedId": sourced_id,
        "status": "active",
        "dateLastModified": BEFORE,
        "metadata": {},
        **properties,
    }


def user(sourced_id: str, given: str, role: str, *orgs: str, **more: Any) -> Json:
    """Make a user, as the standard shows one."""
    named = {
        "username": sourced_id,
        "givenName": given,
        "familyName": "Diaz",
        "middleName": "",
        "identifier": "",
        "email": f"{sourced_id}@example.edu",
    }
    places = [reference("org", org) for org in orgs]
    ids = [{"type": "LDAP", "identifier": sourced_id}]
    return record(
        sourced_id,
        **named,
        enabledUser="true",
        role=role,
        orgs=places,
        userIds=ids,
        agents=[],
        **more,
    )


def juniper() -> dict[str, list[Json]]:
    """Give a district of two schools."""
    schools = [
        record(one, name=name, type="school", identifier=one, parent=reference("org", "d"))
        for one, name in (("s1", "Elm"), ("s2", "Oak"))
    ]
    dates = {"startDate": "2026-08-15", "endDate": "2027-06-10", "schoolYear": "2027"}
    course = {
        "courseCode": "M5",
        "org": reference("org", "d"),
        "schoolYear": reference("academicSession", "y"),
    }
    group = {
        "course": reference("course", "m"),
        "school": reference("org", "s1"),
        "terms": [reference("term", "t")],
    }
    enrolled = {"class": reference("class", "c"), "school": reference("org", "s1")}
    return {
        "orgs": [record("d", name="Juniper", type="district", identifier="1"), *schools],
        "academicSessions": [
            record("y", title="2026-2027", type="schoolYear", **dates),
            record(
                "t", title="Fall", type="term", parent=reference("academicSession", "y"), **dates
            ),
        ],
        "users": [
            user("ana", "Ana", "student", "s1", grades=["05"], metadata={"bus": "12"}),
            user("bo", "Bo", "student", "s1", "s2", grades=["05"]),
            user("tia", "Tia", "teacher", "s1", "s2"),
        ],
        "courses": [record("m", title="Math 5", grades=["05"], subjects=["Math"], **course)],
        "classes": [
            record("c", title="Math 5 A", classType="scheduled", periods=["1", "2"], **group)
        ],
        "enrollments": [
            record(f"e-{one}", user=reference("user", one), role=role, primary="false", **enrolled)
            for one, role in (("ana", "student"), ("bo", "student"), ("tia", "teacher"))
        ],
        "demographics": [record("ana", birthDate="2015-03-04", sex="female", asian="true")],
    }
