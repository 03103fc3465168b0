"""Every setting of a feed file, by every way in: it reaches the run, or it is refused with what to use instead."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from flows.errors import SettingsError
from flows.feeds.feed import TABLES
from flows.feeds.needs import NEEDS
from flows.job import Job
from flows.make_job import make_job
from flows.options import Options
from tests.judging import TODAY
from transforms.sources import SOURCES

ENVIRONMENT = {
    name: name.lower() for name in ("SIS_TOKEN", "SIS_ID", "SIS_SECRET", "TOKEN", "OTHER", "SALT")
} | {"MAIL": "json://127.0.0.1/larkspur"}
SANDBOX = {"url": "sandbox"}
REMOTE = {"url": "https://api.example.edu", "access_token_env": "TOKEN"}
REST = {"url": "https://sis.example.edu", "access_token_env": "SIS_TOKEN"}
FETCHED = {
    "url": "https://sis.example.edu",
    "token_url": "https://sis.example.edu/token",
    "client_id_env": "SIS_ID",
    "client_secret_env": "SIS_SECRET",
}
SIGNED = {
    "url": "https://sis.example.edu",
    "version": "1.1",
    "oauth": "1.0a",
    "client_id_env": "SIS_ID",
    "client_secret_env": "SIS_SECRET",
}
Document = dict[str, Any]
# The ways in which rosters arrive, each with the rest of a feed file.
WAYS: dict[str, Document] = {
    **{code: {"drop": "drop", "layout": code, "target": SANDBOX} for code in SOURCES},
    "recognized": {
        "drop": "drop",
        "target": REMOTE,
        "share": {"demographics": True, "contacts": True},
    },
    "a layout of one's own": {"drop": "drop", "layout": "own.toml", "target": SANDBOX},
    "a zip": {"drop": "drop.zip", "target": SANDBOX},
    "SFTP": {"drop": "sftp://sftp.example.edu/out", "target": SANDBOX},
    "another store": {"drop": "https://store.example.edu/out.zip", "target": SANDBOX},
    "an API, by a ready token": {"rest": REST, "target": SANDBOX},
    "an API, by a client": {"rest": FETCHED, "target": SANDBOX},
    "an API, by signature": {"rest": SIGNED, "target": SANDBOX},
    "an API, only changes": {"rest": FETCHED | {"delta": True}, "target": SANDBOX},
    "a profile": {"rest": REST | {"profile": "ed_fi"}, "target": SANDBOX},
}
OWN = """
[layout]
code = "own"
title = "Our own"
base = "oneroster"
[[file]]
name = "users"
aliases = { familyName = ["Surname"] }
"""
# A value of each setting that differs from its default.
VALUES: dict[str, Document] = {
    "": {
        "district": "larkspur",
        "rest": FETCHED,
        "drop": "elsewhere",
        "layout": "oneroster",
        "encoding": "cp1252",
        "time_zone": "America/Chicago",
        "external": ["courses"],
        "removed": {"users": "keep"},
        "ids": "ids.csv",
        "drop_date": TODAY,
        "drop_date_pattern": r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d)",
        "max_age": "36h",
        "plan_days": 7,
        "limits": {"vanished_records": 3},
        "calendar": {"blackout": ["2020-01-01..2099-12-31"]},
        "keep": {"rosters": 3},
        "run": {"processes": 2},
        "schedule": {"cron": "0 2 * * *"},
        "notify": {"env": ["MAIL"]},
        "target": REMOTE | {"batch_size": 5},
        "share": {"grades": ["05"]},
        "shared": {"owner": "juniper"},
        "source": {"prefix": "lv-"},
        "pickup": {"key_file": "key"},
        "arrival": {"settle": "2m"},
    },
    "rest": {
        **{f"{name}_{how}": "OTHER" for name in ("client_id", "client_secret", "access_token") for how in ("env",)},
        **{f"{name}_file": "secret" for name in ("client_id", "client_secret", "access_token")},
        **{f"{name}_block": "secret" for name in ("client_id", "client_secret", "access_token")},
        "token_url": "https://sis.example.edu/other",
        "url": "https://other.example.edu",
        "profile": "visma_flyt",
        "version": "1.1",
        "oauth": "1.0a",
        "signature": "HMAC-SHA1",
        "scope": "roster",
        "client_auth": "form",
        "cookies": False,
        "page_size": 50,
        "concurrency": 2,
        "collections": ["orgs", "users"],
        "delta": True,
        "full_days": 3,
        "overlap_hours": 2,
        "patience_seconds": 5,
    },
    "source": {
        "snapshot": False,
        "prefix": "lv-",
        "date_order": "dmy",
        "school_year": 2031,
        "year_begins": "10-01",
        "class_type": "homeroom",
        "repair": True,
        "escape_ids": True,
        "without": ["students.csv"],
        "set_apart": ["students.csv"],
        "salt_env": "SALT",
        "salt_file": "salt",
        "salt_block": "salt",
        "district": {"name": "Larkspur"},
        "words": {"sex": {"f": "female"}},
        "columns": {"users": {"Surname": "familyName"}},
    },
    "source.district": {"name": "Larkspur", "id": "larkspur"},
    "source.words": {
        "grades": {"Young Fives": "PK"},
        "roles": {"coach": "aide"},
        "enrollment_roles": {"coach": "teacher"},
        "sex": {"f": "female"},
        "races": {"a": "asian"},
        "org_types": {"lea": "district"},
        "session_types": {"half": "semester"},
        "states": {"left": "tobedeleted"},
    },
    "pickup": {"known_hosts": "hosts", "key_file": "key", "password_env": "OTHER"},
    "arrival": {"settle": "2m", "ready": "_READY", "wait": "2h", "spread": "6h"},
    "target": {
        **{f"{name}_env": "OTHER" for name in ("client_id", "client_secret", "access_token")},
        **{f"{name}_file": "secret" for name in ("client_id", "client_secret", "access_token")},
        **{f"{name}_block": "secret" for name in ("client_id", "client_secret", "access_token")},
        "token_url": "https://login.example.edu/token",
        "url": "https://api.example.edu/staging",
        "api": "other",
        "email_template": "{sourcedId}@students.example.edu",
        "session_org": "d",
        "staging": True,
        "batch_size": 5,
        "concurrency": 2,
        "patience_seconds": 5,
        "grades": {"Young Fives": "PK"},
        "subjects": {"Maths": "Math"},
        "roles": {"ext:coach": "aide"},
        "enrollment_roles": {"ext:coach": "teacher"},
        "org_types": {"ext:campus": "school"},
        "session_types": {"ext:half": "semester"},
        "class_types": {"ext:club": "scheduled"},
        "sex": {"x": "other"},
        "resource_roles": {"ext:all": "primary"},
        "score_statuses": {"ext:late": "exempt"},
    },
    "share": {
        "schools": ["s1"],
        "grades": ["05"],
        "roles": ["student"],
        "exclude": ["ana"],
        "leave_out": {"users": ["sms"]},
        "demographics": False,
        "contacts": False,
        "passwords": True,
    },
    "shared": {"owner": "juniper"},
    "limits": {
        **{name: 3 for name in TABLES["limits"].model_fields if name not in ("entities", "once")},
        "entities": {"users": 3},
        "once": {"until": "2099-12-31", "vanished_percent": 60},
    },
    "limits.once": {name: 3 for name in TABLES["limits.once"].model_fields if name != "until"}
    | {"until": "2099-12-31"},
    "calendar": {
        "blackout": ["2020-01-01..2099-12-31"],
        "adds_only": ["2020-01-01..2099-12-31"],
    },
    "keep": {"rosters": 3, "run_days": 3, "closed_plan_days": 3},
    "run": {"processes": 2, "runner": "dask", "cluster": "tcp://scheduler.example.edu:8786"},
    "schedule": {"cron": "0 2 * * *", "pool": "other", "paused": True},
    "notify": {"env": ["MAIL"], "files": ["address"], "blocks": ["address"], "on": ["failed"]},
}  # fmt: skip
# What other tables must say for a setting of this one to be one.
BESIDE: dict[str, Document] = {
    "limits.once": {"until": "2099-12-31"},
    "notify": {"env": ["MAIL"]},
}
# Read by other commands than `sync`: `deploy`, `status`, `probe`. Blocks are read under Prefect only.
ELSEWHERE = ("schedule", "target.staging")
# Settings that have only one value so far, or whose value here is that of a way in.
ONE_VALUE = ("target.api", "layout")
KEYS = [(table, key) for table, model in TABLES.items() for key in model.model_fields]


def test_every_setting_has_a_value_here() -> None:
    """A new one is tried by every way in."""
    assert {(table, key) for table, keys in VALUES.items() for key in keys} == set(KEYS)


def test_needs_are_of_settings() -> None:
    """Each key of a need is declared."""
    named = [key.rpartition(".") for need in NEEDS for key in need.keys]

    assert {(table, key) for table, _, key in named} <= set(KEYS)


def setting(way: Document, table: str, key: str) -> Document:
    """Give the feed file of a way in, with one setting more."""
    document = {name: dict(one) if isinstance(one, dict) else one for name, one in way.items()}
    place = document
    for name in table.split(".") if table else ():
        place = place.setdefault(name, {})
    place |= BESIDE.get(table, {}) | {key: VALUES[table][key]}
    return document


def toml(value: object) -> str:
    """Write a value as TOML."""
    if isinstance(value, dict):
        return (
            f"{{ {', '.join(f'{json.dumps(name)} = {toml(one)}' for name, one in value.items())} }}"
        )
    return str(value) if isinstance(value, date) else json.dumps(value)


def job(folder: Path, document: Document) -> Job | SettingsError:
    """Make the job of a feed file; the error if the file is refused."""
    file = folder / "larkspur.toml"
    file.write_text("".join(f"{name} = {toml(one)}\n" for name, one in document.items()))
    try:
        made = make_job(Options.of("sync", file, state=folder / "state"), ENVIRONMENT)
    except SettingsError as error:
        return error
    rest = made.source.rest and replace(made.source.rest, changed=made.source.rest.changed.min)
    return replace(made, run=replace(made.run, id="1"), source=replace(made.source, rest=rest))


def names_in(sentence: str) -> Iterator[str]:
    """Yield the settings and tables that a sentence names."""
    known = {name for table, key in KEYS for name in (key, f"{table}.{key}".lstrip("."))}
    for name in re.findall(r"[a-z_]+(?:\.[a-z_]+)*", sentence):
        if name in known:
            yield name


@pytest.mark.parametrize("way", WAYS)
def test_a_setting_reaches_the_run_or_is_refused(way: str, tmp_path: Path) -> None:
    """A refusal names the setting, and another to use, or what to do about it."""
    (tmp_path / "own.toml").write_text(OWN)
    for name in ("drop", "elsewhere", "drop.zip"):
        (tmp_path / name).mkdir()
    for name in ("secret", "salt", "address"):
        (tmp_path / name).write_text("json://127.0.0.1/1")
    plain = job(tmp_path, WAYS[way])
    assert not isinstance(plain, SettingsError)

    problems = []
    for table, key in KEYS:
        named = f"{table}.{key}".lstrip(".")
        if named in ONE_VALUE or (table == "rest" and "rest" not in WAYS[way]):
            continue
        document = setting(WAYS[way], table, key)
        if document == WAYS[way]:
            continue
        found = job(tmp_path, document)
        if isinstance(found, SettingsError):
            if not answers(str(found), named):
                problems.append(str(found))
        elif found == plain and named not in ELSEWHERE and table not in ELSEWHERE:
            problems.append(f"{named} does nothing, and is accepted")
    assert [] == problems


def answers(sentence: str, named: str) -> bool:
    """Whether a refusal names the setting, and what to do instead."""
    key = re.sub("_(env|file|block)$", "", named.rpartition(".")[2])
    if "$PREFECT_API_URL" in sentence:  # a block, which needs the server that keeps it
        return True
    others = {*names_in(sentence)} - {key, named}
    if named == "rest.profile":  # it contradicts other keys, which the sentence is about
        return bool(others)
    return key in sentence and ("emove" in sentence or bool(others))


@pytest.mark.parametrize(
    ("way", "refused", "more"),
    [
        ("recognized", ("arrival", "wait"), {"arrival": {"wait": "2h", "settle": "2m"}}),
        ("recognized", ("arrival", "wait"), {"arrival": {"wait": "2h", "ready": "_READY"}}),
        ("an API, by a client", ("rest", "full_days"), {"rest": FETCHED | {"full_days": 3, "delta": True}}),
        ("an API, by a ready token", ("rest", "cookies"), {"rest": FETCHED | {"cookies": False}}),
        ("an API, by a client", ("source", "without"), {"rest": FETCHED | {"collections": ["orgs"]}}),
        ("an API, by a client", ("arrival", "settle"), {"rest": FETCHED | {"patience_seconds": 5}}),
        ("an API, by a client", ("", "drop_date"), {"max_age": "36h"}),
        ("an API, by a client", ("source", "snapshot"), {"removed": {"users": "keep"}}),
        ("recognized", ("run", "cluster"), {"run": {"cluster": "tcp://scheduler.example.edu:8786", "runner": "dask"}}),
        ("recognized", ("run", "cluster"), {"run": {"processes": 2}}),
        ("a zip", ("arrival", "spread"), {"max_age": "36h"}),
        ("oneroster", ("source", "words"), {"target": SANDBOX | {"sex": {"x": "female"}}}),
        ("oneroster", ("source", "district"), {"target": SANDBOX | {"session_org": "d"}}),
    ],
)  # fmt: skip
def test_what_a_refusal_recommends_is_accepted(
    way: str, refused: tuple[str, str], more: Document, tmp_path: Path
) -> None:
    """Every setting that it says to use is named in it, and changes the run."""
    for name in ("drop", "drop.zip"):
        (tmp_path / name).mkdir()
    before = job(tmp_path, setting(WAYS[way], *refused))

    after = job(tmp_path, WAYS[way] | more)

    assert isinstance(before, SettingsError)
    assert not isinstance(after, SettingsError)
    assert job(tmp_path, WAYS[way]) != after
    named = {name.rpartition(".")[2] for name in names_in(str(before))}
    new = {
        key
        for table, value in more.items()
        for key in (value if isinstance(value, dict) else {table})
        if not isinstance(WAYS[way].get(table), dict) or key not in WAYS[way][table]
    }
    assert new <= named | {table for table in more if f"[{table}]" in str(before)} | {"users"} | {
        *FETCHED
    }
