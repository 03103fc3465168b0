"""Build the requests to the target and interpret its responses; no I/O.

Source: API reference, sections 2 (creating and duplicates), 4 (operations) and 8 (wrappers).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONEncoder
from typing import Any, Literal
from urllib.parse import quote, urlencode

from connectors.oneroster.error_words import hide_personal_words
from connectors.oneroster.profile import Collection
from transforms.payload import Json

Method = Literal["GET", "POST", "PUT", "DELETE"]
Fault = Literal["", "unreached", "slow", "lost", "unfit"]
Kind = Literal["done", "exists", "missing", "unclear", "elsewhere", "refused", "broken"]
ALREADY_EXISTS = b"already exists"
# A retry may get past these statuses: API reference, section 7, and those of gateways.
TRANSIENT = frozenset({0, 429, 500, 502, 503, 504})
NOT_CONFIRMED = "an answer that does not say what became of the record"
ELSEWHERE = (
    "HTTP {status}: the target keeps it under another id, {ids}, where nothing of ours finds it. "
    "Delete that record there if it is new, and ask who runs the target to keep the ids that it is "
    "given."
)
LONGEST_DETAIL = 200
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Properties whose values a report may show: ids, and words that are the same for everybody.
PUBLIC_PROPERTIES = frozenset({"sourcedId", "status", "href"})

# Escapes everything but ASCII: a lone surrogate that others stored cannot be written as UTF-8.
_encode = JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Request:
    """One request to the target."""

    method: Method
    # Percent-encoded, with a leading slash and the query.
    path: str
    body: bytes = b""
    # Path of the record that a POST creates: a retry reads it first.
    seen_by: str = ""
    # Id and wrapper of the record that is written.
    sourced_id: str = ""
    wrapper: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    """The response to a request, or why there is none."""

    # 0 if no response came, or one that cannot be read.
    status: int
    body: bytes = b""
    # Why there is no response, for people.
    lost: str = ""
    # The same as a code; `unreached`: no connection; `unfit`: too large or nested too deep to read.
    fault: Fault = ""
    # Seconds for which the target asks us to pause (Retry-After).
    wait: float | None = None
    # Whether an earlier attempt may have been carried out, so that this one met its own effect.
    again: bool = False
    # From the headers of a page: how many records the collection has, and whether a page follows.
    total: int | None = None
    follows: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a response means.

    The kinds are:

    - `done`: the target carried the request out.
    - `exists`: the id is taken.
    - `missing`: the API says that there is no such record. A web server's own page does not count.
    - `unclear`: only a GET can show whether the id is taken.
    - `elsewhere`: the target created the record under an id of its own, named in `detail`.
    - `refused`: the target rejects the request.
    - `broken`: the request may have been carried out, or not.
    """

    kind: Kind
    # Why it is not `done`, for people.
    detail: str = ""


def is_addressable(sourced_id: str) -> bool:
    """Return whether an id can be part of a path.

    An id of dots alone cannot: they mean folders, however they are encoded (RFC 3986 5.2.4).
    """
    return sourced_id not in ("", ".", "..")


def create(collection: Collection, record: Json) -> Request:
    """Build the POST that creates a record."""
    sourced_id, body = record["sourcedId"], _body(collection, record)
    return Request(
        "POST", collection.path, body, _path(collection, sourced_id), sourced_id, collection.wrapper
    )


def replace(collection: Collection, record: Json) -> Request:
    """Build the PUT that replaces the record of the same id."""
    sourced_id, body = record["sourcedId"], _body(collection, record)
    return Request(
        "PUT",
        _path(collection, sourced_id),
        body,
        sourced_id=sourced_id,
        wrapper=collection.wrapper,
    )


def read(collection: Collection, sourced_id: str) -> Request:
    """Build the GET of one record."""
    return Request("GET", _path(collection, sourced_id))


def delete(collection: Collection, sourced_id: str) -> Request:
    """Build the DELETE of a record, which sets its status to `tobedeleted` (section 2.3)."""
    return Request("DELETE", _path(collection, sourced_id))


def list_page(path: str, parameters: dict[str, str]) -> Request:
    """Build the GET of one page of a collection or view (section 6)."""
    return Request("GET", f"{path}?{urlencode(parameters, quote_via=quote)}")


def _body(collection: Collection, record: Json) -> bytes:
    return _encode({collection.wrapper: _spelled_for_target(collection, record)}).encode()


def _spelled_for_target(collection: Collection, record: Json) -> Json:
    """Spell a record as the target expects it in a write."""
    for name, path, kind in collection.full_references:
        if isinstance(reference := record.get(name), dict):
            record = record | {name: _full_reference(path, reference["sourcedId"], kind)}
    if collection.twins:
        record = record | {
            name: record.get(one) for one, other in collection.twins for name in (one, other)
        }
    if not collection.written_as:
        return record
    names = dict(collection.written_as)
    return {names.get(name, name): value for name, value in record.items()}


def _full_reference(path: str, sourced_id: str, kind: str) -> Json:
    return {"href": f"{path}/{quote(sourced_id, safe='')}", "sourcedId": sourced_id, "type": kind}


def _path(collection: Collection, sourced_id: str) -> str:
    return f"{collection.path.rstrip('/')}/{quote(sourced_id, safe='')}"


def outcome_of(request: Request, answer: Response) -> Outcome:
    """Return what a response means.

    A 2xx to a write is a success if its body is silent or confirms our id (section 8).
    """
    if _succeeded(request, answer):
        return _write_outcome(request, answer) if request.sourced_id else Outcome("done")
    return Outcome(
        _kind(request, answer),
        describe_failure(answer.status, answer.body, answer.lost, sent=request.body),
    )


def is_transient(request: Request, answer: Response) -> bool:
    """Return whether a retry of the request may get another response."""
    if answer.fault == "unfit":
        return False
    return answer.status in TRANSIENT or (answer.status < 300 and not _succeeded(request, answer))


def may_have_been_done(answer: Response) -> bool:
    """Return whether a request that failed may have been carried out all the same."""
    return answer.status != 429 and answer.fault != "unreached"


def record_in(collection: Collection, answer: Response) -> Json | None:
    """Return the record in the response to a read, or None."""
    record = parse_object(answer.body).get(collection.wrapper)
    return record if isinstance(record, dict) else None


def _succeeded(request: Request, answer: Response) -> bool:
    """Return whether a 2xx comes from the API, and not from a proxy on the way.

    A read must have brought JSON.
    """
    if not 200 <= answer.status < 300:
        return False
    return is_json_object(answer.body) if request.method == "GET" else not is_html_page(answer.body)


def _write_outcome(request: Request, answer: Response) -> Outcome:
    """Return what a 2xx to a write means: whether the record is stored under its id.

    A response that does not say so is `unclear` or `broken`: the caller must read the record.
    """
    ids = allocated_ids(answer.body, request.sourced_id, request.wrapper)
    if ids is None or request.sourced_id in ids:
        return Outcome("done")
    if ids:
        return Outcome(
            "elsewhere", ELSEWHERE.format(status=answer.status, ids=", ".join(map(_quoted_id, ids)))
        )
    return Outcome(
        "unclear" if request.method == "POST" else "broken",
        f"HTTP {answer.status}: {NOT_CONFIRMED}",
    )


def _quoted_id(sourced_id: str) -> str:
    """Quote an id for people; `repr` escapes its control characters."""
    return repr(
        sourced_id if len(sourced_id) <= LONGEST_DETAIL else sourced_id[: LONGEST_DETAIL - 1] + "…"
    )


def _kind(request: Request, answer: Response) -> Kind:
    posted = request.method == "POST"
    if posted and (
        answer.status == 409 or (answer.status == 404 and ALREADY_EXISTS in answer.body.lower())
    ):
        return "exists"
    if answer.status == 404 and not is_html_page(answer.body):
        return "missing"
    if answer.status >= 500 or answer.status < 300:
        return "unclear" if posted else "broken"
    return "refused"


def parse_object(body: bytes) -> Json:
    """Parse a JSON object; return an empty one if the body is cut short, HTML, or anything else."""
    value = parse_json(body)
    return value if isinstance(value, dict) else {}


def parse_json(body: bytes) -> Any:
    """Parse JSON; return None if the body is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def is_json_object(body: bytes) -> bool:
    """Return whether a body is one complete JSON object."""
    return bool(parse_object(body)) or body.strip() == b"{}"


def is_html_page(body: bytes) -> bool:
    """Return whether a body is a page for people, as proxies and sign-in portals send it."""
    return body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] == b"<"


def describe_failure(status: int, body: bytes, lost: str, *, sent: bytes = b"") -> str:
    """Say in one line why a request failed.

    The line has no value of the record that was `sent`, and no word that may be personal.
    """
    if lost:
        return lost
    record = parse_object(sent) if sent else {}
    words = " ".join(_error_words(body).split())
    line = (
        hide_personal_words(_without(words, _values(record)), _ids(record))
        if words
        else _kind_of_body(body)
    )
    shown = line if len(line) <= LONGEST_DETAIL else f"{line[: LONGEST_DETAIL - 1]}…"
    return f"HTTP {status}: {shown}"


def _error_words(body: bytes) -> str:
    answer = parse_object(body)
    answer = (
        answer["imsx_StatusInfo"] if isinstance(answer.get("imsx_StatusInfo"), dict) else answer
    )
    for name in ("imsx_description", "message", "error", "errors"):
        if text := _text(answer.get(name)):
            return text + _details(answer.get("imsx_error_details"))
    return ""


def _kind_of_body(body: bytes) -> str:
    if not body.strip():
        return "no explanation"
    return "an HTML page" if is_html_page(body) else "an answer that is not understood"


def _text(error: Any) -> str:
    """Return the words of an error: a text, an object that has one, or the first of a list."""
    if isinstance(error, list):
        error = next(iter(error), "")
    if isinstance(error, dict):
        error = next(
            (
                error[name]
                for name in ("message", "description", "detail", "title")
                if name in error
            ),
            "",
        )
    return error if isinstance(error, str) and error.strip() else ""


def _details(details: Any) -> str:
    """Return the properties that a 422 names, each with its fault."""
    parts = (
        [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    )
    faults = [f"{name}: {fault}" for part in parts for name, fault in part.items()]
    return f" ({', '.join(faults)})" if faults else ""


def _values(value: Any) -> Iterator[str]:
    """Yield each text and number of a record, except the public ones."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in PUBLIC_PROPERTIES:
                yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _ids(value: Any) -> frozenset[str]:
    """Return the ids in a record: its own, and those of its references."""
    if isinstance(value, dict):
        own = value.get("sourcedId")
        ids = [
            frozenset([own]) if isinstance(own, str) else frozenset(),
            *map(_ids, value.values()),
        ]
    else:
        ids = [_ids(one) for one in value] if isinstance(value, list) else []
    return frozenset().union(*ids)


def _without(text: str, values: Iterator[str]) -> str:
    """Hide values where they stand as words.

    Single characters stay: they identify nobody.
    """
    for value in sorted({" ".join(value.split()) for value in values}, key=len, reverse=True):
        if len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text


# The HTTP status of each error code. An error without a code counts as the server's.
STATUS_OF_CODE = {
    "invaliddata": 422,
    "unauthorisedrequest": 401,
    "forbidden": 403,
    "unknownobject": 404,
    "server_busy": 429,
    "internal_server_error": 500,
}
STATUS_WITHOUT_CODE = 500
FAILED = frozenset({"failure", "failed", "fail", "unsupported", "error"})
# Every body that reports a failure contains one of these. Most bodies do not, and are not parsed.
FAILURE_SIGNS = (b"codem", b'"err', b'"fail', b'"fault', b'"success', b"statusinfo")
WRAPPERS = ("statusinfo", "statusinfoset")


def hidden_status(body: bytes) -> int:
    """Return the status of a failure that came as a 2xx, or 0 if the body reports none."""
    text = body.lower()
    if not any(sign in text for sign in FAILURE_SIGNS):
        return 0
    answer = _with_plain_names(parse_object(body))
    for info in (answer, *_status_infos(answer)):
        codes = [STATUS_OF_CODE[code] for code in _codes(info) if code in STATUS_OF_CODE]
        if codes or _lowercase(info.get("codemajor")) in FAILED:
            return codes[0] if codes else STATUS_WITHOUT_CODE
    return _status(answer) if _is_failure(answer) else 0


def _with_plain_names(answer: Any) -> Json:
    """Return an object under names of one spelling.

    `imsx_CodeMajor`, `codeMajor` and `code_major` become the same name.
    """
    if not isinstance(answer, dict):
        return {}
    return {
        name.lower().removeprefix("imsx_").replace("_", ""): value for name, value in answer.items()
    }


def _status_infos(answer: Json) -> Iterator[Json]:
    for name in WRAPPERS:
        value = answer.get(name)
        yield from map(_with_plain_names, value if isinstance(value, list) else [value])


def _codes(info: Json) -> Iterator[str]:
    fields = _with_plain_names(info.get("codeminor")).get("codeminorfield")
    for one in fields if isinstance(fields, list) else [fields]:
        if code := _lowercase(_with_plain_names(one).get("codeminorfieldvalue")):
            yield code


def _is_failure(answer: Json) -> bool:
    has_error = any(
        answer.get(name) not in (None, False, "", [], {}) for name in ("error", "errors", "fault")
    )
    return (
        has_error
        or answer.get("success") is False
        or _lowercase(answer.get("success")) == "false"
        or _lowercase(answer.get("status")) in FAILED
    )


def _status(answer: Json) -> int:
    """Return the status that an error names, at its top or inside `error`; else the server's."""
    for part in (answer, _with_plain_names(answer.get("error"))):
        for name in ("status", "statuscode", "code"):
            value = part.get(name)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return STATUS_WITHOUT_CODE


def _lowercase(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def allocated_ids(body: bytes, supplied: str, wrapper: str) -> list[str] | None:
    """Return the ids under which the target stored the record that we sent as `supplied`.

    None if the body says nothing: it is absent, empty, or not JSON. An empty list if it says
    something else.
    """
    answer = parse_json(body)
    if answer in (None, {}, []):
        return None
    if not isinstance(answer, dict):
        return []
    if "sourcedIdPairs" in answer:
        return _allocated_ids(answer["sourcedIdPairs"], supplied)
    return _record_ids(answer, wrapper)


def _allocated_ids(pairs: Any, supplied: str) -> list[str]:
    """Return the allocated ids of the pairs for our id, or of all pairs if none is for it."""
    objects = [
        pair for pair in (pairs if isinstance(pairs, list) else [pairs]) if isinstance(pair, dict)
    ]
    ours = [pair for pair in objects if pair.get("suppliedSourcedId") == supplied] or objects
    return [str(one) for pair in ours if (one := pair.get("allocatedSourcedId")) not in (None, "")]


def _record_ids(answer: Json, wrapper: str) -> list[str]:
    """Return the id of the record in a response.

    The record is bare, in its wrapper, or in a wrapper that is the only property.
    """
    records = [answer, answer.get(wrapper), *(answer.values() if len(answer) == 1 else ())]
    ids = (record.get("sourcedId") for record in records if isinstance(record, dict))
    return [str(one) for one in ids if one is not None][:1]
