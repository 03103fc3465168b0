"""Errors in the API's own format.

Source: API reference, section 5: error bodies are flat, and `imsx_CodeMinor` has a capital C.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.responses import JSONResponse

MINOR = {
    400: "invaliddata",
    401: "unauthorisedrequest",
    403: "forbidden",
    404: "unknownobject",
    405: "unknownobject",
    409: "invaliddata",
    422: "invaliddata",
    429: "server_busy",
    500: "internal_server_error",
}


class ApiFailure(Exception):
    """A request gets an error as its answer; `details` are faults by property."""

    def __init__(self, status: int, description: str, /, **details: str) -> None:
        super().__init__(description)
        self.status, self.description, self.details = status, description, details

    @property
    def response(self) -> JSONResponse:
        """The API's answer."""
        body: dict[str, Any] = {
            "imsx_codeMajor": "failure",
            "imsx_severity": "error",
            "imsx_description": self.description,
            "imsx_CodeMinor": {
                "imsx_codeMinorField": [
                    {
                        "imsx_codeMinorFieldName": "TargetEndSystem",
                        "imsx_codeMinorFieldValue": MINOR.get(self.status, "invaliddata"),
                    }
                ]
            },
        }
        if self.details:
            body["imsx_error_details"] = [{name: fault} for name, fault in self.details.items()]
        return JSONResponse(body, self.status)


def not_found(kind: str, sourced_id: str = "") -> ApiFailure:
    """Return the error for a missing record of a kind, such as `Academic session not found.`"""
    words = re.sub("(?<=[a-z])[A-Z]", lambda letter: f" {letter[0].lower()}", kind)
    return ApiFailure(404, f"{words[0].upper()}{words[1:]} {sourced_id}".rstrip() + " not found.")
