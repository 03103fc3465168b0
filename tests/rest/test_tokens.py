"""A source that gives tokens in its own way, from the request for a token to the second night."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.rest.feeds import Feed
from tests.rest.stand_in import Rules, StandIn, stand_in
from tests.rest.verifying import KEY, SECRET

STRICT = Rules(
    base="/api",
    version="1.2",
    token="/oauth2/token?appName=larkspur",
    client_auth="basic",
    scope=True,
    cookies=True,
    largest_page=500,
)
SCOPE, BASIC, PAGES = 'scope = "roster core"', 'client_auth = "basic"', "page_size = 500"


@pytest.fixture
def source() -> Iterator[StandIn]:
    """Serve a source that refuses whatever lacks a scope, Basic, a query or a cookie."""
    with stand_in(STRICT) as served:
        yield served


def feed(folder: Path, target: Sandbox, source: StandIn, *settings: str) -> Feed:
    """Return a feed from the source."""
    found = Feed(folder, target, KEY, SECRET)
    address = (f'url = "{source.api}"', f'token_url = "{source.token_url}"')
    found.configure(*address, "patience_seconds = 0", *settings)
    return found


def test_a_feed_asks_for_a_token_as_its_source_needs_it(
    tmp_path: Path, sandbox: Sandbox, source: StandIn
) -> None:
    """For a scope, with Basic, at an address with a query; then requests have the token's cookie."""
    read = feed(tmp_path, sandbox, source, SCOPE, BASIC, PAGES)

    runs = [read.run(command) for command in ("check", "plan", "sync", "verify", "sync")]

    assert [0, 0, 0, 0, 0] == [run.code for run in runs]
    assert (0, "unchanged") == (runs[2].total("rejected"), runs[4].json["status"])
    assert ["ana", "bo", "tia"] == read.holds("users")
    once = {"grant_type": ["client_credentials"], "scope": ["roster core"]}
    assert all(form == once for form in source.tokens)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ((BASIC, PAGES), "gave no token (HTTP 400, invalid_scope)"),
        ((SCOPE, 'client_auth = "form"', PAGES), "gave no token (HTTP 401, invalid_client)"),
        ((SCOPE, BASIC, PAGES, "cookies = false"), "refuses a fresh token (HTTP 401)"),
        ((SCOPE, BASIC), "the limit is too large"),
    ],
    ids=["no scope", "form", "no cookies", "large pages"],
)
def test_a_source_that_is_asked_otherwise_refuses(
    tmp_path: Path, sandbox: Sandbox, source: StandIn, settings: tuple[str, ...], words: str
) -> None:
    """Nothing is sent, and the message repeats neither the secret nor the cookie."""
    run = feed(tmp_path, sandbox, source, *settings).run("sync")

    assert words in run.said
    assert [] == [secret for secret in (SECRET, "node-seven") if secret in run.said]
    assert [] == list(sandbox.store.ids("users"))


def test_a_client_that_may_prove_itself_in_both_ways_needs_no_setting(
    tmp_path: Path, sandbox: Sandbox, source: StandIn
) -> None:
    """The form goes first, and Basic if that is refused."""
    run = feed(tmp_path, sandbox, source, SCOPE, PAGES).run("check")

    assert 0 == run.code
    assert [True, False] == ["client_id" in form for form in source.tokens[:2]]
