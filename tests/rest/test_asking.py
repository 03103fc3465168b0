"""What the commands that only look say of a feed that reads an API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from connectors.oneroster.sandbox import Sandbox
from flows.cli import app
from tests.rest.feeds import Feed


@pytest.fixture
def feed(tmp_path: Path) -> Iterator[Feed]:
    """Give a feed whose source is not there."""
    with Sandbox(None) as gone:
        url = gone.url
    with Sandbox(None) as target:
        found = Feed(tmp_path, target)
        found.configure(
            f'url = "{url}"', f'token_url = "{url}/oauth2/token"', "patience_seconds = 0"
        )
        yield found


def test_a_preflight_tells_of_a_source_that_is_down(feed: Feed) -> None:
    """It goes on to look at what else there is."""
    run = feed.run("preflight")

    checks = {check["name"]: check["standing"] for check in run.json["checks"]}
    assert ("not ok", "ok") == (checks["drop"], checks["credentials"])
    assert "did not respond" in run.said


def test_a_sync_from_a_source_that_is_down_may_be_tried_again(feed: Feed) -> None:
    """Nothing was sent, and nothing has vanished."""
    run = feed.run("sync")

    assert (1, []) == (run.code, feed.holds("orgs"))
    assert "run again" in run.said


def test_an_api_needs_no_mapping(feed: Feed) -> None:
    """It is in the standard's layout."""
    done = CliRunner().invoke(app, ["map", str(feed.folder / "juniper.toml")])

    assert (2, True) == (done.exit_code, "needs no mapping" in done.output)
