"""Secrets, read where a feed's file says that they are: in a variable, in a file or in a Prefect block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from flows.errors import SettingsError

SECRETS = ("access_token", "client_id", "client_secret")
HOWS = ("env", "file", "block")


@dataclass(frozen=True)
class Secret:
    """A text that stays out of `repr`, and so out of logs and errors."""

    value: str = field(repr=False)


def named(settings: object) -> list[str]:
    """Give the secrets that a table's settings name, in order; raise `ValueError` if one of them is named twice."""
    found = {name: [how for how in HOWS if getattr(settings, f"{name}_{how}")] for name in SECRETS}
    for name, hows in found.items():
        if len(hows) > 1:
            raise ValueError(
                f"has {' and '.join(f'{name}_{how}' for how in hows)}. Leave one of them."
            )
    return [name for name, hows in found.items() if hows]


def secret_of(
    settings: object, name: str, said: str, folder: Path, environment: Mapping[str, str]
) -> Secret | None:
    """Read a secret where a table's settings say that it is; files are named relative to a folder.

    `said` names the table, and begins the sentence of a `SettingsError`.
    """
    variable, file, block = (getattr(settings, f"{name}_{how}") for how in HOWS)
    if variable:
        return in_variable(f"{said}.{name}_env`", variable, environment)
    if file:
        return in_file(f"{said}.{name}_file`", folder / file)
    return in_block(f"{said}.{name}_block`", block) if block else None


def in_variable(said: str, name: str, environment: Mapping[str, str]) -> Secret:
    """Read a secret out of a variable; `said` is the file's setting that names it. Raises `SettingsError`."""
    return plain(f"{said} names ${name}, which", environment.get(name, ""))


def in_file(said: str, place: Path) -> Secret:
    """Read a secret out of a file. Raises `SettingsError`."""
    try:
        text = place.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise SettingsError(
            f"{said} names {place}, which cannot be read: {reason}. Make it, or correct the name."
        ) from None
    return plain(f"{said} names {place}, which", text)


def in_block(said: str, name: str) -> Secret:
    """Read a secret out of a Prefect Secret block. Raises `SettingsError`."""
    # Prefect takes seconds to import, and most feeds' secrets stand elsewhere.

    where = f"{said} names the block {name}, which"
    return plain(where, text_of(where, name))


def plain(where: str, text: str) -> Secret:
    """Take one line of plain text for a secret; `where` begins the sentence of the `SettingsError` for any other."""
    value = text.strip()
    if not value:
        raise SettingsError(f"{where} is not set, or blank. Put the secret there.")
    if not (value.isascii() and value.isprintable()):
        raise SettingsError(
            f"{where} holds more than one line of plain text. Put the secret there, and "
            "nothing else."
        )
    return Secret(value)


MAKE = (
    "Make a block of the type Secret with that name (in the server's pages, under Blocks), or "
    "name one that is there."
)


def text_of(where: str, name: str) -> str:
    """Read the text of a Secret block; `where` begins the sentence of the `SettingsError` if that cannot be."""
    server = get_current_settings().api.url
    if not server:
        raise SettingsError(
            f"{where} a Prefect server keeps, and none is named. Set $PREFECT_API_URL to the "
            "server's address."
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
            "See to it that it runs, and that $PREFECT_API_URL is its address and "
            "$PREFECT_API_AUTH_STRING its password."
        ) from None
    value = block.data.get("value")
    return value if isinstance(value, str) else ""
