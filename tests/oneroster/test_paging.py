"""A collection is read to its end whatever a server says of its pages, or is not taken for read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, count, product
from typing import Any

import pytest

from connectors.oneroster.read import SHIFTS, Page, RecordsMoved, largest_total, read_to_end

WHOLE, OF_PAGE, SO_FAR, UNTOLD = "whole", "of page", "so far", "untold"


@dataclass
class Server:
    """A collection of ids, `cap` of them on a page; `totals` is what it counts, `links` whether it announces next pages.

    `then` are the ids that it has from its second, third, ... page on.
    """

    ids: str = "abcdefgh"
    cap: int = 3
    totals: str = WHOLE
    links: bool = False
    heeds: bool = True
    then: tuple[str, ...] = ()
    asked: list[int] = field(default_factory=list)

    async def page(self, offset: int) -> Page:
        """Give a page."""
        ids = (self.ids, *self.then)[min(len(self.asked), len(self.then))]
        self.asked.append(offset)
        start = offset if self.heeds else 0
        found = ids[start : start + self.cap]
        totals = {WHOLE: len(ids), OF_PAGE: len(found), SO_FAR: start + len(found), UNTOLD: None}
        follows = start + self.cap < len(ids) if self.links else None
        return replace(of(found, totals[self.totals]), follows=follows or None)


def of(ids: Iterable[str], total: int | None = None) -> Page:
    """Give a page of some ids."""
    return Page([{"sourcedId": one} for one in ids], total)


def read(ask: Callable[[int], Any]) -> list[str]:
    """Give the ids that are read."""

    async def run() -> list[Any]:
        return [record["sourcedId"] async for records in read_to_end(ask) for record in records]

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("cap", "totals", "links"),
    [
        *product([2, 3, 8, 9], [WHOLE, OF_PAGE, SO_FAR, UNTOLD], [True, False]),
        # Else nothing tells it from a collection of one record.
        (1, WHOLE, False),
        *product([1], [OF_PAGE, SO_FAR, UNTOLD], [True]),
    ],
)
def test_all_is_read_whatever_is_told(cap: int, totals: str, links: bool) -> None:
    """Fewer than were asked for is no end, and a total may be that of the page."""
    server = Server(cap=cap, totals=totals, links=links)

    assert list("abcdefgh") == read(server.page)


@pytest.mark.parametrize(("ids", "pages"), [("", 1), ("a", 1), ("ab", 2)])
def test_a_small_collection_is_soon_read(ids: str, pages: int) -> None:
    """One more page is asked for, which begins with the last record and so is never beyond the end."""
    server = Server(ids)

    assert (list(ids), list(range(pages))) == (read(server.page), server.asked)


@pytest.mark.parametrize("totals", [WHOLE, OF_PAGE, UNTOLD])
@pytest.mark.parametrize(
    ("before", "after", "stays"),
    [
        ("abcdefgh", "bcdefghz", "bcdefgh"),
        ("abcdefgh", "defghxyz", "defgh"),
        ("bcdefgh", "abcdefgh", "bcdefgh"),
        ("abcdefgh", "abcd", "abcd"),
        ("abcdefgh", "h", "h"),
        ("abcdefghijklmnopqrstuvwxyz", "tuvwxyz", "tuvwxyz"),
    ],
)
@pytest.mark.parametrize("pages", [1, 2])
def test_nobody_who_stays_is_skipped_when_others_come_and_go(
    before: str, after: str, stays: str, totals: str, pages: int
) -> None:
    """The total may be the same: where a page does not begin with what was read before, earlier ones are read again."""
    server = Server(before, totals=totals, then=(*[before] * (pages - 1), after))

    found = read(server.page)

    assert (set(), len(found)) == (set(stays) - set(found), len(set(found)))


@pytest.mark.parametrize("cap", [3, 5])
@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("totals", [WHOLE, UNTOLD])
def test_a_server_that_does_not_heed_the_offset_is_not_read(
    cap: int, totals: str, links: bool
) -> None:
    """Its first page comes again and again."""
    server = Server(cap=cap, totals=totals, links=links, heeds=False)

    with pytest.raises(RecordsMoved, match="its pages repeat"):
        read(server.page)


def test_all_on_one_page_is_all() -> None:
    """Also of a server that does not heed the offset: its total is what was read."""
    server = Server(cap=9, heeds=False)

    assert (list("abcdefgh"), 2) == (read(server.page), len(server.asked))


@pytest.mark.parametrize(
    ("pages", "why"),
    [
        ([Page([], 5)], "it ended after 0 of 5 records"),
        ([Page([], None, follows=True)], "it ended after 0 records, and announces another page"),
        ([of("ab", 5), of("b", 5), of("", 5)], "it ended after 2 of 5 records"),
        # One has gone and another has come where nobody looks again.
        ([of("ab", 4), of("bxa", 4)], "it ended after 3 of 4 records"),
    ],
)
def test_less_than_was_told_of_is_not_all(pages: list[Page], why: str) -> None:
    """Half a collection must not look like a whole one."""
    given = iter(pages)

    async def ask(_: int) -> Page:
        return next(given)

    with pytest.raises(RecordsMoved, match=why):
        read(ask)


def test_records_that_never_keep_an_order_are_not_read() -> None:
    """It is given up at some time."""
    numbers = map(str, count())

    async def ask(_: int) -> Page:
        return of([next(numbers), next(numbers)], 1000)

    with pytest.raises(RecordsMoved, match="changed their order"):
        read(ask)


def test_pages_that_bring_nothing_new_are_not_read_for_ever() -> None:
    """However they are shuffled, and whatever they announce."""
    turns = chain(
        [["a", "b", "c"]], *([["c", "a"], ["a", "b"], ["b", "c"]] for _ in range(SHIFTS * 100))
    )

    async def ask(_: int) -> Page:
        return replace(of(next(turns)), follows=True)

    with pytest.raises(RecordsMoved, match="its pages repeat"):
        read(ask)


def test_records_without_an_id_are_known_by_all_that_they_say() -> None:
    """They are given on, to be rejected by those who know why; twice on one page is twice."""
    given: Iterable[Any] = ({"sourcedId": 1}, {"sourcedId": 1}, "x", None)

    async def ask(offset: int) -> Page:
        return Page(list(given)[offset:], None)

    async def run() -> list[Any]:
        return [record async for records in read_to_end(ask) for record in records]

    assert list(given) == asyncio.run(run())


def test_a_total_is_the_greatest_that_is_told() -> None:
    """In headers or in the body, where it is a number."""
    assert [7, 7, None] == [
        largest_total(7, 3),
        largest_total(None, 7),
        largest_total(None, "7", True),
    ]
