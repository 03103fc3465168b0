"""PowerSchool SIS, with a plugin that opens its OneRoster API to one client."""

from __future__ import annotations

from connectors.oneroster.provider import Provider, PublicPage, Stated

TOOLS4EVER = PublicPage(
    "HelloID-Conn-Prov-Source-PowerSchool-SIS-Students: departments.ps1",
    "https://github.com/Tools4everBV/HelloID-Conn-Prov-Source-PowerSchool-SIS-Students",
    "Tools4ever",
)
POSTMAN = PublicPage(
    "PostMan - PowerSchool - Office365 - Custom Connectors P3",
    "https://drupalgirl.com/node/10063",
    "drupalgirl.com",
)
CLASSLINK = PublicPage(
    "PowerSchool API Activation",
    "https://support.classlink.com/hc/en-us/articles/360007232513-PowerSchool-API-Activation",
    "ClassLink",
)
CREDENTIALS = PublicPage(
    "View OAuth Client Credentials",
    "https://ps.powerschool-docs.com/pssis-admin/latest/view-oauth-client-credentials",
)

PROVIDER = Provider(
    code="powerschool",
    name="PowerSchool SIS",
    addresses=Stated(("*.powerschool.com/oauth/access_token",), POSTMAN),
    token_url=Stated("{origin}/oauth/access_token", TOOLS4EVER),
    client_auth=Stated("basic", TOOLS4EVER),
    largest_page=Stated(1000, CLASSLINK),
    notes=(
        Stated(
            "Client id and secret stand in the plugin's Data Provider Configuration.", CREDENTIALS
        ),
        Stated(
            "The plugin's Maximum Page Size may be smaller; set it to 1000 for fewer requests.",
            CLASSLINK,
        ),
    ),
    never_tried=(
        "the version, which a feed file must set, and the path of the OneRoster API",
        "a token of its general API, which the pages describe, at its OneRoster API",
        "filters, and so `delta`",
        "the gradebook",
    ),
)
