"""Aspen, of Follett, with tokens of Aspen's own OAuth address."""

from __future__ import annotations

from connectors.oneroster.provider import Provider, PublicPage, Stated

OAUTH_ACCESS = PublicPage(
    "OAuth Access (Aspen's help)",
    "https://aspen.knoxschools.org/aspen/help/Content/System_Administration/OAuth_Access.htm",
)

PROVIDER = Provider(
    code="aspen",
    name="Aspen",
    addresses=Stated(("*/oauth/rest/v2.0/auth",), OAUTH_ACCESS),
    token_url=Stated("{origin}/oauth/rest/v2.0/auth", OAUTH_ACCESS),
    client_auth=Stated("form", OAUTH_ACCESS),
    notes=(
        Stated(
            "A client sees what the Aspen user sees that its OAuth access is made for.",
            OAUTH_ACCESS,
        ),
    ),
    never_tried=(
        "the version, which a feed file must set, and the path of the OneRoster API",
        "the largest page",
        "filters, and so `delta`",
        "the gradebook",
    ),
)
