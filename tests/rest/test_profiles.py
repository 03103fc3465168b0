"""The profiles of real providers, each against a stand-in that refuses what its pages say is refused."""

from __future__ import annotations

from itertools import chain, count, repeat
from pathlib import Path

import pytest

from connectors.oneroster.provider import Provider, has_form
from connectors.oneroster.providers import PROVIDERS
from connectors.oneroster.sandbox import Sandbox
from flows.errors import SettingsError
from flows.feeds.feed import read_feed
from tests.rest.feeds import Feed
from tests.rest.profile_page import PAGE, page
from tests.rest.stand_in import Rules, StandIn, stand_in
from tests.rest.verifying import KEY, SECRET

# What each provider is documented to want, read from its pages a second time.
RULES = {
    "aeries": Rules(
        base="/aeries",
        token="/aeries/token",
        client_auth="basic",
        scope=True,
        cookies=True,
        lacks=("resources",),
    ),
    "aspen": Rules(token="/oauth/rest/v2.0/auth", client_auth="form"),
    "blackbaud": Rules(base="/afe-rostr", token="/token", client_auth="basic", scope=True),
    "classlink": Rules(signature="HMAC-SHA1"),
    "ed_fi": Rules(
        base="/oneroster",
        version="1.2",
        token="/odsapi/oauth/token",
        client_auth="basic",
        largest_page=500,
        totals=False,
        lacks=("resources", "categories", "scoreScales", "lineItems", "results"),
    ),
    "infinite_campus": Rules(
        base="/campus/api", version="1.2", token="/campus/oauth2/token?appName=larkspur"
    ),
    "powerschool": Rules(token="/oauth/access_token", client_auth="basic", largest_page=1000),
    "powerschool_accounts": Rules(token="/as/token.oauth2", client_auth="form"),
    "visma_flyt": Rules(version="1.2", token="/connect/token", client_auth="form", scope=True),
}
# No public page says which version they have, so a feed file does.
WITHOUT_VERSION = ("aspen", "powerschool", "powerschool_accounts")
# The address of their tokens is the same for everybody, or cannot be known from that of the API.
TOKENS_ELSEWHERE = ("blackbaud", "ed_fi", "infinite_campus", "powerschool_accounts", "visma_flyt")
EACH = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def feed(folder: Path, target: Sandbox, source: StandIn, *settings: str) -> Feed:
    """Return a feed from a stand-in."""
    found = Feed(folder, target, KEY, SECRET)
    found.configure(f'url = "{source.api}"', "patience_seconds = 0", *settings)
    return found


def needed(code: str, source: StandIn) -> list[str]:
    """Return what a feed file must say beside a profile."""
    lines = [f'profile = "{code}"']
    if code in WITHOUT_VERSION:
        lines.append('version = "1.1"')
    if code in TOKENS_ELSEWHERE:
        lines.append(f'token_url = "{source.token_url}"')
    return lines


@EACH
def test_a_provider_is_read_with_its_profile(
    tmp_path: Path, sandbox: Sandbox, provider: Provider
) -> None:
    """Everybody arrives, the next night sends nothing, and the provider never had to refuse."""
    with stand_in(RULES[provider.code]) as source:
        read = feed(tmp_path, sandbox, source, *needed(provider.code, source))

        first, again = read.run("sync"), read.run("sync")

        assert (0, 0, "unchanged") == (first.code, first.total("rejected"), again.json["status"])
        assert ["ana", "bo", "tia"] == read.holds("users")
        assert ["e-ana", "e-bo", "e-tia"] == read.holds("enrollments")
        assert [] == source.refused


def test_every_command_reads_with_a_profile(tmp_path: Path, sandbox: Sandbox) -> None:
    """Also those that send nothing; the preflight says what the profile supplies."""
    with stand_in(RULES["aeries"]) as source:
        read = feed(tmp_path, sandbox, source, *needed("aeries", source))

        runs = [read.run(one) for one in ("preflight", "check", "plan", "sync", "verify")]

        assert [0, 0, 0, 0, 0] == [run.code for run in runs]
        says = {check["name"]: check["says"] for check in runs[0].json["checks"]}["profile"]
        assert (
            "Aeries: `version`, `token_url`, `client_auth`, `scope`, `cookies` from its profile"
            in says
        )
        assert "never tried against a real server" in says


@pytest.mark.parametrize(
    ("code", "settings", "named"),
    [
        ("aeries", ('version = "1.1"', 'token_url = "{tokens}"'), ["aeries", "blackbaud"]),
        ("classlink", ('version = "1.1"', 'oauth = "1.0a"'), ["classlink"]),
        ("infinite_campus", ('token_url = "{origin}/campus/oauth2/token"',), ["infinite_campus"]),
        (
            "aspen",
            ('version = "1.1"', 'token_url = "{tokens}"', 'client_auth = "basic"'),
            ["aspen"],
        ),
    ],
)
def test_a_preflight_names_the_profile_that_fits(
    tmp_path: Path, sandbox: Sandbox, code: str, settings: tuple[str, ...], named: list[str]
) -> None:
    """By the way in which the call failed, or by the address."""
    with stand_in(RULES[code]) as source:
        lines = [
            line.format(tokens=source.token_url, origin=source.url)
            if line.startswith("token_url")
            else line
            for line in settings
        ]
        run = feed(tmp_path, sandbox, source, *lines).run("preflight")

        says = {check["name"]: check["says"] for check in run.json["checks"]}["drop"]
        assert named == [one for one in named if f'(`profile = "{one}"`)' in says]
        assert "set the `profile` in [rest]" in says


def test_a_wrong_secret_is_no_sign_of_a_provider(tmp_path: Path, sandbox: Sandbox) -> None:
    """No profile is named for a failure that any API may have."""
    with stand_in(Rules(version="1.2", token="/token")) as source:
        read = Feed(tmp_path, sandbox, KEY, "not-the-secret")
        read.configure(f'url = "{source.api}"', f'token_url = "{source.token_url}"')

        run = read.run("preflight")

        says = {check["name"]: check["says"] for check in run.json["checks"]}
        assert ("profile" in says, "profile" in says["drop"]) == (False, False)


def test_a_setting_that_differs_from_the_profile_is_named_when_it_fails(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """With the page that says otherwise."""
    with stand_in(RULES["aeries"]) as source:
        settings = (*needed("aeries", source), 'client_auth = "form"')
        run = feed(tmp_path, sandbox, source, *settings).run("preflight")

        assert "sets `client_auth`, about which the profile aeries says otherwise" in run.said
        assert "support.aeries.com" in run.said


@pytest.mark.parametrize(
    ("code", "standing", "words"),
    [
        ("infinite_campus", "ok", "from its profile"),
        ("visma_flyt", "warning", "No public page says that Visma Flyt filters"),
        ("ed_fi", "warning", "does not report every removed record"),
    ],
)
def test_a_preflight_says_what_a_delta_may_miss(
    tmp_path: Path, sandbox: Sandbox, code: str, standing: str, words: str
) -> None:
    """Changes, if an API does not filter, and removals, if it does not report them."""
    with stand_in(RULES[code]) as source:
        settings = (*needed(code, source), "delta = true")
        run = feed(tmp_path, sandbox, source, *settings).run("preflight")

        check = {check["name"]: check for check in run.json["checks"]}["profile"]
        assert (standing, True) == (check["standing"], words in check["says"])


def test_records_of_two_revisions_are_never_mixed(tmp_path: Path, sandbox: Sandbox) -> None:
    """ClassLink counts up when its records are replaced; then everything is read again."""
    with stand_in(RULES["classlink"]) as source:
        source.revisions = chain(repeat("7", 4), repeat("8"))
        read = feed(tmp_path, sandbox, source, *needed("classlink", source))

        run = read.run("sync")

        assert (0, ["ana", "bo", "tia"]) == (run.code, read.holds("users"))
        assert "9" not in next(source.revisions)


def test_records_that_are_always_replaced_are_not_read(tmp_path: Path, sandbox: Sandbox) -> None:
    """The night ends after three readings, and nothing is sent."""
    with stand_in(RULES["classlink"]) as source:
        source.revisions = map(str, count())
        read = feed(tmp_path, sandbox, source, *needed("classlink", source))

        run = read.run("sync")

        assert (1, []) == (run.code, read.holds("orgs"))
        assert "changed its records while they were read, 3 times" in run.said


CLIENT = 'client_id_env = "SIS_ID"\nclient_secret_env = "SIS_SECRET"\n'
FILE = '[target]\nurl = "sandbox"\n[rest]\nurl = "https://sis.example.edu/aeries"\n'


def written(folder: Path, text: str) -> Path:
    """Write a feed file."""
    path = folder / "larkspur.toml"
    path.write_text(FILE + text)
    return path


def test_a_profile_supplies_what_a_file_leaves_out(tmp_path: Path) -> None:
    """What the file sets stays."""
    table = read_feed(
        written(tmp_path, f'{CLIENT}profile = "aeries"\nscope = "core"\npage_size = 200\n')
    ).rest

    assert table is not None
    assert ("https://sis.example.edu/aeries/token", "1.1", "basic", "core", 200) == (
        table.token_url,
        table.version,
        table.client_auth,
        table.scope,
        table.page_size,
    )


def test_a_ready_token_needs_no_request_for_one(tmp_path: Path) -> None:
    """ClassLink's proxy takes the token of its portal, and requests are not signed."""
    table = read_feed(
        written(tmp_path, 'profile = "classlink"\naccess_token_env = "SIS_TOKEN"\n')
    ).rest

    assert table is not None
    assert ("2", "1.1", None) == (table.oauth, table.version, table.token_url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('profile = "aries"\n', ["`rest.profile` is 'aries'", "did you mean 'aeries'?"]),
        (
            'profile = "aeries"\ncollections = ["orgs", "users", "resources"]\n',
            ["resources in `collections`, which Aeries does not have", '["orgs", "users"]'],
        ),
        (
            'profile = "blackbaud"\nversion = "1.2"\n',
            ['`version = "1.2"`, which Blackbaud', "Remove `version`", "developer.blackbaud.com"],
        ),
        (
            'profile = "infinite_campus"\nconcurrency = 8\n',
            ["`concurrency = 8`", "accepts 5 requests at a time", "kb.infinitecampus.com"],
        ),
        (
            'profile = "infinite_campus"\nversion = "1.1"\noauth = "1.0a"\n',
            ['`oauth = "1.0a"`', "only knows OAuth 2. Remove `oauth`"],
        ),
        (
            'profile = "classlink"\ntoken_url = "https://sis.example.edu/token"\n',
            ["has `token_url`", "signed requests and ready tokens", "only access_token_env"],
        ),
        (
            'profile = "infinite_campus"\n',
            ["form {origin}/campus/oauth2/token?appName={appName}", "token_url"],
        ),
        ('profile = "ed_fi"\n', ["has the form {ODS / API}/oauth/token"]),
        ('profile = "aspen"\n', ["has no `version`", "Set it to 1.1 or 1.2"]),
    ],
)
def test_a_setting_that_does_not_work_is_refused(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    """With what to use instead."""
    with pytest.raises(SettingsError) as caught:
        read_feed(written(tmp_path, CLIENT + text))

    assert 1 == len(caught.value.problems)
    assert [] == [word for word in words if word not in caught.value.problems[0]]


@EACH
def test_every_line_has_a_public_page(provider: Provider) -> None:
    """And every profile says what nobody tried."""
    pages = [line.page for _, line in provider.lines] + [note.page for note in provider.notes]

    assert [] == [one for one in pages if not one.address.startswith("https://") or not one.title]
    assert provider.never_tried


def test_the_page_has_every_line() -> None:
    """`python -m tests.rest.profile_page` writes it."""
    assert page() == PAGE.read_text("utf-8")


@pytest.mark.parametrize(
    ("address", "fits"),
    [
        ("https://sis.example.edu/campus/oauth2/token?appName=larkspur", True),
        ("https://sis.example.edu/campus/oauth2/token", False),
        ("https://sis.example.edu/campus/oauth2/token?appName=", False),
    ],
)
def test_an_address_has_the_form_of_a_template_or_not(address: str, fits: bool) -> None:
    """Whatever the template has in braces must be there."""
    assert fits == has_form(address, "{origin}/campus/oauth2/token?appName={appName}")
