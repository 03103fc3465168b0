"""What the README tells people to type works, and what it says of the sample is so."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path

import pytest

from connectors.oneroster.collections import COLLECTIONS
from flows.cli import app
from tests import processes
from tests.running import roster
from transforms.rules import RULES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
SAMPLE = ROOT / "sample_data"


def test_the_commands_of_the_readme_run(tmp_path: Path) -> None:
    """Each line of each `sh` block, in order, ends with the exit code that the README says."""
    environment = {**os.environ, "ROSTER_STATE": str(tmp_path / "state"), "TMPDIR": str(tmp_path), "TERM": "dumb"}

    for number, line in enumerate("".join(BLOCKS).splitlines()):
        command = line.replace("/tmp/", f"{tmp_path}/").replace(".venv/bin/", f"{Path(sys.executable).parent}/")
        program, *words = shlex.split(command, comments=True)
        expected = int(said.group(1)) if (said := re.search(r"# exits (\d)", line)) else 0
        if program.endswith("/roster") and number:  # the first line runs the program as it is installed
            done = processes.roster(tmp_path, *words, environment=environment, cwd=ROOT).wait()
        else:
            done = processes.Process(tmp_path, _shell, command, environment=environment, cwd=ROOT).wait()
        assert expected == done.code, f"{line}\n{done.out}{done.err}"


def _shell(command: str) -> None:
    os.execvp("bash", ["bash", "-c", command])


def test_every_command_is_in_the_readme() -> None:
    """Nobody has to guess what there is."""
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]

    assert [] == [name for name in names if f"roster {name}" not in README]


# Records that are read, rejected and sent of each drop of the sample, as its README counts them.
COUNTS = {
    "oneroster_1_2": {"orgs": (3, 0, 3), "academicSessions": (8, 0, 8), "users": (62, 5, 57), "demographics": (37, 5, 32),
                      "courses": (33, 0, 33), "classes": (40, 3, 37), "enrollments": (280, 28, 251)},
    "oneroster_1_1": {"orgs": (3, 0, 3), "academicSessions": (8, 0, 8), "users": (63, 0, 63), "demographics": (37, 0, 37),
                      "courses": (33, 0, 33), "classes": (40, 0, 40), "enrollments": (276, 0, 276)},
    "district.toml": {"orgs": (3, 0, 3), "academicSessions": (8, 0, 8), "users": (62, 4, 58), "demographics": (37, 4, 33),
                      "courses": (33, 0, 33), "classes": (40, 3, 37), "enrollments": (280, 27, 252)},
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_the_sample_loads_as_it_says(name: str, tmp_path: Path) -> None:
    """What is clean arrives, what is planted is rejected; the same again sends nothing."""
    run, again = (roster("sync", SAMPLE / name, "--json", state=tmp_path) for _ in range(2))

    counts = {entity: (one["read"], one["rejected"], one["created"]) for entity, one in run.json["entities"].items()}
    assert (0, COUNTS[name]) == (run.code, counts)
    assert (0, 0) == (again.code, again.json["requests"])


def test_every_planted_fault_is_found(tmp_path: Path) -> None:
    """Each rule that the sample's README lists is in the report of a check."""
    listed = set(re.findall(r"`([a-z_]+)`", (SAMPLE / "README.md").read_text(encoding="utf-8"))) & set(RULES)

    run = roster("check", SAMPLE / "oneroster_1_2", state=tmp_path)

    assert len(listed) > 30
    assert set() == {rule for rule in listed if rule not in run.said}


def test_every_collection_can_be_read(tmp_path: Path) -> None:
    """By `roster get`, with as many records as were sent."""
    roster("sync", SAMPLE / "oneroster_1_1", state=tmp_path)

    lines = {
        name: len(roster("get", name, "--target", "sandbox", state=tmp_path).out.splitlines()) for name in COLLECTIONS
    }

    sent = {name: counts[2] for name, counts in COUNTS["oneroster_1_1"].items()}
    assert dict.fromkeys(COLLECTIONS, 0) | sent == lines
