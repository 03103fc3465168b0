"""What the `Link` headers of a page say, in all the freedom that RFC 8288 gives those who write them."""

from __future__ import annotations

import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.oneroster.links import PageLink, UnreadableLinks, page_follows, read_links
from tests.strength import expensive

TOKEN = string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~"
# No relation of these is between pages.
OTHERS = ["service-doc", "sunset", "self", "nextest", "https://example.edu/rel/next"]
RELATIONS = st.sampled_from(["next", "first", "prev", "previous", "last", *OTHERS])
SPACE = st.sampled_from(["", " ", "\t", "  "])
ADDRESSES = st.text(string.ascii_letters + string.digits + "/?&=%,;:@'()", max_size=12)
TEXTS = st.text(string.ascii_letters + " ,;=<>\\\"'ñ", max_size=8)
CASES = st.sampled_from([str.lower, str.upper, str.title])


@st.composite
def parameters(draw: st.DrawFn, name: str, value: str | None) -> str:
    """Write a parameter: its value as a token or in quotes, escaped more than needed, or without."""
    written = draw(CASES)(name)
    if value is None:
        return written
    if not value or set(value) - set(TOKEN) or draw(st.booleans()):
        escaped = '"\\' if draw(st.booleans()) else value
        value = "".join("\\" * (one in escaped) + one for one in value)
        value = f'"{value}"'
    return f"{written}{draw(SPACE)}={draw(SPACE)}{value}"


@st.composite
def links(draw: st.DrawFn) -> tuple[str, PageLink]:
    """Write one link among other parameters, and say what it is."""
    address = draw(ADDRESSES)
    relations = draw(st.lists(RELATIONS, max_size=3))
    spelled = [draw(CASES)(one) for one in relations]
    written = []
    has_relations: bool = bool(relations) or draw(st.booleans())
    if has_relations:
        written.append(draw(parameters("rel", draw(st.sampled_from([" ", "  "])).join(spelled))))
        if draw(st.booleans()):
            written.append(draw(parameters("rel", "next")))
    others = st.sampled_from(
        [
            ("title", draw(TEXTS)),
            ("title*", "UTF-8''x"),
            ("crossorigin", None),
            ("anchor", "/other"),
        ]
    )
    for name, value in draw(st.lists(others, max_size=3, unique=True)):
        written.insert(draw(st.integers(0, 1)), draw(parameters(name, value)))
    is_anchored = any(one.lower().startswith("anchor") for one in written)
    text = f"<{address}>" + "".join(
        f"{draw(SPACE)};{draw(SPACE)}{draw(st.sampled_from(['', '; ']))}{one}" for one in written
    )
    return text, PageLink(address, frozenset(relations), is_anchored)


@st.composite
def headers(draw: st.DrawFn) -> tuple[str, list[PageLink]]:
    """Write a header of some links, with items that are blank."""
    found = draw(st.lists(links(), min_size=1, max_size=3))
    commas = st.sampled_from([",", ", ", " , ", ",,", "\t,"])
    text = found[0][0] + "".join(f"{draw(commas)}{one}" for one, _ in found[1:])
    return f"{draw(st.sampled_from(['', ', ']))}{text}{draw(SPACE)}", [link for _, link in found]


@given(headers())
@example(('<a,b;c>;title="x, <y>; rel=first";REL = "Prev NEXT"', [PageLink("a,b;c", frozenset({"prev", "next"}))]))  # fmt: skip
def test_what_was_written_is_read(written: tuple[str, list[PageLink]]) -> None:
    """Each link, in order, with its relations."""
    header, expected = written

    assert expected == list(read_links(header))


@expensive(100, 40)
@given(st.lists(headers(), max_size=2))
def test_only_links_between_pages_say_whether_one_follows(
    written: list[tuple[str, list[PageLink]]],
) -> None:
    """Another page follows `next`; none follows where other pages are named; else nobody knows."""
    found = [link for _, several in written for link in several]
    own = frozenset[str]().union(*(link.relations for link in found if not link.is_anchored))
    between = bool(own & {"first", "prev", "previous", "last"})
    certain = between and not any(link.is_anchored for link in found)

    follows = page_follows([header for header, _ in written])

    assert follows is (True if "next" in own else False if certain else None)


@pytest.mark.parametrize(
    ("header", "follows"),
    [
        ('</users?offset=2>; rel="next"', True),
        ("</users?offset=2>; rel=next", True),
        ("</users?offset=2>;REL = NEXT", True),
        ('</users?fields=a,b;c>; title="a, b; c"; rel="last next"', True),
        ("</users?offset=2>; rel='next'", True),
        ('</users>; rel="first", </users?offset=0>; rel="prev"', False),
        ('</docs>; rel="service-doc"', None),
        ('</docs>; rel="sunset"; title="see rel=next"', None),
        ('</users>; rel="first", </docs>; title="next', None),
        ('</users>; rel="first"; anchor="/orgs"', None),
        ("/users?offset=2; rel=next", None),
        ("", None),
    ],
)
def test_headers_as_servers_write_them(header: str, follows: bool | None) -> None:
    """What is damaged, or speaks of another page, says nothing."""
    assert follows is page_follows([header])


def test_a_damaged_header_does_not_hide_what_another_one_says() -> None:
    """Each header is read by itself."""
    assert page_follows(['</docs>; title="cut', '</users?offset=2>; rel="next"'])


@pytest.mark.parametrize("header", ["users", "<users", '<users>; rel="next', "<users> next"])
def test_what_is_no_link_is_not_read(header: str) -> None:
    """Nothing is guessed of it."""
    with pytest.raises(UnreadableLinks):
        list(read_links(header))
