"""The Ed-Fi OneRoster service over an Ed-Fi ODS / API 7.3: OneRoster 1.2, rostering only.

Tokens are those of the ODS / API, which has an address of its own.
"""

from __future__ import annotations

from connectors.oneroster.provider import MODIFIED, Provider, PublicPage, Stated

SERVICE = PublicPage("Ed-Fi OneRoster", "https://docs.ed-fi.org/reference/oneroster/")
DATA_MODEL = PublicPage("Data Model", "https://docs.ed-fi.org/reference/oneroster/data-model/")
AUTHENTICATION = PublicPage(
    "Authentication (ODS / API 7.3)",
    "https://docs.ed-fi.org/reference/ods-api/7.3/client-developers-guide/authentication",
)
REPOSITORY = "https://github.com/Ed-Fi-Alliance-OSS/edfi-oneroster"
README = PublicPage("Ed-Fi OneRoster: README.md", REPOSITORY)
AUTHORIZATION = PublicPage(
    "Authentication and Authorization in Ed-Fi OneRoster API: docs/design/auth-design.md",
    REPOSITORY,
)
MAPPINGS = PublicPage("OneRoster View Mappings: docs/design/oneroster-view-mappings.md", REPOSITORY)
PAGING = PublicPage("src/utils/paginationLimits.js", REPOSITORY)
CONTROLLER = PublicPage("src/controllers/unified/oneRosterController.js", REPOSITORY)

PROVIDER = Provider(
    code="ed_fi",
    name="Ed-Fi OneRoster",
    version=Stated("1.2", SERVICE),
    lacks_version=Stated("1.1", README),
    oauth=Stated("2", AUTHORIZATION),
    token_url=Stated("{ODS / API}/oauth/token", AUTHENTICATION),
    client_auth=Stated("basic", AUTHENTICATION),
    largest_page=Stated(500, PAGING),
    filters=Stated((MODIFIED,), CONTROLLER),
    # Every record has the status `active`.
    reports_removals=Stated(False, MAPPINGS),
    lacks=Stated(("resources", "categories", "scoreScales", "lineItems", "results"), README),
    notes=(
        Stated(
            "A token must have the scope roster.readonly or roster-core.readonly, and "
            "roster-demographics.readonly for demographics; otherwise the answer is 403.",
            AUTHORIZATION,
        ),
        Stated("A token shows only the records of its education organizations.", AUTHORIZATION),
        Stated(
            "Records are those of the last refresh, which the service's operator schedules.",
            DATA_MODEL,
        ),
        Stated("A person at two schools is two users, one for each school.", MAPPINGS),
        Stated("A person without an email address has a blank username.", MAPPINGS),
        Stated("Users have their contacts in `agentSourceIds`, which is not read.", CONTROLLER),
    ),
    never_tried=(
        "whether the scope must be named in the token request",
        "whether a larger page is refused or cut",
        "totals of collections, of which its pages say nothing",
    ),
)
