"""Read the `Link` headers of a page: they say whether another page follows.

Source: RFC 8288, section 3 and appendix B. Names and relations have no case, a header may have
several links and a response several headers, and a comma or semicolon may be part of an address or
of a quoted value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

NEXT = "next"
# Relations between pages. If a page has one of them and not `next`, it is the last one. Gateways
# add links of other relations, such as `service-doc` or `sunset`, and these say nothing of pages.
PAGING = frozenset({"first", "prev", "previous", "last"})
ADDRESS = re.compile(r"[\s,]*<([^>]*)>")
PARAMETER = re.compile(
    r"""\s*;\s*(?:([^\s=;,"]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,"]*)))?)?""", re.DOTALL
)
ESCAPE = re.compile(r"\\(.)", re.DOTALL)


class UnreadableLinks(ValueError):
    """A header does not have the form that RFC 8288 requires."""


@dataclass(frozen=True)
class PageLink:
    """One link of a header."""

    # As written, perhaps relative to the page.
    address: str
    # In lower case.
    relations: frozenset[str]
    # Whether it starts from another page than the one that it came with.
    is_anchored: bool = False


def page_follows(headers: Iterable[str]) -> bool | None:
    """Return whether the `Link` headers of a page say that another page follows.

    None if they do not say.
    """
    relations: set[str] = set()
    doubtful = False
    for header in headers:
        try:
            for link in read_links(header):
                if not link.is_anchored:
                    relations |= link.relations
                doubtful = doubtful or link.is_anchored
        except UnreadableLinks:
            doubtful = True
    if NEXT in relations:
        return True
    return None if doubtful or not relations & PAGING else False


def read_links(header: str) -> Iterator[PageLink]:
    """Yield the links of a header, in order. Raises `UnreadableLinks` at the first wrong one."""
    at = 0
    while header[at:].strip(" \t,"):
        start = ADDRESS.match(header, at)
        if start is None:
            raise UnreadableLinks(header)
        at, parameters = start.end(), dict[str, str]()
        while found := PARAMETER.match(header, at):
            at = found.end()
            name, quoted, token = found.groups(default="")
            # Of several parameters of one name, the first one counts.
            parameters.setdefault(name.lower(), ESCAPE.sub(r"\1", quoted) or token.strip())
        yield PageLink(
            start[1], _relations(parameters.get("rel", "")), bool(parameters.get("anchor"))
        )
        if header[at:].strip() and header[at:].lstrip()[0] != ",":
            raise UnreadableLinks(header)


def _relations(value: str) -> frozenset[str]:
    """Split the value of `rel`. Some servers put it between single quotes, which mean nothing."""
    return frozenset(value.strip("'").lower().split())
