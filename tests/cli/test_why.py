"""`roster why`: one record's story, and one sentence that says what it comes to."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from connectors.ledger import FeedKey
from connectors.oneroster.sandbox import Sandbox
from flows.why.explain import conclusion
from flows.why.story import Finding, InLedger, InRoster, InTarget, LastRun, RosterPlace, Seen, Story
from tests.loads import Loads
from tests.rosters import Rows, changed, district, drop, without
from tests.running import Run, roster
from tests.serving import Served

FEED = 'drop = "drop"\ndistrict = "larkspur"\n[target]\nurl = "sandbox"\n[share]\n{share}\n[limits]\n{limits}\n'
ALL = "demographics = true\ncontacts = true"
OPEN = "vanished_percent = 100\nschool_percent = 100\nweek_percent = 100\nupdated_percent = 100\nrejected_percent = 100"


class Feed:
    """A feed file, its drop and its state."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state, self.path = folder, folder / "state", folder / "larkspur.toml"
        self.configure()

    def configure(self, share: str = ALL, limits: str = OPEN) -> None:
        """Write the feed file anew."""
        self.path.write_text(FEED.format(share=share, limits=limits))

    def sync(self, rows: Rows) -> Run:
        """Load rows."""
        drop(self.folder / "drop", rows)
        return roster("sync", self.path, "--json", state=self.state)

    def why(self, sourced_id: str, *more: str | Path) -> Run:
        """Ask for a story as JSON."""
        return roster("why", sourced_id, *more, "--json", state=self.state)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a feed whose district was loaded."""
    folder = tmp_path_factory.mktemp("loaded")
    assert 0 == Feed(folder).sync(district()).code
    return folder


@pytest.fixture
def feed(loaded: Path, tmp_path: Path) -> Feed:
    """A feed whose district was loaded, to be changed."""
    return Feed(shutil.copytree(loaded, tmp_path / "feed"))


@pytest.fixture
def target(tmp_path: Path, sandbox: Sandbox, loads: Loads) -> Served:
    """A target that holds the district, and that somebody else can change."""
    place = Served(sandbox, tmp_path / "state")
    folder = drop(tmp_path / "drop", district())
    loads.begin(
        "the district", place.state, lambda: place.roster("sync", folder).code == 0, sandbox
    )
    return place


def one(run: Run, entity: str = "users") -> dict[str, object]:
    """The story of one entity."""
    (record,) = [record for record in run.json["records"] if record["entity"] == entity]
    return dict(record)


def verdict(run: Run, entity: str = "users") -> str:
    """What a story comes to."""
    return str(one(run, entity)["verdict"])


def test_all_that_is_known_is_told(feed: Feed) -> None:
    """The row as it is sent, the run, the ledger, the target; of each entity that has the id."""
    text, data = roster("why", "ana", state=feed.state), feed.why("ana")

    user = one(data)
    assert (0, 0) == (text.code, data.code)
    assert ["users", "demographics"] == [record["entity"] for record in data.json["records"]]
    assert ("larkspur", "sandbox", [], None) == tuple(
        user[name] for name in ("feed", "target", "findings", "plan")
    )
    assert ("accepted", "Diaz") == (
        user["roster"]["standing"],  # type: ignore[index]
        user["roster"]["record"]["familyName"],  # type: ignore[index]
    )
    assert ("active", True) == (user["ledger"]["status"], user["ledger"]["asRoster"])  # type: ignore[index]
    assert {"is": "there", "differs": [], "reason": None} == user["seen"]
    assert all(
        word in text.out for word in ("familyName: Diaz", "Ledger: in the target", "Target: there")
    )
    assert 2 == text.out.count("All is well")


def test_a_rejected_row_is_told_with_the_next_step(feed: Feed) -> None:
    """File, row, column, the rule's sentence and its fix; what the target has stays."""
    feed.sync(changed(district(), "bo", enabledUser="maybe"))

    text, data = roster("why", "bo", "--offline", state=feed.state), feed.why("bo", "--offline")

    assert [
        {
            "file": "users.csv",
            "row": "2",
            "column": "enabledUser",
            "rule": "boolean",
            "value": "maybe",
        }
    ] == one(data)["findings"]
    assert "neither `true` nor `false` (maybe). Write `true` or `false`." in " ".join(
        text.out.split()
    )
    assert "refused" == one(data)["roster"]["standing"]  # type: ignore[index]
    assert "correct users.csv row 2 enabledUser at the source" in verdict(data)
    assert "the target keeps what it had" in verdict(data)


def test_a_part_that_was_rejected_is_found_by_its_own_id(feed: Feed) -> None:
    """A role has no record of its own, and its row has an id."""
    feed.sync(changed(district(), "r2", role="wizard"))

    assert "roles.csv row 2 role" in verdict(feed.why("r2", "--offline"), "roles")


def test_what_waits_for_a_person_is_told_with_its_plan(feed: Feed) -> None:
    """Why it waits, and the two commands that end that."""
    feed.configure(limits="school_percent = 0")
    plan = feed.sync(without(district(), "e1")).json["plan"]

    story = one(feed.why("e1", "--feed", feed.path, "--offline"), "enrollments")

    assert (plan, "delete") == (story["plan"]["plan"], story["plan"]["action"])  # type: ignore[index]
    assert "vanished" in story["plan"]["why"]  # type: ignore[index]
    assert "absent" == story["roster"]["standing"]  # type: ignore[index]
    assert f"roster sync {feed.path} --approve {plan}" in str(story["verdict"])
    assert f"roster discard {plan}" in str(story["verdict"])


@pytest.mark.parametrize(
    ("gone", "entity", "expected"),
    [
        (["e1"], "enrollments", "was deleted in the target when it was missing"),
        (["bo", "r2", "e2"], "users", "can no longer sign in"),
        (["spare"], "courses", "left in the target"),
    ],
)
def test_who_vanished_is_told_as_the_policy_has_it(
    gone: list[str], entity: str, expected: str, feed: Feed
) -> None:
    """Deleted, disabled or kept: nothing is to be done."""
    rows = district()
    rows["courses"].append(rows["courses"][0] | {"sourcedId": "spare"})
    feed.sync(rows)
    feed.sync(without(rows, *gone))

    story = one(feed.why(gone[0], "--offline"), entity)

    assert "absent" == story["roster"]["standing"]  # type: ignore[index]
    assert expected in str(story["verdict"])


def test_what_is_not_shared_is_told(feed: Feed) -> None:
    """It is in the drop, and does not leave."""
    feed.configure(share='exclude = ["bo"]')
    feed.sync(district())

    assert "is not sent: the feed file does not share it" in verdict(feed.why("bo", "--offline"))


@pytest.mark.parametrize(
    ("change", "seen", "expected"),
    [
        (
            lambda target: target.lose("users", "bo"),
            "absent",
            "has lost it. To send it again: roster verify",
        ),
        (
            lambda target: target.change("users", "bo", status="tobedeleted"),
            "deleted",
            "has lost it",
        ),
        (
            lambda target: target.change("users", "bo", givenName="Rob"),
            "there",
            "Someone else changed it in the target (givenName)",
        ),
        (lambda target: target.change("users", "bo", pronouns="he/him"), "there", "All is well"),
    ],
    ids=["lost", "deleted", "changed", "added to"],
)
def test_what_somebody_did_in_the_target_is_seen(
    change: Callable[[Served], object], seen: str, expected: str, target: Served
) -> None:
    """Properties are named, and their values are not."""
    change(target)

    run = target.roster("why", "bo")

    assert (0, seen) == (run.code, one(run)["seen"]["is"])  # type: ignore[index]
    assert expected in verdict(run)
    assert "Rob" not in run.out.replace("Robert", "")
    assert [] == target.writes


def test_what_we_deleted_and_somebody_brought_back_is_told(target: Served) -> None:
    """It is ours to delete again."""
    plan = target.roster(
        "sync", drop(target.state.parent / "drop", without(district(), "e1"))
    ).json["plan"]
    target.roster("sync", target.state.parent / "drop", "--approve", plan)
    target.change("enrollments", "e1", status="active")

    assert "someone else brought it back" in verdict(target.roster("why", "e1"), "enrollments")


def test_what_only_the_target_has_is_somebody_elses(target: Served) -> None:
    """It is known, so that the exit code is 0."""
    target.change("users", "zed", givenName="Zed")

    run = target.roster("why", "zed")

    assert (0, ["users"]) == (run.code, [record["entity"] for record in run.json["records"]])
    assert "roster leaves it alone" in verdict(run)


def test_a_target_that_is_down_is_no_error(target: Served, tmp_path: Path) -> None:
    """The rest of the story is printed; also if the target is not asked, and without credentials."""
    there = {"TIMEBACK_API_URL": target.sandbox.url, "TIMEBACK_ACCESS_TOKEN": "expired"}

    refused = roster("why", "bo", "--json", state=target.state, environment=there)
    unknown = roster("why", "bo", "--json", state=target.state)
    offline = target.roster("why", "bo", "--offline")

    assert [0, 0, 0] == [run.code for run in (refused, unknown, offline)]
    assert ["unasked"] * 3 == [one(run)["seen"]["is"] for run in (refused, unknown, offline)]  # type: ignore[index]
    assert "HTTP 401" in str(one(refused)["seen"])
    assert "no credentials" in str(one(unknown)["seen"])
    assert "was not asked" in verdict(offline)
    assert [] == list(target.sandbox.requests)


def test_a_record_that_the_target_refused_is_told_with_the_cause(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """As the report of the last run has it."""
    place = Served(sandbox, tmp_path / "state")
    rows = changed(district(), "bo", email="")
    place.change("users", "bo", givenName="Other")
    place.roster(
        "sync", drop(tmp_path / "drop", changed(rows, "bo", email="bo@example.edu")), "--first-run"
    )

    run = place.roster("why", "bo")

    assert "held" in str(one(run)["lastRun"]["trouble"])  # type: ignore[index]
    assert "did not send it to the target" in verdict(run)


def story(
    ledger: str = "", standing: RosterPlace = "accepted", same: bool = True, target: Seen = "there"
) -> Story:
    """A story, by what ledger, roster and target say."""
    known = InLedger(ledger, "r1", 1 if same else 2) if ledger else None
    roster_says = InRoster("r2", standing, {}, 1 if standing == "accepted" else None)
    return Story(
        FeedKey("sandbox", "larkspur"),
        "users",
        "bo",
        roster_says,
        LastRun("r2"),
        known,
        InTarget(target),
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (story(), "not acknowledged it yet. To send it: roster sync"),
        (story(standing="refused", target="absent"), "has never acknowledged it"),
        (story(standing="absent", target="deleted"), "holds it as deleted"),
        (story("active", same=False), "says something else than the target has acknowledged"),
        (story("active", standing="absent"), "The last roster no longer has it"),
        (story("active", target="unasked"), "was not asked"),
        (story("deleted"), "brought it back"),
        (story("deleted", target="deleted"), "is in the roster again"),
        (
            story("deleted", standing="absent", target="absent"),
            "If it returns to the drop, it is created again",
        ),
        (story("ended", standing="absent"), "has ended in the target"),
        (story("kept", standing="absent", target="absent"), "has lost it"),
    ],
)
def test_every_story_comes_to_one_sentence_with_the_next_step(told: Story, expected: str) -> None:
    """Whatever is known of a record, and by whom."""
    assert expected in conclusion(told)
    assert "{" not in conclusion(told)


def test_the_cell_to_correct_is_the_one_with_the_fault() -> None:
    """A row that was rejected because of another one has nothing to correct."""
    follows = Finding(
        "demographics.csv", "4", "sourcedId", "parent_rejected", "users.csv row 4, role: vocabulary"
    )
    own = Finding("demographics.csv", "4", "birthDate", "date", "31.31.2011")

    told = {
        found: conclusion(replace(story(standing="refused"), last=LastRun("r2", found)))
        for found in ((follows,), (follows, own))
    }

    assert "correct users.csv row 4, role at the source" in told[follows,]
    assert "correct demographics.csv row 4 birthDate at the source" in told[follows, own]


def test_an_id_that_nobody_knows_is_answered_with_close_ones(feed: Feed) -> None:
    """Exit 2."""
    run = feed.why("mom")

    assert (2, True) == (run.code, "Did you mean 'mum'?" in run.err)


def test_without_any_run_nobody_knows_anything(tmp_path: Path) -> None:
    """Exit 2, and nothing is made."""
    run = roster("why", "ana", state=tmp_path / "state")

    assert (2, False) == (run.code, (tmp_path / "state").exists())
    assert "roster sync DROP" in run.err


def test_feed_target_and_entity_can_be_named(feed: Feed) -> None:
    """By name, by the feed file, by target; a misspelled name is reported."""
    roster("sync", feed.folder / "drop", state=feed.state)

    def asked(*more: str | Path) -> list[tuple[str, str]]:
        records = feed.why("ana", "--offline", *more).json["records"]
        return [(record["feed"], record["entity"]) for record in records]

    default, larkspur = (
        [(name, entity) for entity in ("users", "demographics")] for name in ("default", "larkspur")
    )
    assert [*default, *larkspur] == asked() == asked("--target", "sandbox")
    assert larkspur == asked("--feed", "larkspur") == asked("--district", feed.path)
    assert larkspur[1:] == asked("--feed", "larkspur", "--entity", "demographics")
    for misspelt, meant in (("--feed", "larkspru"), "larkspur"), (("--entity", "user"), "users"):
        run = feed.why("ana", *misspelt)
        assert (2, True) == (run.code, f"Did you mean {meant!r}?" in run.err)


def test_it_fits_a_narrow_terminal(feed: Feed) -> None:
    """Sixty columns; only the last sentence, which has commands to copy, runs on."""
    text = roster(
        "why", "ana", "--entity", "users", state=feed.state, environment={"COLUMNS": "60"}
    ).out

    assert [] == [line for line in text.splitlines()[:-1] if len(line) > 60]
