"""Replaying dated drops and archived rosters: in the order of their days, never older truth over newer by accident."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from connectors.ledger import Ledger
from tests.replaying import FIRST, SECOND, THIRD, Feed, sent
from tests.rosters import changed, district, drop, manifest, without
from tests.running import roster


@pytest.fixture
def feed(tmp_path: Path) -> Feed:
    """A feed that was never loaded."""
    return Feed(tmp_path)


def test_full_exports_collapse_to_the_last_day(feed: Feed) -> None:
    """One run instead of three, and it is said which days were left out."""
    feed.three_days()
    run = feed.backfill()

    assert ([(THIRD, "done", 16)], 0) == (sent(run), run.code)
    assert ("Zoe", "Mia") == (feed.names()["bo"], feed.names()["tia"])
    assert f"{FIRST}, {SECOND}" in run.err


def test_a_dry_run_says_what_each_day_then_sends(feed: Feed) -> None:
    """The second day is judged with what the first would have left; nothing at all is written."""
    feed.three_days()
    told = feed.backfill("--every-step", "--dry-run")
    left = sorted(path.name for path in feed.state.rglob("*"))
    done = feed.backfill("--every-step")

    assert [(FIRST, "done", 16), (SECOND, "done", 1), (THIRD, "done", 1)] == sent(told)
    assert (sent(done), True, []) == (sent(told), told.json["dry_run"], left)


def test_changes_are_replayed_after_the_last_full_export(feed: Feed) -> None:
    """A delta says nothing of what it lacks, so that none of them may be left out."""
    feed.deliver(FIRST, district())
    for day, name in ((SECOND, "Zoe"), (THIRD, "Mia")):
        rows = {
            "users": [
                changed(district(), "bo", givenName=name)["users"][1]
                | {"status": "active", "dateLastModified": f"{day}T00:00:00Z"}
            ]
        }
        folder = feed.drops / f"larkspur_{day}"
        drop(folder, rows)
        (folder / "manifest.csv").write_text(manifest({"users": "delta"}))
    run = feed.backfill()

    assert [FIRST, SECOND, THIRD] == [one["date"] for one in run.json["steps"]]
    assert (0, "Mia") == (run.code, feed.names()["bo"])


def test_older_truth_goes_over_newer_only_by_force(feed: Feed) -> None:
    """The third day is loaded; a span that ends with the second is refused, and nothing is sent."""
    feed.three_days()
    feed.sync(THIRD)
    refused = feed.backfill(end=SECOND)
    before = feed.names()["tia"]
    forced = feed.backfill("--force", end=SECOND)
    night = feed.sync(THIRD)

    assert (2, True, "Mia") == (refused.code, "--force" in refused.err, before)
    assert [(SECOND, "done", 1)] == sent(forced)
    assert ("done", "Mia") == (night.json["status"], feed.names()["tia"])


def test_a_day_that_is_held_ends_the_replay(feed: Feed) -> None:
    """Approved, the same backfill goes on where it was."""
    feed.three_days()
    feed.deliver(SECOND, without(district(), "e1"))
    stopped = feed.backfill("--every-step")
    plan = stopped.json["steps"][-1]["plan"]
    roster("sync", feed.file, "--approve", plan, state=feed.state)
    again = feed.backfill("--every-step", start=SECOND)

    assert ([FIRST, SECOND], 3, [THIRD]) == (
        [day for day, _, _ in sent(stopped)],
        stopped.code,
        stopped.json["left"],
    )
    assert (0, [SECOND, THIRD]) == (again.code, [day for day, _, _ in sent(again)])


def test_archived_rosters_are_replayed_here_and_elsewhere(feed: Feed) -> None:
    """By the days of their drops; a copy of an archive at another address does as well."""
    feed.three_days()
    for day in (FIRST, SECOND, THIRD):
        feed.sync(day)
    back = feed.backfill("--force", end=FIRST, drops=None)
    between = feed.names()["bo"]
    [archive] = (feed.state / "rosters").iterdir()
    copied = shutil.copytree(archive, feed.state.parent / "elsewhere")
    forth = feed.backfill(start=SECOND, drops=f"file://{copied}")

    assert ([(FIRST, "done", 2)], "Bo") == (sent(back), between)
    assert ("done", "Zoe", "Mia") == (forth.json["status"], feed.names()["bo"], feed.names()["tia"])


def test_whoever_is_forgotten_comes_back_by_no_replay(feed: Feed) -> None:
    """Neither out of a drop nor out of a copy of an archive, which both still have that person."""
    feed.three_days()
    feed.sync(FIRST)
    [archive] = (feed.state / "rosters").iterdir()
    copied = shutil.copytree(archive, feed.state.parent / "elsewhere")
    forgotten = roster("forget", "bo", state=feed.state)
    of_rosters = feed.backfill("--force", end=FIRST, drops=str(copied))
    of_drops = feed.backfill()

    assert (0, 0, 0) == (forgotten.code, of_rosters.code, of_drops.code), of_drops.said
    assert ({"Bo", "Zoe"} & {*feed.names().values()}, feed.names()["tia"]) == (set(), "Mia")


def test_drops_may_lie_at_any_address(feed: Feed) -> None:
    """What is needed is fetched for as long as the replay lasts, into the state folder."""
    import fsspec  # type: ignore[import-untyped]  # noqa: PLC0415

    feed.three_days()
    memory = fsspec.filesystem("memory")
    memory.put(str(feed.drops), "/larkspur", recursive=True)
    run = feed.backfill(drops="memory://larkspur")
    memory.rm("/larkspur", recursive=True)

    assert [(THIRD, "done", 16)] == sent(run)
    assert not (feed.state / "scratch").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"start": THIRD, "end": FIRST}, "Swap the two"),
        ({"start": "yesterday"}, "expected a date such as"),
        ({"start": "2026-10-01", "end": "2026-10-09"}, f"There are some from {FIRST} to {THIRD}"),
        ({"drops": "memory://nothing"}, "cannot be read"),
        (
            {"drops": "ftq://anna:hush@files.example.edu/drops"},
            "ftq://anna@files.example.edu/drops is given with a password",
        ),
        (
            {"drops": "https://files.example.edu/drops?sig=hush"},
            "https://files.example.edu/drops is given with a password or a query",
        ),
        ({"drops": None}, "Nothing archived of this feed"),
    ],
)
def test_what_cannot_be_meant_is_refused(feed: Feed, words: dict[str, str], said: str) -> None:
    """With what was found instead, and without a password that stands in an address."""
    feed.three_days()
    run = feed.backfill(**words)

    assert (2, True, False) == (run.code, said in run.err, "hush" in run.said), run.said


def test_two_drops_of_a_day_and_names_without_one(feed: Feed) -> None:
    """Of two nobody can say which counts; what has no date is reported and skipped."""
    feed.deliver(FIRST, district())
    feed.deliver("final", district())
    first = feed.backfill()
    feed.drops.joinpath(f"larkspur_{FIRST}").rename(feed.drops / f"juniper_{FIRST}")
    feed.deliver(FIRST, district())
    second = feed.backfill()

    assert (0, True) == (first.code, "larkspur_final" in first.err)
    assert (2, True) == (
        second.code,
        "are of the same day, and their names say no time" in second.err,
    )


def test_two_drops_of_a_day_with_times_are_replayed_in_their_order(feed: Feed) -> None:
    """A delta of the afternoon comes after that of the morning, and neither is left out."""
    feed.deliver(f"{FIRST}_0200", district())
    feed.rename(f"{SECOND}_0200", "bo", "Zoe")
    feed.rename(f"{SECOND}_1400", "bo", "Kim")
    run = feed.backfill()

    assert (0, [FIRST, SECOND, SECOND]) == (run.code, [one["date"] for one in run.json["steps"]])
    assert "Kim" == feed.names()["bo"]


def test_each_day_is_a_run_of_its_own(feed: Feed) -> None:
    """With its day in the ledger, so that the next night knows what it comes after."""
    feed.three_days()
    feed.backfill("--every-step")
    with Ledger.reading(feed.state / "ledger.db") as ledger:
        runs = ledger.runs()

    assert [THIRD, SECOND, FIRST] == [str(run.drop_date) for run in runs]
    assert all((feed.state / "runs" / run.id / "report.md").is_file() for run in runs)
