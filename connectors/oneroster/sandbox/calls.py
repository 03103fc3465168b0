"""One request, as handlers see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from connectors.oneroster.profile import Collection
from connectors.oneroster.sandbox.failures import Failure
from connectors.oneroster.sandbox.resources import Resource
from connectors.oneroster.sandbox.showing import Reading
from connectors.oneroster.sandbox.store import Store
from transforms.carrying import TargetVocabulary
from transforms.payload import Json


@dataclass(frozen=True)
class Call:
    """The ids in the path of a request, its query and its body."""

    reading: Reading
    ids: tuple[str, ...]
    query: Mapping[str, str]
    content: bytes

    @property
    def store(self) -> Store:
        """Where the records are."""
        return self.reading.store

    @property
    def collections(self) -> Mapping[str, Collection]:
        """The collections that are served, by name."""
        return self.reading.served.profile.collections

    @property
    def vocabulary(self) -> TargetVocabulary:
        """The words that are taken."""
        return self.reading.served.profile.vocabulary

    @property
    def by_name(self) -> Mapping[str, Resource]:
        """The collections and views that are served, by name."""
        return self.reading.served.by_name

    def wrapped(self, wrapper: str) -> Json:
        """Take the record out of the body."""
        record = self.body().get(wrapper)
        if not isinstance(record, dict):
            raise Failure(422, "The request body is not valid.", **{wrapper: "is required"})
        return record

    def body(self) -> Json:
        """Read the body, a JSON object."""
        try:
            body = json.loads(self.content, parse_constant=_refused)
        except (ValueError, RecursionError):
            raise Failure(400, "The request body is not JSON.") from None
        return body if isinstance(body, dict) else {}


def _refused(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")
