"""Whom a feed tells, and of what: by reference only."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.errors import SettingsError
from flows.notify.recipients import recipients_of
from flows.result import NOTICE_KINDS
from tests.settings.test_settings import feed, problems

SANDBOX = 'drop = "d"\n[target]\nurl = "sandbox"\n'
ADDRESS = "mailto://larkspur:hunter2hunter2@mail.example.edu"


def test_a_file_that_says_nothing_tells_nobody(tmp_path: Path) -> None:
    """Reports and states are there all the same."""
    assert recipients_of(feed(tmp_path, SANDBOX), "feed.toml", {}) is None


def test_addresses_come_from_variables_and_files_and_are_never_shown(tmp_path: Path) -> None:
    """Every kind of cause is reported, unless the file names some."""
    (tmp_path / "chat").write_text(f"{ADDRESS}\n")
    read = feed(
        tmp_path,
        SANDBOX
        + '[notify]\nenv = ["LARKSPUR_NOTIFY"]\nfiles = ["chat"]\nblocks = ["larkspur-pager"]',
    )
    found = recipients_of(read, "feed.toml", {"LARKSPUR_NOTIFY": ADDRESS})

    assert found is not None
    assert (frozenset(NOTICE_KINDS), "feed.toml") == (found.on, found.drop)
    assert ["$LARKSPUR_NOTIFY", "chat", "the block larkspur-pager"] == [
        one.name for one in found.everyone
    ]
    assert [ADDRESS, ADDRESS] == [one.address.value for one in found.everyone[:2]]
    assert "hunter2" not in repr(found)


def test_what_cannot_be_read_is_a_fault_of_that_addressee_alone(tmp_path: Path) -> None:
    """The others are notified."""
    read = feed(tmp_path, SANDBOX + '[notify]\nenv = ["A", "B"]\nfiles = ["nowhere"]')
    found = recipients_of(read, "feed.toml", {"B": ADDRESS})

    assert found is not None
    assert [True, False, True] == [bool(one.fault) for one in found.everyone]
    assert "names $A, which is not set, or blank" in found.everyone[0].fault
    assert "cannot be read: No such file or directory" in found.everyone[2].fault
    with pytest.raises(SettingsError, match="nowhere"):
        _ = found.everyone[2].address


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", ["`notify` names no address", "env, files or blocks"]),
        ("env = []", ["`notify` names no address"]),
        (f'env = ["{ADDRESS}"]', ["`notify.env` is not the name of a variable (not shown)"]),
        (f'files = ["{ADDRESS}"]', ["`notify.files` is an address (not shown)", "name that"]),
        (f'blocks = ["{ADDRESS}"]', ["`notify.blocks` is not the name of a block (not shown)"]),
        (
            f'env = "{ADDRESS}"',
            ["`notify.env` is a value of another kind (str, not shown)", "a list"],
        ),
        ('env = ["A"]\non = ["helt"]', ["`notify.on` is 'helt'", "'held'"]),
        ('env = ["A"]\non = []', ["`notify.on`", "at least one item"]),
        ('env = ["A"]\nurl = "x"', ["`notify.url` is not a setting"]),
        ('block = ["a"]', ["did you mean 'blocks'?"]),
    ],
)
def test_what_is_wrong_is_said_without_the_address(
    tmp_path: Path, said: str, words: list[str]
) -> None:
    """An address in the file itself is never repeated."""
    told = "\n".join(problems(tmp_path, f"{SANDBOX}[notify]\n{said}"))

    assert [] == [word for word in words if word not in told]
    assert "hunter2" not in told
