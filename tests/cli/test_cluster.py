"""A feed that is to be sent from a cluster, on the command line: refused, or sent from this machine if that is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rosters import district, drop
from tests.running import roster

FEED = """district = "larkspur"
drop = "drop"
[target]
url = "sandbox"
[run]
runner = "dask"
cluster = "tcp://scheduler.example.edu:8786"
"""


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """A feed that names a cluster."""
    drop(tmp_path / "drop", district())
    file = tmp_path / "larkspur.toml"
    file.write_text(FEED)
    return file


def test_a_cluster_is_not_left_out_without_a_word(feed: Path, tmp_path: Path) -> None:
    """Nothing is sent, no run is recorded, and the message says where it works."""
    refused = roster("sync", feed, state=tmp_path / "state")
    words = " ".join(refused.err.split())

    assert 2 == refused.code
    assert "says `runner = 'dask'` under `[run]`" in words
    assert "prefect deployment run nightly/NAME" in words
    assert not (tmp_path / "state" / "runs").exists()


def test_what_the_message_names_works(feed: Path, tmp_path: Path) -> None:
    """From this machine, since somebody said so; the second time sends nothing."""
    first, again = (
        roster("sync", feed, "--workers", "1", "--json", state=tmp_path / "state") for _ in range(2)
    )

    assert (0, 0, 0) == (first.code, again.code, again.json["requests"])
    assert first.total("created")


@pytest.mark.parametrize("command", ["check", "plan"])
def test_what_sends_nothing_needs_no_cluster(command: str, feed: Path, tmp_path: Path) -> None:
    """It is read, judged and compared here in any case."""
    assert 0 == roster(command, feed, state=tmp_path / "state").code
