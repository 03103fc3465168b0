"""Aeries: OneRoster 1.1, with OAuth 2.

A token is given only for a scope, and belongs to the server whose cookies came with it.
"""

from __future__ import annotations

from connectors.oneroster.provider import MODIFIED, Provider, PublicPage, Stated

SUPPORT = "https://support.aeries.com/support/solutions/articles"
AUTHENTICATION = PublicPage(
    "OneRoster API Authentication Process",
    f"{SUPPORT}/14000065677-oneroster-api-authentication-process",
)
EARLIER = PublicPage(
    "OneRoster API Authentication Process (an earlier text of the same page)",
    f"{SUPPORT}/14000065677",
)
ENDPOINTS = PublicPage(
    "OneRoster 1.1 API Available Endpoints",
    f"{SUPPORT}/14000065667-oneroster-1-1-api-available-endpoints",
)
SYNC = PublicPage(
    "OneRoster API Data Sync Considerations",
    f"{SUPPORT}/14000065678-oneroster-api-data-sync-considerations",
)
FLEX = PublicPage(
    "Flex Scheduling OneRoster v1.1",
    f"{SUPPORT}/14000134412-flex-scheduling-oneroster-v1-1-",
)
SCOPE = "https://purl.imsglobal.org/spec/or/v1p1/scope"

PROVIDER = Provider(
    code="aeries",
    name="Aeries",
    addresses=Stated(("*.aeries.net/*",), ENDPOINTS),
    url=Stated("https://district.aeries.net/aeries", ENDPOINTS),
    version=Stated("1.1", ENDPOINTS),
    oauth=Stated("2", AUTHENTICATION),
    token_url=Stated("{url}/token", AUTHENTICATION),
    client_auth=Stated("basic", EARLIER),
    scope=Stated(
        f"{SCOPE}/roster-core.readonly {SCOPE}/roster.readonly "
        f"{SCOPE}/roster-demographics.readonly",
        AUTHENTICATION,
    ),
    cookies=Stated(True, EARLIER),
    filters=Stated((MODIFIED,), SYNC),
    lacks=Stated(("resources",), AUTHENTICATION),
    notes=(
        Stated(
            "Each collection needs a permission of its own, set by an administrator.", ENDPOINTS
        ),
        Stated("The ids of staff begin with TCH_ or _TCH_.", FLEX),
        Stated("Read everything outside of peak hours only.", SYNC),
    ),
    never_tried=(
        "the largest page",
        "which error a token request without a scope gets",
        "whether cookies are still needed: the newest text of the page does not mention them",
        "the gradebook",
    ),
)
