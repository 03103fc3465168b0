"""The other side of OAuth 1.0a: whether a request is signed as a source wants it."""

from __future__ import annotations

from oauthlib.oauth1 import SignatureOnlyEndpoint  # type: ignore[import-untyped]
from oauthlib.oauth1.rfc5849.request_validator import RequestValidator  # type: ignore[import-untyped]

KEY, SECRET = "larkspur", "hunter2"


class OneKey(RequestValidator):  # type: ignore[misc]
    """A source that knows one key."""

    dummy_client = "nobody"
    client_key_length = nonce_length = (1, 40)
    allowed_signature_methods = ("HMAC-SHA1", "HMAC-SHA256")
    # Plain http, since sources of tests are on this machine.
    enforce_ssl = False

    def validate_client_key(self, client_key: str, request: object) -> bool:  # noqa: ARG002
        """Know the one key."""
        return client_key == KEY

    def validate_timestamp_and_nonce(self, *_: object, **__: object) -> bool:
        """Take any."""
        return True

    def get_client_secret(self, client_key: str, request: object) -> str:  # noqa: ARG002
        """Give the secret of any key."""
        return SECRET


def is_signed(url: str, authorization: str) -> bool:
    """Say whether a GET of an address is signed with the one key."""
    valid, _ = SignatureOnlyEndpoint(OneKey()).validate_request(
        url, "GET", headers={"Authorization": authorization}
    )
    return bool(valid)
