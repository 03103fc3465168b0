"""Where the credentials of an API are, as the tables of a feed's file name them: in variables, files or Prefect's blocks."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from flows.feeds.secret import named
from flows.feeds.values import Block, File, TokenAddress, Variable


class CredentialSettings(BaseModel):
    """The names of what holds a token, or a client's id and secret; never the credentials themselves."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token_url: TokenAddress | None = None
    client_id_env: Variable | None = None
    client_id_file: File | None = None
    client_id_block: Block | None = None
    client_secret_env: Variable | None = None
    client_secret_file: File | None = None
    client_secret_block: Block | None = None
    access_token_env: Variable | None = None
    access_token_file: File | None = None
    access_token_block: Block | None = None

    @property
    def given(self) -> list[str]:
        """What is named, in order. Raises `ValueError` for a secret that is named twice."""
        return [*named(self), *(("token_url",) if self.token_url else ())]
