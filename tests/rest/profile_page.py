"""Write `docs/rest_profiles.md` from the profiles: `python -m tests.rest.profile_page`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from connectors.oneroster.provider import Provider, PublicPage
from connectors.oneroster.providers import PROVIDERS

PAGE = Path(__file__).parents[2] / "docs" / "rest_profiles.md"
HEAD = """# Profiles of providers

A profile holds what public pages say about a provider's OneRoster API. `profile` under `[rest]` chooses one ([An API as the source](rest_source.md)). `python -m tests.rest.profile_page` writes this page from the files in `connectors/oneroster/providers/`.

Every line names the page that says so, which may be older than the provider's present release. No profile was ever tried against a real server: each was tested against a stand-in that refuses what the pages say is refused. What the feed file sets takes precedence. What no page says is left to the standard and to the feed file.

There is no profile for Skyward, Veracross and Synergy: no public page was found that says where their tokens are, or how a client asks for one. Set `token_url` and the other lines as the district's own page for API access shows them.
"""
# What people read in place of the name of a field.
NAMES = {
    "addresses": "recognized by",
    "reports_removals": "reports every removal",
    "lacks_version": "does not have version",
    "lacks": "does not have",
    "filters": "filters by",
    "largest_page": "largest page",
    "concurrency": "requests at a time",
    "revision_header": "header of the revision",
}


def page() -> str:
    """Return the text of the page."""
    return "\n".join([HEAD, *(line for one in PROVIDERS.values() for line in _section(one))])


def _section(provider: Provider) -> Iterator[str]:
    yield f"## {provider.name}: `{provider.code}`\n"
    yield "| line | value | source |\n|---|---|---|"
    for name, line in provider.lines:
        own = NAMES.get(name, f"`{name}`")
        yield f"| {own} | {_shown(line.value)} | {_link(line.page)} |"
    yield ""
    for note in provider.notes:
        yield f"- {note.value} ({_link(note.page)})"
    yield f"- Never tried: {'; '.join(provider.never_tried)}.\n"


def _shown(value: Any) -> str:
    values = value if isinstance(value, tuple) else [value]
    return ", ".join(f"`{one if isinstance(one, str) else json.dumps(one)}`" for one in values)


def _link(source: PublicPage) -> str:
    publisher = f"{source.publisher}: " if source.publisher else ""
    return f"{publisher}[{source.title}]({source.address})"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
