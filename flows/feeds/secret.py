"""Secrets, read where a feed's file says that they are: in a variable, in a file or in a Prefect block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from flows.problems import SettingsError


@dataclass(frozen=True)
class Secret:
    """A text that stays out of `repr`, and so out of logs and errors."""

    value: str = field(repr=False)


def in_variable(said: str, name: str, environment: Mapping[str, str]) -> Secret:
    """Read a secret out of a variable; `said` is the file's setting that names it. Raises `SettingsError`."""
    return plain(f"{said} names ${name}, which", environment.get(name, ""))


def in_file(said: str, place: Path) -> Secret:
    """Read a secret out of a file. Raises `SettingsError`."""
    try:
        text = place.read_text("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise SettingsError(f"{said} names {place}, which cannot be read: {reason}. Make it, or correct the name.") from None  # fmt: skip
    return plain(f"{said} names {place}, which", text)


def in_block(said: str, name: str) -> Secret:
    """Read a secret out of a Prefect Secret block. Raises `SettingsError`."""
    # Prefect takes seconds to import, and most feeds' secrets stand elsewhere.
    from flows.feeds.blocks import text_of

    where = f"{said} names the block {name}, which"
    return plain(where, text_of(where, name))


def plain(where: str, text: str) -> Secret:
    """Take one line of plain text for a secret; `where` begins the sentence of the `SettingsError` for any other."""
    value = text.strip()
    if not value:
        raise SettingsError(f"{where} is not set, or blank. Put the secret there.")
    if not (value.isascii() and value.isprintable()):
        raise SettingsError(f"{where} holds more than one line of plain text. Put the secret there, and nothing else.")
    return Secret(value)
