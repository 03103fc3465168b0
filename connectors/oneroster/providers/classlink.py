"""ClassLink Roster Server: signed requests to a district's server, or a bearer token to its proxy.

The proxy takes the ready token of the partner portal (`access_token_env`). It does not expire.
"""

from __future__ import annotations

from connectors.oneroster.provider import Provider, PublicPage, Stated

ACCESS = PublicPage("Accessing data", "https://developer.classlink.com/reference/accessing-data")
AISTUDIO = PublicPage(
    "ClassLink OneRoster synchronization: docs/features/oneroster-classlink-sync.md",
    "https://github.com/psd401/aistudio",
    "Peninsula School District 401",
)

PROVIDER = Provider(
    code="classlink",
    name="ClassLink Roster Server",
    addresses=Stated(
        ("oneroster-proxy.classlink.io/*", "oneroster-proxy.apis.classlink.com/*"), AISTUDIO
    ),
    url=Stated("https://oneroster-proxy.classlink.io/APPLICATION_ID", ACCESS),
    version=Stated("1.1", ACCESS),
    oauth=Stated("1.0a", ACCESS),
    signature=Stated("HMAC-SHA1", AISTUDIO),
    largest_page=Stated(10_000, AISTUDIO),
    # It purges them.
    reports_removals=Stated(False, AISTUDIO),
    revision_header=Stated("x-perm-rev", AISTUDIO),
    notes=(
        Stated(
            "Pages of 10,000 records are what ClassLink advises: `page_size = 10000`.", AISTUDIO
        ),
    ),
    never_tried=(
        "version 1.2, which the same server may have",
        "HMAC-SHA256",
        "filters, and so `delta`",
        "application ids with characters that are escaped in addresses",
        "the gradebook",
    ),
)
