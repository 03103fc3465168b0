"""The README and the pages in `docs/` are true: their commands run, and their links lead somewhere.

A fenced block of `sh` is typed as it stands, in order, with one fresh state folder for each page. Its lines end with exit code 0 unless a
comment says `# exits N`. A block of `text` holds what cannot be typed as it stands: commands with a placeholder, commands that run until they are
interrupted, output. Its commands are parsed and not run.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from typer.main import get_command

from connectors.oneroster.sandbox import Sandbox
from flows.cli import app
from tests import processes

ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
# What else has links to the pages.
OTHERS = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("CONTRIBUTING.md", "CHANGELOG.md", "sample_data/README.md")
}
BIN = Path(sys.executable).parent
ACTIVATE = ". .venv/bin/activate"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:^|/bin/)roster (.*?)(?: >>.*)?$")
# A word in capitals, the district and the folder that the pages have invented; or a command that does not end by itself.
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b|larkspur|deploy feeds|^sandbox$")
TARGETS = set(
    re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
)
COMMANDS: dict[str, click.Command] = get_command(app).commands  # type: ignore[attr-defined]


def blocks(page: str, language: str) -> list[list[str]]:
    """Return the lines of each fenced block in a language; a line that ends with a backslash continues."""
    return [
        text.replace("\\\n", " ").splitlines()
        for name, text in BLOCK.findall(PAGES[page])
        if name == language
    ]


def steps(page: str) -> Iterator[str]:
    """Return the commands of a page: each of roster alone, others as one script, since they share variables."""
    for lines in blocks(page, "sh"):
        script: list[str] = []
        for line in (line for line in lines if line != ACTIVATE):
            if line.startswith("roster ") and script:
                yield "\n".join(script)
                script = []
            if line.startswith("roster "):
                yield line
            else:
                script.append(line)
        if script:
            yield "\n".join(script)


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    return BLOCK.sub("", PAGES[page])


def slugs(text: str) -> set[str]:
    """Return the anchors of a page, as GitHub makes them from its headings."""
    headings = re.findall(r"^#+ (.+)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")])
def test_the_commands_of_a_page_run(page: str, tmp_path: Path, sandbox: Sandbox) -> None:
    """Each ends with the exit code that the page says; `env` is a sandbox that runs already."""
    if "curl " in "".join(steps(page)) and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    environment = {
        **os.environ,
        "ROSTER_STATE": str(tmp_path / "state"),
        "TMPDIR": str(tmp_path),
        "TERM": "dumb",
        "TIMEBACK_API_URL": sandbox.url,
        "TIMEBACK_TOKEN_URL": sandbox.token_url,
        "TIMEBACK_CLIENT_ID": "sandbox",
        "TIMEBACK_CLIENT_SECRET": "sandbox",
    }

    for step in steps(page):
        command = step.replace("/tmp/", f"{tmp_path}/")
        if step.startswith("roster "):
            words = shlex.split(command, comments=True)[1:]
            done = processes.roster(tmp_path, *words, environment=environment, cwd=ROOT).wait()
        else:
            done = processes.Process(
                tmp_path, _shell, command, environment=environment, cwd=ROOT
            ).wait()
        exits = re.search(r"# exits (\d)", step)
        assert (int(exits[1]) if exits else 0) == done.code, f"{step}\n{done.out}{done.err}"


def _shell(command: str) -> None:
    os.execvp("bash", ["bash", "-ec", command])


def test_the_installed_program_runs(tmp_path: Path) -> None:
    """A shell finds it where the pages say."""
    done = processes.Process(
        tmp_path, _shell, f"{BIN}/roster check sample_data/oneroster_1_1", cwd=ROOT
    ).wait()

    assert 0 == done.code, done.err


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any("roster " in step for step in steps(page))]
)
def test_a_page_says_how_the_program_comes_onto_the_path(page: str) -> None:
    """Before its first command, so that a reader can begin on any page."""
    assert ACTIVATE == blocks(page, "sh")[0][0]


@pytest.mark.parametrize("page", PAGES)
def test_commands_that_are_not_run_can_be_parsed(page: str) -> None:
    """And there is a reason not to run them."""
    found = [
        found[1]
        for lines in blocks(page, "text")
        for line in lines
        if (found := COMMAND.search(line))
    ]

    for words in found:
        name, *rest = shlex.split(words, comments=True)
        COMMANDS[name].make_context(name, rest)
    assert [] == [words for words in found if not PLACEHOLDER.search(words)]


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_sentences_exist(page: str) -> None:
    """With their options; and so do the targets of `make`."""
    for name, rest in re.findall(r"`roster ([a-z]+)([^`]*)`", prose(page)):
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"roster {name}{rest}"
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", PAGES[page], re.MULTILINE)) <= TARGETS


def test_every_command_is_on_a_page() -> None:
    """Nobody has to guess what there is."""
    assert [] == [
        name for name in COMMANDS if not any(f"roster {name}" in text for text in PAGES.values())
    ]


def test_the_readme_lists_every_page() -> None:
    """It is where everybody begins."""
    assert [] == [
        page for page in PAGES if page != "README.md" and f"({page})" not in PAGES["README.md"]
    ]


@pytest.mark.parametrize("page", [*PAGES, *OTHERS])
def test_links_lead_somewhere(page: str) -> None:
    """To a file of the project, and to a heading of it."""
    text = (PAGES | OTHERS)[page]

    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", BLOCK.sub("", text)):
        name, _, anchor = link.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        if "://" not in link and not (
            path.exists() and (not anchor or anchor in slugs(path.read_text(encoding="utf-8")))
        ):
            lost.append(link)
    assert [] == lost


def test_the_readme_is_short() -> None:
    """Two screens: what else there is to say stands on a page of its own."""
    assert len(PAGES["README.md"].split()) <= 650
