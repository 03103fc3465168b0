"""Secrets that a real Prefect server keeps in blocks."""

from __future__ import annotations

import pytest

from flows.errors import SettingsError
from flows.feeds.credentials import secret_from_block
from tests.orchestration.orchestra import Orchestra

SETTING = "feed.toml: `target.client_secret_block`"


@pytest.fixture(scope="module")
def block(prefect: Orchestra) -> str:
    """The name of a block that the server has."""
    kind = prefect.ask("GET", "/block_types/slug/secret")["id"]
    wanted = {"block_schemas": {"block_type_id": {"any_": [kind]}}}
    [schema] = prefect.ask("POST", "/block_schemas/filter", wanted)
    body = {
        "name": "larkspur",
        "data": {"value": "hunter2hunter2"},
        "block_schema_id": schema["id"],
        "block_type_id": kind,
    }
    prefect.ask("POST", "/block_documents/", body)
    return "larkspur"


def refused(prefect: Orchestra, block: str, **environment: str) -> str:
    """Ask for a block that cannot be had; give what is said."""
    with prefect.within(**environment), pytest.raises(SettingsError) as told:
        secret_from_block(SETTING, block)
    return str(told.value)


def test_a_block_gives_its_secret(prefect: Orchestra, block: str) -> None:
    """To the program, and to nobody who prints it."""
    with prefect.within():
        found = secret_from_block(SETTING, block)

    assert ("hunter2hunter2", False) == (found.value, "hunter2" in repr(found))


def test_a_block_that_the_server_does_not_have_is_refused(prefect: Orchestra, block: str) -> None:
    """With its name, and the next step."""
    said = refused(prefect, f"{block}r")

    assert "names the block larkspurr, which the Prefect server does not have. Make a block" in said


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "http://127.0.0.1:9/api",
            "names the block larkspur, which cannot be read: the Prefect server does not answer",
        ),
        ("", "Set $PREFECT_API_URL to the server's address."),
    ],
)
def test_without_a_server_a_block_cannot_be_read(
    prefect: Orchestra, block: str, address: str, said: str
) -> None:
    """Neither one that does not answer nor one that is not named."""
    assert said in refused(prefect, block, PREFECT_API_URL=address)
