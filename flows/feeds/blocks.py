"""Texts that a Prefect server keeps as Secret blocks."""

from __future__ import annotations

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from flows.errors import SettingsError

MAKE = (
    "Make a block of the type Secret with that name (in the server's pages, under Blocks), or name one that is there."
)


def text_of(where: str, name: str) -> str:
    """Read the text of a Secret block; `where` begins the sentence of the `SettingsError` if that cannot be."""
    server = get_current_settings().api.url
    if not server:
        raise SettingsError(
            f"{where} a Prefect server keeps, and none is named. Set $PREFECT_API_URL to the server's address."
        )
    try:
        # The client for threads without a loop of their own, which works in those with one too.
        with get_client(sync_client=True) as client:
            block = client.read_block_document_by_name(name, "secret")
    except ObjectNotFound:
        raise SettingsError(f"{where} the Prefect server does not have. {MAKE}") from None
    except (httpx.HTTPError, RuntimeError) as error:
        raise SettingsError(
            f"{where} cannot be read: the Prefect server does not answer ({type(error).__name__}). "
            "See to it that it runs, and that $PREFECT_API_URL is its address and $PREFECT_API_AUTH_STRING its password."
        ) from None
    value = block.data.get("value")
    return value if isinstance(value, str) else ""
