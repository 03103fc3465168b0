"""What can be said of image and services without a container: that they fit what is here, and hold no secret."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from flows.orchestration.server import CLIENT_RETRIES, runs_at_once

ROOT = Path(__file__).parents[2]
DOCKERFILE, COMPOSE = ROOT / "Dockerfile", ROOT / "compose.yaml"
SOURCES = [
    source
    for line in DOCKERFILE.read_text().splitlines()
    if line.startswith("COPY ") and "--from" not in line
    for source in line.split()[1:-1]
]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The file of the services as it is, its anchors resolved."""
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return read


def test_what_the_image_copies_is_there_and_not_ignored() -> None:
    """All else is ignored: state, secrets and drops of whoever builds it."""
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert [] == [source for source in SOURCES if not (ROOT / source).exists()]
    assert "*" in ignored
    assert set(SOURCES) == {line.removeprefix("!") for line in ignored if line.startswith("!")}


def test_the_image_has_every_package_of_the_project_and_nothing_unpinned() -> None:
    """Packages are checked against their hashes, and installed from what was checked alone."""
    text = DOCKERFILE.read_text()

    assert {"flows", "connectors", "transforms", "sample_data", "prefect.yaml"} <= set(SOURCES)
    assert ("--require-hashes" in text, "--no-index" in text) == (True, True)


def test_the_image_runs_as_nobody_in_particular() -> None:
    """The last user is none with rights."""
    users = re.findall(r"^USER (\S+)", DOCKERFILE.read_text(), re.MULTILINE)

    assert ["roster"] == users


def test_what_services_name_is_declared(compose: dict[str, Any]) -> None:
    """Volumes, secrets, configs and other services."""
    for name, service in compose["services"].items():
        volumes = {
            volume.split(":")[0]
            for volume in service.get("volumes", [])
            if not volume.startswith(".")
        }
        configs = {config["source"] for config in service.get("configs", [])}

        assert volumes <= compose["volumes"].keys(), name
        assert set(service.get("secrets", [])) <= compose["secrets"].keys(), name
        assert configs <= compose.get("configs", {}).keys(), name
        assert service.get("depends_on", {}).keys() <= compose["services"].keys(), name


def test_services_wait_for_what_can_say_that_it_is_well(compose: dict[str, Any]) -> None:
    """`service_healthy` of a service without a health check would never come."""
    needed = {
        other for service in compose["services"].values() for other in service.get("depends_on", {})
    }

    assert {"database", "server"} == needed
    assert [] == [name for name in needed if "healthcheck" not in compose["services"][name]]


def test_only_this_machine_reaches_a_port(compose: dict[str, Any]) -> None:
    """And who does is asked for a password."""
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert 1 == len(ports)
    assert ports[0].startswith("127.0.0.1:")


def test_no_credential_stands_in_the_file(compose: dict[str, Any]) -> None:
    """Passwords are files of their own; addresses have a user, and no password."""
    text = COMPOSE.read_text()
    variables = {
        key: str(value)
        for service in compose["services"].values()
        for key, value in service.get("environment", {}).items()
    }

    assert {
        name: {"file": f"secrets/{name}"} for name in ("database_password", "prefect_password")
    } == compose["secrets"]
    assert [] == re.findall(r"://[^/@\s]*:[^/@\s]*@", text)
    assert [] == [key for key in variables if "PASSWORD" in key and not key.endswith("_FILE")]


@pytest.mark.parametrize("service", ["server", "worker"])
@pytest.mark.parametrize(
    ("kept", "code", "said"), [("admin:hush", 0, "admin:hush admin:hush\n"), ("", 2, "")]
)
def test_nothing_starts_without_the_password_of_prefect(
    compose: dict[str, Any], tmp_path: Path, service: str, kept: str, code: int, said: str
) -> None:
    """The server asks for the one that the worker says; an empty file is none."""
    (tmp_path / "database_password").touch()
    (tmp_path / "prefect_password").write_text(kept)
    words = [
        word.replace("$$", "$").replace("/run/secrets", str(tmp_path))
        for word in compose["services"][service]["entrypoint"]
    ]
    shown = ["sh", "-c", 'echo "$PREFECT_SERVER_API_AUTH_STRING $PREFECT_API_AUTH_STRING"']
    done = subprocess.run([*words, *shown], capture_output=True, text=True, check=False)

    assert (code, said) == (done.returncode, done.stdout)


def test_a_worker_is_limited_and_patient(compose: dict[str, Any]) -> None:
    """As that of `make server` on two cores."""
    worker = compose["services"]["worker"]

    assert ["--limit", f"${{WORKER_LIMIT:-{runs_at_once(2)}}}"] == worker["command"][-2:]
    assert CLIENT_RETRIES.items() <= worker["environment"].items()


def test_nobody_is_told_of_the_use(compose: dict[str, Any]) -> None:
    """The server would be asked first, and the image says so too."""
    server = compose["services"]["server"]["environment"]

    assert ("false", "1") == (server["PREFECT_SERVER_ANALYTICS_ENABLED"], server["DO_NOT_TRACK"])
    assert "PREFECT_SERVER_ANALYTICS_ENABLED=false" in DOCKERFILE.read_text()
