"""`[pickup]` and `[arrival]` of a feed's file: how the server that has the drops is known, and when a drop is there as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator as Checked
from pydantic import BaseModel, ConfigDict, model_validator

from flows.feeds.secret import in_variable
from flows.feeds.values import File, Text, Variable
from flows.pickup import DROP, Arrival

if TYPE_CHECKING:
    from connectors.fetching import Access

CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
KNOWN_HOSTS = "ROSTER_KNOWN_HOSTS"
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _duration(text: str) -> str:
    if not re.fullmatch(r"[1-9]\d{0,3}[smhd]", text):
        raise ValueError(f"is {text!r}; expected a number with s, m, h or d, such as 90s, 2m or 6h.")
    return text


def _marker(text: str) -> str:
    if "/" in text or "*" in text or "{" in text.replace(DROP, ""):
        raise ValueError(f"is {text!r}; expected the name of a file, such as _READY or {DROP}.ready.")
    return text


Duration = Annotated[Text, Checked(_duration)]


def _seconds(duration: str | None) -> float:
    return int(duration[:-1]) * SECONDS[duration[-1]] if duration else 0


class PickupSettings(BaseModel):
    """`[pickup]`: what a server over SFTP wants; others find their credentials in the environment by themselves."""

    model_config = CONFIG

    known_hosts: File | None = None
    key_file: File | None = None
    password_env: Variable | None = None

    def access(self, folder: Path, environment: Mapping[str, str]) -> Access:
        """Give what is said, files relative to a folder. Raises `SettingsError` for a variable that is not set."""
        # What reads stores takes a while to import, and most feeds have no address.
        from connectors.fetching import Access

        said = self.password_env
        return Access(
            known_hosts=folder / Path(self.known_hosts).expanduser() if self.known_hosts else _known_hosts(environment),
            key_file=folder / Path(self.key_file).expanduser() if self.key_file else None,
            password=in_variable("`pickup.password_env`", said, environment).value if said else "",
        )


def _known_hosts(environment: Mapping[str, str]) -> Path:
    return Path(environment.get(KNOWN_HOSTS) or "~/.ssh/known_hosts")


class ArrivalSettings(BaseModel):
    """`[arrival]`: how uploads are waited out."""

    model_config = CONFIG

    settle: Duration | None = None
    ready: Annotated[Text, Checked(_marker)] | None = None
    wait: Duration = "1h"
    spread: Duration | None = None

    @model_validator(mode="after")
    def _long_enough(self) -> ArrivalSettings:
        if _seconds(self.wait) < 2 * _seconds(self.settle):
            raise ValueError(f"has `wait` of {self.wait}, which is too short to see files settle for {self.settle}. Wait at least twice as long.")  # fmt: skip
        return self

    @property
    def arrival(self) -> Arrival:
        """What is said, in seconds."""
        return Arrival(_seconds(self.settle), self.ready or "", _seconds(self.wait), _seconds(self.spread) or None)
