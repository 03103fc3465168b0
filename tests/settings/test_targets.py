"""Which target is chosen, with which credentials; and that no secret is ever shown."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.oneroster.profile import TIMEBACK
from flows.errors import SettingsError
from flows.feeds.credentials import Secret
from flows.feeds.feed import Feed, read_feed
from flows.feeds.targets import choose_target
from flows.target import APIS, Credentials, Target, check_token_address, normalize_address
from tests.second_target.profile import SECOND

API, TOKENS, OTHER = (
    "https://api.example.edu",
    "https://login.example.edu/oauth2/token",
    "https://evil.example",
)
CLIENT = {
    "TIMEBACK_TOKEN_URL": TOKENS,
    "TIMEBACK_CLIENT_ID": "env-id",
    "TIMEBACK_CLIENT_SECRET": "env-secret",
}
ENVIRONMENT = {"TIMEBACK_API_URL": API, **CLIENT}
TOKEN = {"TIMEBACK_API_URL": API, "TIMEBACK_ACCESS_TOKEN": "env-token"}
ENV_CREDENTIALS = Credentials(None, Secret("env-id"), Secret("env-secret"))
ENV_TARGET = Target(API, API, TOKENS, ENV_CREDENTIALS, profile=TIMEBACK)
LOOPBACK = "http://127.0.0.1:8765"


def feed(folder: Path, target: str) -> Feed:
    """A feed with this target."""
    path = folder / "larkspur.toml"
    path.write_text(f'drop = "d"\n[target]\n{target}')
    return read_feed(path)


OF_FEED = f'url = "{API}"\ntoken_url = "{TOKENS}"\nclient_id_env = "ID"\nclient_secret_file = "secret.txt"'
FEED_TARGET = Target(
    API, API, TOKENS, Credentials(None, Secret("feed-id"), Secret("feed-secret")), profile=TIMEBACK
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://API.Example.edu", "https://api.example.edu"),
        ("HTTPS://api.example.edu:443/", "https://api.example.edu"),
        ("https://api.example.edu:8443/v1/", "https://api.example.edu:8443/v1"),
        ("https://api.example.edu./", "https://api.example.edu"),
        ("https://schüle.example", "https://xn--schle-mva.example"),
        ("http://localhost:80", "http://localhost"),
        ("http://127.8.0.1:8765/", "http://127.8.0.1:8765"),
        ("http://[0:0:0::1]:9", "http://[::1]:9"),
    ],
)
def test_addresses_are_normalised(given: str, expected: str) -> None:
    """One place has one name: scheme and host in lower case, no default port, no slash at the end."""
    assert expected == normalize_address(given)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ("api.example.edu", "not an address"),
        ("ftp://api.example.edu", "not an address"),
        ("https://", "not an address"),
        ("https://api.example.edu:99999", "not an address"),
        ("https://[::1", "not an address"),
        ("https://[fe80::1%25eth0]", "not an address"),
        ("https://api example.edu", "not an address"),
        ("https://a_b!.example", "not an address"),
        (f"https://{'a' * 70}.example", "not an address"),
        ("https://api.example.edu\n", "not an address"),
        ("https://api.example.edu?key=hunter2", "not an address"),
        ("https://api.example.edu#hunter2", "not an address"),
        ("https://me:hunter2@api.example.edu", "password"),
        ("https://api.example.edu\\@evil.example", "password"),
        ("http://api.example.edu", "plain http"),
        ("http://localhost.evil.example", "plain http"),
        ("http://127.0.0.1.evil.example", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("http://2130706433", "plain http"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(given: str, word: str) -> None:
    """Addresses that could lead elsewhere, or hold a secret, are refused."""
    with pytest.raises(ValueError, match=word) as caught:
        normalize_address(given)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "https://login.example.edu/oauth2/token",
        "https://login.example.edu/campus/oauth2/token?appName=larkspur",
    ],
)
def test_a_token_address_may_have_a_query(address: str) -> None:
    """Some endpoints know by it which application asks."""
    check_token_address(address)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("https://login.example.edu/token?", "has a query that is not one"),
        ("https://login.example.edu/token?hunter2#", "has a query that is not one"),
        ("https://login.example.edu/token?a=hunter2 b", "has a query that is not one"),
        ("https://login.example.edu/token?client_secret=hunter2", "holds a credential"),
        ("https://me:hunter2@login.example.edu/token?a=b", "password"),
    ],
)
def test_a_query_with_a_secret_is_refused_without_repeating_it(address: str, word: str) -> None:
    """Credentials never stand in the feed file."""
    with pytest.raises(ValueError, match=word) as caught:
        check_token_address(address)

    assert "hunter2" not in str(caught.value)


CHOICES: tuple[tuple[str, str | None, str | None, dict[str, str], Target], ...] = (
    ("bare folder", None, None, {}, Target("sandbox", profile=TIMEBACK)),
    ("bare folder in spite of the environment", None, None, ENVIRONMENT, Target("sandbox", profile=TIMEBACK)),
    ("sandbox by name", "sandbox", OF_FEED, ENVIRONMENT, Target("sandbox", profile=TIMEBACK)),
    ("environment by name", "env", None, ENVIRONMENT, ENV_TARGET),
    ("environment before the feed", "env", OF_FEED, ENVIRONMENT, ENV_TARGET),
    ("ready token", "env", None, TOKEN, Target(API, API, None, Credentials(Secret("env-token")), profile=TIMEBACK)),
    ("ready token before the rest", "env", None, TOKEN | CLIENT, Target(API, API, None, Credentials(Secret("env-token")), profile=TIMEBACK)),
    ("address with the environment's credentials", API + "/", None, ENVIRONMENT, ENV_TARGET),
    ("another path of the same host", API + "/v2", None, ENVIRONMENT, Target(API + "/v2", API + "/v2", TOKENS, ENV_CREDENTIALS, profile=TIMEBACK)),
    ("address of this machine", LOOPBACK, None, ENVIRONMENT | {"TIMEBACK_API_URL": LOOPBACK}, Target(LOOPBACK, LOOPBACK, TOKENS, ENV_CREDENTIALS, profile=TIMEBACK)),
    ("feed", None, OF_FEED, {"ID": "feed-id"}, FEED_TARGET),
    ("feed in spite of the environment", None, OF_FEED, {"ID": "feed-id"} | TOKEN, FEED_TARGET),
    ("feed into the sandbox", None, 'url = "sandbox"', ENVIRONMENT, Target("sandbox", profile=TIMEBACK)),
    ("feed into the environment's target", None, 'url = "env"', ENVIRONMENT, ENV_TARGET),
    ("address of the feed", API, OF_FEED, {"ID": "feed-id"} | TOKEN, FEED_TARGET),
)  # fmt: skip


@pytest.mark.parametrize(
    ("option", "target", "environment", "expected"),
    [c[1:] for c in CHOICES],
    ids=[c[0] for c in CHOICES],
)
def test_the_target_that_is_meant(
    tmp_path: Path,
    option: str | None,
    target: str | None,
    environment: dict[str, str],
    expected: Target,
) -> None:
    """The option wins, then the feed file; a bare folder or zip goes to the sandbox, whatever the environment says."""
    (tmp_path / "secret.txt").write_text("feed-secret\n")

    assert expected == choose_target(
        option, feed(tmp_path, target) if target else None, environment
    )


REFUSALS: tuple[tuple[str, str | None, str | None, dict[str, str], list[str]], ...] = (
    ("nothing set", "env", None, {}, ["$TIMEBACK_API_URL", "$TIMEBACK_CLIENT_SECRET", "$TIMEBACK_ACCESS_TOKEN"]),
    ("blank", "env", None, ENVIRONMENT | {"TIMEBACK_CLIENT_ID": " "}, ["not set: $TIMEBACK_CLIENT_ID.", "Set them"]),
    ("token without address", "env", None, {"TIMEBACK_ACCESS_TOKEN": "t"}, ["not set: $TIMEBACK_API_URL."]),
    ("environment with plain http", "env", None, ENVIRONMENT | {"TIMEBACK_API_URL": "http://api.example.edu"}, ["$TIMEBACK_API_URL is plain http"]),
    ("tokens over plain http", "env", None, ENVIRONMENT | {"TIMEBACK_TOKEN_URL": "http://x.example"}, ["$TIMEBACK_TOKEN_URL is plain http"]),
    ("secret of two lines", "env", None, ENVIRONMENT | {"TIMEBACK_CLIENT_SECRET": "a\nb"}, ["$TIMEBACK_CLIENT_SECRET", "one line"]),
    ("misspelled name", "sanbox", None, {}, ["--target is not an address", "sandbox, env or an address"]),
    ("another host", OTHER, None, ENVIRONMENT, ["no credentials for https://evil.example", "$TIMEBACK_API_URL", "target.url"]),
    ("another port", API + ":8443", None, ENVIRONMENT, ["no credentials for https://api.example.edu:8443"]),
    ("no environment", API, None, CLIENT, ["no credentials"]),
    ("another host than the feed's", OTHER, OF_FEED, ENVIRONMENT | {"ID": "feed-id"}, ["no credentials for https://evil.example"]),
    ("address, and the feed means the sandbox", API, 'url = "sandbox"', {}, ["no credentials"]),
    ("variable not set", None, OF_FEED, {}, ["larkspur.toml", "`target.client_id_env` names $ID", "not set"]),
    ("no file", None, OF_FEED.replace("secret.txt", "absent.txt"), {"ID": "i"}, ["`target.client_secret_file` names", "absent.txt", "cannot be read"]),
    ("empty file", None, OF_FEED.replace("secret.txt", "empty.txt"), {"ID": "i"}, ["empty.txt", "blank"]),
    ("no text", None, OF_FEED.replace("secret.txt", "bytes.bin"), {"ID": "i"}, ["bytes.bin", "UTF-8"]),
    ("feed into an environment that is not set", None, 'url = "env"', {}, ["$TIMEBACK_API_URL"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("option", "target", "environment", "words"),
    [c[1:] for c in REFUSALS],
    ids=[c[0] for c in REFUSALS],
)
def test_never_the_wrong_place(
    tmp_path: Path,
    option: str | None,
    target: str | None,
    environment: dict[str, str],
    words: list[str],
) -> None:
    """What is missing is named; credentials go to no host but their own."""
    (tmp_path / "secret.txt").write_text("feed-secret\n")
    (tmp_path / "empty.txt").write_text("\n")
    (tmp_path / "bytes.bin").write_bytes(b"\xff\xff")
    read = feed(tmp_path, target) if target else None
    with pytest.raises(SettingsError) as caught:
        choose_target(option, read, environment)

    assert [] == [word for word in words if word not in str(caught.value)]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (None, True),
        (LOOPBACK, True),
        ("https://[::1]", True),
        ("http://localhost:1", True),
        (API, False),
    ],
)
def test_what_stays_on_this_machine(url: str | None, expected: bool) -> None:
    """The embedded sandbox and loopback addresses are this machine; all else is not."""
    assert expected == Target("any", url, profile=TIMEBACK).on_this_machine


@given(
    secret=st.text(st.characters(codec="ascii", min_codepoint=33), min_size=8, max_size=40).map(
        "S3:".__add__
    ),
    option=st.sampled_from([None, "sandbox", "env", API, OTHER, LOOPBACK, "nonsense"]),
    target=st.sampled_from([None, OF_FEED, 'url = "env"', 'url = "sandbox"']),
    left_out=st.sampled_from(
        ["", "ID", "TIMEBACK_API_URL", "TIMEBACK_TOKEN_URL", "TIMEBACK_ACCESS_TOKEN"]
    ),
    ending=st.sampled_from(["", "\n", "\nsecond line"]),
)
def test_no_secret_is_ever_shown(
    tmp_path_factory: pytest.TempPathFactory,
    secret: str,
    option: str | None,
    target: str | None,
    left_out: str,
    ending: str,
) -> None:
    """Whatever is chosen or refused, no secret is in what is printed of it."""
    folder = tmp_path_factory.mktemp("secrets")
    (folder / "secret.txt").write_text(secret + ending)
    names = ("ID", "TIMEBACK_CLIENT_ID", "TIMEBACK_CLIENT_SECRET", "TIMEBACK_ACCESS_TOKEN")
    environment = {
        "TIMEBACK_API_URL": API,
        "TIMEBACK_TOKEN_URL": TOKENS,
        **dict.fromkeys(names, secret + ending),
    }
    environment.pop(left_out, None)
    try:
        chosen = choose_target(option, feed(folder, target) if target else None, environment)
        shown = f"{chosen!r} {chosen}"
    except SettingsError as error:
        shown = "".join(traceback.format_exception(error)) + repr(error)

    assert secret not in shown


FEEDS = {OF_FEED.replace(API, "https://feed.example.edu"): "https://feed.example.edu", 'url = "sandbox"': None, 'url = "env"': API}  # fmt: skip


@given(
    option=st.sampled_from(
        [None, "sandbox", "env", API, API + "/v2", OTHER, "https://feed.example.edu/x", "nonsense"]
    ),
    target=st.sampled_from([None, *FEEDS]),
    kept=st.sets(st.sampled_from([*ENVIRONMENT, "TIMEBACK_ACCESS_TOKEN"])),
)
def test_a_target_is_named_and_gets_its_own_credentials(
    tmp_path_factory: pytest.TempPathFactory, option: str | None, target: str | None, kept: set[str]
) -> None:
    """Whatever stands in the environment: the target is the one that was named, and gets only its own credentials."""
    folder = tmp_path_factory.mktemp("targets")
    (folder / "secret.txt").write_text("feed-secret\n")
    environment = {
        name: value
        for name, value in (ENVIRONMENT | TOKEN | {"ID": "feed-id"}).items()
        if name == "ID" or name in kept
    }
    named = {None: FEEDS[target] if target else None, "sandbox": None, "env": API}.get(
        option, option
    )
    try:
        chosen = choose_target(option, feed(folder, target) if target else None, environment)
    except SettingsError:
        return

    assert named == chosen.url
    secrets = {
        secret.value for secret in vars(chosen.credentials or Credentials()).values() if secret
    }
    owners = {"https://feed.example.edu": "feed-", API: "env-"}
    owner = next(
        (owners[host] for host in owners if (chosen.url or "").startswith(host)), "nobody's"
    )
    assert {True} >= {secret.startswith(owner) for secret in secrets}
    assert bool(secrets) == (chosen.url is not None)


def test_nobody_guesses_which_of_several_apis_a_target_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a feed file nothing says it: `forget` would take a wrong path for a deleted person."""
    monkeypatch.setitem(APIS, "second", SECOND)

    assert Target("sandbox", profile=TIMEBACK) == choose_target("sandbox", None, {})
    with pytest.raises(SettingsError, match="nothing says which API env speaks"):
        choose_target("env", None, ENVIRONMENT)
