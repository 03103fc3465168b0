"""A source of OneRoster 1.2 over real HTTP: the target of one district is the source of another."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from connectors.oneroster.profile import standard_profile
from connectors.oneroster.sandbox import Sandbox
from connectors.oneroster.source import read_source
from connectors.oneroster.target import Endpoint
from tests.judging import TODAY, accepted, errors
from tests.rosters import district, drop
from tests.serving import Served
from transforms.checks import Checked, check
from transforms.from_json.drop import ROSTER
from transforms.layouts.options import ReadingOptions
from transforms.sources import normalize


def judged(source: Served, since: datetime | None = None, *more: str) -> Checked:
    """Read what a target holds as a source, and check it."""
    sandbox = source.sandbox
    address = Endpoint(
        sandbox.url, sandbox.token_url, "sandbox", "sandbox", profile=standard_profile("1.2")
    )
    raw = asyncio.run(read_source(address, "1.2", (*ROSTER, *more), since=since))
    return check(normalize("auto", raw, ReadingOptions(TODAY)), {})


def test_what_was_loaded_can_be_read_again(tmp_path: Path, sandbox: Sandbox) -> None:
    """Every record, with its roles and references."""
    source = Served(sandbox, tmp_path / "state")
    assert source.roster("sync", drop(tmp_path / "drop", district())).code == 0

    checked = judged(source)

    assert errors(checked) == []
    assert {
        name: sorted(row["sourcedId"] for row in rows)
        for name, rows in district().items()
        if name != "roles"
    } == {name: accepted(checked, name) for name in ROSTER}


def test_a_record_that_vanished_at_the_source_is_not_active(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    """Its row says `tobedeleted`, and nobody takes it for somebody who is there."""
    source = Served(sandbox, tmp_path / "state")
    source.roster("sync", drop(tmp_path / "drop", district()))
    source.change("enrollments", "e2", status="tobedeleted")

    checked = judged(source)

    assert accepted(checked, "enrollments") == ["e1", "e3"]


def test_nothing_changed_is_no_update(tmp_path: Path, sandbox: Sandbox) -> None:
    """A delta has the organizations, which are read altogether, and refuses nothing."""
    source = Served(sandbox, tmp_path / "state")
    source.roster("sync", drop(tmp_path / "drop", district()))

    checked = judged(source, datetime(2099, 1, 1, tzinfo=UTC))

    assert errors(checked) == []
    assert list(checked.standing) == ["orgs"]
