"""How long a run bears with a target that fails: numbers, and what follows from them; no clock, no chance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

BUSY, BROKEN = 429, 500
SECONDS = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True)
class RetryPolicy:
    """The budget of a request and of a run; times are in seconds.

    A request is sent up to `attempts` times within `seconds`: up to `broken_attempts` times if the target
    says that it broke (HTTP 500), since that may be the record's fault, and `first_attempts` times if no
    connection was ever made. It rests in between for a random part of `rest`, doubled each time up to
    `longest_rest`. A run repeats up to `repeats` requests and `share` of all that it sent. It waits up to `pause` when
    asked to (Retry-After), and up to `pauses` altogether. It breaks off when `hopeless` requests in a row used up
    their budget, and nothing else was answered.
    """

    attempts: int = 8
    broken_attempts: int = 3
    first_attempts: int = 3
    seconds: float = 120.0
    rest: float = 0.5
    longest_rest: float = 30.0
    repeats: int = 100
    share: float = 0.25
    pause: float = 300.0
    pauses: float = 1800.0
    hopeless: int = 3

    def attempts_after(self, status: int) -> int:
        """How often a request may be sent whose last answer had a status."""
        return self.broken_attempts if status == BROKEN else self.attempts

    def rest_before(self, attempt: int, chance: float) -> float:
        """How long to rest before an attempt, the second being 2; `chance` is from 0 to 1 (full jitter)."""
        return chance * min(self.longest_rest, self.rest * 2.0 ** (attempt - 2))

    def bears(self, repeats: int, requests: int) -> bool:
        """Whether a run of so many requests, so many of them repeated, may repeat another one."""
        return repeats < self.repeats + self.share * requests


def asked_pause(retry_after: str, date: str, now: float) -> float | None:
    """How many seconds a `Retry-After` asks for, as a number or as an HTTP date; None if it is neither.

    The date is compared with the answer's own `date`, if it has one, since clocks differ; else with `now`
    (seconds since 1970). Source: RFC 9110, 10.2.3.
    """
    said = retry_after.strip()
    if SECONDS.fullmatch(said):
        return float(said)
    until = _moment(said)
    return None if until is None else max(0.0, until - (_moment(date) or now))


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
