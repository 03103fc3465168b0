"""`[rest]` of a feed's file: the OneRoster API of the student information system, from which rosters are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator as Checked
from pydantic import (  # fmt: skip
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

from flows.feeds.credentials import CredentialSettings
from flows.feeds.values import Text, one_of
from flows.target import address
from transforms.unfolding.collections import ROSTER, collections

CONFIG = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
PREFIX = "/ims/oneroster"
# What each way of signing in wants, and nothing else.
WANTED = {
    "2": (["access_token"], ["client_id", "client_secret", "token_url"]),
    "1.0a": (["client_id", "client_secret"],),
}
SAID = {
    "2": "Name either access_token_env, or all of token_url, client_id_env and client_secret_env (or _file or _block in place of _env).",
    "1.0a": "Name client_id_env and client_secret_env (or _file or _block in place of _env), and nothing else.",
}


def _base(text: str) -> str:
    """Normalise an address; the rest of it is the standard's."""
    url = address(text)
    if PREFIX in url:
        raise ValueError(f"goes too far: give what stands before {PREFIX}, which is the same everywhere.")
    return url


class RestSettings(CredentialSettings, BaseModel):  # the second for the linter, which else takes defaults for shared
    """`[rest]`: its address and version, the names of what holds its credentials, and what is read."""

    model_config = CONFIG

    url: Annotated[Text, Checked(_base)]
    version: Literal["1.1", "1.2"] = "1.2"
    oauth: Literal["2", "1.0a"] = "2"
    signature: Literal["HMAC-SHA1", "HMAC-SHA256"] = "HMAC-SHA256"
    collections: Annotated[list[Text], Field(min_length=1)] = list(ROSTER)
    delta: StrictBool = False
    full_days: Annotated[StrictInt, Field(ge=1, le=31)] = 7
    overlap_hours: Annotated[StrictInt, Field(ge=0, le=168)] = 1
    patience_seconds: Annotated[StrictFloat | StrictInt, Field(ge=0, le=3600)] = 120

    @field_validator("collections")
    @classmethod
    def _known(cls, names: list[str], info: ValidationInfo) -> list[str]:
        known = collections(info.data.get("version", "1.2"))
        for name in names:
            if name not in known:
                raise ValueError(f"names {name!r}, which is no collection of this version: {one_of(name, known)}")
        return names

    @model_validator(mode="after")
    def _credentials(self) -> RestSettings:
        given = self.given
        if self.oauth == "1.0a" and self.version != "1.1":
            raise ValueError('has `oauth = "1.0a"`, which came to its end with version 1.1. Leave it out, or say 1.1.')
        if self.oauth == "2" and "signature" in self.model_fields_set:
            raise ValueError('has `signature`, which only `oauth = "1.0a"` has a use for. Remove it.')
        if given not in WANTED[self.oauth]:
            raise ValueError(f"names {', '.join(given) or 'no credentials'}. {SAID[self.oauth]}")
        return self
