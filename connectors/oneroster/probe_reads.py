"""The questions of a probe that only read: how large a page may be, and whether deleted records can be left out."""

from __future__ import annotations

from connectors.oneroster import wire
from connectors.oneroster.answers import description, parsed
from connectors.oneroster.assumptions import Fact
from connectors.oneroster.client import Client
from connectors.oneroster.listening import Listening
from connectors.oneroster.probe_writes import kind_of_body
from transforms.payload import Json
from transforms.schemas.vocabularies import TOBEDELETED

# Few, and nothing personal.
COLLECTION = "orgs"
NEWEST = {"sort": "dateLastModified", "orderBy": "desc", "limit": "100"}


async def page(client: Client) -> Fact:
    """Ask for the largest page that the loader asks for."""
    answer, _ = await _listed(client, {"limit": str(client.profile.largest_page), "fields": "sourcedId"})
    return _fact("page", "held" if answer.status < 300 else "refused", answer)


async def page_beyond(client: Client) -> Fact:
    """Ask for a page of one more than is documented."""
    wanted = client.profile.largest_page + 1
    answer, body = await _listed(client, {"limit": str(wanted), "fields": "sourcedId"})
    if answer.status >= 300:
        return _fact("page beyond", "refused", answer)
    limit = body.get("limit")
    records = body.get(client.profile.lists[COLLECTION].list_key)
    if limit == wanted or (isinstance(records, list) and len(records) == wanted):
        return _fact("page beyond", "held", answer)
    return _fact("page beyond", "clamped" if isinstance(limit, int) else "accepted", answer)


async def filter_status(client: Client) -> Fact:
    """Ask for the active records among the newest; of those that a probe deleted a moment ago there must be none."""
    answer, body = await _listed(client, NEWEST | {"filter": "status='active'"})
    records = body.get(client.profile.lists[COLLECTION].list_key)
    if answer.status >= 300 or not isinstance(records, list):
        return _fact("filter", "refused", answer)
    ignored = any(isinstance(one, dict) and one.get("status") == TOBEDELETED for one in records)
    return _fact("filter", "ignored" if ignored else "works", answer)


def limits(heard: Listening) -> Fact:
    """Tell of the headers by which a target spoke of limits so far."""
    names = ", ".join(f"{name}: {value}" for name, value in sorted(heard.limits.items()))
    busy = f"HTTP 429 {heard.busy} times" if heard.busy else ""
    told = "; ".join(filter(None, (names, busy)))
    return Fact("limits", "", "seen" if told else "none seen", detail=told)


async def _listed(client: Client, parameters: dict[str, str]) -> tuple[wire.Answer, Json]:
    answer = await client.send(wire.listing(client.profile.lists[COLLECTION].path, parameters))
    return answer, parsed(answer.body)


def _fact(question: str, word: str, answer: wire.Answer) -> Fact:
    detail = description(answer.status, answer.body, answer.lost) if answer.status >= 300 or answer.lost else ""
    return Fact(question, COLLECTION, word, answer.status, kind_of_body(answer.body), detail)
