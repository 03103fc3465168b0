"""OneRoster files with ids that OneRoster does not allow: rejected, or escaped by one setting."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.oneroster.sandbox import Sandbox
from tests.rest.newer import feeding
from tests.rosters import Rows, district, drop
from tests.running import Run, roster
from tests.serving import Served

FEED = 'district = "larkspur"\ndrop = "drop"\n[target]\nurl = "env"\n'
SETTING = "[source]\nescape_ids = true\n"
# A colon, a space and `#`, in ids that others refer to.
ODD = {"ana": "UID:1", "t1": "TERM 1", "c1": "SEC#1"}


def odd(ids: dict[str, str]) -> Rows:
    """Return the district with other ids, everywhere."""
    text = json.dumps(district())
    for plain, other in ids.items():
        text = text.replace(f'"{plain}"', f'"{other}"').replace(f',{plain}"', f',{other}"')
    rows: Rows = json.loads(text)
    for row in rows["users"]:  # names that are no ids
        row["username"] = row["email"].partition("@")[0]
    return rows


@pytest.fixture
def at(tmp_path: Path, sandbox: Sandbox) -> Served:
    """A target without records."""
    return Served(sandbox, tmp_path / "state")


def run(at: Served, command: str, settings: str = "") -> Run:
    """Run a command with the feed."""
    feed = at.state.parent / "larkspur.toml"
    feed.write_text(FEED + settings)
    return at.roster(command, feed)


def test_the_message_about_such_ids_is_followed(at: Served, tmp_path: Path) -> None:
    """What was rejected, and all below it, arrives; then `verify` is clean and the next night is silent."""
    drop(tmp_path / "drop", odd(ODD))
    before = run(at, "check")

    checked, planned, first, compared, second = (
        run(at, command, SETTING) for command in ("check", "plan", "sync", "verify", "sync")
    )

    rows = sum(len(table) for name, table in district().items() if name != "roles")
    assert "`escape_ids = true` under [source]" in " ".join(before.said.split())
    assert before.total("rejected") > len(ODD)
    assert [0] * 5 == [one.code for one in (checked, planned, first, compared, second)]
    assert (rows, rows, 0) == (
        planned.total("created"),
        first.total("created"),
        first.total("rejected"),
    )
    assert ("unchanged", []) == (second.json["status"], at.writes)
    sent = at.record("enrollments", "e1")
    assert ("UID@3a1", "SEC@231") == (sent["user"]["sourcedId"], sent["class"]["sourcedId"])


def test_ids_that_were_loaded_keep_their_names(at: Served, tmp_path: Path) -> None:
    """Only what was rejected is new when the setting comes later, also where an id looks escaped."""
    drop(tmp_path / "drop", odd({"ana": "UID:1", "bo": "bo@40acres.example.edu", "c2": "SEC@231"}))
    first = run(at, "sync")

    later = run(at, "sync", SETTING)

    assert first.total("rejected") == later.total("created") > 0
    assert (0, 0) == (later.total("rejected"), later.total("updated") + later.total("held"))
    assert first.total("created") == later.total("unchanged")
    assert "UID@3a1" in at.sandbox.store.ids("users")


def test_an_id_that_is_taken_is_not_written_twice(at: Served, tmp_path: Path) -> None:
    """Of `SEC#1` and `SEC@231`, the first stays rejected, with what belongs to it."""
    drop(tmp_path / "drop", odd({"c1": "SEC#1", "c2": "SEC@231"}))

    done = run(at, "sync", SETTING)

    assert 1 == done.json["entities"]["classes"]["rejected"]
    assert "Math 6 A" == at.record("classes", "SEC@231")["title"]


def test_people_are_found_as_the_source_spells_them(at: Served, tmp_path: Path) -> None:
    """`why` and `enrollments` take both spellings; whoever is forgotten does not come back."""
    drop(tmp_path / "drop", odd(ODD))
    run(at, "sync")
    run(at, "sync", SETTING)

    why = at.roster("why", "UID:1")
    classes = at.roster("enrollments", "UID:1")
    forgotten = at.roster("forget", "UID:1")
    again = run(at, "sync", SETTING)

    assert [0, 0, 0, 0] == [one.code for one in (why, classes, forgotten, again)]
    assert "UID@3a1" in why.out
    assert "SEC@231" in classes.out
    assert "tobedeleted" == at.record("users", "UID@3a1")["status"]
    assert [] == at.writes
    left = [
        file.name
        for file in (at.state / "runs").rglob("*")
        if file.is_file() and b"UID:1" in file.read_bytes()
    ]
    assert [] == left


def test_ids_of_an_api_are_escaped_too(tmp_path: Path, sandbox: Sandbox) -> None:
    """The next night asks for no record by the escaped id, and sends nothing."""
    with feeding(tmp_path, sandbox) as (source, feed):
        source.records = json.loads(json.dumps(source.records).replace('"ana"', '"UID:1"'))
        before = feed.run("check")
        file = feed.folder / "juniper.toml"
        file.write_text(file.read_text() + SETTING)

        first, again = feed.run("sync"), feed.run("sync")

        assert before.total("rejected") > 0
        assert (0, 0, "unchanged") == (first.code, first.total("rejected"), again.json["status"])
        assert "UID@3a1" in feed.holds("users")
        assert "record_unlisted" not in Path(again.json["report"]).read_text("utf-8")


def test_an_export_can_be_read_again(tmp_path: Path) -> None:
    """It has the escaped ids, which stay as they are, with the setting and without."""
    drop(tmp_path / "drop", odd(ODD))
    feed, out = tmp_path / "larkspur.toml", tmp_path / "out.zip"
    text = FEED.replace('"env"', '"sandbox"')

    feed.write_text(text + SETTING)
    written = roster("export", feed, out, "--json", state=tmp_path / "state")
    read = []
    for setting in ("", SETTING):
        feed.write_text(text.replace('"drop"', '"out.zip"') + setting)
        read.append(roster("check", feed, "--json", state=tmp_path / "state"))

    assert [0, 0, 0] == [one.code for one in (written, *read)]
    assert [0, 0] == [one.total("rejected") for one in read]
    assert read[0].json["entities"] == read[1].json["entities"]
