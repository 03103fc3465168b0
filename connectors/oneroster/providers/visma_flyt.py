"""Visma Flyt: OneRoster 1.2, with OAuth 2 tokens of Visma Connect for one scope."""

from __future__ import annotations

from connectors.oneroster.provider import Provider, PublicPage, Stated

README = PublicPage(
    "Flyt OAS One Roster API Documentation: README.md",
    "https://github.com/Visma-Flyt/FlytOASOneRosterAPI",
)

PROVIDER = Provider(
    code="visma_flyt",
    name="Visma Flyt",
    addresses=Stated(("api.oneroster.cloud.skole.visma.no*",), README),
    url=Stated("https://api.oneroster.cloud.skole.visma.no", README),
    version=Stated("1.2", README),
    oauth=Stated("2", README),
    token_url=Stated("https://connect.visma.com/connect/token", README),
    client_auth=Stated("form", README),
    scope=Stated(
        "one-roster-api:https://purl.imsglobal.org/spec/or/v1p2/scope/roster-core.readonly", README
    ),
    never_tried=(
        "the largest page",
        "which fields it filters by, and so `delta`",
        "other scopes, and so demographics",
        "the gradebook",
    ),
)
