"""The file system of an address, opened again and asked again if the connection is lost."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from connectors.fetch.addresses import Access, LostConnectionError, as_fetch_error
from connectors.fetch.filesystems import open_filesystem
from connectors.oneroster.retry import RetryPolicy
from transforms.grammar import count_of

T = TypeVar("T")


class StoreConnection:
    """The file system of an address, under the rules by which a target is asked again."""

    def __init__(
        self, address: str, access: Access | None = None, policy: RetryPolicy | None = None
    ) -> None:
        self.address = address
        self._access = access or Access()
        self._policy = policy or RetryPolicy()
        self._opened: tuple[Any, str] | None = None
        self._was_reached = False

    def ask(self, question: Callable[[Any, str], T]) -> T:
        """Return the answer to a question about the file system and the path in it.

        A question is asked again if the connection is lost, so it must leave nothing behind that
        it cannot begin with. Raises `LostConnectionError` if the patience is used up, and any
        other `FetchError` at once.
        """
        began, attempt = time.monotonic(), 1
        while True:
            try:
                with as_fetch_error(self.address):
                    self._opened = self._opened or open_filesystem(self.address, self._access)
                    answer = question(*self._opened)
            except LostConnectionError as error:
                self._opened = None
                attempt += 1
                rest = self._policy.rest_before(attempt, random.random())
                self._was_reached = self._was_reached or error.reached
                if not self._may_ask(attempt, time.monotonic() + rest - began, error):
                    raise error.after(count_of(attempt - 1, "attempts")) from None
                time.sleep(rest)
            else:
                self._was_reached = True
                return answer

    def _may_ask(self, attempt: int, seconds: float, error: LostConnectionError) -> bool:
        """Return whether a question may be asked so often, and so many seconds after it began."""
        if not self._was_reached:
            most = self._policy.first_attempts
        else:
            most = self._policy.attempts_after(error.status or 0)
        return attempt <= most and seconds < self._policy.seconds
