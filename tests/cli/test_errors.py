"""What ends a command: its result, or a sentence about what it cannot go on after."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import NoReturn

import pytest

from connectors.oneroster.target import TargetError
from flows.cli.errors import run_guarded
from flows.errors import SettingsError


@dataclass(frozen=True)
class Held:
    """A result."""

    exit_code: int = 3


def fail(error: BaseException) -> NoReturn:
    """Raise an error, where only an expression may stand."""
    raise error


def test_a_command_exits_with_the_code_of_its_result() -> None:
    """After it was shown; there may be nothing to show."""
    shown: list[Held] = []

    with pytest.raises(SystemExit) as loud:
        run_guarded(Held, shown.append)
    with pytest.raises(SystemExit) as silent:
        run_guarded(Held)

    assert (3, 3, [Held()]) == (loud.value.code, silent.value.code, shown)


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (SettingsError("That cannot be meant."), 2, "That cannot be meant."),
        (TargetError("It is down."), 1, "It is down."),
        (
            KeyboardInterrupt(),
            1,
            "Interrupted. What was acknowledged is recorded; run again to go on.",
        ),
    ],
)
def test_what_a_command_cannot_go_on_after_is_one_sentence(
    error: BaseException, code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """For people; for programs it stands in the object, beside what was known by then."""
    outline: dict[str, object] = {}

    def work() -> Held:
        outline["district"] = "larkspur"
        raise error

    with pytest.raises(SystemExit) as end:
        run_guarded(work, outline=outline)

    said = capsys.readouterr()
    assert (code, f"roster: {sentence}\n") == (end.value.code, said.err)
    assert {"district": "larkspur", "status": "failed", "reason": sentence} == json.loads(said.out)


def test_who_could_not_be_notified_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    """An error carries that as notes."""
    error = SettingsError("The drop is not there.")
    error.add_note("Not told: the address did not take the message.")

    with pytest.raises(SystemExit):
        run_guarded(lambda: fail(error))

    assert [
        "roster: Not told: the address did not take the message.",
        "roster: The drop is not there.",
    ] == capsys.readouterr().err.splitlines()
