"""PowerSchool with the OneRoster API keys of a district's Integrations page.

Its tokens are those of accounts.powerschool.com, and not of the district's own server.
"""

from __future__ import annotations

from connectors.oneroster.provider import Provider, PublicPage, Stated

ONEROSTER = PublicPage(
    "OneRoster", "https://docs.powerschool.com/UCHA/system-administration/integrations/oneroster"
)

PROVIDER = Provider(
    code="powerschool_accounts",
    name="PowerSchool with OneRoster API keys",
    addresses=Stated(("accounts.powerschool.com/as/*",), ONEROSTER),
    oauth=Stated("2", ONEROSTER),
    token_url=Stated("https://accounts.powerschool.com/as/token.oauth2", ONEROSTER),
    client_auth=Stated("form", ONEROSTER),
    never_tried=(
        "the version, which a feed file must set, and the path of the OneRoster API",
        "the largest page",
        "filters, and so `delta`",
        "the gradebook",
    ),
)
