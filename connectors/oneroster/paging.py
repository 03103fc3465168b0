"""A collection read to its end, however its pages fall: what reads targets and sources alike.

Each page after the first begins with a record that was read before. Where it does not, records have left meanwhile and
all others have moved up, so that earlier pages are read again until one does. A short page says nothing, since many a
server gives fewer records than are asked for, nor does a total that may be the page's own. The end is where a total of
the whole says that it is, or where nothing but the last record comes, and nothing tells of more.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

# How often a page may begin with a record that was not read before; each time, ten times as many are read again.
SHIFTS, FURTHER = 20, 10
# By so many records pages may overlap before they are taken for the same ones over and over.
OVERLAP = 1000
REPEATED = "its pages repeat: `offset` makes no difference"
UNORDERED = "its records changed their order again and again"


class Moved(Exception):
    """A collection that was not read to its end: records moved on and on, or less came than was told of."""


@dataclass(frozen=True)
class Page:
    """Records of a collection; `total` is how many it has, `follows` whether there are more, None if that is not said."""

    records: list[Any]
    total: int | None = None
    follows: bool | None = None


Ask = Callable[[int], Awaitable[Page]]


def total_of(*told: object) -> int | None:
    """The greatest of the totals that an answer tells, in its headers or its body."""
    return max((one for one in told if isinstance(one, int) and not isinstance(one, bool)), default=None)


async def whole(ask: Ask) -> AsyncIterator[list[Any]]:
    """Give the records of a collection, each once, page by page, to its end; `ask` gives the page at an offset.

    Raises `Moved`.
    """
    reading = _Reading()
    while not reading.over:
        if fresh := reading.take(await ask(reading.offset)):
            yield fresh


@dataclass
class _Reading:
    """What has been read so far.

    `offset` is where the next page is to begin, `end` where the last one ended, with which record it began (`begin`)
    and ended (`last`). `first` is the total that was told at first; `of_pages` is true once totals can only be those of
    pages. `alone` is true if the next page need not begin with what was read before.
    """

    offset: int = 0
    end: int = 0
    count: int = 0
    begin: str = ""
    last: str = ""
    first: int | None = None
    of_pages: bool = False
    alone: bool = True
    shifts: int = 0
    back: int = 1
    over: bool = False
    seen: set[str] = field(default_factory=set)

    def take(self, page: Page) -> list[Any]:
        """Take note of a page, and give what is new on it."""
        keys = [_key(record) for record in page.records]
        if not self.alone and not (keys and keys[0] in self.seen):
            self._step_back()
            return []
        fresh = [record for key, record in zip(keys, page.records, strict=True) if key not in self.seen]
        self.end, self.count, self.back = self.offset + len(keys), self.count + len(fresh), 1
        total = self._total(page)
        if self._is_last(page, keys, total, new=bool(fresh)):
            self._refuse_less(total)
        else:
            self._go_on(keys, total, new=bool(fresh))
        self.seen.update(keys)
        return fresh

    def _step_back(self) -> None:
        """Records have left: begin the next page earlier."""
        self.shifts += 1
        if self.shifts > SHIFTS:
            raise Moved(UNORDERED)
        self.back *= FURTHER
        self.offset = max(0, self.offset - self.back)
        self.alone = self.offset == 0

    def _total(self, page: Page) -> int | None:
        """The total of the collection, None if it is not known: no total of the whole is less than what came before."""
        if page.records and page.total is not None and page.total < self.end:
            if page.total not in (len(page.records), self.count):
                raise Moved(REPEATED)
            self.of_pages = True
        total = None if self.of_pages else page.total
        self.first = total if self.first is None else self.first
        return total

    def _is_last(self, page: Page, keys: list[str], total: int | None, *, new: bool) -> bool:
        if total is not None and total > self.end:
            return False
        if not keys:
            return total is not None or not page.follows
        if page.follows:
            return False
        # A total of no more than this page, or one that grows as pages come, may be the pages' own. No server gives one
        # record at a time.
        told = total is not None and total == self.first and total > len(keys)
        return told or keys == [self.last] or self.end == 1 or (not new and page.total == self.count)

    def _refuse_less(self, total: int | None) -> None:
        """Take it for the end, unless more was told of; who came or left meanwhile may be missing."""
        least = min(self.first or 0, total or 0)
        if self.count < least:
            raise Moved(f"it ended after {self.count} of {least} records")
        self.over = True

    def _go_on(self, keys: list[str], total: int | None, *, new: bool) -> None:
        """Begin the next page with the last record of this one, unless it had no other."""
        if not keys:
            more = f"of {total} records" if total is not None else "records, and tells of another page"
            raise Moved(f"it ended after {self.count} {more}")
        if not new and (keys[0] == self.begin or self.end > 2 * self.count + OVERLAP):
            raise Moved(REPEATED)
        self.alone = len(keys) == 1
        self.offset = self.end if self.alone else self.end - 1
        self.begin, self.last = keys[0], keys[-1]


def _key(record: Any) -> str:
    """What a record is known by: its id, or all of it."""
    sourced_id = record.get("sourcedId") if isinstance(record, dict) else None
    return sourced_id if isinstance(sourced_id, str) else json.dumps(record, sort_keys=True)
