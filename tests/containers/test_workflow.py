"""The GitHub workflow and `.ci/run` agree with the Makefile, the README and the supported Pythons. Nothing here runs them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
OWN_CI = (ROOT / ".ci" / "run").read_text("utf-8")
PREPARING = ("Fetch real drops", "Name the folder of real drops", "Install PostgreSQL and OpenSSH")
Step = dict[str, Any]


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    """The workflow as GitHub reads it, except that YAML 1.1 takes the key `on` for `True`."""
    read: dict[str, Any] = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "ci.yaml").read_text("utf-8")
    )
    return read


def steps(workflow: dict[str, Any], job: str) -> list[Step]:
    """Give the steps of a job."""
    found: list[Step] = workflow["jobs"][job]["steps"]
    return found


def targets(text: str) -> list[str]:
    """Give the make targets that commands call, in order."""
    return re.findall(r"^\s*make ([a-z-]+)", text, re.MULTILINE)


def called(workflow: dict[str, Any], job: str) -> list[str]:
    """Give the make targets that a job calls, in order."""
    return [target for step in steps(workflow, job) for target in targets(step.get("run", ""))]


def supported() -> list[str]:
    """Give the Pythons that the project supports, from its metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    bounds = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", project["requires-python"])
    assert bounds is not None
    return [f"3.{minor}" for minor in range(int(bounds[1]), int(bounds[2]))]


def test_every_supported_python_is_tested(workflow: dict[str, Any]) -> None:
    """The README and the Makefile name the same ones."""
    *others, last = supported()
    named = f"Python {', '.join(others)} or {last}"

    assert supported() == workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert [True, True] == [
        named in text for text in ((ROOT / "README.md").read_text("utf-8"), MAKEFILE)
    ]


@pytest.mark.parametrize("job", ["elsewhere", "full"])
def test_other_jobs_use_one_supported_python(workflow: dict[str, Any], job: str) -> None:
    """A string: YAML reads 3.10 without quotes as 3.1."""
    asked = [
        step["with"]["python-version"]
        for step in steps(workflow, job)
        if "setup-python" in step.get("uses", "")
    ]

    assert 1 == len(asked)
    assert asked[0] in supported()


def test_jobs_run_on_linux_macos_and_windows(workflow: dict[str, Any]) -> None:
    """Linux runs every test."""
    jobs = workflow["jobs"]

    assert ("ubuntu-latest", "ubuntu-latest") == (jobs["test"]["runs-on"], jobs["full"]["runs-on"])
    assert ["macos-latest", "windows-latest"] == jobs["elsewhere"]["strategy"]["matrix"]["system"]


@pytest.mark.parametrize(
    ("job", "expected"),
    [("test", ["check", "test"]), ("elsewhere", ["check", "test-pure"]), ("full", ["test-full"])],
)
def test_jobs_call_targets_of_the_makefile(
    workflow: dict[str, Any], job: str, expected: list[str]
) -> None:
    """The README's commands, and nothing that only GitHub can run."""
    assert expected == called(workflow, job)
    assert set(expected) <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def test_own_ci_calls_the_targets_that_github_calls(workflow: dict[str, Any]) -> None:
    """In the same order: the checks fail fastest."""
    assert called(workflow, "test") == targets(OWN_CI)


def test_both_linux_jobs_are_prepared_in_the_same_way(workflow: dict[str, Any]) -> None:
    """Real drops and servers; only a pull request needs a condition of its own, and `full` never runs for one."""
    test, full = (
        [
            (step["name"], step.get("run"), step.get("with"))
            for step in steps(workflow, job)
            if "name" in step
        ]
        for job in ("test", "full")
    )

    assert list(PREPARING) == [name for name, _, _ in test]
    assert test == full


def test_packages_of_servers_are_those_of_own_ci(workflow: dict[str, Any]) -> None:
    """The tests start PostgreSQL and OpenSSH, and the packages must not."""
    (commands,) = (
        step["run"] for step in steps(workflow, "test") if step.get("name") == PREPARING[-1]
    )
    own = {
        package
        for line in OWN_CI.splitlines()
        if "apt-get install" in line
        for package in packages(line)
    }

    assert own == {
        package
        for line in commands.splitlines()
        if "apt-get install" in line
        for package in packages(line)
    }
    assert [True, True] == ["create_main_cluster = false" in text for text in (commands, OWN_CI)]


def packages(line: str) -> list[str]:
    """Give the packages that a line installs."""
    words = line.partition(" install ")[2].partition(">")[0].split()
    return [word for word in words if not word.startswith("-")]


def test_the_workflow_reads_and_needs_no_secret(workflow: dict[str, Any]) -> None:
    """A fork has no secrets. The one that is named has a substitute."""
    text = (ROOT / ".github" / "workflows" / "ci.yaml").read_text("utf-8")

    assert {"contents": "read"} == workflow["permissions"]
    assert {"ROSTER_FIXTURES_TOKEN || github.token }}"} == set(re.findall(r"secrets\.(.*)", text))
    assert [] == [
        name
        for name, job in workflow["jobs"].items()
        if "permissions" in job or "timeout-minutes" not in job
    ]
    assert workflow["concurrency"]["cancel-in-progress"]


def test_actions_are_githubs_own_and_have_a_version(workflow: dict[str, Any]) -> None:
    """A branch such as `@main` could change at any time."""
    used = {
        step["uses"] for job in workflow["jobs"] for step in steps(workflow, job) if "uses" in step
    }

    assert [] == [
        action
        for action in used
        if not re.fullmatch(r"actions/(checkout|setup-python)@v\d+", action)
    ]


def test_nights_and_people_start_the_full_run(workflow: dict[str, Any]) -> None:
    """`True` is the key `on`; see the fixture."""
    events: dict[str, Any] = workflow[True]  # type: ignore[index]

    assert {"push", "pull_request", "schedule", "workflow_dispatch"} == events.keys()


def test_folders_of_pure_tests_are_there() -> None:
    """A module that is left out lies in one of the folders, or leaving it out would do nothing."""
    pure, left_out = (variable(name) for name in ("PURE", "NOT_PURE"))

    assert [] == [path for path in (*pure, *left_out) if not (ROOT / path).exists()]
    assert [] == [path for path in left_out if Path(path).parent.as_posix() not in pure]


def variable(name: str) -> list[str]:
    """Give the words of a variable of the Makefile."""
    found = re.search(rf"^{name} := ((?:.*\\\n)*.*)$", MAKEFILE, re.MULTILINE)
    assert found is not None
    return found[1].replace("\\\n", " ").split()
