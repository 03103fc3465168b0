"""What a preflight says about the provider of an API that is read, and whose profile fits it."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.oneroster.provider import CAUSES, MODIFIED, Provider, has_form
from connectors.oneroster.providers import PROVIDERS
from connectors.oneroster.target import AccessRefused
from flows.preflight.check import Check, passed, warning
from flows.rest_source import RestSource

PROFILE = "profile"
# Error codes of OAuth 2 that say that the client is wrong, and not what it asks for.
CLIENT_IS_WRONG = ("invalid_client", "unauthorized_client", "invalid_grant", "access_denied")
BAD_REQUEST = 400
UNTRIED = (
    "It was made from public pages (docs/rest_profiles.md), and never tried against a real server."
)


def check_profile(source: RestSource) -> list[Check]:
    """Say what a source has from its profile, and what no public page says about its provider."""
    provider = source.provider
    if provider is None:
        return []
    own = _other_settings(source, provider)
    taken = [name for name in _settings(source, provider) if name not in own]
    lines = [f"{provider.name}: {_listed(taken) or 'nothing'} from its profile. {UNTRIED}"]
    if own:
        lines.append(f"The feed file itself sets {_listed(own)}, and the profile says otherwise.")
    doubts = list(_doubts_of_delta(provider)) if source.delta else []
    return [(warning if doubts else passed)(PROFILE, "\n".join([*lines, *doubts]))]


def profile_hint(source: RestSource | None, error: Exception | None = None) -> str:
    """Name the profile that fits a source that cannot be used; blank if none is known to.

    `error` is what ended the reading; None if records came that cannot be loaded.
    """
    if source is None or not (error is None or isinstance(error, AccessRefused)):
        return ""
    if source.provider:
        return _contradiction(source, source.provider, error) if error else ""
    here = [
        one for one in PROVIDERS.values() if one.is_at(source.url) or one.is_at(source.token_url)
    ]
    if here:
        return f" This is an address of {_named(here)}: set the `profile` in [rest]."
    return _hint_of_refusal(source, error) if error else ""


def _settings(source: RestSource, provider: Provider) -> dict[str, object]:
    """Return what a profile says about a source that signs in as this one does."""
    ready = {"access_token_env": ""} if source.credentials.access_token else {}
    oauth = "1.0a" if source.signature else "2"
    settings = provider.settings({"url": source.url, "oauth": oauth, **ready})
    return {name: value for name, value in settings.items() if hasattr(source, name)}


def _other_settings(source: RestSource, provider: Provider) -> list[str]:
    """Return the settings about which the feed file and a profile disagree."""
    other = [
        name
        for name, value in _settings(source, provider).items()
        if getattr(source, name) != value
    ]
    line = provider.token_url
    if line and source.token_url and not has_form(source.token_url, line.value):
        other = [*(name for name in other if name != "token_url"), "token_url"]
    return other


def _doubts_of_delta(provider: Provider) -> Iterator[str]:
    """Yield what a night that reads only changes may miss."""
    if not (provider.filters and MODIFIED in provider.filters.value):
        yield (
            f"No public page says that {provider.name} filters by {MODIFIED}, which `delta` needs. "
            "Compare a night that reads only changes with one that reads everything."
        )
    if provider.reports_removals and not provider.reports_removals.value:
        yield (
            f"{provider.name} does not report every removed record "
            f"({provider.reports_removals.page}). With `delta`, such a record stays until "
            "everything is read again: set `full_days` accordingly."
        )


def _contradiction(source: RestSource, provider: Provider, error: AccessRefused) -> str:
    """Name a setting of the feed file that may be the cause, since the profile says otherwise."""
    other = _other_settings(source, provider)
    pages = {
        name: line.page
        for name, line in provider.lines
        if name in other and name in CAUSES[error.proof]
    }
    return "".join(
        f" The feed file sets `{name}`, about which the profile {provider.code} says otherwise "
        f"({page})."
        for name, page in pages.items()
    )


def _hint_of_refusal(source: RestSource, error: AccessRefused) -> str:
    """Name the providers that are documented to refuse in this way what this source was sent."""
    if (
        error.proof == "token request"
        and not source.scope
        and error.status == BAD_REQUEST
        and error.code not in CLIENT_IS_WRONG
    ):
        wanting = [one for one in PROVIDERS.values() if one.scope]
        return (
            f" {_named(wanting)} give a token only for a scope. If this is one of them, set the "
            "`profile` in [rest]; if not, set the `scope` that the operator of the API names."
        )
    signers = [
        one
        for one in PROVIDERS.values()
        if one.signature and one.signature.value != source.signature
    ]
    if error.proof == "signature" and signers:
        return (
            f" {_named(signers)} expects another signature than {source.signature}. If this is "
            "one of them, set the `profile` in [rest]."
        )
    return ""


def _named(providers: list[Provider]) -> str:
    return " and ".join(f'{one.name} (`profile = "{one.code}"`)' for one in providers)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
