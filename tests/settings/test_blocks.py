"""Secrets that a Prefect server keeps: how a feed file names them. tests/orchestration/test_secrets.py reads one."""

from __future__ import annotations

from pathlib import Path

import pytest

from flows.feeds.feed import Feed
from tests.settings.test_settings import feed, problems

OPEN = '[target]\nurl = "https://api.example.edu"\n'
CLIENT = 'token_url = "https://login.example.edu/token"\nclient_id_block = "larkspur-id"\n'


def test_a_file_may_name_blocks_for_its_target(tmp_path: Path) -> None:
    """Each secret has one way, and they may differ."""
    read: Feed = feed(tmp_path, f'drop = "d"\n{OPEN}{CLIENT}client_secret_env = "SECRET"')

    assert ("larkspur-id", "SECRET") == (read.target.client_id_block, read.target.client_secret_env)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            'access_token_block = "a"\naccess_token_env = "A"',
            "has access_token_env and access_token_block. Keep one",
        ),
        (
            'access_token_block = "hunter2hunter2hunter2hunter2"',
            "looks like the secret itself (not shown)",
        ),
        ('access_token_block = "Larkspur Secret"', "is not the name of a block (not shown)"),
        ("access_token_block = 7", "is a value of another kind (int, not shown)"),
        (CLIENT, "(or _file or _block in place of _env)"),
    ],
)
def test_what_is_wrong_of_a_block_is_said(tmp_path: Path, said: str, words: str) -> None:
    """And never what may be the secret."""
    told = "\n".join(problems(tmp_path, f'drop = "d"\n{OPEN}{said}'))

    assert words in told
    assert "hunter2" not in told
