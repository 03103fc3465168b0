"""A failure that came as a success: the standard's, with and without its wrapper, and those of other dialects.

Source: API reference, section 5; API gateways and web frameworks say `error`, `errors`, `fault` or `success: false`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.oneroster.answers import parsed
from transforms.payload import Json

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
    answer = _named(parsed(body))
    for info in (answer, *_wrapped(answer)):
        codes = [CODES[code] for code in _codes(info) if code in CODES]
        if codes or _word(info.get("codemajor")) in FAILED:
            return codes[0] if codes else UNKNOWN
    return _status(answer) if _is_failure(answer) else 0


def _named(answer: Any) -> Json:
    """Give an object under names that are spelled alike: `imsx_CodeMajor`, `codeMajor` and `code_major` are one."""
    if not isinstance(answer, dict):
        return {}
    return {name.lower().removeprefix("imsx_").replace("_", ""): value for name, value in answer.items()}


def _wrapped(answer: Json) -> Iterator[Json]:
    for name in WRAPPERS:
        value = answer.get(name)
        yield from map(_named, value if isinstance(value, list) else [value])


def _codes(info: Json) -> Iterator[str]:
    fields = _named(info.get("codeminor")).get("codeminorfield")
    for one in fields if isinstance(fields, list) else [fields]:
        if code := _word(_named(one).get("codeminorfieldvalue")):
            yield code


def _is_failure(answer: Json) -> bool:
    told = any(answer.get(name) not in (None, False, "", [], {}) for name in ("error", "errors", "fault"))
    return told or answer.get("success") is False or _word(answer.get("success")) == "false" or _word(answer.get("status")) in FAILED  # fmt: skip


def _status(answer: Json) -> int:
    """The status that such a failure names, of itself or inside; else the server's."""
    for part in (answer, _named(answer.get("error"))):
        for name in ("status", "statuscode", "code"):
            value = part.get(name)
            if isinstance(value, int) and 400 <= value < 600:
                return value
    return UNKNOWN


def _word(value: Any) -> str:
    return value.strip().lower() if isinstance(value, str) else ""
