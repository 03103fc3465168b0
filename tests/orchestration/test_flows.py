"""The flows from end to end, with a real server.

Two are started as deployments, which the worker runs; the others run in the process of the tests.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from inspect import signature
from pathlib import Path

from connectors.ledger import Ledger, Run
from flows.feeds.keys import feed_key
from tests.orchestration.feeds import Feed
from tests.orchestration.orchestra import Orchestra

BY = {"by": "Data Office", "note": "seen"}


def test_the_nightly_deployment_loads_the_sample_and_then_sends_nothing(prefect: Orchestra) -> None:
    """With its default parameters and as a person would start it; every stage and batch is a task with a name."""
    first, again = (
        prefect.command("deployment", "run", "nightly/nightly", "--watch") for _ in range(2)
    )
    ended = {
        "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
        "sort": "END_TIME_DESC",
        "limit": 2,
    }
    [second, one] = prefect.ask("POST", "/flow_runs/filter", ended)
    loaded, unchanged = prefect.wait(one["id"]), prefect.wait(second["id"])

    assert (0, 0) == (first.returncode, again.returncode), first.stdout + again.stdout
    assert ("Completed", "nightly sample_data/demo.toml") == (loaded.state, loaded.name)
    assert [
        "extract",
        "normalise",
        "check",
        "compare",
        "guard",
        "load",
        "load orgs 1/2",
    ] == prefect.tasks(loaded)[:7]
    assert {"load users 1/2", "load enrollments 1/1"} <= set(prefect.tasks(loaded))
    assert ["extract", "normalise", "check", "compare", "guard", "load"] == prefect.tasks(unchanged)
    assert unchanged.message.startswith("Nothing changed, nothing sent.")


def test_each_deployment_runs_the_flow_of_its_name(prefect: Orchestra) -> None:
    """Its parameters are those of the flow, so that a run is the same whoever starts it."""
    names = ("nightly", "onboarding", "approval", "backfill", "restore", "summary")
    deployed = {name: prefect.ask("GET", f"/deployments/name/{name}/{name}") for name in names}
    takes = {
        name: list(signature(getattr(import_module(f"flows.{name}"), name)).parameters)
        for name in names
    }

    assert {name: f"flows/{name}.py:{name}" for name in names} == {
        name: one["entrypoint"] for name, one in deployed.items()
    }
    assert takes == {
        name: list(one["parameter_openapi_schema"]["properties"]) for name, one in deployed.items()
    }


def test_a_run_shows_what_happened_and_nobodys_name(prefect: Orchestra, feed: Feed) -> None:
    """A summary, counts, rejects by rule, the way to the report and the progress of each kind of record."""
    run = prefect.perform("nightly", **feed.parameters)
    shown = {
        what: prefect.artifact(run, f"larkspur-{what}")
        for what in ("summary", "counts", "rejects", "report", "users")
    }

    assert "Completed" == run.state
    assert [] == [what for what, text in shown.items() if not text]
    assert (
        "records sent and acknowledged" in shown["summary"],
        '"created"' in shown["counts"],
    ) == (True, True)
    assert ("report.md" in shown["report"], "100" in shown["users"]) == (True, True)
    assert [] == [name for name in ("Ana", "Diaz") if name in "".join(shown.values())]


def test_what_a_night_held_is_approved_by_a_form(prefect: Orchestra, feed: Feed) -> None:
    """The night ends as held, which is not green, so that the next one can come; the plan waits for the form, or for the command line."""
    feed.sync()
    feed.lose("e1")
    night = prefect.perform("nightly", **feed.parameters)
    before = feed.active("enrollments")
    approval = prefect.begin("approval/approval", **feed.parameters)
    done = prefect.decide(approval, decision="approve", **BY)

    assert ("Held", "CANCELLED", "Completed") == (night.state, night.type, done.state)
    assert {"e1"} == before - feed.active("enrollments")
    assert [("approved", "Data Office", "seen"), ("sent", "Data Office", "seen")] == feed.decisions


def test_onboardings_are_approved_or_rejected_by_their_forms(
    prefect: Orchestra, feed: Feed, tmp_path: Path
) -> None:
    """Nothing is in a target while the flow waits; afterwards it is loaded and verified, or the plan is discarded."""
    unwanted = Feed(tmp_path)
    with prefect.performing("onboarding", feed.parameters, unwanted.parameters) as (wanted, other):
        before = feed.active("users")
        wrong = prefect.fill_in(wanted, decision="perhaps", by="Data Office")
        said = [
            prefect.fill_in(wanted, decision="approve", **BY),
            prefect.fill_in(other, decision="reject", **BY),
        ]
    done, rejected = prefect.wait(wanted), prefect.wait(other)

    assert ("REJECT", set(), ["ACCEPT", "ACCEPT"]) == (wrong, before, said)
    assert ("Completed", True) == (
        done.state,
        done.message.endswith("Verified: the target holds it."),
    )
    assert {"ana", "bo"} <= feed.active("users")
    assert (
        "ok" in prefect.artifact(done, "larkspur-preflight"),
        "Plan" in prefect.artifact(done, "larkspur-plan"),
    ) == (True, True)
    assert ("Rejected", set()) == (rejected.state, unwanted.active("users"))
    assert [("discarded", "Data Office", "seen")] == unwanted.decisions


def test_a_form_that_nobody_fills_in_times_out(prefect: Orchestra, feed: Feed) -> None:
    """Nothing is sent, and the plan goes on waiting."""
    feed.sync()
    feed.lose("e1")
    feed.sync()
    with prefect.performing("approval", feed.parameters | {"hours": 0.0005}) as [waiting]:
        run = prefect.wait(waiting)

    assert ("Timed out", True) == (run.state, "can be approved until" in run.message)
    assert ("e1" in feed.active("enrollments"), feed.decisions) == (True, [])


def test_a_target_is_brought_back_to_an_earlier_roster(prefect: Orchestra, feed: Feed) -> None:
    """At first it is only said what that would send."""
    feed.sync()
    first = feed.runs[0].id
    feed.change("bo", givenName="Zoe")
    feed.sync()
    blank = prefect.perform("restore", **feed.parameters)
    told = prefect.perform("restore", run=first, **feed.parameters)
    between = feed.given_name("bo")
    done = prefect.perform("restore", run=first, dry_run=False, **feed.parameters)

    assert ("Failed", True) == (blank.state, first in blank.message)
    assert ("Completed", "Completed") == (told.state, done.state)
    assert ("Zoe", "Bo") == (between, feed.given_name("bo"))


def test_three_dated_drops_are_replayed(prefect: Orchestra, feed: Feed) -> None:
    """At first it is only said what each day would send; then each day is a run of its own."""
    days = [
        feed.deliver(day, "bo", givenName=name)
        for day, name in (("01", "Bob"), ("02", "Zoe"), ("03", "Mia"))
    ]
    words = feed.parameters | {
        "start": days[0],
        "end": days[-1],
        "drops": str(feed.folder / "dated"),
        "every_step": True,
    }
    told = prefect.perform("backfill", **words)
    left = feed.runs
    done = prefect.perform("backfill", **words, dry_run=False)

    assert ("Completed", "Completed", []) == (told.state, done.state, left)
    assert "would be done" in told.message
    assert list(reversed(days)) == [str(run.drop_date) for run in feed.runs]
    assert "Mia" == feed.given_name("bo")


def test_a_flow_reads_no_file_that_is_not_a_feeds(prefect: Orchestra, feed: Feed) -> None:
    """Neither a drop, nor a file elsewhere, whatever the parameter says."""
    runs = [
        prefect.perform("nightly", district=one, state=str(feed.state))
        for one in (str(feed.folder / "drop"), "/etc/passwd")
    ]

    assert [("Failed", True)] * 2 == [
        (run.state, "is no feed file in" in run.message) for run in runs
    ]
    assert not feed.state.exists()


def test_settings_that_cannot_be_meant_fail_the_run_with_a_sentence(
    prefect: Orchestra, feed: Feed
) -> None:
    """No traceback: the state says which file, what in it and what was meant."""
    feed.file.write_text(feed.file.read_text().replace("drop =", "dorp ="))
    run = prefect.perform("nightly", **feed.parameters)

    assert ("Failed", True) == (run.state, "dorp" in run.message and "drop" in run.message)


def test_a_morning_sums_up_all_feeds(prefect: Orchestra, feed: Feed) -> None:
    """A folder with one feed: new, never run, loaded, and with a night that crashed before it began."""
    feed.schedule("0 2 * * *")
    where = {"feeds": str(feed.folder), "state": str(feed.state)}
    new = prefect.perform("summary", **where)
    os.utime(feed.file, (0, 0))
    before = prefect.perform("summary", **where)
    feed.sync()
    after = prefect.perform("summary", **where)

    assert [
        ("Completed", "1 not due yet."),
        ("Failed", "1 did not run. See to: larkspur."),
        ("Completed", "1 succeeded."),
    ] == [(run.state, run.message) for run in (new, before, after)]


def test_a_night_that_crashed_is_no_success(prefect: Orchestra, feed: Feed) -> None:
    """The ledger knows nothing of it, and the nights before succeeded: Prefect knows it at once."""
    prefect.ask("POST", "/work_pools/", {"name": "idle", "type": "process"})
    feed.write("larkspur", '[schedule]\ncron = "0 2 * * *"\npool = "idle"\n')
    prefect.roster("deploy", str(feed.folder), "--state", str(feed.state))
    now = datetime.now(UTC)
    run = Run("r1", feed_key(feed.file, {}), "sync", now - timedelta(days=2))
    with Ledger(feed.state / "ledger.db") as ledger:
        ledger.begin(run)
        ledger.finish(replace(run, ended=run.started, status="done", exit_code=0))
    deployment = prefect.ask("GET", "/deployments/name/nightly/larkspur")["id"]
    span = {"start_time": (now - timedelta(days=1)).isoformat(), "end_time": now.isoformat()}
    prefect.ask("POST", f"/deployments/{deployment}/schedule", span | {"min_runs": 1})
    due = {
        "flow_runs": {
            "deployment_id": {"any_": [deployment]},
            "expected_start_time": {"before_": now.isoformat()},
        }
    }
    for night in prefect.ask("POST", "/flow_runs/filter", due):
        crash = {"state": {"type": "CRASHED"}, "force": True}
        prefect.ask("POST", f"/flow_runs/{night['id']}/set_state", crash)

    summed = prefect.perform("summary", feeds=str(feed.folder), state=str(feed.state))
    prefect.ask("DELETE", f"/deployments/{deployment}")

    assert ("Failed", "1 crashed. See to: larkspur.") == (summed.state, summed.message)
