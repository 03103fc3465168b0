"""Infinite Campus: OneRoster 1.1 or 1.2, with OAuth 2 tokens for one application.

The token address names the application in its query: without it, no token is given.
"""

from __future__ import annotations

from connectors.oneroster.provider import MODIFIED, Provider, PublicPage, Stated

SCHOOLDAY = PublicPage(
    "Establish a connection with Infinite Campus API 1.2",
    "https://help.schoolday.com/knowledge/"
    "establish-a-connection-with-infinite-campus-api-1.2-data-source",
    "SchoolDay",
)
CONSUMERS = PublicPage(
    "Guidelines for OneRoster API Consumers",
    "https://kb.infinitecampus.com/help/guidelines-for-oneroster-api-consumers",
)
EARLIER = PublicPage(
    "OneRoster API Consumer Guidelines (Campus.1929)",
    "https://content.infinitecampus.com/sis/Campus.1929/documentation/"
    "oneroster-api-consumer-guidelines/",
)
PREREQUISITES = PublicPage(
    "OneRoster Prerequisites", "https://kb.infinitecampus.com/help/oneroster-prerequisites"
)

PROVIDER = Provider(
    code="infinite_campus",
    name="Infinite Campus",
    addresses=Stated(("*/campus/api/*", "*/campus/api", "*/campus/oauth2/token"), SCHOOLDAY),
    url=Stated("https://DOMAIN/campus/api", SCHOOLDAY),
    version=Stated("1.2", SCHOOLDAY),
    oauth=Stated("2", SCHOOLDAY),
    token_url=Stated("{origin}/campus/oauth2/token?appName={appName}", SCHOOLDAY),
    largest_page=Stated(50_000, EARLIER),
    concurrency=Stated(5, CONSUMERS),
    filters=Stated((MODIFIED,), CONSUMERS),
    notes=(
        Stated("All users have other ids in 1.2 than in 1.1.", SCHOOLDAY),
        Stated("Version 1.1 omits people without a username.", PREREQUISITES),
        Stated("Only the active school year is there.", PREREQUISITES),
        Stated("Read everything once a week, and changes each night (`delta`).", CONSUMERS),
        Stated("OAuth 1.0a ended on June 30, 2023.", SCHOOLDAY),
    ),
    never_tried=(
        "which of form and HTTP Basic its token address prefers",
        "scopes, of which its pages say nothing",
        "whether a collection that is not shared is empty or refused",
        "the gradebook",
    ),
)
