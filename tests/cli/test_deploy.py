"""What `roster deploy` says before it asks a server: what it would make of a folder of feeds."""

from __future__ import annotations

from pathlib import Path

from flows.orchestration.deploy import made_from
from tests.running import roster

FEED = """district = "{name}"
drop = "drop"
time_zone = "America/Denver"
[schedule]
cron = "30 1 * * *"
[target]
url = "https://api.example.edu"
token_url = "https://api.example.edu/token"
client_id_env = "LARKSPUR_ID"
client_secret_env = "LARKSPUR_SECRET"
concurrency = {concurrency}
"""


def feed(folder: Path, name: str, concurrency: int = 4) -> Path:
    """Write a feed file."""
    file = folder / f"{name}.toml"
    file.write_text(FEED.format(name=name, concurrency=concurrency))
    return file


def test_each_file_becomes_a_deployment_and_each_target_a_ceiling(tmp_path: Path) -> None:
    """The ceiling is the most that any feed of the target makes at once; a morning's summary of the folder comes with them."""
    feed(tmp_path, "larkspur")
    feed(tmp_path, "spruce", concurrency=7)
    told = roster("deploy", tmp_path, "--dry-run", "--json", state=tmp_path / "state").json

    assert ["nightly/larkspur", "nightly/spruce", f"summary/{tmp_path.name}"] == list(
        told["deployments"]
    )
    assert {"due": "30 1 * * * America/Denver", "pool": "roster"} == told["deployments"][
        "nightly/spruce"
    ]
    assert [7] == list(told["ceilings"].values())


def test_a_file_may_name_its_pool_and_be_paused(tmp_path: Path) -> None:
    """Some feeds run on other machines; `--pool` is for those that say nothing."""
    file = feed(tmp_path, "larkspur")
    file.write_text(
        file.read_text().replace("[schedule]", '[schedule]\npool = "west"\npaused = true')
    )
    told = roster("deploy", tmp_path, "--dry-run", "--pool", "east", state=tmp_path / "state")

    assert "nightly/larkspur: 30 1 * * * America/Denver, paused, in pool west" in told.out
    assert f"summary/{tmp_path.name}: 0 6 * * * America/Denver, in pool east" in told.out


def test_a_sandbox_has_no_ceiling(tmp_path: Path) -> None:
    """It is embedded in the run, and shared with nobody."""
    (tmp_path / "larkspur.toml").write_text(
        'district = "larkspur"\ndrop = "drop"\n[target]\nurl = "sandbox"\n'
    )
    told = roster("deploy", tmp_path, "--dry-run", "--json", state=tmp_path / "state").json

    assert {} == told["ceilings"]
    assert "no schedule" == told["deployments"]["nightly/larkspur"]["due"]


def test_what_is_wrong_in_any_file_is_told_before_anything_is_deployed(tmp_path: Path) -> None:
    """All of it at once, and with the name of the file."""
    for name, wrong in (("larkspur", "dorp"), ("spruce", "layuot")):
        file = feed(tmp_path, name)
        file.write_text(f'{wrong} = "x"\n{file.read_text()}')
    told = roster("deploy", tmp_path, state=tmp_path / "state")

    assert 2 == told.code
    assert [] == [
        word for word in ("larkspur.toml", "dorp", "spruce.toml", "layuot") if word not in told.err
    ]


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    """No night could read it."""
    (tmp_path / "feeds").mkdir()
    (tmp_path / "feeds" / "larkspur.toml").symlink_to(feed(tmp_path, "larkspur"))
    told = roster("deploy", tmp_path / "feeds", "--dry-run", state=tmp_path / "state")

    assert (2, True) == (told.code, "is no feed file in" in told.err)


def test_a_folder_without_feeds_is_refused(tmp_path: Path) -> None:
    """It would take away everything."""
    told = roster("deploy", tmp_path, state=tmp_path / "state")

    assert (2, True) == (told.code, "has no feed file (*.toml)" in told.err)


def test_it_is_known_of_what_a_deployment_was_made() -> None:
    """By names: PostgreSQL gives the parameters in an order of its own."""
    assert "feeds/oak.toml" == made_from({"state": ".roster", "district": "feeds/oak.toml"})
    assert "feeds" == made_from({"state": ".roster", "feeds": "feeds"})
