"""What is publicly known of one provider's OneRoster API as a source, and where it is said.

A line that no public page states is left out, and the standard's own way is used.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import urlsplit

from connectors.oneroster.target import RefusedProof
from transforms.schemas.entity import Version

Value = TypeVar("Value")
OneWay = Literal["basic", "form"]
Signature = Literal["HMAC-SHA1", "HMAC-SHA256"]
# The size of a page that is asked for, unless the provider has smaller ones.
PAGE_SIZE = 1000
MODIFIED = "dateLastModified"


@dataclass(frozen=True)
class PublicPage:
    """A page that anybody can read."""

    title: str
    address: str
    # Who publishes it, if not the provider.
    publisher: str = ""

    def __str__(self) -> str:
        publisher = f"{self.publisher}: " if self.publisher else ""
        return f"{publisher}{self.title}, {self.address}"


@dataclass(frozen=True)
class Stated(Generic[Value]):
    """A value, and the page that states it."""

    value: Value
    page: PublicPage


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider's OneRoster API, as far as public pages describe it."""

    # The name by which a feed file chooses it, which is that of its module.
    code: str
    # The name of the product, for people.
    name: str
    # Patterns of addresses, without the scheme, by which it is recognized.
    addresses: Stated[tuple[str, ...]] | None = None
    # What stands before `/ims/oneroster`, for people.
    url: Stated[str] | None = None
    version: Stated[Version] | None = None
    # A version that it is said not to have.
    lacks_version: Stated[Version] | None = None
    # `1.0a` signs each request. A ready token is a bearer token all the same.
    oauth: Stated[Literal["2", "1.0a"]] | None = None
    signature: Stated[Signature] | None = None
    # `{url}` and `{origin}` are those of the API. Anything else in braces the feed file must say.
    token_url: Stated[str] | None = None
    client_auth: Stated[OneWay] | None = None
    scope: Stated[str] | None = None
    # Whether requests need the cookies that came with the token.
    cookies: Stated[bool] | None = None
    # Records of the largest page, unless its operator allows more.
    largest_page: Stated[int] | None = None
    # How many requests it accepts at a time.
    concurrency: Stated[int] | None = None
    # Fields by which it filters.
    filters: Stated[tuple[str, ...]] | None = None
    # Whether it lists every removed record as `tobedeleted`.
    reports_removals: Stated[bool] | None = None
    # Collections of the standard that it does not have.
    lacks: Stated[tuple[str, ...]] | None = None
    # A header of each response that changes whenever the data does.
    revision_header: Stated[str] | None = None
    # What else a reader should know.
    notes: tuple[Stated[str], ...] = ()
    # What no public page says, and nobody tried.
    never_tried: tuple[str, ...]

    @property
    def lines(self) -> Iterator[tuple[str, Stated[Any]]]:
        """Each line that a page states, by its name, without the notes."""
        for one in fields(self):
            if isinstance(line := getattr(self, one.name), Stated):
                yield one.name, line

    def settings(self, table: Mapping[str, Any]) -> dict[str, Any]:
        """Return what this provider says about the keys of `[rest]` that a feed file may leave out.

        `table` has the keys that the file sets: how a client signs in depends on its credentials.
        """
        found: dict[str, Any] = {
            name: line.value for name, line in self.lines if name in UNCONDITIONAL
        }
        if self.largest_page:
            found["page_size"] = min(PAGE_SIZE, self.largest_page.value)
        if any(key.startswith("access_token_") for key in table):
            return found
        signed = table.get("oauth", self.oauth.value if self.oauth else "2") == "1.0a"
        for name, line in self.lines:
            if name in (SIGNED if signed else FETCHED):
                found[name] = line.value
        if "token_url" in found:
            found["token_url"] = _filled(found["token_url"], table.get("url"))
        return {name: value for name, value in found.items() if value is not None}

    def objections(self, values: Mapping[str, Any]) -> Iterator[str]:
        """Yield each setting that does not work with this provider, with what to use instead.

        `values` are the settings of `[rest]`, also those that the file leaves out.
        """
        oauth = self.oauth.value if self.oauth else ""
        if self.oauth and oauth == "2" and values["oauth"] == "1.0a":
            yield f'has `oauth = "1.0a"`, and {self._knows(self.oauth)} OAuth 2. Remove `oauth`.'
        if self.oauth and oauth == "1.0a" and values["token_url"]:
            yield (
                f"has `token_url`, and {self._knows(self.oauth)} signed requests and ready tokens. "
                "Name only client_id_env and client_secret_env (or _file or _block in place of "
                "_env), or only access_token_env."
            )
        if self.lacks_version and values["version"] == self.lacks_version.value:
            yield (
                f'has `version = "{values["version"]}"`, which {self.name} does not have '
                f"({self.lacks_version.page}). Remove `version`."
            )
        if self.concurrency and values["concurrency"] > self.concurrency.value:
            yield (
                f"has `concurrency = {values['concurrency']}`, and {self.name} accepts "
                f"{self.concurrency.value} requests at a time ({self.concurrency.page}). Set no "
                "more than that, or remove it."
            )
        if self.lacks:
            kept = [name for name in values["collections"] if name not in self.lacks.value]
            if missing := [name for name in values["collections"] if name not in kept]:
                yield (
                    f"has {', '.join(missing)} in `collections`, which {self.name} does not have "
                    f"({self.lacks.page}). Use `collections = {json.dumps(kept)}`."
                )

    def _knows(self, line: Stated[Any]) -> str:
        return f"{self.name} ({line.page}) only knows"

    def is_at(self, address: str) -> bool:
        """Return whether an address is one of this provider."""
        place = address.partition("://")[2].partition("?")[0].lower()
        return self.addresses is not None and any(
            fnmatchcase(place, pattern) for pattern in self.addresses.value
        )


# Settings that hold however a client signs in, that go with a signature, and with a fetched token.
UNCONDITIONAL = frozenset({"version", "concurrency"})
SIGNED = frozenset({"oauth", "signature"})
FETCHED = frozenset({"oauth", "token_url", "client_auth", "scope", "cookies"})
# What a refusal is about: the settings of `[rest]` that may cause it.
CAUSES: Mapping[RefusedProof, tuple[str, ...]] = {
    "token request": ("scope", "token_url", "client_auth"),
    "token": ("cookies", "version"),
    "signature": ("signature",),
}


def has_form(address: str, template: str) -> bool:
    """Return whether the address of a token endpoint has the form that a provider's page gives."""
    fixed = re.split(r"\{[^}]*\}", template)
    return re.fullmatch(".+".join(map(re.escape, fixed)), address) is not None


def _filled(template: str, url: object) -> str | None:
    """Fill in the address of a token endpoint; None if the address of the API does not say it."""
    address = str(url).rstrip("/")
    parts = urlsplit(address) if url else None
    origin = f"{parts.scheme}://{parts.netloc}" if parts else ""
    filled = template.replace("{url}", address).replace("{origin}", origin)
    return None if "{" in filled or not (origin or template == filled) else filled
