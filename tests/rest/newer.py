"""A source of OneRoster 1.2 on loopback that writes its answers as a test wants them: their pages, headers and bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.oneroster.sandbox import Sandbox
from tests.rest.feeds import Feed
from tests.rest.loopback import Answering, serving
from tests.rest.older import AFTER, juniper, record, reference

Json = dict[str, Any]
Headers = list[tuple[str, str]]
SERVICE = re.compile(r"/ims/oneroster/(?:rostering|gradebook|resources)/v1p2/")


@dataclass
class Newer:
    """What a source holds, by collection, and how it answers."""

    records: dict[str, list[Json]]
    # Records of a page, whatever is asked for.
    largest: int = 1000
    # The status of each collection that it does not give.
    refused: dict[str, int] = field(default_factory=dict)
    # From the offset of a page, that of the next one and the number of all records to its headers.
    headers: Callable[[int, int, int], Headers] = lambda offset, end, total: [
        ("X-Total-Count", str(total))
    ]
    # From the text of an answer to its bytes, and their encoding.
    pack: Callable[[bytes], tuple[bytes, str]] = lambda text: (text, "identity")
    url: str = ""

    def change(self, collection: str, sourced_id: str, **properties: Any) -> None:
        """Change a record, later than anybody ever read it."""
        for one in self.records[collection]:
            if one["sourcedId"] == sourced_id:
                one |= {"dateLastModified": AFTER, **properties}

    def answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, Json, Headers]:
        """Answer a request: status, body, headers."""
        collection, _, single = SERVICE.sub("", path).partition("/")
        if status := self.refused.get(collection):
            return status, {"imsx_codeMajor": "failure", "imsx_description": "no scope"}, []
        found = self.records.get(collection, [])
        if single or collection not in self.records:
            there = [one for one in found if one["sourcedId"] == single]
            return (200, {collection[:-1]: there[0]}, []) if there else (404, {}, [])
        since = re.fullmatch(r"dateLastModified>'([0-9T:.Z-]+)'", query.get("filter", [""])[0])
        found = [one for one in found if not since or one["dateLastModified"] > since[1]]
        offset = int(query.get("offset", ["0"])[0])
        end = offset + min(self.largest, int(query["limit"][0]))
        return 200, {collection: found[offset:end]}, self.headers(offset, end, len(found))


@contextmanager
def newer(records: dict[str, list[Json]]) -> Iterator[Newer]:
    """Serve records while the body lasts, to anybody."""
    source = Newer(records)

    class Handler(Answering):
        def get(self) -> None:
            parts = urlsplit(self.path)
            self.reply(*source.answer(parts.path, parse_qs(parts.query)))

        def post(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.reply(200, {"access_token": "token", "expires_in": 3600}, [])

        def reply(self, status: int, body: Json, headers: Headers) -> None:
            content, encoding = source.pack(json.dumps(body).encode())
            self.give(status, content, [("Content-Encoding", encoding), *headers])

    with serving(Handler) as source.url:
        yield source


@contextmanager
def feeding(folder: Path, target: Sandbox, *settings: str) -> Iterator[tuple[Newer, Feed]]:
    """Serve a district, and give its feed into an emptied target."""
    target.store.clear()
    with newer(juniper_of_1_2()) as source:
        feed = Feed(folder, target)
        address = (f'url = "{source.url}"', f'token_url = "{source.url}/token"')
        feed.configure(*address, "patience_seconds = 0", *settings)
        yield source, feed


def juniper_of_1_2() -> dict[str, list[Json]]:
    """Give the district of two schools in the newer version, with a gradebook."""
    found = juniper()
    for one in found["users"]:
        role, places = one.pop("role"), one.pop("orgs")
        one["roles"] = [{"roleType": "primary", "role": role, "org": place} for place in places]
    day, place = "2026-09-08T00:00:00.000Z", {"class": reference("class", "c")}
    line_item = {
        "title": "Quiz",
        "assignDate": day,
        "dueDate": day,
        "category": reference("category", "k"),
        "school": reference("org", "s1"),
        "academicSession": reference("academicSession", "t"),
    }
    result = {
        "lineItem": reference("lineItem", "q"),
        "student": reference("user", "ana"),
        "scoreStatus": "fully graded",
        "scoreDate": "2026-09-09",
    }
    return found | {
        "categories": [record("k", title="Quizzes", weight=33)],
        "lineItems": [record("q", **line_item, **place)],
        "results": [record("ana-q", **result, **place, score=9)],
    }
