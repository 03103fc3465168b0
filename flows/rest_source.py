"""A feed's OneRoster API: which one it is, how it is read, and since when."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import polars as pl

from connectors.ledger.history import Run
from connectors.oneroster.provider import PAGE_SIZE, Provider
from connectors.oneroster.providers import PROVIDERS
from connectors.oneroster.target import ClientAuth, TargetError
from flows.feeds.targets import read_credentials
from flows.result import REPAIRED, RESTORED
from flows.target import Credentials
from transforms.changes import ACTIVE
from transforms.layouts.ids import source_spelling
from transforms.roster import Raw
from transforms.schemas.entity import Version

if TYPE_CHECKING:
    from flows.feeds.feed import Feed

CHANGES = ", changes since "
SENT = ("done", "unchanged")
# How often a source is read from the start if its records are replaced meanwhile.
READINGS = 3


@dataclass(frozen=True, kw_only=True)
class RestSource:
    """A OneRoster API, and how it is read."""

    url: str
    version: Version
    collections: tuple[str, ...]
    token_url: str = ""
    # the OAuth 1.0a method that signs each request; blank: a token is fetched
    signature: Literal["", "HMAC-SHA1", "HMAC-SHA256"] = ""
    credentials: Credentials = field(default_factory=Credentials)
    scope: str = ""  # what a token is asked for
    client_auth: ClientAuth = ""  # how a client proves who it is when it asks for a token
    cookies: bool = True  # send the cookies that came with the token
    page_size: int = PAGE_SIZE  # how many records a page is asked for
    concurrency: int = 10  # the number of requests at a time
    provider: Provider | None = field(default=None, repr=False)  # whose API it is, if known
    zone: ZoneInfo | None  # of its days; None if the feed file does not name it
    patience_seconds: float = 120.0
    delta: bool = False  # ask only for changes where that is safe
    full_days: int = 7  # read everything again after so many days
    overlap_hours: int = 1  # how long before the last run a change is asked for
    changed: datetime  # when the feed file was written
    since: datetime | None = None  # ask for changes since then (UTC); None: ask for everything
    # the ids that the API had in earlier readings, by collection
    known: Mapping[str, Collection[str]] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """The address of the API, for people."""
        return self.url.partition("://")[2]

    @property
    def drop_name(self) -> str:
        """What replaces a drop's name, also in the ledger: what was read, and since when."""
        return f"{self.name}{CHANGES}{self.since:%Y-%m-%d %H:%M} UTC" if self.since else self.name


def rest_source_of(feed: Feed, environment: Mapping[str, str]) -> RestSource | None:
    """Return the API that a feed file names, with its credentials; None if it names none.

    Raises `SettingsError`.
    """
    table = feed.rest
    if table is None:
        return None
    return RestSource(
        url=table.url,
        version=table.version,
        collections=tuple(table.collections),
        token_url=table.token_url or "",
        signature=table.signature if table.oauth == "1.0a" else "",
        credentials=read_credentials(feed, "rest", environment),
        scope=table.scope or "",
        client_auth=table.client_auth or "",
        cookies=table.cookies,
        page_size=table.page_size,
        concurrency=table.concurrency,
        provider=PROVIDERS[table.profile] if table.profile else None,
        zone=feed.own_zone,
        patience_seconds=table.patience_seconds,
        delta=table.delta,
        full_days=table.full_days,
        overlap_hours=table.overlap_hours,
        changed=datetime.fromtimestamp(feed.path.stat().st_mtime, UTC),
    )


def limit_to_changes(source: RestSource, runs: Sequence[Run], now: datetime) -> RestSource:
    """Limit a reading to what changed since the last run that sent everything, if that is safe.

    `runs` are the feed's runs, newest first. Everything is read again if something else was loaded
    since, if the feed file has changed, or if the last full reading is too long ago: a change
    that the source does not report waits for the next full reading.
    """
    drop_runs = (
        run for run in runs if run.command == "sync" and not run.approved and run.note != REPAIRED
    )
    runs_of_source = takewhile(lambda run: _has_read(source, run), drop_runs)
    sent = [run for run in runs_of_source if run.status in SENT]
    whole = next((run for run in sent if run.drop == source.name), None)
    if not source.delta or whole is None or whole.started <= source.changed:
        return source
    if (now.date() - whole.started.date()).days >= source.full_days:
        return source
    return replace(source, since=sent[0].started - timedelta(hours=source.overlap_hours))


def _has_read(source: RestSource, run: Run) -> bool:
    """Whether a run read this source, and did not restore an older roster."""
    return run.drop.partition(CHANGES)[0] == source.name and run.note != RESTORED


def with_known_ids(
    source: RestSource, known: Mapping[str, pl.DataFrame], prefix: str, *, escaped: bool = False
) -> RestSource:
    """Add the ids that the ledger knows as active.

    The source then asks for each of them that no page has. Ids have a `prefix` in the ledger that
    they do not have in the source, and they may be `escaped`.
    """
    if source.since:
        return source
    active = {
        name: frame.filter(pl.col("status") == ACTIVE)["sourcedId"] for name, frame in known.items()
    }
    return replace(
        source,
        known={
            name: frozenset(map(source_spelling, own) if escaped else own)
            for name, ids in active.items()
            for own in [ids.str.strip_prefix(prefix)]
        },
    )


def read_rest(source: RestSource) -> Raw:
    """Read a source as a drop. Raises `TargetError` if it cannot be used at all."""
    # The client takes a while to import, and most feeds read files.
    from connectors.oneroster.profile import standard_profile
    from connectors.oneroster.retry import RetryPolicy
    from connectors.oneroster.revision import RevisionChanged
    from connectors.oneroster.source import SigningKey, read_source
    from connectors.oneroster.target import Endpoint

    secrets = {
        name: secret.value
        for name, secret in vars(source.credentials).items()
        if secret is not None
    }
    key = (
        SigningKey(secrets["client_id"], secrets["client_secret"], source.signature)
        if source.signature
        else None
    )
    endpoint = Endpoint(
        source.url,
        source.token_url,
        scope=source.scope,
        client_auth=source.client_auth,
        cookies=source.cookies,
        concurrency=source.concurrency,
        patience=RetryPolicy(seconds=source.patience_seconds),
        profile=replace(standard_profile(source.version), largest_page=source.page_size),
        **secrets,
    )
    header = source.provider.revision_header if source.provider else None
    for _ in range(READINGS):
        try:
            return asyncio.run(
                read_source(
                    endpoint,
                    source.version,
                    source.collections,
                    since=source.since,
                    zone=source.zone,
                    key=key,
                    known=source.known,
                    revision_header=header.value if header else "",
                )
            )
        except RevisionChanged:
            continue
    raise TargetError(
        f"{endpoint.host} changed its records while they were read, {READINGS} times. "
        "Run again when it does not, such as at night."
    )
