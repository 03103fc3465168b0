"""Secrets of a feed, read from an environment variable, a file or a Prefect Secret block.

A feed file names the place of a secret, and never holds the secret itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.errors import SettingsError

SECRETS = ("access_token", "client_id", "client_secret")
# The endings of the keys that name a secret's place, such as `client_secret_env`.
SECRET_PLACES = ("env", "file", "block")
MAKE_BLOCK = (
    "Make a block of the type Secret with that name (in the server's pages, under Blocks), "
    "or name an existing one."
)


@dataclass(frozen=True)
class Secret:
    """A text that stays out of `repr`, and so out of logs and error messages."""

    value: str = field(repr=False)


def named_secrets(settings: object) -> list[str]:
    """Return the secrets for which a table names a place, in the order of `SECRETS`.

    Raises `ValueError` if it names two places for the same secret.
    """
    places = {
        name: [how for how in SECRET_PLACES if getattr(settings, f"{name}_{how}")]
        for name in SECRETS
    }
    for name, hows in places.items():
        if len(hows) > 1:
            raise ValueError(
                f"has {' and '.join(f'{name}_{how}' for how in hows)}. Keep one of them."
            )
    return [name for name, hows in places.items() if hows]


def read_secret(
    settings: object, name: str, key: str, folder: Path, environment: Mapping[str, str]
) -> Secret | None:
    """Read a secret from the place that a table names; None if it names none.

    Files are relative to `folder`. Raises `SettingsError` if the secret cannot be read; its message
    begins with `key`, the table of the feed file.
    """
    variable, file, block = (getattr(settings, f"{name}_{how}") for how in SECRET_PLACES)
    if variable:
        return secret_from_variable(f"{key}.{name}_env`", variable, environment)
    if file:
        return secret_from_file(f"{key}.{name}_file`", folder / file)
    return secret_from_block(f"{key}.{name}_block`", block) if block else None


def secret_from_variable(key: str, name: str, environment: Mapping[str, str]) -> Secret:
    """Read a secret from an environment variable; `key` is the key of the feed file that names it.

    Raises `SettingsError` if the variable is not set or does not hold one line of plain text.
    """
    return plain_secret(f"{key} names ${name}, which", environment.get(name, ""))


def secret_from_file(key: str, path: Path) -> Secret:
    """Read a secret from a file. Raises `SettingsError` if that is not possible."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise SettingsError(
            f"{key} names {path}, which cannot be read: {reason}. Make it, or correct the name."
        ) from None
    return plain_secret(f"{key} names {path}, which", text)


def secret_from_block(key: str, name: str) -> Secret:
    """Read a secret from a Prefect Secret block. Raises `SettingsError` if that is not possible."""
    where = f"{key} names the block {name}, which"
    return plain_secret(where, read_block(where, name))


def read_block(where: str, name: str) -> str:
    """Read the text of a Secret block; blank if it holds no text.

    Raises `SettingsError` if there is no server, no answer or no such block. `where` begins its
    message.
    """
    # Prefect takes seconds to import, and most feeds keep their secrets elsewhere.
    import httpx
    from prefect.client.orchestration import get_client
    from prefect.exceptions import ObjectNotFound
    from prefect.settings import get_current_settings

    if not get_current_settings().api.url:
        raise SettingsError(
            f"{where} a Prefect server keeps, and none is named. "
            "Set $PREFECT_API_URL to the server's address."
        )
    try:
        # The synchronous client works in every thread, with or without an event loop.
        with get_client(sync_client=True) as client:
            block = client.read_block_document_by_name(name, "secret")
    except ObjectNotFound:
        raise SettingsError(f"{where} the Prefect server does not have. {MAKE_BLOCK}") from None
    except (httpx.HTTPError, RuntimeError) as error:
        raise SettingsError(
            f"{where} cannot be read: the Prefect server does not answer ({type(error).__name__}). "
            "Make sure that it runs, and that $PREFECT_API_URL is its address "
            "and $PREFECT_API_AUTH_STRING its password."
        ) from None
    value = block.data.get("value")
    return value if isinstance(value, str) else ""


def plain_secret(where: str, text: str) -> Secret:
    """Make a secret of one line of plain text.

    Raises `SettingsError` for a blank or any other text. `where` begins its message.
    """
    value = text.strip()
    if not value:
        raise SettingsError(f"{where} is not set, or blank. Put the secret there.")
    if not (value.isascii() and value.isprintable()):
        raise SettingsError(
            f"{where} holds more than one line of plain text. Put the secret there, and "
            "nothing else."
        )
    return Secret(value)
