"""Requests to the target and what its responses mean; no I/O.

Source: API reference, sections 2 (creating and duplicates), 4 (operations) and 8 (wrappers).
"""

from __future__ import annotations

from dataclasses import dataclass
from json import JSONEncoder
from typing import Literal
from urllib.parse import quote, urlencode

from connectors.oneroster.allocating import allocated
from connectors.oneroster.answers import LONGEST, description, is_page, parsed, readable
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
    return Outcome(_kind(request, answer), description(answer.status, answer.body, answer.lost, sent=request.body))


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
        return Outcome("elsewhere", ELSEWHERE.format(status=answer.status, ids=", ".join(map(_shown, ids))))
    return Outcome("unclear" if request.method == "POST" else "broken", f"HTTP {answer.status}: {UNTOLD}")


def _shown(sourced_id: str) -> str:
    """Write an id for people; control characters are escaped."""
    return repr(sourced_id if len(sourced_id) <= LONGEST else sourced_id[: LONGEST - 1] + "…")


def _kind(request: Request, answer: Answer) -> Kind:
    posted = request.method == "POST"
    if posted and (answer.status == 409 or (answer.status == 404 and ALREADY in answer.body.lower())):
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
        record = record | {name: record.get(one) for one, other in collection.twins for name in (one, other)}
    if not collection.written_as:
        return record
    names = dict(collection.written_as)
    return {names.get(name, name): value for name, value in record.items()}


def _full_reference(path: str, sourced_id: str, kind: str) -> Json:
    return {"href": f"{path}/{quote(sourced_id, safe='')}", "sourcedId": sourced_id, "type": kind}
