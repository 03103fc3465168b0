"""What the target says of a request that failed, in words that may be shown to anybody.

Source: API reference, section 5; API gateways say `message` or `error`, proxies send HTML.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from connectors.oneroster.wording import public
from transforms.payload import Json

LONGEST = 200
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# What is said of a record in a report: ids, and words that are the same for everybody.
PUBLIC = frozenset({"sourcedId", "status", "href"})


def parsed(body: bytes) -> Json:
    """Read a JSON object; an empty one if the body is cut short, HTML or anything else."""
    value = value_of(body)
    return value if isinstance(value, dict) else {}


def value_of(body: bytes) -> Any:
    """Read JSON; None if it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def readable(body: bytes) -> bool:
    """Tell whether a body is a JSON object to its end."""
    return bool(parsed(body)) or body.strip() == b"{}"


def is_page(body: bytes) -> bool:
    """Tell whether a body is a page for people, as proxies and sign-in portals send it."""
    return body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] == b"<"


def description(status: int, body: bytes, lost: str, *, sent: bytes = b"") -> str:
    """Say in a line why a request failed, without any value of the record that was `sent`, and of nobody else's."""
    if lost:
        return lost
    record = parsed(sent) if sent else {}
    said = " ".join(_said(body).split())
    safe = public(_without(said, _values(record)), _ids(record)) if said else _speechless(body)
    return f"HTTP {status}: {safe if len(safe) <= LONGEST else safe[: LONGEST - 1] + '…'}"


def _said(body: bytes) -> str:
    answer = parsed(body)
    answer = answer["imsx_StatusInfo"] if isinstance(answer.get("imsx_StatusInfo"), dict) else answer
    for name in ("imsx_description", "message", "error", "errors"):
        if text := _text(answer.get(name)):
            return text + _details(answer.get("imsx_error_details"))
    return ""


def _speechless(body: bytes) -> str:
    if not body.strip():
        return "no explanation"
    return "an HTML page" if is_page(body) else "an answer that is not understood"


def _text(told: Any) -> str:
    """Take the words out of what tells of a failure: a text, an object that has one, or the first of a list."""
    if isinstance(told, list):
        told = next(iter(told), "")
    if isinstance(told, dict):
        told = next((told[name] for name in ("message", "description", "detail", "title") if name in told), "")
    return told if isinstance(told, str) and told.strip() else ""


def _details(details: Any) -> str:
    """Add the properties that a 422 names, each with its fault."""
    parts = [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    faults = [f"{name}: {fault}" for part in parts for name, fault in part.items()]
    return f" ({', '.join(faults)})" if faults else ""


def _values(value: Any) -> Iterator[str]:
    """Give every text and number of a record but the public ones."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in PUBLIC:
                yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _ids(value: Any) -> frozenset[str]:
    """Give the ids in a record, its own and those to which it refers."""
    if isinstance(value, dict):
        own = value.get("sourcedId")
        found = [frozenset([own]) if isinstance(own, str) else frozenset(), *map(_ids, value.values())]
    else:
        found = [_ids(one) for one in value] if isinstance(value, list) else []
    return frozenset().union(*found)


def _without(text: str, values: Iterator[str]) -> str:
    """Hide values where they stand as words; single characters tell nobody anything."""
    for value in sorted({" ".join(value.split()) for value in values}, key=len, reverse=True):
        if len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text
