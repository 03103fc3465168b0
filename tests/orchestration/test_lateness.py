"""Nights that are late are caught up once: of those that are due, only the last is loaded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.orchestration.orchestra import Orchestra

DAY = timedelta(days=1)


def test_of_two_nights_that_are_late_only_the_last_is_loaded(prefect: Orchestra) -> None:
    """As after two nights without a worker. What somebody starts by hand is always done."""
    nightly = prefect.ask("GET", "/deployments/name/nightly/nightly")["id"]
    now = datetime.now(UTC)
    span = {"start_time": (now - 2 * DAY).isoformat(), "end_time": now.isoformat()}
    prefect.ask("POST", f"/deployments/{nightly}/schedule", span)
    wanted = {
        "deployments": {"id": {"any_": [nightly]}},
        "flow_runs": {"expected_start_time": {"before_": now.isoformat(), "after_": span["start_time"]}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    late = [one["id"] for one in prefect.ask("POST", "/flow_runs/filter", wanted) if one["auto_scheduled"]]
    first, second = (prefect.wait(run) for run in late)

    assert ("Superseded", "Completed") == (first.state, second.state)
    assert first.message.startswith("A later night of this feed is due already (")
    assert [] == prefect.tasks(first)
