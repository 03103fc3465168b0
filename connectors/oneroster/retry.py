"""How often a request is retried, and how long a run waits: rules without a clock or chance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from connectors.patience import PATIENCE_SECONDS

TOO_MANY_REQUESTS, SERVER_ERROR = 429, 500
SECONDS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class RetryPolicy:
    """The retry budget of a request and of a run; times are in seconds."""

    # How often a request is sent at most.
    attempts: int = 8
    # The same after an HTTP 500, which may be the record's own fault.
    broken_attempts: int = 3
    # The same while no connection was ever made.
    first_attempts: int = 3
    # How long after the first attempt another one may begin.
    seconds: float = PATIENCE_SECONDS
    # Upper bound of the random wait before the first retry; it doubles with each attempt.
    rest: float = 0.5
    # The largest value that this bound reaches.
    longest_rest: float = 30.0
    # How many retries a run may make in any case.
    repeats: int = 100
    # How many more, as a share of all requests that it sent.
    share: float = 0.25
    # The longest single wait that the target may ask for (Retry-After).
    pause: float = 300.0
    # The longest such wait in total, per run.
    pauses: float = 1800.0
    # After so many failed requests in a row, each with its retries used up, the run ends.
    hopeless: int = 3

    def attempts_after(self, status: int) -> int:
        """Return how often a request may be sent whose last response had this status."""
        return self.broken_attempts if status == SERVER_ERROR else self.attempts

    def rest_before(self, attempt: int, chance: float) -> float:
        """Return the seconds to wait before an attempt; the first retry is attempt 2.

        `chance` is from 0 to 1 (full jitter).
        """
        return chance * min(self.longest_rest, self.rest * 2.0 ** (attempt - 2))

    def bears(self, repeats: int, requests: int) -> bool:
        """Return whether a run may retry another request after so many retries and requests."""
        return repeats < self.repeats + self.share * requests


def retry_after_seconds(retry_after: str, date: str, now: float) -> float | None:
    """Return the seconds that a `Retry-After` asks for, as a number or as an HTTP date.

    None if it is neither. A date is compared with the response's own `date`, since clocks differ,
    or with `now` (seconds since 1970) if it has none. Source: RFC 9110, 10.2.3.
    """
    text = retry_after.strip()
    if SECONDS.fullmatch(text):
        return float(text)
    until = _timestamp(text)
    return None if until is None else max(0.0, until - (_timestamp(date) or now))


def _timestamp(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
