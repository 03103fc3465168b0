"""Blackbaud Education Management: OneRoster 1.1, with OAuth 2 tokens of SKY API."""

from __future__ import annotations

from connectors.oneroster.provider import Provider, PublicPage, Stated

DEVELOPERS = "https://developer.blackbaud.com/skyapi/products/bbem/oneroster"
AUTHORIZATION = PublicPage(
    "Generate OneRoster OAuth 2.0 Bearer token", f"{DEVELOPERS}/authorization"
)
INTEGRATIONS = PublicPage("Integrate with third-party web apps", f"{DEVELOPERS}/integrations")

PROVIDER = Provider(
    code="blackbaud",
    name="Blackbaud Education Management",
    addresses=Stated(("api.sky.blackbaud.com/afe-rostr*",), INTEGRATIONS),
    url=Stated("https://api.sky.blackbaud.com/afe-rostr", INTEGRATIONS),
    version=Stated("1.1", AUTHORIZATION),
    lacks_version=Stated("1.2", AUTHORIZATION),
    oauth=Stated("2", AUTHORIZATION),
    token_url=Stated("https://oauth2.sky.blackbaud.com/token", INTEGRATIONS),
    client_auth=Stated("basic", AUTHORIZATION),
    scope=Stated(
        "https://purl.imsglobal.org/spec/or/v1p1/scope/roster-core.readonly", AUTHORIZATION
    ),
    never_tried=(
        "the largest page",
        "filters, and so `delta`",
        "other scopes, and so demographics",
        "the gradebook",
    ),
)
