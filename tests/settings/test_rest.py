"""The table of a feed file for a source that is an API."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SettingsError
from flows.feeds.feed import Feed, read_feed

TARGET = '[target]\nurl = "sandbox"\n'
REST = '[rest]\nurl = "https://SIS.example.edu/api/"\n'
TOKEN = REST + 'access_token_env = "SIS_TOKEN"\n'
SIGNED = (
    REST
    + 'version = "1.1"\noauth = "1.0a"\nclient_id_env = "SIS_ID"\nclient_secret_file = "secret"\n'
)
ASKED = (
    REST
    + 'token_url = "https://sis.example.edu/oauth2/token?appName=larkspur"\n'
    + 'client_id_env = "SIS_ID"\nclient_secret_file = "secret"\n'
)


def feed(folder: Path, text: str) -> Feed:
    """Write a feed file and read it."""
    path = folder / "larkspur.toml"
    path.write_text(TARGET + text)
    return read_feed(path)


def test_a_source_takes_the_place_of_a_drop(tmp_path: Path) -> None:
    """An address, normalized, and a token are enough; everything is read, each night."""
    read = feed(tmp_path, TOKEN)

    assert read.rest is not None
    assert ("https://sis.example.edu/api", "1.2", False) == (
        read.rest.url,
        read.rest.version,
        read.rest.delta,
    )
    assert "users" in read.rest.collections
    assert tmp_path / "larkspur.toml" == read.drop_path


def test_a_source_may_be_signed_for(tmp_path: Path) -> None:
    """The older version knows clients by a key and its secret."""
    read = feed(
        tmp_path, SIGNED + 'signature = "HMAC-SHA1"\ncollections = ["orgs", "users", "lineItems"]\n'
    )

    assert read.rest is not None
    assert ("HMAC-SHA1", ["orgs", "users", "lineItems"]) == (
        read.rest.signature,
        read.rest.collections,
    )


def test_a_source_says_how_a_token_is_asked_for(tmp_path: Path) -> None:
    """At an address with a query, for a scope, with Basic."""
    read = feed(tmp_path, ASKED + 'scope = "roster-core roster"\nclient_auth = "basic"\n').rest

    assert read is not None
    assert ("https://sis.example.edu/oauth2/token?appName=larkspur", "roster-core roster") == (
        read.token_url,
        read.scope,
    )
    assert ("basic", True, 1000, 10) == (
        read.client_auth,
        read.cookies,
        read.page_size,
        read.concurrency,
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[rest]\n", ["`rest.url` is missing", "/ims/oneroster"]),
        (REST, ["`rest` names no credentials", "access_token_env"]),
        (
            REST.replace("api", "ims/oneroster/v1p1"),
            ["`rest.url` goes too far", "before /ims/oneroster"],
        ),
        (REST.replace("https", "http"), ["`rest.url` is plain http"]),
        (
            TOKEN + 'access_token_file = "token"\n',
            ["`rest` has access_token_env and access_token_file"],
        ),
        (TOKEN + 'client_id_env = "SIS_ID"\n', ["`rest` names access_token, client_id"]),
        (TOKEN + 'signature = "HMAC-SHA1"\n', ["`rest` has `signature`", "Remove it"]),
        (SIGNED.replace('version = "1.1"\n', ""), ["`rest` has `oauth", "version 1.1"]),
        (
            SIGNED + 'access_token_env = "SIS_TOKEN"\n',
            ["names access_token, client_id", "nothing else"],
        ),
        (
            TOKEN + 'collections = ["user"]\n',
            ["`rest.collections` names 'user'", "did you mean 'users'?"],
        ),
        (
            SIGNED + 'collections = ["scoreScales"]\n',
            ["'scoreScales'", "no collection of this version"],
        ),
        (TOKEN + 'scope = "roster-core"\n', ["`rest` has `scope`", "a request for a token"]),
        (SIGNED + 'client_auth = "basic"\n', ["`rest` has `client_auth`", "Remove it"]),
        (ASKED + 'scope = "two  spaces"\n', ["`rest.scope` is no scope", "one space"]),
        (ASKED + 'client_auth = "digest"\n', ["`rest.client_auth` is 'digest'", "'basic'"]),
        (ASKED + "page_size = 0\n", ["`rest.page_size` is 0", "at least 1"]),
        (ASKED + "concurrency = 11\n", ["`rest.concurrency` is 11", "at most 10"]),
        (
            ASKED.replace("?appName=larkspur", "?client_secret=hunter2"),
            ["`rest.token_url` holds a credential in its query (not shown)"],
        ),
        (TOKEN + "full_days = 0\n", ["`rest.full_days` is 0", "at least 1"]),
    ],
)
def test_what_cannot_be_meant_is_told(tmp_path: Path, text: str, words: list[str]) -> None:
    """By its key, with what is expected."""
    with pytest.raises(SettingsError) as caught:
        feed(tmp_path, text)

    assert 1 == len(caught.value.problems)
    assert [] == [word for word in words if word not in caught.value.problems[0]]


def test_one_feed_has_one_source(tmp_path: Path) -> None:
    """Files or an API."""
    with pytest.raises(SettingsError, match=r"`drop` stands beside \[rest\]"):
        read_feed(written(tmp_path, f'drop = "drop"\n{TARGET}{TOKEN}'))
    with pytest.raises(SettingsError, match=r"`drop` is missing.* or a table \[rest\]"):
        read_feed(written(tmp_path, TARGET))


def test_what_is_read_from_an_api_is_in_no_other_layout(tmp_path: Path) -> None:
    """It is OneRoster, whatever the district's files were."""
    with pytest.raises(
        SettingsError, match=r"`layout` is 'clever', and what \[rest\] reads is always OneRoster"
    ):
        read_feed(written(tmp_path, f'layout = "clever"\n{TARGET}{TOKEN}'))


def written(folder: Path, text: str) -> Path:
    """Write a feed file."""
    path = folder / "larkspur.toml"
    path.write_text(text)
    return path
