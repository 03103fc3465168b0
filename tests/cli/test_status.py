"""`roster status`: nobody is left guessing how a feed stands, and a monitor can tell by the exit code."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors.ledger import FeedKey, Ledger, Plan, Run
from connectors.oneroster.sandbox import Sandbox
from flows.run import stale
from tests.rosters import changed, delta, district, drop, without
from tests.running import Run as Command
from tests.running import roster
from tests.serving import Served
from transforms.guard import PLANNED_COLUMNS, Hold

KEY = FeedKey("sandbox", "default")
NOW = datetime.now(UTC)
NOTHING = pl.DataFrame(schema=PLANNED_COLUMNS)
FEED = 'drop = "{drop}"\ndistrict = "{name}"\n{head}\n[target]\nurl = "sandbox"\n'


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """State and drop of a feed with a plan that waits, and the plan."""
    folder = tmp_path_factory.mktemp("held")
    roster("sync", drop(folder / "drop", district()), state=folder / "state")
    run = roster(
        "sync", drop(folder / "drop", without(district(), "e1")), "--json", state=folder / "state"
    )
    return folder / "state", folder / "drop", str(run.json["plan"])


def told(state: Path, *arguments: str | Path) -> Command:
    """Ask for the status as JSON."""
    return roster("status", *arguments, "--json", state=state)


def feed_file(folder: Path, name: str, head: str = "", drop_name: str = "drop") -> Path:
    """Write a feed file beside its drop."""
    path = folder / f"{name}.toml"
    path.write_text(FEED.format(drop=drop_name, name=name, head=head))
    return path


def enter(state: Path, *runs: Run) -> None:
    """Enter runs in the ledger."""
    with Ledger(state / "ledger.db") as ledger:
        for run in runs:
            ledger.begin(run)
            if run.ended:
                ledger.finish(run)


def ended(name: str, hours: float, code: int = 0, **more: object) -> Run:
    """A run that ended so many hours ago."""
    started = NOW - timedelta(hours=hours)
    status = {0: "done", 1: "failed", 2: "", 3: "held", 4: "refused"}[code]
    values: dict[str, Any] = more
    return Run(
        name,
        KEY,
        "sync",
        started,
        drop="drop",
        ended=started,
        status=status,
        exit_code=code,
        **values,
    )


def test_without_a_ledger_there_is_nothing_to_tell(tmp_path: Path) -> None:
    """One sentence, exit 0, and no folder is made."""
    text, data = roster("status", state=tmp_path / "state"), told(tmp_path / "state")

    assert (0, 1) == (text.code, len(text.out.splitlines()))
    assert (0, []) == (data.code, data.json["feeds"])
    assert not (tmp_path / "state").exists()


def test_a_feed_that_is_well_ends_with_0(tmp_path: Path) -> None:
    """The last run is listed with what it sent and rejected."""
    rows = changed(district(), "bo", email="")
    sync = roster("sync", drop(tmp_path / "drop", rows), "--json", state=tmp_path / "state")

    run = told(tmp_path / "state")

    (feed,) = run.json["feeds"]
    assert (0, "good", "default", "sandbox", None, [], None) == (
        run.code,
        run.json["status"],
        feed["feed"],
        feed["target"],
        feed["running"],
        feed["held"],
        feed["stale"],
    )
    assert (sync.json["run"], 0, sync.total("created"), sync.total("rejected")) == tuple(
        feed["last"][name] for name in ("run", "exit", "sent", "rejected")
    )
    assert feed["last"] == feed["good"]


def test_what_is_held_is_told_with_the_commands_that_end_it(
    held: tuple[Path, Path, str], tmp_path: Path
) -> None:
    """Exit 3; the command that it names sends the plan, and then all is well."""
    state, (_, folder, plan) = shutil.copytree(held[0], tmp_path / "state"), held

    text, data = roster("status", folder, state=state), told(state, folder)

    (waiting,) = data.json["feeds"][0]["held"]
    assert (3, 3, "held") == (text.code, data.code, data.json["status"])
    assert (plan, f"roster sync {folder} --approve {plan}") == (
        waiting["plan"],
        waiting["commands"]["send"],
    )
    assert f"roster sync {folder} --approve {plan} --state {state}" in text.out
    assert f"roster discard {plan}" in text.out
    assert all(hold["sentence"] in " ".join(text.out.split()) for hold in waiting["holds"])
    assert Path(waiting["file"]).exists()
    assert 0 == roster("sync", folder, "--approve", plan, state=state).code
    assert 0 == told(state).code


def test_a_feed_that_nobody_named_has_a_word_in_the_place_of_its_drop(
    held: tuple[Path, Path, str],
) -> None:
    """The ledger does not know under which path the drop is given."""
    text = roster("status", state=held[0]).out

    assert "roster sync DROP --approve" in text
    assert "DROP is" in text


def test_what_is_somebody_elses_is_held_without_a_plan(tmp_path: Path, sandbox: Sandbox) -> None:
    """Exit 3, and the report that names it is named."""
    place = Served(sandbox, tmp_path / "state")
    place.change("users", "bo", givenName="Other")
    run = place.roster("sync", drop(tmp_path / "drop", district()), "--first-run")

    text, data = roster("status", state=place.state), told(place.state)

    assert (3, 3, 3, None, 1) == (
        run.code,
        text.code,
        data.code,
        run.json["plan"],
        data.json["feeds"][0]["foreign"],
    )
    assert 0 == place.roster("verify", tmp_path / "drop", "--repair").code
    assert (3, 1) == ((after := told(place.state)).code, after.json["feeds"][0]["foreign"])
    assert run.json["report"].replace("/", "") in "".join(text.out.split()).replace("/", "")


def test_what_is_somebody_elses_is_not_forgotten_by_a_delta(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Which does not speak of it."""
    place = Served(sandbox, tmp_path / "state")
    place.change("users", "bo", givenName="Other")
    place.roster("sync", drop(tmp_path / "drop", district()), "--first-run")
    rows = delta(
        {"users": [district()["users"][0] | {"phone": "1"}], "roles": district()["roles"][:1]}
    )

    run = place.roster("sync", drop(tmp_path / "drop", rows, "delta"))

    assert (3, 1, 1) == (run.code, run.total("held"), run.total("updated"))
    assert 1 == told(place.state).json["feeds"][0]["foreign"]


def test_a_plan_that_expired_is_not_held(tmp_path: Path) -> None:
    """Nobody can approve it any more."""
    enter(tmp_path, ended("r1", 1))
    with Ledger(tmp_path / "ledger.db") as ledger:
        plan = Plan("p1", KEY, "r1", NOW - timedelta(days=20), NOW - timedelta(days=6))
        ledger.propose(plan, NOTHING)

    assert (0, []) == ((run := told(tmp_path)).code, run.json["feeds"][0]["held"])


def test_a_plan_that_was_approved_and_not_sent_is_held(tmp_path: Path) -> None:
    """The status names who approved it. It can be sent to its end, and not discarded."""
    enter(tmp_path, ended("r1", 2, 3, plan="p1"), ended("r2", 1, 1, approved="p1"))
    with Ledger(tmp_path / "ledger.db") as ledger:
        hold = Hold("vanished", "users", "", 40, "40 of 100 users vanished.")
        ledger.propose(Plan("p1", KEY, "r1", NOW, NOW + timedelta(days=14), holds=(hold,)), NOTHING)
        ledger.decide("p1", "approved", by="Data Office", note="", at=NOW)

    text, data = roster("status", state=tmp_path), told(tmp_path)

    assert (1, True) == (text.code, "approved by Data Office" in " ".join(text.out.split()))
    assert ["send"] == list(data.json["feeds"][0]["held"][0]["commands"])


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (ended("r2", 1, 1), 1),
        (ended("r2", 1, 4), 1),
        (Run("r2", KEY, "sync", NOW - timedelta(hours=1), drop="drop"), 1),
        (ended("r2", 1, 3), 0),
        (ended("r2", 1, 2), 0),
    ],
    ids=["failed", "refused", "killed", "held, and no plan waits any more", "wrong use"],
)
def test_the_last_run_decides(last: Run, expected: int, tmp_path: Path) -> None:
    """A run that failed, was refused or never ended needs somebody; the last good one is listed beside it."""
    enter(tmp_path, ended("r1", 30), last)

    run = told(tmp_path)

    assert expected == run.code
    assert ("r2", "r1") == (
        run.json["feeds"][0]["runs"][0]["run"],
        run.json["feeds"][0]["good"]["run"],
    )


def test_failed_goes_before_held(held: tuple[Path, Path, str], tmp_path: Path) -> None:
    """Of two feeds, one held and one failed, the exit code is that of the failed one."""
    state = shutil.copytree(held[0], tmp_path / "state")
    enter(state, replace(ended("r1", 1, 1), key=FeedKey("sandbox", "second")))

    run = told(state)

    assert (1, {"default": "held", "second": "failed"}) == (
        run.code,
        {feed["feed"]: feed["status"] for feed in run.json["feeds"]},
    )


def test_feeds_can_be_named(tmp_path: Path) -> None:
    """By a drop or by a feed file; one that is not there is an error, not another feed."""
    state, folder = tmp_path / "state", drop(tmp_path / "drop", district())
    first = feed_file(tmp_path, "larkspur")
    roster("sync", first, state=state)
    roster("sync", folder, state=state)

    both, one, other, wrong = (
        roster("status", *named, "--json", state=state)
        for named in ([], [first], [folder], [tmp_path / "larkspru.toml"])
    )

    assert ["default", "larkspur"] == [feed["feed"] for feed in both.json["feeds"]]
    assert (["larkspur"], ["default"]) == tuple(
        [feed["feed"] for feed in run.json["feeds"]] for run in (one, other)
    )
    assert (2, True) == (wrong.code, "does not exist" in wrong.err)


def test_a_run_that_is_under_way_is_told(tmp_path: Path) -> None:
    """It is not the last run: that one has ended."""
    enter(tmp_path, ended("r1", 24), Run("r2", KEY, "sync", NOW, drop="drop"))

    with Ledger(tmp_path / "ledger.db") as ledger, ledger.hold(KEY, "r2"):
        run = told(tmp_path)
        text = roster("status", state=tmp_path).out

    (feed,) = run.json["feeds"]
    assert (0, "r2", "r1") == (run.code, feed["running"]["run"], feed["last"]["run"])
    assert "Running: r2" in text


def test_all_shows_twenty_runs(tmp_path: Path) -> None:
    """And three without it."""
    enter(tmp_path, *(ended(f"r{number:02}", number) for number in range(1, 26)))

    few, many = told(tmp_path), told(tmp_path, "--all")

    assert ["r01", "r02", "r03"] == [run["run"] for run in few.json["feeds"][0]["runs"]]
    assert 20 == len(many.json["feeds"][0]["runs"])


def test_it_fits_a_narrow_terminal(held: tuple[Path, Path, str]) -> None:
    """Sixty columns; only what is to be copied runs on."""
    text = roster("status", held[1], state=held[0], environment={"COLUMNS": "60"}).out

    assert [] == [
        line
        for line in text.splitlines()
        if len(line) > 60 and not re.match(r" +To \w+ it: ", line)
    ]


def test_a_feed_whose_drop_is_too_old_ends_as_held(tmp_path: Path) -> None:
    """The drop's day comes from its name, and `max_age` from the feed file."""
    day = (NOW - timedelta(days=5)).date()
    drop(tmp_path / f"drop-{day}", district())
    path = feed_file(tmp_path, "larkspur", 'max_age = "36h"', f"drop-{day}")
    synced = roster("sync", path, state=tmp_path / "state")

    text, data = (roster("status", *more, state=tmp_path / "state") for more in ([], ["--json"]))

    assert (3, 3, 3) == (synced.code, text.code, data.code)
    assert f"of {day}, and may be 36 hours old" in " ".join(text.out.split())
    assert str(day) in data.json["feeds"][0]["stale"]


@pytest.mark.parametrize(
    ("days", "contents", "expected"),
    [
        (None, ["a", "a", "a"], True),
        (None, ["a", "b", "a"], False),
        (1, ["a", "a", "a"], False),
        (3, ["a", "b", "c"], True),
    ],
    ids=["the same for two days", "new since yesterday", "dated yesterday", "dated long ago"],
)
def test_a_drop_is_as_old_as_it_says_or_as_its_content(
    days: int | None, contents: list[str], expected: bool
) -> None:
    """Runs of tonight, last night and the night before; 36 hours are allowed."""
    dated = date(2026, 11, 24) - timedelta(days=days) if days is not None else None
    tonight = datetime(2026, 11, 24, 2, tzinfo=UTC)
    runs = [
        Run(
            f"r{night}",
            KEY,
            "sync",
            tonight - timedelta(days=night),
            drop="d",
            drop_date=dated,
            content=content,
            max_age_hours=36,
        )
        for night, content in enumerate(contents)
    ]

    assert expected == bool(stale(runs[0], runs, tonight))
