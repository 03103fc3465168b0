"""A feed file: what it means, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.oneroster.profile import TIMEBACK
from flows.errors import SettingsError
from flows.feeds.feed import Feed, read_feed
from flows.options import feed_value
from transforms.share import SharingScope
from transforms.target_vocabulary import MAPS, feed_vocabulary

SANDBOX = 'drop = "drop"\n[target]\nurl = "sandbox"\n'
FULL = """
district = "larkspur-valley"
drop = "oneroster_1_2"
layout = "oneroster"
encoding = "cp1252"
[target]
url = "https://API.example.edu:443/"
token_url = "https://login.example.edu/oauth2/token"
client_id_env = "LARKSPUR_CLIENT_ID"
client_secret_file = "secrets/larkspur"
email_template = "{sourcedId}@students.example.edu"
session_org = "larkspur"
batch_size = 500
concurrency = 4
patience_seconds = 30
[target.grades]
"K5" = "0"
[target.subjects]
"Robotics*" = "Science"
[share]
schools = ["s1", "s2"]
grades = ["09"]
roles = ["student", "ext:coach"]
exclude = ["u7"]
demographics = false
[share.leave_out]
users = ["sms", "metadata.bus"]
"""


def feed(folder: Path, text: str, name: str = "larkspur-valley.toml") -> Feed:
    """Write a feed file and read it."""
    path = folder / name
    path.write_text(text, "utf-8")
    return read_feed(path)


def problems(folder: Path, text: str) -> tuple[str, ...]:
    """What is said of a feed file that is wrong."""
    with pytest.raises(SettingsError) as caught:
        feed(folder, text)
    return caught.value.problems


def test_a_full_file_is_read(tmp_path: Path) -> None:
    """Every setting arrives, with addresses normalized and folders relative to the file."""
    read = feed(tmp_path, FULL)

    assert ("larkspur-valley", tmp_path / "oneroster_1_2", "cp1252") == (
        read.district,
        read.drop_path,
        read.encoding,
    )
    target = read.target.model_dump()
    assert ("https://api.example.edu", 500, 4) == (
        target["url"],
        target["batch_size"],
        target["concurrency"],
    )


def test_a_small_file_is_enough(tmp_path: Path) -> None:
    """A drop and a target are all that a feed needs."""
    read = feed(tmp_path, SANDBOX)

    assert ("default", "auto", 1000, 10) == (
        read.district,
        read.layout,
        feed_value("batch_size", read),
        feed_value("concurrency", read),
    )
    assert feed_vocabulary(TIMEBACK.vocabulary) == read.carrying


def test_a_byte_order_mark_is_no_obstacle(tmp_path: Path) -> None:
    """Files saved by Windows editors are read."""
    assert "default" == feed(tmp_path, "\ufeff" + SANDBOX).district


@pytest.mark.parametrize(
    ("file", "option", "expected"),
    [
        ("larkspur-valley.toml", None, "larkspur-valley"),
        ("staff.toml", None, "larkspur-valley/staff"),
        ("staff.toml", "other", "other/staff"),
        ("other.toml", "other", "other"),
    ],
)
def test_the_name_of_a_feed(tmp_path: Path, file: str, option: str | None, expected: str) -> None:
    """A feed is named by its district, and by its file if that has another name."""
    assert expected == feed(tmp_path, FULL, file).key_name(option)


@pytest.mark.parametrize(
    ("said", "here", "expected"),
    [("", True, True), ("", False, False), ("true", False, True), ("false", True, False)],
)
@pytest.mark.parametrize("what", ["demographics", "contacts"])
def test_sensitive_records_leave_this_machine_only_if_named(
    tmp_path: Path, what: str, said: str, here: bool, expected: bool
) -> None:
    """Demographics and contacts go to a target elsewhere only if the file says so; on this machine unless it says not."""
    text = SANDBOX + (f"[share]\n{what} = {said}\n" if said else "")

    assert expected == getattr(feed(tmp_path, text).scope(here), what)


def test_the_scope_of_a_full_file(tmp_path: Path) -> None:
    """What may be shared arrives as sets."""
    expected = SharingScope(
        schools=frozenset({"s1", "s2"}),
        grades=frozenset({"09"}),
        roles=frozenset({"student", "ext:coach"}),
        exclude=frozenset({"u7"}),
        leave_out={"users": frozenset({"sms", "metadata.bus"})},
    )

    assert expected == feed(tmp_path, FULL).scope(on_this_machine=False)


def test_maps_of_the_file_lie_over_the_defaults(tmp_path: Path) -> None:
    """A feed's words are added to the defaults, and win over them."""
    carrying = feed(tmp_path, FULL).carrying

    assert ("0", "9") == (carrying.maps["grades"]["K5"], carrying.maps["grades"]["09"])
    assert {**TIMEBACK.vocabulary.maps["subjects"], "Robotics*": "Science"} == carrying.maps[
        "subjects"
    ]
    assert ("{sourcedId}@students.example.edu", "larkspur") == (
        carrying.email_template,
        carrying.session_org,
    )


@pytest.mark.parametrize("name", MAPS)
def test_default_maps_lead_to_the_targets_words(name: str) -> None:
    """Each default map leads to words of the target, and knows all of them."""
    values = set(TIMEBACK.vocabulary.maps[name].values())

    assert set(TIMEBACK.vocabulary.words[name]) == values


TARGET = 'drop = "d"\n[target]\nurl = "https://api.example.edu"\n'
OPEN = TARGET + 'access_token_env = "TOKEN"\n'
KEY = "Qm7ZkP2vX9sL4tR8wB1n"
WRONG = (
    ("no target", 'drop = "d"', ["`target` is missing", "[target]", "sandbox"]),
    ("no address", 'drop = "d"\n[target]', ["`target.url` is missing", "address"]),
    ("no drop", '[target]\nurl = "sandbox"', ["`drop` is missing", "relative to this file"]),
    ("misspelled key", "distrct = 'a'\n" + SANDBOX, ["`distrct` is not a setting", "did you mean 'district'?"]),
    ("misspelled key of a table", OPEN + "batchsize = 5", ["`target.batchsize`", "did you mean 'batch_size'?"]),
    ("key of another table", "email_template = 'a'\n" + SANDBOX, ["did you mean `target.email_template`?"]),
    ("unknown key", "zzz = 'a'\n" + SANDBOX, ["`zzz` is not a setting", "expected one of district, rest, drop"]),
    ("layout", "layout = 'cleverr'\n" + SANDBOX, ["`layout` is 'cleverr'", "did you mean 'clever'?"]),
    ("sign in a prefix", SANDBOX + "[source]\nprefix = 'lv:'", ["`source.prefix` is 'lv:'", "letters, digits"]),
    ("day of the year", SANDBOX + "[source]\nyear_begins = '7/1'", ["`source.year_begins` is '7/1'", '"07-01"']),
    ("order of dates", SANDBOX + "[source]\ndate_order = 'us'", ["`source.date_order` is 'us'", "'mdy'"]),
    ("kind of class", SANDBOX + "[source]\nclass_type = 'lesson'", ["`source.class_type` is 'lesson'", "scheduled"]),
    ("word of the source", SANDBOX + "[source.words.roles]\ncoach = 'techer'", ["`source.words.roles`", "'coach'", "did you mean 'teacher'?"]),
    ("race", SANDBOX + "[source.words.races]\n9 = 'asia'", ["`source.words.races`", "did you mean 'asian'?"]),
    ("id of the district", SANDBOX + "[source.district]\nid = 'a b'", ["`source.district.id` is 'a b'"]),
    ("a wait that is too short", SANDBOX + "[arrival]\nsettle = '40m'", ["`arrival`", "too short", "at least twice as long"]),
    ("a span of time", SANDBOX + "[arrival]\nsettle = '2 minutes'", ["`arrival.settle` is '2 minutes'", "such as 90s, 2m or 6h"]),
    ("a marker in a folder", SANDBOX + "[arrival]\nready = 'done/ok'", ["`arrival.ready` is 'done/ok'", "{drop}.ready"]),
    ("a password", SANDBOX + "[pickup]\npassword = 'x'", ["`pickup.password` is not a setting", "password_env"]),
    ("encoding", "encoding = 'cp12525'\n" + SANDBOX, ["`encoding` is 'cp12525'", "no encoding", "cp1252"]),
    ("encoding that is none of text", "encoding = 'base64'\n" + SANDBOX, ["no encoding"]),
    ("slash in the district", "district = 'a/b'\n" + SANDBOX, ["`district` is 'a/b'", "without slashes"]),
    ("blank", "district = ' '\n" + SANDBOX, ["`district` is ' '", "not blank"]),
    ("no text", "district = 5\n" + SANDBOX, ["`district` is 5", "text in quotes"]),
    ("no table", "drop = 'd'\ntarget = 'sandbox'", ["`target` is 'sandbox'", "expected a table"]),
    ("no number", OPEN + "batch_size = '5'", ["`target.batch_size` is '5'", "whole number without quotes"]),
    ("too small", OPEN + "batch_size = 0", ["`target.batch_size` is 0", "at least 1"]),
    ("too many", OPEN + "concurrency = 11", ["`target.concurrency` is 11", "at most 10"]),
    ("true is no number", OPEN + "concurrency = true", ["`target.concurrency` is True", "whole number"]),
    ("no truth", SANDBOX + "[share]\ncontacts = 'yes'", ["`share.contacts` is 'yes'", "true or false"]),
    ("no list", SANDBOX + "[share]\nschools = 's1'", ["`share.schools` is 's1'", "a list of texts"]),
    ("numbers", SANDBOX + "[share]\ngrades = [9]", ["`share.grades` is 9", "text in quotes"]),
    ("limit to nothing", SANDBOX + "[share]\nroles = []", ["`share.roles`", "leave the key out for no limit"]),
    ("long value", f"layout = '{'x' * 90}'\n" + SANDBOX, ["oneroster"]),
    ("role", SANDBOX + "[share]\nroles = ['studnet']", ["`share.roles` is 'studnet'", "did you mean 'student'?"]),
    ("entity", SANDBOX + "[share.leave_out]\nuser = ['sms']", ["`share.leave_out`", "'user'", "did you mean 'users'?"]),
    ("column", SANDBOX + "[share.leave_out]\nusers = ['smss']", ["users.smss", "did you mean 'sms'?"]),
    ("required column", SANDBOX + "[share.leave_out]\nusers = ['familyName']", ["users.familyName", "required"]),
    ("grade", OPEN + "[target.grades]\nK5 = 'kinder'", ["`target.grades`", "'kinder'", "'K5'", "one of -1, 0, 1"]),
    ("api of the target", OPEN + "api = 'timebak'", ["`target.api` is 'timebak'", "did you mean 'timeback'?"]),
    ("role of a target whose api is unknown", OPEN + "api = 'x'\n[target.roles]\ncoach = 'aide'", ["`target.api` is 'x'", "expected one of timeback."]),
    ("role of the target", OPEN + "[target.roles]\ncoach = 'teachr'", ["`target.roles`", "did you mean 'teacher'?"]),
    ("template without a column", OPEN + "email_template = 'a@b.c'", ["`target.email_template`", "{sourcedId}"]),
    ("template without an @", OPEN + "email_template = '{sourcedId}'", ["one @"]),
    ("template of another column", OPEN + "email_template = '{sourceId}@b.c'", ["'sourceId'", "did you mean 'sourcedId'?"]),
    ("template with an open brace", OPEN + "email_template = '{sourcedId@b.c'", ["a column in braces"]),
    ("template with a format", OPEN + "email_template = '{sourcedId:>9}@b.c'", ["a column in braces"]),
    ("address", SANDBOX.replace("sandbox", "api.example.edu"), ["`target.url` is not an address", "https://"]),
    ("plain http", OPEN.replace("https", "http"), ["`target.url` is plain http", "Use https"]),
    ("plain http for tokens", OPEN + "token_url = 'http://login.example.edu'", ["`target.token_url` is plain http"]),
    ("no credentials", TARGET, ["`target` names no credentials", "access_token_env", "client_secret_env"]),
    ("no secret", TARGET + "client_id_env = 'ID'", ["`target` names client_id", "all of token_url"]),
    ("too many credentials", OPEN + "client_id_env = 'ID'", ["access_token, client_id", "either"]),
    ("two places", OPEN + "access_token_file = 'token'", ["access_token_env and access_token_file", "Keep one"]),
    ("credentials for the sandbox", SANDBOX + "access_token_env = 'TOKEN'", ["access_token", "no use", "Remove"]),
    ("secret for a variable", TARGET + f"access_token_env = '{KEY}'", ["`target.access_token_env`", "not shown"]),
    ("secret in capitals", TARGET + f"access_token_env = '{KEY.upper()}'", ["looks like the secret itself"]),
    ("secret for a file", TARGET + f"access_token_file = '{KEY}'", ["looks like the secret itself"]),
    ("secret for a key", TARGET + f"access_token = '{KEY}'", ["`target.access_token` is not a setting", "access_token_"]),
    ("secret in a list", TARGET + f"access_token_env = ['{KEY}']", ["`target.access_token_env`", "not shown", "text in quotes"]),
    ("password in the address", OPEN.replace("api.", f"me:{KEY}@api."), ["`target.url` holds a user name or a password"]),
    ("no TOML", "district = \n", ["is not TOML", "line 1"]),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG]
)
def test_a_wrong_file_is_reported_in_one_sentence(
    tmp_path: Path, text: str, words: list[str]
) -> None:
    """The error has the file, the key, what was found and what to do; never a secret."""
    told = problems(tmp_path, text)

    assert [] == [
        word for word in (str(tmp_path / "larkspur-valley.toml"), *words) if word not in told[0]
    ]
    assert (1, False) == (len(told), KEY.lower() in told[0].lower())


def test_everything_that_is_wrong_is_told(tmp_path: Path) -> None:
    """Two mistakes are two sentences, each on its own line."""
    told = problems(
        tmp_path, 'districts = "a"\ndrop = "d"\n[target]\nurl = "env"\nbatch_size = -1\n'
    )

    assert [True, True] == ["`districts`" in "".join(told), "`target.batch_size`" in "".join(told)]
    assert 2 == len(told)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file, a folder and bytes that are no text are reported with the file's name."""
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    for name, word in (
        ("absent.toml", "cannot be read"),
        ("", "cannot be read"),
        ("bytes.toml", "UTF-8"),
    ):
        with pytest.raises(SettingsError, match=word):
            read_feed(tmp_path / name)


def test_a_salt_stands_in_one_place(tmp_path: Path) -> None:
    """It is a secret: the file names what holds it."""
    both = problems(tmp_path, f'{SANDBOX}[source]\nsalt_env = "SALT"\nsalt_file = "salt.txt"\n')
    one = feed(tmp_path, f'{SANDBOX}[source]\nsalt_env = "SALT"\n')
    none = feed(tmp_path, SANDBOX)

    secret = one.source.salt(one.path, {"SALT": "s3cret of twenty signs"})
    assert ["Keep one of them." in problem for problem in both] == [True]
    assert ("s3cret of twenty signs", None) == (
        secret and secret.value,
        none.source.salt(none.path, {}),
    )
    with pytest.raises(SettingsError, match=r"`source.salt_env` names \$SALT, which is not set"):
        one.source.salt(one.path, {})


def test_a_runner_needs_the_cluster_of_other_machines(tmp_path: Path) -> None:
    """Within one machine `processes` send, so that a runner without an address can only be a mistake."""
    [said] = problems(tmp_path, SANDBOX + '[run]\nrunner = "dask"\nprocesses = 2\n')
    read = feed(
        tmp_path, SANDBOX + '[run]\nrunner = "dask"\ncluster = "tcp://scheduler.example.edu:8786"\n'
    )

    assert 'has `runner = "dask"` and no `cluster`. Name the address of one' in said
    assert ("dask", "tcp://scheduler.example.edu:8786") == (read.run.runner, read.run.cluster)
