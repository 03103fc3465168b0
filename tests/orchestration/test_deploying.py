"""`roster deploy` with a real server: what it makes, renews, refuses and takes away."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_deploy import feed
from tests.orchestration.orchestra import Orchestra
from tests.running import roster


def deployed(prefect: Orchestra, folder: Path) -> dict[str, str]:
    """Deploy a folder; give what became of each deployment."""
    told = prefect.deploy(folder, "--json").json
    return {name: one["is"] for name, one in told["deployments"].items()} | dict.fromkeys(
        told["taken_away"], "taken away"
    )


def test_deployed_again_only_what_changed_is_changed(prefect: Orchestra, tmp_path: Path) -> None:
    """What has no file any more is taken away; what others have deployed stays."""
    folder = tmp_path / "columbine"
    folder.mkdir()
    file, other = feed(folder, "aspen"), feed(folder, "birch")
    first, again = deployed(prefect, folder), deployed(prefect, folder)
    made = prefect.ask("GET", "/deployments/name/nightly/aspen")
    file.write_text(file.read_text().replace("30 1", "45 1"))
    other.unlink()
    last = deployed(prefect, folder)
    names = {one["name"] for one in prefect.ask("POST", "/deployments/filter", {})}

    assert {"nightly/aspen": "new", "nightly/birch": "new", "summary/columbine": "new"} == first
    assert dict.fromkeys(first, "unchanged") == again
    assert {
        "nightly/aspen": "changed",
        "nightly/birch": "taken away",
        "summary/columbine": "unchanged",
    } == last
    assert {"district": str(file), "state": str(folder / "state")} == made["parameters"]
    assert ("ENQUEUE", 1) == (
        made["concurrency_options"]["collision_strategy"],
        made["global_concurrency_limit"]["limit"],
    )
    assert ({"nightly", "onboarding"} <= names, "birch" in names) == (True, False)


def test_the_server_of_a_state_folder_is_found_with_its_password(
    prefect: Orchestra, tmp_path: Path
) -> None:
    """Where the environment names no server; runs of the deployment take feeds of the folder alone."""
    file = feed(tmp_path, "hawthorn")
    with prefect.within(PREFECT_API_URL="", PREFECT_API_AUTH_STRING=""):
        told = roster("deploy", tmp_path, state=prefect.state)
    made = prefect.ask("GET", "/deployments/name/nightly/hawthorn")

    assert (0, {"env": {"ROSTER_FEEDS": str(tmp_path)}}) == (told.code, made["job_variables"])
    assert str(file) == made["parameters"]["district"]


def test_a_name_that_another_folder_has_is_refused(prefect: Orchestra, tmp_path: Path) -> None:
    """The two would undo each other every time; the sample's `nightly/nightly` is such a name too."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        file = feed(tmp_path / name, "cedar")
    deployed(prefect, tmp_path / "one")
    other = prefect.deploy(tmp_path / "two")
    file.rename(file.with_name("nightly.toml"))
    sample = prefect.deploy(tmp_path / "two")

    assert (2, 2) == (other.code, sample.code)
    assert f"nightly/cedar is deployed from {tmp_path / 'one' / 'cedar.toml'} already." in other.err
    assert "nightly/nightly is deployed from " in sample.err


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (
            (),
            {"PREFECT_API_URL": "http://127.0.0.1:9/api"},
            "No Prefect server answers at http://127.0.0.1:9/api.",
        ),
        (
            (),
            {"PREFECT_API_URL": ""},
            "$PREFECT_API_URL, which is not set. Start one (make server)",
        ),
        (("--pool", "nowhere"), {}, "There is no work pool 'nowhere'."),
        (
            (),
            {"PREFECT_API_AUTH_STRING": "admin:guessed"},
            "rejected our login (HTTP 401). Set $PREFECT_API_AUTH_STRING",
        ),
    ],
)
def test_what_is_not_there_is_told_with_the_next_step(
    prefect: Orchestra,
    tmp_path: Path,
    words: tuple[str, ...],
    environment: dict[str, str],
    said: str,
) -> None:
    """No server of Prefect's own is started instead."""
    feed(tmp_path, "juneberry")
    told = prefect.deploy(tmp_path, *words, **environment)

    assert (1, True) == (told.code, said in told.err)
