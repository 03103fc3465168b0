"""Requests to the target and what its responses mean; no I/O.

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

from connectors.oneroster.error_words import public
from connectors.oneroster.profile import Collection
from transforms.payload import Json

Method = Literal["GET", "POST", "PUT", "DELETE"]
Fault = Literal["", "unreached", "slow", "lost", "unfit"]
Kind = Literal["done", "exists", "missing", "unclear", "elsewhere", "refused", "broken"]
ALREADY = b"already exists"
# Answers that may be others in a while: API reference, section 7, and what gateways say.
PASSING = frozenset({0, 429, 500, 502, 503, 504})
UNTOLD = "an answer that does not say what became of the record"
ELSEWHERE = (
    "HTTP {status}: the target keeps it under another id, {ids}, where nothing of ours finds it. "
    "Delete that record there if it is new, and ask who runs the target to keep the ids that it is given."
)

# Escapes everything but ASCII: a lone surrogate that another program stored cannot be written as UTF-8.
_encode = JSONEncoder(separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `path` is percent-encoded, begins with a slash and has the query.

    `seen_by` is the path by which the target shows what the request makes: who is to repeat it asks there first.
    `sourced_id` is the id under which a record is written, in its `wrapper`.
    """

    method: Method
    path: str
    body: bytes = b""
    seen_by: str = ""
    sourced_id: str = ""
    wrapper: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a request; `status` is 0 if none came, or one that cannot be read (`unfit`): `lost` then says why, and `fault` how.

    `wait` is for how many seconds the target asks to be left alone. `again` is true if the request may have been
    carried out before: what it met may be its own. `total` and `follows` are what the headers of a page say: how many
    records there are, and whether another page follows.
    """

    status: int
    body: bytes = b""
    lost: str = ""
    fault: Fault = ""
    wait: float | None = None
    again: bool = False
    total: int | None = None
    follows: bool | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an answer means; `detail` tells people why it is not `done`.

    `exists`: the id is taken. `missing`: the API, and not a web server with a page of its own, says
    that there is no such record. `unclear`: a GET must decide
    whether the id is taken. `elsewhere`: the target made the record under an id of its own, which `detail` names.
    `refused`: the target will not have it. `broken`: nobody knows whether it was done.
    """

    kind: Kind
    detail: str = ""


def addressable(sourced_id: str) -> bool:
    """Tell whether an id can stand in a path: dots alone are taken for folders, however encoded (RFC 3986 5.2.4)."""
    return sourced_id not in ("", ".", "..")


def create(collection: Collection, record: Json) -> Request:
    """Ask to create a record."""
    one, body = record["sourcedId"], _body(collection, record)
    return Request("POST", collection.path, body, _path(collection, one), one, collection.wrapper)


def replace(collection: Collection, record: Json) -> Request:
    """Ask to put a whole record in the place of the one with its id."""
    one, body = record["sourcedId"], _body(collection, record)
    return Request("PUT", _path(collection, one), body, sourced_id=one, wrapper=collection.wrapper)


def read(collection: Collection, sourced_id: str) -> Request:
    """Ask for one record."""
    return Request("GET", _path(collection, sourced_id))


def remove(collection: Collection, sourced_id: str) -> Request:
    """Ask to delete a record, which sets its status to `tobedeleted` (section 2.3)."""
    return Request("DELETE", _path(collection, sourced_id))


def listing(path: str, parameters: dict[str, str]) -> Request:
    """Ask for one page of a collection or view (section 6)."""
    return Request("GET", f"{path}?{urlencode(parameters, quote_via=quote)}")


def understood(request: Request, answer: Answer) -> Outcome:
    """Say what an answer means. A 2xx to a write is a success if it says nothing, or that our id is the record's (section 8)."""
    if _succeeded(request, answer):
        return _written_as(request, answer) if request.sourced_id else Outcome("done")
    return Outcome(
        _kind(request, answer),
        description(answer.status, answer.body, answer.lost, sent=request.body),
    )


def may_pass(request: Request, answer: Answer) -> bool:
    """Tell whether the same request may be answered otherwise in a while."""
    if answer.fault == "unfit":
        return False
    return answer.status in PASSING or (answer.status < 300 and not _succeeded(request, answer))


def may_be_done(answer: Answer) -> bool:
    """Tell whether a request that failed may have been carried out all the same."""
    return answer.status != 429 and answer.fault != "unreached"


def record_in(collection: Collection, answer: Answer) -> Json | None:
    """Take the record out of the answer to a read; None if it is not there."""
    record = parsed(answer.body).get(collection.wrapper)
    return record if isinstance(record, dict) else None


def _succeeded(request: Request, answer: Answer) -> bool:
    """Tell a 2xx of the API from one that something on the way gave; a read must have brought JSON."""
    if not 200 <= answer.status < 300:
        return False
    return readable(answer.body) if request.method == "GET" else not is_page(answer.body)


def _written_as(request: Request, answer: Answer) -> Outcome:
    """Tell whether a record was written under its id; what is not understood must be looked up."""
    ids = allocated(answer.body, request.sourced_id, request.wrapper)
    if ids is None or request.sourced_id in ids:
        return Outcome("done")
    if ids:
        return Outcome(
            "elsewhere", ELSEWHERE.format(status=answer.status, ids=", ".join(map(_shown, ids)))
        )
    return Outcome(
        "unclear" if request.method == "POST" else "broken", f"HTTP {answer.status}: {UNTOLD}"
    )


def _shown(sourced_id: str) -> str:
    """Write an id for people; control characters are escaped."""
    return repr(sourced_id if len(sourced_id) <= LONGEST else sourced_id[: LONGEST - 1] + "…")


def _kind(request: Request, answer: Answer) -> Kind:
    posted = request.method == "POST"
    if posted and (
        answer.status == 409 or (answer.status == 404 and ALREADY in answer.body.lower())
    ):
        return "exists"
    if answer.status == 404 and not is_page(answer.body):
        return "missing"
    if answer.status >= 500 or answer.status < 300:
        return "unclear" if posted else "broken"
    return "refused"


def _path(collection: Collection, sourced_id: str) -> str:
    return f"{collection.path.rstrip('/')}/{quote(sourced_id, safe='')}"


def _body(collection: Collection, record: Json) -> bytes:
    return _encode({collection.wrapper: _written(collection, record)}).encode()


def _written(collection: Collection, record: Json) -> Json:
    """Spell a record as the target wants it written."""
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
    answer = (
        answer["imsx_StatusInfo"] if isinstance(answer.get("imsx_StatusInfo"), dict) else answer
    )
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
        told = next(
            (told[name] for name in ("message", "description", "detail", "title") if name in told),
            "",
        )
    return told if isinstance(told, str) and told.strip() else ""


def _details(details: Any) -> str:
    """Add the properties that a 422 names, each with its fault."""
    parts = (
        [part for part in details if isinstance(part, dict)] if isinstance(details, list) else []
    )
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
        found = [
            frozenset([own]) if isinstance(own, str) else frozenset(),
            *map(_ids, value.values()),
        ]
    else:
        found = [_ids(one) for one in value] if isinstance(value, list) else []
    return frozenset().union(*found)


def _without(text: str, values: Iterator[str]) -> str:
    """Hide values where they stand as words; single characters tell nobody anything."""
    for value in sorted({" ".join(value.split()) for value in values}, key=len, reverse=True):
        if len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text


# What a failure stands for, by its code; one that names none is the server's.
CODES = {
    "invaliddata": 422, "unauthorisedrequest": 401, "forbidden": 403, "unknownobject": 404, "server_busy": 429,
    "internal_server_error": 500,
}  # fmt: skip
UNKNOWN = 500
FAILED = frozenset({"failure", "failed", "fail", "unsupported", "error"})
# One of these stands in the text of every answer that tells of a failure; most answers have none, and need not be read.
SIGNS = (b"codem", b'"err', b'"fail', b'"fault', b'"success', b"statusinfo")
WRAPPERS = ("statusinfo", "statusinfoset")


def hidden_status(body: bytes) -> int:
    """Give the status that stands for a failure which came as a success; 0 if the body tells of none."""
    text = body.lower()
    if not any(sign in text for sign in SIGNS):
        return 0
    answer = _with_plain_names(parsed(body))
    for info in (answer, *_wrapped(answer)):
        codes = [CODES[code] for code in _codes(info) if code in CODES]
        if codes or _word(info.get("codemajor")) in FAILED:
            return codes[0] if codes else UNKNOWN
    return _status(answer) if _is_failure(answer) else 0


def _with_plain_names(answer: Any) -> Json:
    """Give an object under names that are spelled alike: `imsx_CodeMajor`, `codeMajor` and `code_major` are one."""
    if not isinstance(answer, dict):
        return {}
    return {
        name.lower().removeprefix("imsx_").replace("_", ""): value for name, value in answer.items()
    }


def _wrapped(answer: Json) -> Iterator[Json]:
    for name in WRAPPERS:
        value = answer.get(name)
        yield from map(_with_plain_names, value if isinstance(value, list) else [value])


def _codes(info: Json) -> Iterator[str]:
    fields = _with_plain_names(info.get("codeminor")).get("codeminorfield")
    for one in fields if isinstance(fields, list) else [fields]:
        if code := _word(_with_plain_names(one).get("codeminorfieldvalue")):
            yield code


def _is_failure(answer: Json) -> bool:
    told = any(
        answer.get(name) not in (None, False, "", [], {}) for name in ("error", "errors", "fault")
    )
    return (
        told
        or answer.get("success") is False
        or _word(answer.get("success")) == "false"
        or _word(answer.get("status")) in FAILED
    )


def _status(answer: Json) -> int:
    """The status that such a failure names, of itself or inside; else the server's."""
    for part in (answer, _with_plain_names(answer.get("error"))):
        for name in ("status", "statuscode", "code"):
            value = part.get(name)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return UNKNOWN


def _word(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def allocated(body: bytes, supplied: str, wrapper: str) -> list[str] | None:
    """The ids under which the target keeps what was supplied under an id, in a wrapper; none if it says something else.

    None if it says nothing: no body, an empty one, or one that is no JSON.
    """
    answer = value_of(body)
    if answer in (None, {}, []):
        return None
    if not isinstance(answer, dict):
        return []
    if "sourcedIdPairs" in answer:
        return _paired(answer["sourcedIdPairs"], supplied)
    return _record_ids(answer, wrapper)


def _paired(pairs: Any, supplied: str) -> list[str]:
    """The allocated ids of the pairs that are of what was supplied, or of all if none says so."""
    told = [
        pair for pair in (pairs if isinstance(pairs, list) else [pairs]) if isinstance(pair, dict)
    ]
    ours = [pair for pair in told if pair.get("suppliedSourcedId") == supplied] or told
    return [str(one) for pair in ours if (one := pair.get("allocatedSourcedId")) not in (None, "")]


def _record_ids(answer: Json, wrapper: str) -> list[str]:
    """The id of the record in an answer: bare, in its wrapper, or in one that is all there is."""
    records = [answer, answer.get(wrapper), *(answer.values() if len(answer) == 1 else ())]
    ids = (record.get("sourcedId") for record in records if isinstance(record, dict))
    return [str(one) for one in ids if one is not None][:1]
