"""What a backfill goes on with, what it begins anew, and what it refuses: older truth never goes over newer by accident."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.backfills.run import backfill_request, run_backfill
from flows.errors import SettingsError
from flows.job import Job
from flows.options import Options
from flows.pipeline import Pipeline
from flows.result import RunResult
from flows.run import run_job
from flows.watch import Watch
from tests.replaying import FIRST, SECOND, THIRD, Feed, sent
from tests.rosters import changed, district, drop, without
from tests.running import Run, roster


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    """A feed that was never loaded."""
    return Feed(tmp_path)


def held_on_the_second_day(feed: Feed) -> Run:
    """A full export, a delta by which too much goes, and a delta."""
    feed.deliver(FIRST, district())
    feed.change(SECOND, "tobedeleted", enrollments=[{"sourcedId": "e1"}])
    feed.rename(THIRD, "bo", "Zoe")
    return feed.backfill()


def approve(feed: Feed, held: Run) -> Run:
    """Approve what the last day holds."""
    return roster("sync", feed.file, "--approve", held.json["steps"][-1]["plan"], state=feed.state)


def test_the_same_backfill_goes_on_after_an_approval(feed: Feed) -> None:
    """Starting again with the full export would bring back what a person approved to remove; the message says how to approve it."""
    stopped = held_on_the_second_day(feed)
    approved = approve(feed, stopped)
    again = feed.backfill()

    assert ([(FIRST, "done", 16), (SECOND, "held", 0)], 3, [THIRD]) == (
        sent(stopped),
        stopped.code,
        stopped.json["left"],
    )
    words = " ".join(stopped.err.split())
    assert f"roster sync {feed.file} --approve {stopped.json['steps'][-1]['plan']}" in words
    assert (0, [(THIRD, "done", 1)], [FIRST, SECOND]) == (
        approved.code or again.code,
        sent(again),
        again.json["before"],
    )
    assert [(THIRD, "unchanged", 0)] == sent(feed.backfill())


def test_a_dry_run_goes_on_there_too(feed: Feed) -> None:
    """It says what the backfill would do now."""
    approve(feed, held_on_the_second_day(feed))
    told = feed.backfill("--dry-run")

    assert ([FIRST, SECOND], [(THIRD, "done", 1)]) == (told.json["before"], sent(told))
    assert sent(told) == sent(feed.backfill())


def test_what_is_held_is_held_again_until_it_is_approved(feed: Feed) -> None:
    """As the same plan, and without the days before it."""
    stopped = held_on_the_second_day(feed)
    again = feed.backfill()

    assert (3, [(SECOND, "held", 0)], [FIRST]) == (again.code, sent(again), again.json["before"])
    assert stopped.json["steps"][-1]["plan"] == again.json["steps"][-1]["plan"]


def test_a_corrected_day_is_replayed_again(feed: Feed) -> None:
    """A drop of the same name with another content is another drop."""
    approve(feed, held_on_the_second_day(feed))
    feed.rename(SECOND, "tia", "Mia")
    again = feed.backfill()

    assert (0, [FIRST]) == (again.code, again.json["before"])
    assert [(SECOND, "done", 1), (THIRD, "done", 1)] == sent(again)


def test_a_night_in_between_ends_what_can_be_gone_on_with(feed: Feed) -> None:
    """The target is not as the backfill left it."""
    held_on_the_second_day(feed)
    feed.sync(THIRD)
    refused = feed.backfill()
    forced = feed.backfill("--force")

    assert (2, True) == (refused.code, f"{FIRST} would be replayed" in refused.err), refused.said
    assert [FIRST, SECOND] == [day for day, _, _ in sent(forced)]


def test_days_that_are_loaded_are_not_gone_through_again_without_force(feed: Feed) -> None:
    """Also if the last day is not older: the first one is, while it lasts."""
    feed.three_days()
    for day in (FIRST, SECOND, THIRD):
        feed.sync(day)
    refused = feed.backfill("--every-step", drops=None)
    last = feed.backfill(drops=None)
    forced = feed.backfill("--every-step", "--force", drops=None)

    assert (2, True) == (refused.code, "--force" in refused.err)
    assert [(THIRD, "unchanged", 0)] == sent(last)
    assert [(FIRST, 2), (SECOND, 1), (THIRD, 1)] == [(day, count) for day, _, count in sent(forced)]


def test_rosters_stay_until_they_are_replayed(feed: Feed) -> None:
    """Each replayed roster is kept as a new one, which makes the oldest go, and those came in another order."""
    feed.three_days()
    keep = "[keep]\nrosters = 3\n"
    for day in (SECOND, FIRST, THIRD):
        feed.sync(day, keep)
    run = feed.backfill("--every-step", "--force", drops=None)
    [archive] = (feed.state / "rosters").iterdir()

    assert [(FIRST, "done"), (SECOND, "done"), (THIRD, "done")] == [
        (day, how) for day, how, _ in sent(run)
    ], run.said
    assert 3 == len(list(archive.glob("*.json")))


def test_a_day_that_fails_ends_the_replay_and_goes_on_once_it_is_mended(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what failed and why, in a rehearsal as in earnest: here, an id that no address can have."""
    for module in ("operations", "senders"):
        monkeypatch.setattr(
            f"connectors.oneroster.{module}.is_addressable", lambda one: one != "s9"
        )
    feed.three_days()
    whole = changed(district(), "bo", givenName="Zoe")
    school = {"sourcedId": "s9", "name": "Elm", "type": "school", "parentSourcedId": "d"}
    feed.deliver(SECOND, whole | {"orgs": [*whole["orgs"], school]})
    told = feed.backfill("--every-step", "--dry-run")
    failed = feed.backfill("--every-step")
    feed.deliver(SECOND, whole)
    mended = feed.backfill("--every-step")

    assert (1, 1, sent(told)) == (told.code, failed.code, sent(failed))
    assert ([FIRST, SECOND], [THIRD]) == ([day for day, _, _ in sent(failed)], failed.json["left"])
    assert "1 org (s9): an id of dots alone cannot be written in an address" in " ".join(
        failed.err.split()
    )
    assert (0, [FIRST], [(SECOND, "unchanged"), (THIRD, "done")]) == (
        mended.code,
        mended.json["before"],
        [(day, how) for day, how, _ in sent(mended)],
    )


def test_a_refused_day_says_why(feed: Feed) -> None:
    """The days before it are loaded, and those after it are not."""
    feed.three_days()
    (feed.drops / f"larkspur_{SECOND}" / "users.csv").unlink()
    run = feed.backfill("--every-step")

    assert (4, [FIRST, SECOND], [THIRD]) == (
        run.code,
        [day for day, _, _ in sent(run)],
        run.json["left"],
    )
    assert (
        "manifest_file_missing" in run.err,
        f"nothing of larkspur_{SECOND} was sent" in run.err,
    ) == (True, True)


def test_names_that_say_two_days_and_files_beside_the_drops(feed: Feed) -> None:
    """Of two days nobody can say which counts; a file is no drop, whatever its name says."""
    feed.three_days()
    (feed.drops / f"letter_{FIRST}.pdf").touch()
    whole = feed.backfill("--dry-run")
    feed.deliver(f"{FIRST}_to_{SECOND}", without(district(), "e1"))
    double = feed.backfill()

    assert (0, []) == (whole.code, whole.json["undated"])
    assert (2, True) == (double.code, "has two days in its name" in double.err)


def test_a_narrow_terminal_has_a_line_for_each_day(feed: Feed) -> None:
    """Instead of a table that would be cut."""
    feed.three_days()
    words = ("backfill", feed.file, FIRST, THIRD, "--drops", feed.drops, "--every-step")
    wide = roster(*words, "--dry-run", state=feed.state)
    narrow = roster(*words, state=feed.state, environment={"COLUMNS": "30"})

    assert ["day", "of", "status", "created", "updated"] == wide.out.splitlines()[4].split()
    assert f"{SECOND} larkspur_{SECOND}: done; 1 updated." in " ".join(narrow.out.split())


def test_a_night_that_loads_meanwhile_ends_the_replay(feed: Feed) -> None:
    """What it loaded is newer than the days that are left, and stays."""
    feed.three_days()
    options = Options("sync", feed.file, state=feed.state, replays=True)
    wish = backfill_request(
        options, FIRST, THIRD, str(feed.drops), force=False, dry_run=False, every_step=True
    )

    def perform(job: Job, pipeline: Pipeline | None) -> RunResult:
        result = run_job(job, Watch(), pipeline)
        drop(feed.file.parent / "today", changed(district(), "bo", givenName="Newest"))
        assert 0 == roster("sync", feed.file, state=feed.state).code
        return result

    with pytest.raises(SettingsError, match="Another run has loaded this feed"):
        run_backfill(options, wish, {}, perform)
    assert "Newest" == feed.names()["bo"]
